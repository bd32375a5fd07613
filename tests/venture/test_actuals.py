"""Actuals: what was counted, read from CSV by month, and put beside what is there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.venture.actuals import ActualSpec, by_month, changes, merged
from core.venture.actuals_csv import COLUMNS, read_actuals


def test_rows_come_by_month_whatever_their_order() -> None:
    rows, _ = read_actuals("a.csv", b"month,revenue,customers\n2026-03,300,3\n2026-01,100.50,1\n2026-2,,2\n")
    assert [row.month for row in rows] == ["2026-01", "2026-02", "2026-03"]
    assert rows[0].given() == {"revenue": Decimal("100.50"), "customers": 1}
    assert rows[1].given() == {"customers": 2}


def test_a_spreadsheets_names_are_understood() -> None:
    raw = b"Date,Sales,OPEX,Bank balance,Employees\n2026-01-31,100,80,-20,2.5\n"
    (row,), _ = read_actuals("a.csv", raw)
    assert row.given() == {"revenue": 100, "operating_costs": 80, "cash": -20, "headcount": 2.5}


def test_a_month_told_twice_is_refused_with_both_rows() -> None:
    with pytest.raises(InvalidInput, match=r"row 1: 2026-01 .* 2 times.*row 3: 2026-01"):
        read_actuals("a.csv", b"month,revenue\n2026-01,1\n2026-02,2\n2026-1,3\n")


def test_a_month_without_a_figure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="row 2: 2026-02 has no figure"):
        read_actuals("a.csv", b"month,revenue\n2026-01,1\n2026-02,\n")


@pytest.mark.parametrize(
    ("column", "cell"),
    [("revenue", "-1"), ("customers", "2.5"), ("customers", "-1"), ("headcount", "nan"), ("cash", "lots")],
)
def test_a_faulty_cell_is_told_with_row_column_and_value(column: str, cell: str) -> None:
    with pytest.raises(InvalidInput, match=f"row 1: {column}: ") as told:
        read_actuals("a.csv", f"month,{column}\n2026-01,{cell}\n".encode())
    assert cell in str(told.value)


def test_more_than_fifty_years_of_months_are_refused() -> None:
    rows = "".join(f"{1990 + place // 12}-{place % 12 + 1:02},1\n" for place in range(601))
    with pytest.raises(InvalidInput, match=r"601 rows\. Up to 600"):
        read_actuals("a.csv", f"month,revenue\n{rows}".encode())


def test_every_column_can_be_given() -> None:
    header = ",".join(one.name for one in COLUMNS)
    row = ",".join(one.example for one in COLUMNS)
    (found,), table = read_actuals("a.csv", f"{header}\n{row}\n".encode())
    assert len(found.given()) == len(COLUMNS) - 1
    assert not table.ignored


def test_a_new_figure_replaces_the_old_one_and_one_left_out_keeps_it() -> None:
    old = [ActualSpec(month="2026-01", revenue=Decimal(5), customers=2), ActualSpec(month="2026-02", customers=4)]
    new = [ActualSpec(month="2026-03", customers=1), ActualSpec(month="2026-01", revenue=Decimal(6))]
    found = merged(old, new)
    assert [row.month for row in found] == ["2026-01", "2026-02", "2026-03"]
    assert found[0].given() == {"revenue": 6, "customers": 2}
    assert changes(old, new) == ("2026-01",)
    assert changes(old, old) == ()


def test_nothing_counted_is_not_nought() -> None:
    assert ActualSpec(month="2026-01").given() == {}
    assert ActualSpec(month="2026-01", revenue=Decimal(0)).given() == {"revenue": 0}


def test_rows_are_found_by_month() -> None:
    rows = [ActualSpec(month="2026-02"), ActualSpec(month="2026-01")]
    assert list(by_month(rows)) == ["2026-01", "2026-02"]

"""A company's workbook without a spreadsheet: what is in it, and what must not be. In a spreadsheet:
`test_plan_xlsx_calculated`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from core.venture.metrics import metric
from core.venture.periods import period
from core.venture.plan import plan
from exports.formulas import is_name
from exports.plan_book import FIRST_ROW, column_name, named_cells
from exports.plan_xlsx import plan_xlsx
from exports.plan_xlsx_inputs import scenario_labels, tables
from exports.plan_xlsx_write import PATTERNS, serial
from tests.exports.companies import HOSTILE, RICH, empty, rich
from tests.exports.workbooks import Workbook

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOOK = Workbook(plan_xlsx(rich(), at=AT))
MONTH_SHEETS = ("Products", "Team", "Compute", "Expenses", "Funding", "Profit and loss", "Cash", "Metrics")


def line(book: Workbook, sheet: str, label: str) -> list[float]:
    cells = book.sheet(sheet)
    [row] = [address[1:] for address, cell in cells.items() if address[0] == "A" and cell.value == label]
    return [float(cell.value) for address, cell in cells.items() if re.fullmatch(rf"(?!A|B)[A-Z]+{row}", address)
            or re.fullmatch(rf"A[A-Z]{row}", address)]  # fmt: skip


@pytest.mark.parametrize("sheet", MONTH_SHEETS)
def test_every_month_is_a_formula(sheet: str) -> None:
    typed = [
        address
        for address, cell in BOOK.sheet(sheet).items()
        if (found := re.fullmatch(r"([A-Z]+)(\d+)", address))
        and found[1] not in ("A", "B")
        and int(found[2]) > FIRST_ROW
        and not cell.formula
    ]
    assert typed == []


@pytest.mark.parametrize("scenario", ["base", "down", "up"])
def test_values_beside_formulas_are_the_engines(scenario: str) -> None:
    spec = rich()
    book, found = Workbook(plan_xlsx(spec, scenario=scenario)), plan(spec, spec.scenarios.get(scenario))
    assert line(book, "Cash", "Cash at the month's end") == (found.cash[0] / 100).tolist()
    assert line(book, "Profit and loss", "Net profit") == (found.net_profit[0] / 100).tolist()
    assert line(book, "Team", "Headcount") == found.headcount[0].tolist()


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("ARR = 12 × MRR", "arr"),
        ("Net new MRR", "net_new_mrr"),
        ("Net revenue retention, of the month", "nrr"),
        ("Gross revenue retention, of the month", "grr"),
        ("MRR a customer", "arpa"),
        ("Gross margin", "gross_margin"),
        ("Quick ratio; 0: nothing lost", "quick_ratio"),
        ("CAC; 0: no new customers", "cac"),
        ("LTV; 0: nobody lost", "ltv"),
        ("LTV/CAC; 0: none", "ltv_to_cac"),
        ("CAC payback; 0: none", "payback_months"),
        ("Burn multiple, of the month; 0: no growth", "burn_multiple"),
        ("Runway at this month's burn; 0: none, or no burn", "runway"),
    ],
)
def test_metrics_of_a_month_are_those_of_the_page(label: str, key: str) -> None:
    found = plan(rich())
    shown = line(BOOK, "Metrics", label)
    compared = 0
    for month, value in enumerate(shown):
        expected = metric(found, key, period(found.months, month, month + 1)).value
        if expected is not None and value:  # where there is none, the cell is 0 and its label says so
            assert value == pytest.approx(float(expected), rel=1e-4, abs=0.006), month
            compared += 1
    assert compared >= 10


def test_every_input_of_the_plan_is_a_named_yellow_cell() -> None:
    names = named_cells(tables(rich()))
    for name in (
        *("product1_price", "product1_churn", "product1_growth", "product1_task1_in", "product1_usd_input"),
        *("product4_project_months", "role2_salary", "role2_start", "role3_end", "compute1_every", "expense2_share"),
        *("funding1_interest", "opening_cash", "tax_rate", "plan_start", "per_usd", "scenario", "scenario4_price"),
    ):
        assert names[name].given, name
        assert BOOK.names[name].startswith("Assumptions!$"), name
    assert all(is_name(name) for name in names)


def test_no_formula_asks_for_a_name_that_is_not_there() -> None:
    known = set(BOOK.names)
    asked = {
        name
        for sheet in BOOK.sheets()
        for cell in BOOK.sheet(sheet).values()
        for name in re.findall(r"[a-z]+\d*_[a-z_0-9]+", re.sub(r'"[^"]*"', "", cell.formula))
    }
    assert asked - known == set()


def test_months_are_dates_of_a_spreadsheet() -> None:
    assert serial("2026-03") == 46082
    assert "mmm yyyy" in PATTERNS["month"]


def test_an_example_says_so_and_nothing_is_advice() -> None:
    for sheet in ("Summary", "Notes"):
        words = " ".join(str(cell.value) for cell in BOOK.sheet(sheet).values())
        assert "Example company: invented figures." in words
        assert "Not financial advice." in words
    real = rich(company=RICH["company"] | {"example": False})
    assert "invented" not in Workbook(plan_xlsx(real)).text()


def test_hostile_names_are_text_in_every_cell() -> None:
    sections: dict[str, Any] = {
        key: [one | {("role" if key == "team" else "name"): HOSTILE[:60]} for one in RICH[key][:1]]
        for key in ("products", "team", "compute", "expenses", "funding")
    }
    sections["company"] = RICH["company"] | {"name": HOSTILE[:60]}
    sections["scenarios"] = {"=1+1": {"price": 2}, '@"x"': {"price": 3}}
    book = Workbook(plan_xlsx(rich(**sections), scenario="=1+1"))
    for sheet in book.sheets():
        for address, cell in book.sheet(sheet).items():
            assert "HYPERLINK" not in cell.formula, f"{sheet}!{address}"
            assert not str(cell.value).startswith(("=", "@")), f"{sheet}!{address}"
    assert "<script>" not in book.text()


def test_scenario_names_are_told_apart_by_more_than_case() -> None:
    spec = rich(scenarios={"Down": {}, "down": {}, "your own": {}, "BASE": {}})
    labels = list(scenario_labels(spec).values())
    assert len({one.casefold() for one in [*labels, "base", "your own"]}) == len(labels) + 2


def test_a_company_without_anything_has_a_workbook_all_the_same() -> None:
    book = Workbook(plan_xlsx(empty()))
    assert "Compute" in book.sheets()
    assert set(line(book, "Cash", "Cash at the month's end")) == {0.0}


def test_five_products_over_sixty_months_stay_a_small_file() -> None:
    products = [RICH["products"][0] | {"name": f"Product {number}"} for number in range(5)]
    company = RICH["company"] | {"months": 60}
    data = plan_xlsx(rich(company=company, products=products))
    assert len(data) < 500_000
    assert column_name(61) + "5" in Workbook(data).sheet("Cash")

"""A company's workbook in a real spreadsheet: LibreOffice calculates it, as it is and with other assumptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from core.venture.plan import Plan, plan
from core.venture.spec import CompanySpec
from exports.plan_book import column_name
from exports.plan_xlsx import plan_xlsx
from exports.plan_xlsx_inputs import scenario_labels
from exports.plan_xlsx_write import serial
from tests.exports.companies import RICH, empty, odd, rich
from tests.exports.workbooks import Workbook, calculated

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Change:
    """What is typed over: in the file of the company, and in the cells of the workbook."""

    sections: Mapping[str, Any]
    cells: Mapping[str, float | str]
    scenario: str = "base"


def _with(section: str, place: int, **fields: Any) -> dict[str, Any]:
    rows = [dict(one) for one in RICH[section]]
    rows[place] |= fields
    return {section: rows}


def _task(**fields: Any) -> dict[str, Any]:
    tasks = [dict(one) for one in RICH["products"][0]["tasks"]]
    tasks[0] |= fields
    return _with("products", 0, tasks=tasks)


def _cost(**fields: Any) -> dict[str, Any]:
    return _with("products", 0, cost=RICH["products"][0]["cost"] | fields)


CHANGES: dict[str, Change] = {
    "as it is": Change({}, {}),
    "price": Change(_with("products", 0, price=59), {"product1_price": 59}),
    "churn": Change(_with("products", 0, churn=0.09), {"product1_churn": 0.09}),
    "growth": Change(_with("products", 0, growth=-0.05), {"product1_growth": -0.05}),
    "contraction beyond what is left": Change(
        _with("products", 2, contraction=0.5, churn=0.5, usage_growth=-0.5),
        {"product3_contraction": 0.5, "product3_churn": 0.5, "product3_usage_growth": -0.5},
    ),
    "tokens a run": Change(_task(input_tokens=4000), {"product1_task1_in": 4000}),
    "dollars a million": Change(
        _cost(usd_per_million_input=2, usd_per_million_cached_input=2), {"product1_usd_input": 2}
    ),
    "launch": Change(
        _with("products", 1, launch="2027-02", sales_cycle_months=0),
        {"product2_launch": serial("2027-02"), "product2_cycle": 0},
    ),
    "project": Change(
        _with("products", 3, project_months=5, delivery_cost=9000, payment_delay_months=0),
        {"product4_project_months": 5, "product4_delivery": 9000, "product4_payment_delay": 0},
    ),
    "salary": Change(_with("team", 1, salary=120_000, count=3), {"role2_salary": 120_000, "role2_count": 3}),
    "who starts when": Change(
        _with("team", 2, start="2027-01", end="2028-01"),
        {"role3_start": serial("2027-01"), "role3_end": serial("2028-01")},
    ),
    "compute": Change(_with("compute", 0, every_months=2, amount=1500), {"compute1_every": 2, "compute1_amount": 1500}),
    "expenses": Change(
        _with("expenses", 1, share_of_revenue=0.2, function="general"),
        {"expense2_share": 0.2, "expense2_function": "General and administrative"},
    ),
    "loan": Change(
        _with("funding", 0, interest=0.11, grace_months=0, repay_months=7, month="2026-02"),
        {"funding1_interest": 0.11, "funding1_grace": 0, "funding1_repay": 7, "funding1_month": serial("2026-02")},
    ),
    "loan that is not repaid": Change(_with("funding", 0, repay_months=0), {"funding1_repay": 0}),
    "old family loan that is not repaid": Change(_with("funding", 1, repay_months=0), {"funding2_repay": 0}),
    "savings that bear interest": Change(_with("funding", 3, interest=0.1), {"funding4_interest": 0.1}),
    "launched before the plan": Change(_with("products", 1, launch="2026-02"), {"product2_launch": serial("2026-02")}),
    "launched with the plan": Change(_with("products", 3, launch="2026-03"), {"product4_launch": serial("2026-03")}),
    "not sold yet": Change(
        _with("products", 0, customers=0, sales_cycle_months=4), {"product1_customers": 0, "product1_cycle": 4}
    ),
    "tax and opening cash": Change(
        {"company": RICH["company"] | {"tax_rate": 0.45, "opening_cash": 0, "per_usd": 1.3}},
        {"tax_rate": 0.45, "opening_cash": 0, "per_usd": 1.3},
    ),
    "first month": Change({"company": RICH["company"] | {"start": "2026-07"}}, {"plan_start": serial("2026-07")}),
    "down": Change({}, {"scenario": "down"}, "down"),
    "up": Change({}, {"scenario": "up"}, "up"),
    "own factors": Change(
        {"scenarios": {"mine": {"price": 1.2, "hiring_delay": 2.5, "gpu_price": 3, "expenses": 1.1, "churn": 8}}},
        {
            "scenario": "your own",
            "scenario4_price": 1.2,
            "scenario4_hiring_delay": 2.5,
            "scenario4_gpu_price": 3,
            "scenario4_expenses": 1.1,
            "scenario4_churn": 8,
        },
        "mine",
    ),
}


WHOLE: dict[str, tuple[Callable[[], CompanySpec], str]] = {
    "as it is": (rich, "base"),
    "empty": (empty, "base"),
    "odd": (odd, "base"),
    "odd, otherwise": (odd, "odd"),
}
"""Companies and scenarios of which every cell is compared."""


@cache
def whole(name: str) -> bytes:
    make, scenario = WHOLE[name]
    return plan_xlsx(make(), scenario=scenario)


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workbook]:
    """The one workbook of the unchanged company, with other cells, emptied of its values, and calculated."""
    book = Workbook(plan_xlsx(rich()))
    files = {str(number): book.changed(one.cells) for number, one in enumerate(CHANGES.values())}
    files |= {name: Workbook(whole(name)).changed({}) for name in WHOLE if name != "as it is"}
    found = calculated(files, tmp_path_factory.mktemp("spreadsheets"))
    return {name: Workbook(data) for name, data in zip((*CHANGES, *list(WHOLE)[1:]), found.values(), strict=True)}


def line(book: Workbook, sheet: str, label: str) -> list[float]:
    """The months of the first line of this label."""
    cells = book.sheet(sheet)
    [row] = [address[1:] for address, cell in cells.items() if address[0] == "A" and cell.value == label]
    found = []
    for column in range(2, 62):
        if (cell := cells.get(f"{column_name(column)}{row}")) is None:
            break
        found.append(float(cell.value))
    return found


LINES = {
    ("Profit and loss", "Revenue"): "revenue",
    ("Profit and loss", "Cost of revenue"): "cogs",
    ("Profit and loss", "Operating profit"): "operating_profit",
    ("Profit and loss", "Tax"): "tax",
    ("Profit and loss", "Net profit"): "net_profit",
    ("Cash", "Paid by customers"): "receipts",
    ("Cash", "Cash at the month's end"): "cash",
    ("Funding", "Interest"): "interest",
    ("Funding", "Owed at the month's end"): "owed",
    ("Metrics", "MRR at the month's end"): "recurring",
}


def spec_of(change: Change) -> CompanySpec:
    return rich(**change.sections)


def planned(change: Change) -> Plan:
    spec = spec_of(change)
    return plan(spec, spec.scenarios.get(change.scenario))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_assumption_changes_the_plan_as_the_engine_does(name: str, sheets: dict[str, Workbook]) -> None:
    found = planned(CHANGES[name])
    for (sheet, label), field in LINES.items():
        expected = getattr(found, field)[0] / 100
        # Half a cent is rounded otherwise: at most a cent a line and month, which the cash gathers.
        assert line(sheets[name], sheet, label) == pytest.approx(expected, rel=1e-4, abs=0.5), (sheet, label)


def test_every_change_moves_the_cash() -> None:
    before = planned(CHANGES["as it is"]).cash
    assert [name for name, one in CHANGES.items() if (planned(one).cash == before).all()] == ["as it is"]


@pytest.mark.parametrize("name", [*CHANGES, *list(WHOLE)[1:]])
def test_no_cell_is_an_error(name: str, sheets: dict[str, Workbook]) -> None:
    book = sheets[name]
    errors = [
        f"{sheet}!{address}: {cell.value}"
        for sheet in book.sheets()
        for address, cell in book.sheet(sheet).items()
        if isinstance(cell.value, str) and cell.value.startswith(("#", "Err:"))
    ]
    assert errors == []


@pytest.mark.parametrize("name", WHOLE)
def test_every_value_beside_a_formula_is_what_the_formula_gives(name: str, sheets: dict[str, Workbook]) -> None:
    given = Workbook(whole(name))
    wrong = []
    for sheet in given.sheets():
        found = sheets[name].sheet(sheet)
        for address, cell in given.sheet(sheet).items():
            if cell.formula:
                now = found[address].value
                same = (
                    now == cell.value
                    if isinstance(cell.value, str)
                    else now == pytest.approx(cell.value, rel=1e-4, abs=0.1)
                )
                wrong += [] if same else [f"{sheet}!{address} {cell.formula}: {cell.value} is {now}"]
    assert wrong == []


ODD = {'a*"b': {"price": 1.5}, "Down": {"price": 2}, "down": {"price": 0.5}, "=x": {"churn": 3}}


def test_a_scenario_is_found_by_its_exact_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    spec = rich(scenarios=ODD)
    book = Workbook(plan_xlsx(spec))
    labels = scenario_labels(spec)
    files = {str(number): book.changed({"scenario": label}) for number, label in enumerate(labels.values())}
    found = calculated(files, tmp_path_factory.mktemp("scenarios"))
    for name, data in zip(labels, found.values(), strict=True):
        expected = plan(spec, spec.scenarios[name]).cash[0] / 100
        assert line(Workbook(data), "Cash", "Cash at the month's end") == pytest.approx(expected, rel=1e-4, abs=0.5)

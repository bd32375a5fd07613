"""Tables of the plan: what they say is what the plan says, to the cent."""

from __future__ import annotations

import csv
import io

import pytest

from core.venture.actuals import ActualSpec
from core.venture.beside_plan import beside
from core.venture.comparing import compare
from core.venture.metrics import METRICS
from core.venture.monte_carlo import MonteCarlo, monte_carlo
from core.venture.plan import Plan, plan
from core.venture.sensitivity import tornado
from core.venture.statement import statement
from exports import plan_csv
from tests.venture.companies import everything


@pytest.fixture(scope="module")
def acme() -> Plan:
    return plan(everything())


@pytest.fixture(scope="module")
def many() -> MonteCarlo:
    return monte_carlo(everything(), runs=200)


def read(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_statement_has_a_column_for_each_period(acme: Plan) -> None:
    rows = read(plan_csv.statement_csv(statement(acme, "profit", "month")))
    revenue = next(row for row in rows if row["line"] == "Revenue")
    assert revenue["unit"] == "USD"
    assert round(float(revenue["Dec 2029"]) * 100) == acme.revenue[0, -1]


def test_metrics_come_with_their_definition_formula_and_inputs(acme: Plan) -> None:
    rows = read(plan_csv.metrics_csv(acme, "year"))
    assert len(rows) == 3 * len(METRICS)
    arr = next(row for row in rows if row["key"] == "arr")
    assert float(arr["value"]) == pytest.approx(12 * acme.recurring[0, 11] / 100)
    assert arr["inputs"].startswith("MRR: ")
    assert next(row for row in rows if row["key"] == "rule_of_40")["note"] == "needs the same months a year before"


def test_recurring_revenue_is_told_by_product_and_closes(acme: Plan) -> None:
    rows = read(plan_csv.mrr_csv(acme))
    assert {row["product"] for row in rows} == {"Team", "API"}
    for row in rows:
        came = sum(float(row[name]) for name in ("opening", "new", "expansion", "reactivation"))
        assert came - float(row["contraction"]) - float(row["churn"]) == pytest.approx(float(row["mrr"]), abs=0.001)


def test_cash_has_a_column_for_each_scenario_and_percentile(acme: Plan, many: MonteCarlo) -> None:
    rows = read(plan_csv.cash_csv(compare(everything()), many))
    assert list(rows[0])[:5] == ["month", "currency", "base", "down", "up"]
    assert float(rows[-1]["base"]) == acme.cash[0, -1] / 100
    assert float(rows[-1]["p50"]) == many.cash.at(50)[-1] / 100


def test_scenarios_tell_their_factors_and_their_figures() -> None:
    rows = {row["figure"]: row for row in read(plan_csv.scenarios_csv(compare(everything())))}
    assert (rows["Churn"]["base"], rows["Churn"]["down"]) == ("1", "1.4")
    assert "Burn multiple" in rows


def test_a_tornado_is_in_the_companys_currency_and_not_in_cents(acme: Plan) -> None:
    rows = read(plan_csv.tornado_csv(tornado(everything()), "USD"))
    assert float(rows[0]["as_planned"]) == acme.cash[0, -1] / 100
    assert rows[0]["unit"] == "USD"


def test_chances_repeat_with_their_seed(many: MonteCarlo) -> None:
    rows = read(plan_csv.chances_csv(many))
    assert (rows[0]["runs"], rows[0]["seed"]) == ("200", "7")
    assert float(rows[-1]["chance_out_of_cash"]) == many.chance_out[-1]
    assert len(read(plan_csv.influences_csv(many))) == 9


def test_actual_figures_stand_beside_the_planned(acme: Plan) -> None:
    found = beside(acme, [ActualSpec(month="2027-01", revenue="1234.5", customers=25)])  # type: ignore[arg-type]
    money, count = read(plan_csv.beside_csv(found, "USD"))
    assert (money["unit"], money["actual"], count["unit"], count["actual"]) == ("USD", "1234.5", "count", "25.0")

"""Metrics: worked examples with printed answers, what has no value in words, and metrics of a plan by hand."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.venture import metric_formulas as formulas
from core.venture.metric_formulas import Undefined
from core.venture.metrics import METRICS, Metric, metric, metrics
from core.venture.periods import Period, period, periods
from core.venture.plan import Plan, plan
from core.venture.spec import company
from tests.venture.companies import START, everything

CASES = Path(__file__).parents[1] / "facts" / "finance_cases.yaml"


def case(name: str) -> dict[str, Any]:
    return next(one for one in yaml.safe_load(CASES.read_text()) if one["id"] == name)


# ── worked examples ──


def test_ltv_cac_and_payback_of_the_worked_example() -> None:
    one = case("ltv-cac")
    given_, expect = one["given"], one["expect"]
    lifetime = formulas.ltv(given_["arpa_usd_per_month"], given_["gross_margin"], given_["monthly_churn"])
    assert lifetime == pytest.approx(expect["ltv_usd"], rel=1e-4)
    assert not isinstance(lifetime, Undefined)
    assert formulas.ltv_to_cac(lifetime, given_["cac_usd"]) == pytest.approx(expect["ltv_to_cac"], rel=1e-4)
    months = formulas.payback_months(given_["cac_usd"], given_["arpa_usd_per_month"], given_["gross_margin"])
    assert months == pytest.approx(expect["payback_months"], rel=1e-4)


def test_burn_multiples_of_the_worked_examples() -> None:
    one = case("burn-multiple")
    found = [formulas.burn_multiple(row["net_burn_usd"], row["net_new_arr_usd"]) for row in one["given"]]
    assert found == pytest.approx(one["expect"], rel=1e-4)


def test_quick_ratio_of_the_worked_example() -> None:
    one = case("quick-ratio")
    assert formulas.quick_ratio(**one["given"]) == pytest.approx(one["expect"], rel=1e-4)


def test_magic_number_of_the_worked_example() -> None:
    one = case("magic-number")
    found = formulas.magic_number(
        one["given"]["quarter_revenue_increase_usd"], 0, one["given"]["previous_sales_and_marketing_usd"]
    )
    assert found == pytest.approx(one["expect"]["value"], abs=one["expect"]["tolerance"])


@pytest.mark.parametrize(
    ("multiple", "band"),
    [
        (0.0, "amazing"),
        (0.999, "amazing"),
        (1.0, "great"),
        (1.499, "great"),
        (1.5, "good"),
        (2.0, "suspect"),
        (2.999, "suspect"),
        (3.0, "bad"),
        (40.0, "bad"),
    ],
)
def test_bands_of_the_burn_multiple_are_half_open(multiple: float, band: str) -> None:
    assert formulas.burn_band(multiple) == band


def test_retention_counts_the_opening_customers_alone() -> None:
    assert formulas.nrr(100, 20, 5, 10) == pytest.approx(1.05)
    assert formulas.grr(100, 5, 10) == pytest.approx(0.85)


def test_the_rest_of_the_definitions() -> None:
    assert formulas.arr(Decimal("1000.50")) == 12_006
    assert formulas.net_new_mrr(20, 8, 1, 3, 5) == 21
    assert formulas.logo_churn(3, 60) == pytest.approx(0.05)
    assert formulas.cac(12_000, 8) == 1500
    assert formulas.gross_margin(200, 90) == pytest.approx(0.55)
    assert formulas.runway(600_000, 50_000) == 12
    assert formulas.rule_of_40(0.55, -0.1) == pytest.approx(0.45)
    assert formulas.net_burn(90, 30) == 60


# ── what has no value ──


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (formulas.ltv(500, 0.75, 0), "no churn: unbounded"),
        (formulas.ltv(500, -0.1, 0), "nothing is left"),
        (formulas.ltv(500, 0.75, 1e-320), "no churn"),
        (formulas.ltv_to_cac(15_000, 0), "cost nothing to win"),
        (formulas.payback_months(6000, 500, 0), "never"),
        (formulas.payback_months(6000, 500, -0.2), "never"),
        (formulas.cac(100, 0), "no new customers"),
        (formulas.nrr(0, 5, 0, 0), "no recurring revenue at the start"),
        (formulas.grr(0, 0, 0), "no recurring revenue at the start"),
        (formulas.logo_churn(0, 0), "no customers at the start"),
        (formulas.gross_margin(0, 10), "no revenue"),
        (formulas.burn_multiple(-5, 10), "no burn"),
        (formulas.burn_multiple(5, 0), "ARR does not grow"),
        (formulas.burn_multiple(5, -3), "ARR does not grow"),
        (formulas.runway(100, -1), "brings cash"),
        (formulas.quick_ratio(20, 8, 0, 0), "unbounded"),
        (formulas.magic_number(10, 5, 0), "no sales and marketing"),
        (formulas.growth(10, 0), "nothing before"),
    ],
)
def test_what_has_no_value_is_told_in_words(found: formulas.Value, told: str) -> None:
    assert isinstance(found, Undefined)
    assert told in found.why


def test_cash_burnt_without_growth_is_in_the_worst_band_and_no_burn_in_none() -> None:
    assert formulas.burn_band(formulas.burn_multiple(5, 0)) == "bad"
    assert formulas.burn_band(formulas.burn_multiple(-5, 10)) == ""


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, Decimal("NaN")])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(InvalidInput, match="no number"):
        formulas.ltv(bad, 0.7, 0.02)


@given(st.floats(0, 1e12), st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1e12))
def test_no_metric_is_ever_infinite(arpa: float, margin: float, churn: float, cost: float) -> None:
    values: list[formulas.Value] = [formulas.ltv(arpa, margin, churn), formulas.payback_months(cost, arpa, margin)]
    values += [formulas.burn_multiple(cost, churn), formulas.grr(arpa, churn, churn), formulas.cac(cost, churn)]
    assert all(isinstance(one, Undefined) or math.isfinite(one) for one in values)


@given(st.floats(0.01, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_gross_retention_is_at_most_all_of_it(opening: float, contraction: float, churn: float) -> None:
    found = formulas.grr(opening, contraction, churn)
    assert not isinstance(found, Undefined)
    assert found <= 1


# ── of a plan ──


@pytest.fixture(scope="module")
def acme() -> Plan:
    return plan(everything())


def whole(found: Plan) -> Period:
    return period(found.months, 0, len(found.months))


def value(found: Metric) -> float:
    assert found.value is not None, found.why
    return float(found.value)


def test_every_metric_of_every_quarter_has_a_number_or_a_reason(acme: Plan) -> None:
    for one in periods(acme.months, "quarter"):
        for found in metrics(acme, one).values():
            assert (found.value is None) == bool(found.why)
            assert found.value is None or math.isfinite(found.value)
            assert found.words("USD")


def test_every_metric_is_defined_with_its_source_formula_and_inputs(acme: Plan) -> None:
    for key, found in metrics(acme, periods(acme.months, "quarter")[8]).items():
        assert METRICS[key].key == key
        assert found.definition.endswith(".")
        assert found.formula
        assert found.source
        assert found.inputs


def test_arr_is_a_year_of_the_last_months_recurring_revenue(acme: Plan) -> None:
    last = periods(acme.months, "quarter")[3]
    again = sum(int(one.mrr[0, 11]) for one in acme.products if one.model != "project")
    assert metric(acme, "arr", last).value == Decimal(12 * again) / 100


def test_net_new_mrr_of_a_quarter_is_what_it_moved_by(acme: Plan) -> None:
    second = periods(acme.months, "quarter")[1]
    moved = int(acme.recurring[0, 5] - acme.recurring[0, 2])
    assert metric(acme, "net_new_mrr", second).value == Decimal(moved) / 100


def test_net_burn_without_funding_is_what_cash_falls_by() -> None:
    found = plan(everything().model_copy(update={"funding": ()}))
    third = periods(found.months, "quarter")[2]
    assert metric(found, "net_burn", third).value == Decimal(int(found.cash[0, 5] - found.cash[0, 8])) / 100


def test_a_single_product_gives_the_metrics_of_the_worked_example() -> None:
    """ARPA 500, margin 75%, churn 2.5% a month, 6,000 for a customer: LTV 15,000, 2.5 times CAC, back in 16 months."""
    about = {"start": START, "months": 3}
    sold = {"name": "a", "price": 500, "customers": 1000, "new_customers": 25, "churn": 0.025}
    costs = [
        {"name": "ads", "function": "sales", "amount": 150_000},
        {"name": "serving", "function": "cogs", "share_of_revenue": 0.25},
    ]
    found = plan(company({"company": about, "products": [sold], "expenses": costs}))
    of = metrics(found, whole(found))
    assert value(of["arpa"]) == 500
    assert value(of["cac"]) == 6000
    assert value(of["ltv"]) == pytest.approx(15_000)
    assert value(of["ltv_to_cac"]) == pytest.approx(2.5)
    assert value(of["payback_months"]) == pytest.approx(16)


def test_retention_over_a_year_follows_the_customers_of_its_start_alone() -> None:
    about = {"start": START, "months": 12}
    sold = {"name": "a", "price": 1e6, "customers": 100, "new_customers": 50, "churn": 0.02, "expansion": 0.01}
    found = plan(company({"company": about, "products": [sold | {"reactivation": 0.3}]}))
    of = metrics(found, whole(found))
    assert value(of["nrr"]) == pytest.approx(0.99**12, rel=1e-6)
    assert value(of["grr"]) == pytest.approx(0.98**12, rel=1e-6)
    assert value(of["logo_churn"]) == pytest.approx(1 - 0.98**12, rel=1e-6)


def test_customers_of_projects_are_neither_churn_nor_arpa() -> None:
    about = {"start": START, "months": 6}
    sold = {"name": "a", "model": "project", "price": 900, "new_customers": 2, "project_months": 1}
    found = plan(company({"company": about, "products": [sold]}))
    of = metrics(found, whole(found))
    assert of["mrr"].value == 0
    assert of["customers"].value == 0
    assert of["arpa"].why == "no customers"
    assert of["logo_churn"].why == "no customers at the start"
    assert value(of["gross_margin"]) == 1


def test_runway_is_of_the_burn_of_the_month_it_is_asked_in() -> None:
    about = {"start": "2026-01", "months": 12, "opening_cash": "1M"}
    costs = [{"name": "x", "amount": 10_000}, {"name": "y", "amount": 90_000, "start": "2026-10"}]
    found = plan(company({"company": about, "expenses": costs}))
    assert value(metrics(found, whole(found))["runway"]) == pytest.approx(6.1)


def test_a_launch_within_the_plan_is_growth() -> None:
    """20 customers at 100 for 60,000 of sales; 14,000 of revenue until the end of the year."""
    sold = {"name": "a", "price": 100, "customers": 20, "launch": "2026-06"}
    costs = [{"name": "x", "amount": 5_000, "function": "sales"}]
    found = plan(company({"company": {"start": "2026-01", "months": 12}, "products": [sold], "expenses": costs}))
    of = metrics(found, whole(found))
    assert (of["net_new_mrr"].value, of["cac"].value) == (2000, 3000)
    assert value(of["burn_multiple"]) == pytest.approx(46_000 / 24_000)


PILOT = {"name": "b", "model": "project", "price": 60_000, "new_customers": 1, "delivery_cost": 50_000}
AGAIN = {"name": "a", "price": 100, "customers": 100, "churn": 0.02, "new_customers": 5}


def beside_projects(*products: dict[str, object], **expense: object) -> dict[str, Metric]:
    costs = [{"name": "x", "amount": 12_000, "function": "sales"}, *([{"name": "y", **expense}] if expense else [])]
    about = {"start": "2026-01", "months": 12, "opening_cash": "100k"}
    found = plan(company({"company": about, "products": list(products), "expenses": costs}))
    return metrics(found, whole(found))


def test_projects_beside_a_subscription_change_neither_its_value_nor_its_cost_to_win() -> None:
    for of in (beside_projects(AGAIN), beside_projects(AGAIN, PILOT)):
        assert (of["ltv"].value, of["cac"].value) == (5000, 2400)
        assert value(of["ltv_to_cac"]) == pytest.approx(5000 / 2400, rel=1e-5)
        assert value(of["payback_months"]) == pytest.approx(24, rel=1e-5)


def test_common_costs_of_revenue_are_shared_by_revenue() -> None:
    """A tenth of all revenue is a tenth of each product's, whatever else is sold."""
    of = beside_projects(AGAIN, PILOT, function="cogs", share_of_revenue=0.1)
    assert value(of["ltv"]) == pytest.approx(4500, rel=1e-4)


def test_a_company_of_projects_alone_has_no_cost_of_a_customer_but_a_reason() -> None:
    assert beside_projects(PILOT)["cac"].why == "no new customers of subscriptions or usage"


def test_the_rule_of_40_compares_with_the_same_months_a_year_before(acme: Plan) -> None:
    quarters = periods(acme.months, "quarter")
    assert metric(acme, "rule_of_40", quarters[3]).why
    found = metric(acme, "rule_of_40", quarters[4])
    now, before = acme.revenue[0, 12:15].sum(), acme.revenue[0, 0:3].sum()
    profit = acme.operating_profit[0, 12:15].sum()
    assert value(found) == pytest.approx(now / before - 1 + profit / now)


def test_the_magic_number_needs_two_quarters(acme: Plan) -> None:
    quarters = periods(acme.months, "quarter")
    assert metric(acme, "magic_number", quarters[0]).why
    grown = acme.revenue[0, 3:6].sum() - acme.revenue[0, 0:3].sum()
    assert value(metric(acme, "magic_number", quarters[1])) == pytest.approx(4 * grown / acme.sales[0, 0:3].sum())


def test_an_empty_plan_has_no_metric_that_is_infinite_or_missing_its_reason() -> None:
    found = plan(company({"company": {"start": START, "months": 3}}))
    for one in metrics(found, whole(found)).values():
        assert one.value is None or math.isfinite(one.value)
        assert one.value is not None or one.why


@pytest.mark.parametrize(
    ("key", "words"), [("gross_margin", "%"), ("arr", "$"), ("payback_months", " months"), ("quick_ratio", ".")]
)
def test_values_are_told_with_their_unit(acme: Plan, key: str, words: str) -> None:
    assert words in metric(acme, key, periods(acme.months, "year")[1]).words("USD")


def test_a_burn_multiple_names_its_band(acme: Plan) -> None:
    found = metric(acme, "burn_multiple", periods(acme.months, "year")[1])
    assert found.note == formulas.burn_band(value(found)) != ""


# ── periods ──


def test_periods_are_counted_from_the_plans_first_month() -> None:
    names = tuple(f"2026-{month:02d}" for month in (11, 12)) + tuple(f"2027-{month:02d}" for month in range(1, 6))
    assert [one.label for one in periods(names, "quarter")] == ["Nov 2026–Jan 2027", "Feb–Apr 2027", "May 2027"]
    assert [(one.first, one.end) for one in periods(names, "year")] == [(0, 7)]

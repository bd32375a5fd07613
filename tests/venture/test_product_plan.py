"""A product month by month: its bridge of recurring revenue closes, whatever the product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from core.venture.drivers import ScenarioSpec
from core.venture.plan import plan
from core.venture.product_plan import ProductPlan
from core.venture.spec import CompanySpec, company
from tests.venture.companies import START, companies

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def product(months: int = 12, scenario: ScenarioSpec | None = None, **fields: object) -> ProductPlan:
    about = {"start": START, "months": months}
    return plan(company({"company": about, "products": [{"name": "a", **fields}]}), scenario).products[0]


@quick
@given(companies())
def test_the_bridge_of_recurring_revenue_closes_to_the_cent(spec: CompanySpec) -> None:
    for one in plan(spec).products:
        came = one.mrr_opening + one.mrr_new + one.mrr_reactivation + one.mrr_expansion
        assert (came - one.mrr_contraction - one.mrr_churn == one.mrr).all()
        assert (one.mrr >= 0).all()


@quick
@given(companies())
def test_customers_move_by_those_who_come_and_go(spec: CompanySpec) -> None:
    for one in plan(spec).products:
        moved = one.opening + one.new + one.reactivated - one.churned
        np.testing.assert_allclose(moved, one.customers, atol=1e-6, rtol=1e-9)
        assert (one.customers >= -1e-9).all()


@quick
@given(companies())
def test_a_month_opens_with_what_the_one_before_closed_with(spec: CompanySpec) -> None:
    for one in plan(spec).products:
        assert (one.opening[:, 1:] == one.customers[:, :-1]).all()
        assert (one.mrr_opening[:, 1:] == one.mrr[:, :-1]).all()


@quick
@given(companies())
def test_a_project_is_never_recurring(spec: CompanySpec) -> None:
    found = plan(spec)
    for one in found.products:
        if one.model == "project":
            assert not one.mrr.any()
            assert not one.mrr_new.any()
        else:
            assert (one.mrr == one.revenue).all()
    again = sum((one.revenue for one in found.products if one.model != "project"), np.zeros_like(found.revenue))
    assert (found.recurring == again).all()


def test_usage_is_billed_by_the_tokens_that_are_served() -> None:
    one = product(
        24,
        model="usage",
        price=10,
        customers=10,
        new_customers=3,
        growth=0.1,
        churn=0.05,
        reactivation=0.02,
        usage_growth=0.1,
        tasks=[{"name": "a", "runs_per_user": 1000, "input_tokens": 1000}],
    )
    np.testing.assert_allclose(one.revenue[0] / 100, one.tokens[0] / 1e6 * 10, atol=0.05)


def test_tokens_per_user_move_what_usage_brings_and_what_it_costs() -> None:
    fields = {
        "model": "usage",
        "price": 10,
        "customers": 10,
        "tasks": [{"name": "a", "runs_per_user": 1000, "input_tokens": 1000}],
        "cost": {"usd_per_million_input": 2},
    }
    usual, more = product(**fields), product(scenario=ScenarioSpec(tokens_per_user=2), **fields)
    assert (more.revenue == 2 * usual.revenue).all()
    assert (more.inference == 2 * usual.inference).all()


def test_whoever_cancels_the_last_plan_is_churn_and_leaves_the_customers() -> None:
    one = product(2, price=100, customers=10, churn=0.1)
    assert one.mrr_churn[0].tolist() == [10_000, 9_000]
    assert one.customers[0].tolist() == pytest.approx([9, 8.1])


def test_those_who_come_back_are_of_those_who_were_lost() -> None:
    one = product(3, price=100, customers=100, churn=0.1, reactivation=0.5)
    assert one.reactivated[0].tolist() == pytest.approx([0, 5, 7])
    assert one.mrr_reactivation[0, 1] == 50_000


def test_projects_under_way_at_the_start_are_not_won_in_it() -> None:
    one = product(6, model="project", price=300, customers=2, new_customers=1, project_months=3)
    assert one.new[0].tolist() == [1, 1, 1, 1, 1, 1]
    assert one.customers[0].tolist() == [3, 4, 5, 3, 3, 3]
    assert one.revenue[0].tolist() == [30_000, 40_000, 50_000, 30_000, 30_000, 30_000]


def test_nothing_is_sold_before_the_launch_and_nothing_won_before_a_sales_cycle_after_it() -> None:
    one = product(6, price=10, launch="2027-03", customers=1, new_customers=1, sales_cycle_months=2)
    assert one.customers[0].tolist() == [0, 0, 1, 1, 2, 3]


def test_a_price_rise_reaches_existing_customers_too() -> None:
    usual = product(price=100, customers=10, churn=0.1)
    dearer = product(scenario=ScenarioSpec(price=1.5), price=100, customers=10, churn=0.1)
    assert dearer.mrr[0].tolist() == pytest.approx((1.5 * usual.mrr[0]).tolist(), abs=2)


def test_all_customers_can_leave_and_the_rest_stays_at_0() -> None:
    one = product(4, price=100, customers=10, churn=0.6, contraction=0.4, scenario=ScenarioSpec(churn=10))
    assert one.mrr[0].tolist() == [0, 0, 0, 0]
    assert one.customers[0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("launch", ["2026-10", "2027-01", None])
def test_customers_of_before_the_plan_open_its_first_month(launch: str | None) -> None:
    one = product(3, price=100, customers=20, launch=launch)
    assert (one.opening[0, 0], one.mrr_opening[0, 0], one.new.sum(), one.mrr_new.sum()) == (20, 200_000, 0, 0)


def test_customers_of_a_launch_within_the_plan_are_new_in_its_month() -> None:
    one = product(4, price=100, customers=20, launch="2027-03", churn=0.1)
    assert one.opening[0].tolist() == [0, 0, 0, 20]
    assert one.new[0].tolist() == [0, 0, 20, 0]
    assert one.mrr_new[0].tolist() == [0, 0, 200_000, 0]
    assert one.mrr_churn[0].tolist() == [0, 0, 0, 20_000]


def test_projects_of_a_launch_within_the_plan_are_begun_in_its_month() -> None:
    one = product(5, model="project", price=300, customers=2, launch="2027-03", project_months=2)
    assert one.new[0].tolist() == [0, 0, 2, 0, 0]
    assert one.opening[0].tolist() == [0, 0, 0, 2, 2]
    assert one.customers[0].tolist() == [0, 0, 2, 2, 0]


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({}, 3),
        ({"customers": 5}, 0),
        ({"launch": "2026-06", "customers": 5}, 0),
        ({"launch": "2026-11"}, 1),
        ({"launch": "2027-01", "customers": 5}, 3),
        ({"launch": "2027-02"}, 4),
    ],
)
def test_only_a_product_that_is_not_sold_yet_waits_for_its_first_sales_cycle(
    fields: dict[str, object], first: int
) -> None:
    one = product(6, price=10, new_customers=4, growth=0.5, sales_cycle_months=3, **fields)
    assert one.new[0].tolist() == pytest.approx([0] * first + [4 * 1.5**month for month in range(6 - first)])


def test_more_of_the_growth_driver_is_better_for_a_product_that_shrinks_too() -> None:
    fields = {"price": 10, "new_customers": 100, "growth": -0.1}
    down, usual, up = (product(2, ScenarioSpec(growth=factor), **fields).new[0, 1] for factor in (0.7, 1, 1.2))
    assert (down, usual, up) == pytest.approx((87, 90, 92))

from __future__ import annotations

from decimal import Decimal

import pytest

from core.venture.actuals import ActualSpec
from core.venture.beside_plan import LINES, beside, cash_from_actual, counted_sentence
from core.venture.plan import Plan, plan
from core.venture.spec import company
from tests.venture.companies import START


@pytest.fixture
def planned() -> Plan:
    """Revenue 1,000 a month, cost of revenue 200, rent 300: cash 500 more each month, from 10,000 on."""
    return plan(
        company(
            {
                "company": {"start": START, "months": 6, "opening_cash": 10_000},
                "products": [{"name": "a", "price": 100, "customers": 10, "hosting_per_customer": 20}],
                "expenses": [{"name": "rent", "amount": 300}],
                "team": [{"role": "Founder", "salary": 0, "count": 2}],
            }
        )
    )


def at(month: str, **figures: object) -> ActualSpec:
    return ActualSpec.model_validate({"month": month, **figures})


def test_a_figure_stands_beside_what_was_planned_for_its_month(planned: Plan) -> None:
    found = beside(planned, [at("2027-02", revenue="900", cash="11200.50")]).rows
    assert [(row.key, row.planned, row.actual, row.off) for row in found] == [
        ("revenue", Decimal(1000), Decimal(900), Decimal(-100)),
        ("cash", Decimal(11000), Decimal("11200.50"), Decimal("200.50")),
    ]
    assert found[0].share == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("figure", "better"),
    [
        ({"revenue": 1100}, True),
        ({"revenue": 900}, False),
        ({"revenue": 1000}, None),
        ({"cogs": 150}, True),
        ({"cogs": 250}, False),
        ({"operating_costs": 400}, False),
        ({"customers": 12}, True),
        ({"churned_customers": 1}, False),
        ({"headcount": 3}, None),
    ],
)
def test_whether_it_is_better_depends_on_what_it_is(planned: Plan, figure: dict[str, int], better: bool | None) -> None:
    assert [row.better for row in beside(planned, [at("2027-01", **figure)]).rows] == [better]


def test_what_was_not_counted_is_in_no_row(planned: Plan) -> None:
    assert beside(planned, [at("2027-01")]).rows == ()


def test_zero_counts_and_a_share_of_nothing_is_none(planned: Plan) -> None:
    (row,) = beside(planned, [at("2027-01", new_customers=0)]).rows
    assert (row.actual, row.off, row.share) == (0, 0, None)


def test_so_far_sums_flows_and_takes_the_last_of_stocks(planned: Plan) -> None:
    rows = [at("2027-02", revenue=1100, cash=11_500), at("2027-01", revenue=800, cash=10_200)]
    so_far = {row.key: row for row in beside(planned, rows).so_far}
    assert (so_far["revenue"].planned, so_far["revenue"].actual) == (2000, 1900)
    assert so_far["revenue"].month == "Jan 2027 to Feb 2027"
    assert (so_far["cash"].planned, so_far["cash"].actual, so_far["cash"].month) == (11_000, 11_500, "Feb 2027")


def test_months_outside_the_plan_are_told_and_compared_with_nothing(planned: Plan) -> None:
    found = beside(planned, [at("2026-12", revenue=1), at("2027-07", revenue=1), at("2027-06", revenue=1)])
    assert found.outside == ("2026-12", "2027-07")
    assert [row.month for row in found.rows] == ["2027-06"]


def test_every_figure_that_can_be_counted_has_a_planned_one(planned: Plan) -> None:
    figures = dict.fromkeys(LINES, 1)
    assert {row.key for row in beside(planned, [at("2027-01", **figures)]).rows} == set(LINES)


def test_cash_goes_on_from_what_is_really_there(planned: Plan) -> None:
    found = cash_from_actual(
        planned, [at("2027-02", cash=9_000), at("2027-04", revenue=1), at("2027-03", cash="8000.25")]
    )
    assert list(found.items()) == [
        ("2027-03", 800_025),
        ("2027-04", 850_025),
        ("2027-05", 900_025),
        ("2027-06", 950_025),
    ]
    assert cash_from_actual(planned, [at("2027-02", revenue=1)]) == {}


def test_cash_that_was_counted_tells_how_long_it_lasts(planned: Plan) -> None:
    assert counted_sentence(planned, [at("2027-02", revenue=1)]) == ""
    assert counted_sentence(planned, [at("2027-02", cash=9_000)]) == (
        "From the $9k counted in Feb 2027, cash lasts beyond Jun 2027, the plan's end (as planned)."
    )
    assert counted_sentence(planned, [at("2027-02", cash=-700)]) == (
        "From the −$700 counted in Feb 2027, cash runs out in Feb 2027 (as planned: not within the plan)."
    )

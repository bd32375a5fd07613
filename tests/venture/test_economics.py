"""A customer's month: the parts add up, the margin is what is left, and the target's price meets the target."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.venture.economics import (
    Span,
    economics,
    margin_at,
    plan_month,
    rounded_up,
    target_price,
    task_costs,
    together,
    told,
)
from core.venture.economics_figures import figure, figures, percent
from core.venture.product_plan import unit
from core.venture.products import ProductSpec
from tests.venture.product_cases import pro

EXACT = Decimal("1e-12")  # a third of a project's price has no last digit
quick = settings(deadline=None, max_examples=60)
amounts = st.decimals(min_value=0, max_value=100_000, places=2)
shares = st.floats(min_value=0, max_value=0.9).map(lambda one: round(one, 3))


@st.composite
def products(draw: st.DrawFn) -> ProductSpec:
    task = {
        "name": "A",
        "runs_per_user": draw(st.integers(0, 10_000)),
        "input_tokens": draw(st.integers(0, 100_000)),
        "output_tokens": draw(st.integers(0, 10_000)),
        "cached_share": draw(shares),
    }
    return ProductSpec.model_validate(
        {
            "name": "P",
            "model": draw(st.sampled_from(["subscription", "usage", "project"])),
            "unit": draw(st.sampled_from(["million_tokens", "run"])),
            "price": draw(amounts),
            "customers": draw(st.integers(0, 1_000)),
            "users_per_customer": draw(st.integers(0, 50)),
            "tasks": [task],
            "cost": {
                "usd_per_million_input": draw(amounts),
                "usd_per_million_output": draw(amounts),
                "low_factor": 0.5,
                "high_factor": 2,
            },
            "hosting_per_customer": draw(amounts),
            "people_minutes_per_customer": draw(st.integers(0, 600)),
            "people_hourly_cost": draw(amounts),
            "delivery_cost": draw(amounts),
            "payment_fee": draw(st.sampled_from([0.0, 0.029, 0.3])),
            "target_margin": draw(st.sampled_from([0.0, 0.5, 0.69])),
        }
    )


def test_a_customers_month_is_what_it_is_by_hand() -> None:
    found = economics(pro())
    assert found.inference == Span(Decimal("1.264"), Decimal("1.58"), Decimal("2.37"))
    assert dict(found.parts) == {
        "inference": Decimal("1.58"),
        "hosting": 2,
        "people in the loop": 3,
        "payment fees": Decimal("1.421"),
    }
    assert found.cogs.expected == Decimal("8.001")
    assert found.margin.expected == Decimal("40.999")
    assert found.margin_share is not None
    assert percent(found.margin_share.expected) == "83.7%"
    assert found.margin.low < found.margin.expected < found.margin.high


def test_tokens_are_paid_in_dollars_and_told_in_the_companys_currency() -> None:
    assert economics(pro(), currency="EUR", per_usd=0.9).inference.expected == Decimal("1.422")


def test_gross_margin_agrees_with_the_published_example() -> None:
    """Revenue 100, COGS 40: a16z's 60 % of an AI company."""
    found = economics(pro(price=100, tasks=[], hosting_per_customer=40, people_minutes_per_customer=0, payment_fee=0))
    assert found.margin_share == Span.exactly(Decimal("0.6"))


def test_the_dearest_task_comes_first_and_all_make_the_inference() -> None:
    found = economics(pro())
    costs = task_costs(found)
    assert [one.name for one in costs] == ["Answer", "Summary"]
    assert costs[0].per_run == Decimal("0.00108")  # (900 · 0.5 + 600 · 0.05 + 300 · 2) / 1e6
    assert sum(one.per_customer for one in costs) == found.inference.expected
    assert sum(one.share for one in costs) == pytest.approx(1)


@quick
@given(products())
def test_the_parts_make_the_cost_and_the_rest_is_the_margin(product: ProductSpec) -> None:
    found = economics(product)
    assert abs(sum((value for _, value in found.parts), Decimal(0)) - found.cogs.expected) < EXACT
    assert abs(found.cogs.expected + found.margin.expected - found.revenue) < EXACT
    assert found.margin.low <= found.margin.expected <= found.margin.high


@quick
@given(products())
def test_at_the_targets_price_the_margin_is_the_target(product: ProductSpec) -> None:
    found = economics(product)
    target = target_price(found)
    if target.price is None:
        assert target.why
        return
    if not target.price.expected:
        return
    share = margin_at(found, target.price.expected)
    assert share is not None
    assert float(share.expected) == pytest.approx(product.target_margin, abs=1e-12)


@quick
@given(products())
def test_the_price_to_ask_leaves_at_least_the_target(product: ProductSpec) -> None:
    found = economics(product)
    price = target_price(found).price
    if price is None or not price.expected:
        return
    share = margin_at(found, rounded_up(price.expected))
    assert share is not None
    assert float(share.expected) >= product.target_margin - 1e-12


@quick
@given(st.lists(products(), min_size=1, max_size=4))
def test_plans_add_up_to_the_cent(some: list[ProductSpec]) -> None:
    months = [plan_month(economics(one)) for one in some]
    whole = together(months)
    assert whole.revenue == sum(one.revenue for one in months)
    assert whole.cogs == whole.inference + whole.hosting + whole.people + whole.delivery + whole.payment_fee
    assert whole.revenue - whole.cogs == whole.margin == sum(one.margin for one in months)
    assert isinstance(whole.margin, int)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"payment_fee": 0.3, "target_margin": 0.7}, "fees take 30.0%"),
        ({"model": "usage", "tasks": []}, "uses nothing that is charged for"),
    ],
)
def test_an_impossible_target_is_told_with_why(changes: dict[str, Any], said: str) -> None:
    target = target_price(economics(pro(**changes)))
    assert target.price is None
    assert said in target.why


@pytest.mark.parametrize("changes", [{}, {"model": "usage", "price": 10}, {"model": "usage", "unit": "run"}])
def test_the_monthly_plan_reckons_with_the_same_customer(changes: dict[str, Any]) -> None:
    found, planned = economics(pro(**changes), per_usd=0.9), unit(pro(**changes), 0.9)
    mine = (found.revenue, found.inference.expected, found.hosting, found.people)
    assert (planned.price, planned.inference, planned.hosting, planned.people) == pytest.approx(
        [float(one) * 100 for one in mine]
    )


def test_without_revenue_there_is_a_loss_and_no_share() -> None:
    found = economics(pro(price=0))
    assert found.margin_share is None
    assert found.margin.expected < 0
    assert figure(found, "gross_margin_share") is None


def test_every_figure_has_its_formula_its_source_and_what_went_in() -> None:
    found = figures(economics(pro()))
    keys = {one.key for one in found}
    assert {"revenue", "inference", "cogs", "gross_margin", "gross_margin_share", "usd_per_million_tokens"} <= keys
    for one in found:
        assert one.formula, one.key
        assert one.source, one.key
        assert one.inputs, one.key


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "$0"), ("0.5", "$0.50"), ("0.0132", "$0.0132"), ("49", "$49.00"), ("-3.2", "−$3.20"), ("1234.5", "$1,234")],
)
def test_amounts_are_told_with_the_digits_they_deserve(value: str, words: str) -> None:
    assert told(Decimal(value), "USD") == words


@pytest.mark.parametrize(
    ("price", "asked"), [("24.28044", "24.29"), ("24.28", "24.28"), ("0.012341", "0.0124"), ("0", "0")]
)
def test_a_price_to_ask_is_rounded_up(price: str, asked: str) -> None:
    assert rounded_up(Decimal(price)) == Decimal(asked)

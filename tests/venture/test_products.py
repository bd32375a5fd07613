"""What a company sells, as it is typed: every fault is told at once, and tokens and prices are exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.products import CostSpec, ProductSpec, Tokens
from tests.venture.product_cases import pro


def test_the_tokens_of_a_customer_are_exact() -> None:
    assert pro().tokens_per_customer == Tokens(Decimal("1700000"), Decimal("600000"), Decimal("350000"))


def test_inference_prices_cached_tokens_at_the_cached_price() -> None:
    assert pro().inference_usd_per_customer == Decimal("1.58")  # 1.7 · 0.5 + 0.6 · 0.05 + 0.35 · 2


def test_without_a_cached_price_the_full_one_is_paid() -> None:
    cost = {"usd_per_million_input": "0.5", "usd_per_million_output": "2"}
    assert pro(cost=cost).inference_usd_per_customer == Decimal("1.85")


def test_a_tenth_of_a_cent_is_never_a_binary_fraction() -> None:
    task = {"name": "A", "runs_per_user": 3, "input_tokens": 0.1}
    product = pro(users_per_customer=1, tasks=[task], cost={"usd_per_million_input": 1_000_000})
    assert product.inference_usd_per_customer == Decimal("0.3")


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({}, "49"),
        ({"model": "usage", "price": 10}, "26.5"),  # 2.65 million tokens
        ({"model": "usage", "unit": "run", "price": "0.01"}, "11"),  # 1,100 runs
        ({"model": "project", "price": 9000, "project_months": 6}, "1500"),
    ],
)
def test_the_price_of_a_month_is_that_of_what_is_sold(changes: dict[str, Any], price: str) -> None:
    assert pro(**changes).price_per_customer == Decimal(price)


def test_a_product_comes_back_from_json_as_it_was() -> None:
    product = pro(launch="2027-01", churn="3%", customers=12.5)
    assert ProductSpec.model_validate(product.model_dump(mode="json")) == product
    assert ProductSpec.model_validate_json(product.model_dump_json(exclude_defaults=True)) == product


def test_every_fault_is_told_with_its_value_and_what_is_allowed() -> None:
    with pytest.raises(InvalidInput) as told:
        parse(
            ProductSpec,
            {"name": " ", "price": -3, "churn": 1.2, "growth": 9, "launch": "soon", "payment_fee": 1, "prise": 2},
        )
    for part in ("name", "it is -3", "churn", "1.2", "9", "soon", "2026-03", "payment_fee", "perhaps price"):
        assert part in str(told.value), part


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"churn": 0.7, "contraction": 0.4}, "lose more than there is"),
        ({"tasks": [{"name": "A"}, {"name": "a "}]}, "each needs its own name"),
        ({"tasks": [{"name": "A", "cached_share": "110%"}]}, "cached_share"),
        ({"tasks": [{"name": "A", "input_tokens": float("nan")}]}, "input_tokens"),
        ({"cost": {"usd_per_million_input": "cheap"}}, "no amount of money"),
        ({"cost": {"low_factor": 1.2}}, "low_factor"),
        ({"project_months": 0}, "project_months"),
        ({"sales_cycle_months": 37}, "sales_cycle_months"),
        ({"users_per_customer": -1}, "users_per_customer"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse(ProductSpec, {"name": "Pro"} | changes)


def test_a_price_in_any_way_of_writing_is_the_same() -> None:
    typed = [pro(price=one).price for one in (1200, "1,200.00", "1.2k", "$1,200", 1200.0)]
    assert set(typed) == {Decimal(1200)}


def test_a_cost_of_its_own_source_is_typed_until_it_is_measured() -> None:
    assert CostSpec().source == "typed"

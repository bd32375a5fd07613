"""What switching does to the margin: each alternative is the product with that one thing changed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.venture.economics import economics
from core.venture.inference_cost import Offer, typed
from core.venture.switching import alternatives, name_of, with_cached, with_tokens
from tests.venture.product_cases import pro


def test_the_first_is_as_it_is_and_nothing_changes() -> None:
    first = alternatives(pro())[0]
    assert first.kind == "now"
    assert first.delta == first.delta_share == 0
    assert first.margin == economics(pro()).margin


def test_another_token_price_moves_the_margin_by_the_difference_in_inference() -> None:
    dear = Offer(label="Dear", cost=typed(5, 20))
    found = next(one for one in alternatives(pro(), [dear]) if one.kind == "cost")
    assert found.delta == Decimal("1.58") - Decimal("18.5")  # 2.3 · 5 + 0.35 · 20
    assert found.delta_share == found.delta / 49


def test_the_price_of_now_is_no_alternative_to_itself() -> None:
    product = pro()
    assert [one for one in alternatives(product, [Offer(label="Same", cost=product.cost)]) if one.kind == "cost"] == []


def test_more_of_the_input_cached_is_cheaper_by_what_the_cache_saves() -> None:
    found = {one.name: one for one in alternatives(pro(), cached_shares=(0.0, 0.9), token_factors=())}
    tokens = Decimal("2.3")  # million, in
    least, most = found["0% of the input cached"], found["90% of the input cached"]
    assert most.delta - least.delta == tokens * Decimal("0.9") * (Decimal("0.5") - Decimal("0.05"))


def test_twice_the_tokens_cost_twice_the_inference_of_a_subscription() -> None:
    [_, found] = alternatives(pro(), cached_shares=(), token_factors=(2,))
    assert found.delta == -Decimal("1.58")


def test_usage_that_is_sold_brings_more_when_runs_are_longer() -> None:
    [_, found] = alternatives(pro(model="usage", price=10), cached_shares=(), token_factors=(2,))
    assert found.delta > 0


def test_a_product_without_tokens_has_nothing_to_switch() -> None:
    assert [one.kind for one in alternatives(pro(tasks=[]))] == ["now"]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="0% to 90%"):
        with_cached(pro(), 0.95)
    with pytest.raises(InvalidInput, match="Above 0"):
        with_tokens(pro(), 0)


def test_without_revenue_there_is_a_difference_in_money_alone() -> None:
    found = alternatives(pro(price=0), cached_shares=(0.9,), token_factors=())[1]
    assert found.margin_share is None
    assert found.delta_share is None
    assert found.delta > 0


def test_a_price_is_named_by_model_precision_and_place() -> None:
    assert name_of(typed(1, 2)) == "typed in"
    cost = typed(1, 2).model_copy(update={"source": "estimate", "model": "8B", "precision": "int8", "provider": "H100"})
    assert name_of(cost) == "8B int8 on H100"

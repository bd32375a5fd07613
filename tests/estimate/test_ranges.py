"""Ranges: products spread in quadrature, sums end to end, and nothing that is no range can be made."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from core.errors import InvalidInput
from core.estimate.ranges import Range, total

NAN, INF = float("nan"), float("inf")
SOME = [Range(1, 2, 3), Range(0.5, 0.5, 0.5), Range(0, 1, 2), Range(0, 0, 5), Range(1e-9, 1, 1e9), Range(0, 0, 0)]


@pytest.mark.parametrize(
    "values", [(3, 2, 1), (1, 3, 2), (-1, 0, 1), (NAN, 1, 2), (1, NAN, 2), (1, 2, INF), (1, 2, NAN)]
)
def test_what_is_out_of_order_negative_or_infinite_is_no_range(values: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidInput, match="is not a range"):
        Range(*values)


def test_a_product_spreads_in_quadrature_and_not_end_to_end() -> None:
    found = Range.around(10, 2) * Range.around(3, 2)
    assert found.expected == 30
    assert found.high / found.expected == pytest.approx(2 ** math.sqrt(2))
    assert found.expected / found.low == pytest.approx(2 ** math.sqrt(2))
    assert found.high < 20 * 6


def test_the_two_sides_of_a_product_have_each_their_own_spread() -> None:
    found = Range(9, 10, 40) * Range(3, 4, 4)
    assert found.high == pytest.approx(160)  # one factor's doubt alone
    assert found.low == pytest.approx(40 * math.exp(-math.hypot(math.log(10 / 9), math.log(4 / 3))))


def test_a_product_covers_as_much_as_its_factors_do_when_these_are_independent_and_log_normal() -> None:
    """Factors whose range holds 90 % make a product whose range holds 90 %."""
    random.seed(4)
    spread = 1.6449  # standard deviations on either side of 90 %
    first, second = Range.around(5, math.exp(0.2 * spread)), Range.around(7, math.exp(0.5 * spread))
    made = first * second
    draws = [5 * math.exp(random.gauss(0, 0.2)) * 7 * math.exp(random.gauss(0, 0.5)) for _ in range(20_000)]
    assert statistics.mean(made.low <= draw <= made.high for draw in draws) == pytest.approx(0.90, abs=0.01)


@pytest.mark.parametrize("one", SOME)
def test_products_and_sums_commute_and_stay_in_order(one: Range) -> None:
    for other in SOME:
        product, swapped = one * other, other * one
        assert product.expected == one.expected * other.expected
        assert (product.low, product.high) == (pytest.approx(swapped.low), pytest.approx(swapped.high))
        assert one + other == other + one
        assert (one + other).high == one.high + other.high


@pytest.mark.parametrize("one", SOME)
def test_one_and_zero_are_neutral(one: Range) -> None:
    product = one * Range.exactly(1)
    assert (product.low, product.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert product.expected == one.expected
    assert one * 1 == one
    assert 1 * one == one
    assert one + 0 == one
    assert one * 0 == Range.exactly(0)


def test_what_may_be_zero_may_still_be_zero_when_multiplied() -> None:
    assert (Range(0, 1, 2) * Range(3, 3, 3)).low == 0


def test_a_sum_is_taken_end_to_end_and_no_sum_is_zero() -> None:
    assert total([Range(1, 2, 3), Range(10, 20, 30)]) == Range(11, 22, 33)
    assert total([]) == Range.exactly(0)
    assert 5 + Range(1, 2, 3) == Range(6, 7, 8)


def test_dividing_turns_the_ends_round() -> None:
    assert Range(2, 4, 8).inverse() == Range(1 / 8, 1 / 4, 1 / 2)
    found = Range.exactly(12) / Range(2, 4, 6)
    assert (found.low, found.expected, found.high) == (pytest.approx(2), 3, pytest.approx(6))
    assert Range(2, 4, 8) / 2 == Range(1, 2, 4)


@pytest.mark.parametrize("zero", [0, Range(0, 1, 2), Range.exactly(0)])
def test_dividing_by_what_may_be_zero_is_refused_in_words(zero: Range | float) -> None:
    with pytest.raises(InvalidInput, match="divided"):
        Range(1, 2, 3) / zero


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Range(1, 2, 3) * -1


def test_spread_is_one_without_doubt_and_never_for_a_range_from_zero() -> None:
    assert Range.exactly(7).spread == 1
    assert Range.exactly(0).spread == 1
    assert Range(2, 3, 4).spread == 2
    assert Range(0, 1, 2).spread == INF


def test_around_needs_a_factor_of_at_least_one() -> None:
    assert Range.around(6, 2) == Range(3, 6, 12)
    with pytest.raises(InvalidInput):
        Range.around(6, 0.5)


def test_a_product_too_large_for_a_number_is_refused_and_not_infinite() -> None:
    with pytest.raises(InvalidInput):
        Range.exactly(1e300) * 1e300

"""Figures in words: digits that they deserve, the unit that people use."""

from __future__ import annotations

import pytest

from core.estimate.amounts import money, money_range, tokens, tokens_range
from core.estimate.ranges import Range
from core.estimate.words import ages_together, digits, large, said, said_range


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1, "1"),
        (1234567, "1,230,000"),
        (0.01234, "0.0123"),
        (9.999, "10"),
        (999.9, "1,000"),
        (99.95, "100"),
        (100, "100"),
        (1.50, "1.5"),
        (-2.345, "-2.35"),
        (float("inf"), "inf"),
        (1e-9, "0.000000001"),
    ],
)
def test_three_digits_are_kept_and_no_empty_ones(value: float, written: str) -> None:
    assert digits(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(2.1e9, "2.1 billion"), (15e12, "15 trillion"), (300e6, "300 million"), (999.9e6, "1 billion"), (950, "950")],
)
def test_large_counts_have_the_name_of_their_size(value: float, written: str) -> None:
    assert large(value) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (80e9, "bytes", "80 GB"),
        (999_950_000, "bytes", "1 GB"),
        (512, "bytes", "512 B"),
        (0, "bytes", "0 B"),
        (0.0135, "s", "13.5 ms"),
        (1, "s", "1 s"),
        (59.99, "s", "1 min"),
        (86_400, "s", "1 day"),
        (30 * 86_400, "s", "30 days"),
        (2 * 365.25 * 86_400, "s", "730 days"),
        (3 * 365.25 * 86_400, "s", "3 years"),
        (0.1076, "days", "2.58 hours"),
        (1, "days", "1 day"),
        (999, "days", "999 days"),
        (2000, "days", "5.48 years"),
        (0, "days", "0 days"),
        (4.6e6, "USD", "$4.6 million"),
        (1234, "USD", "$1,230"),
        (0.5, "USD/1M tokens", "$0.5/1M tokens"),
        (3.14e23, "FLOP", "3.14e+23 FLOP"),
        (1.2e6, "tokens/s", "1.2 million tokens/s"),
        (0.43, "share", "43%"),
        (0.043, "share", "4.3%"),
    ],
)
def test_a_figure_is_said_in_the_size_that_people_use(value: float, unit: str, written: str) -> None:
    assert said(value, unit) == written


def test_a_range_is_said_from_end_to_end_and_a_sure_figure_once() -> None:
    assert said_range(Range(1, 2, 3), "GPU-hours") == "1 to 3 GPU-hours"
    assert said_range(Range(0.5e9, 2e9, 3e9), "bytes") == "500 MB to 3 GB"
    assert said_range(Range.exactly(4), "s") == "4 s"


@pytest.mark.parametrize(
    ("value", "written"),
    [(2.5, "$2.50"), (1234, "$1,230"), (1_234_567, "$1.23 million"), (1e15, "$1,000 trillion"), (1e33, "$1e+33")],
)
def test_money_has_three_digits_and_no_thirty(value: float, written: str) -> None:
    assert money(value) == written


def test_amounts_are_rounded_as_every_other_figure_is() -> None:
    assert money_range(628, 2560) == "$628–2,560"
    assert money_range(1.2e6, 3.41e6) == "$1.2–3.41 million"
    assert money_range(8e5, 1.2e6) == "$800,000 to $1.2 million"
    assert tokens(4.949e9) == large(4.949e9) == "4.95 billion"
    assert tokens_range(1e18, 1e18) == "1e+18"
    assert tokens_range(3.41e9, 6.03e9) == "3.41–6.03 billion"


def test_many_old_prices_are_one_note_and_one_stays_as_it_is() -> None:
    old = [f"Price of {name}, 2025-08, is {age} months old." for name, age in (("a cloud", 15), ("another", 12))]
    assert ages_together(["x", *old, old[0]]) == (
        "x",
        "2 of the prices are older than six months: a cloud, 2025-08 (15 months); another, 2025-08 (12 months).",
    )
    assert ages_together(["x", old[0], old[0]]) == ("x", old[0])

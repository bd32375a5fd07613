"""Amounts as people write them, in cents without a rest, and as they are read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from core.venture.money import Money, amount, major, minor, short, shown

money = TypeAdapter[Decimal](Money)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1200", "1200"),
        ("1,200.50", "1200.50"),
        ("$12k", "12000"),
        ("1.5M", "1500000"),
        ("€ 2b", "2000000000"),
        ("1.250.000", "1250000"),
        ("20,5", "20.5"),
        ("0,02 €", "0.02"),
        ("0.085", "0.085"),
        (".5", "0.5"),
        ("1_000", "1000"),
        (0.1, "0.1"),
    ],
)
def test_an_amount_is_read_as_it_is_meant(written: object, meant: str) -> None:
    assert money.validate_python(written) == Decimal(meant)


@pytest.mark.parametrize("written", ["250.000", "1.250", "€250.000"])
def test_an_amount_that_may_mean_two_is_refused_with_both(written: str) -> None:
    with pytest.raises(ValidationError, match="may mean") as fault:
        money.validate_python(written)
    assert "write" in str(fault.value)


@pytest.mark.parametrize("written", ["much", "12 000 apples", "1,23,4", "NaN", "-5", "1e400", ""])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        money.validate_python(written)


@given(st.integers(-(10**14), 10**14))
def test_cents_come_back_without_a_rest(cents: int) -> None:
    assert minor(major(cents)) == cents


def test_tenths_add_up_to_the_cent() -> None:
    assert sum(minor(amount(0.1)) for _ in range(3)) == 30


def test_halves_go_to_the_even_cent() -> None:
    assert [minor(Decimal(one)) for one in ("0.005", "0.015", "0.025")] == [0, 2, 2]


def test_a_currency_without_minor_units_has_no_decimals() -> None:
    assert shown(Decimal("1233.33"), "JPY", cents=True) == "¥1,233"
    assert short(Decimal("5.33"), "JPY") == "¥5"
    assert shown(Decimal("1233.33"), "CHF", cents=True) == "CHF 1,233.33"


def test_amounts_read_well() -> None:
    assert shown(Decimal("-1234.5"), "USD") == "−$1,234"
    assert shown(Decimal("0.004"), "EUR", cents=True) == "€0.00"
    assert [short(Decimal(one), "USD") for one in (950, 12_345, 1_200_000, -40_000)] == [
        "$950",
        "$12.3k",
        "$1.2M",
        "−$40k",
    ]

"""The kinds of numbers a cap table is written in: share counts, parts of one, and preference terms in words."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from core.venture.money import amount

MOST_SHARES = 10**12
Method = Literal["pre_money", "percent_ownership", "dollars_invested"]
METHODS: dict[str, str] = {
    "pre_money": "the price is pre-money ÷ shares before the converts, so founders and new investors share their cost",
    "percent_ownership": "the new investors own money ÷ (pre-money + money) whatever converts, so only the old holders "
    "are diluted by the converts",
    "dollars_invested": "post-money = pre-money + new money + the converts' principal and interest, so the cost of "
    "their discount falls on the old holders alone",
}
_NUMERAL = r"(\d+(?:\.\d+)?)"
_MULTIPLE = re.compile(rf"^{_NUMERAL}\s*[x×]", re.IGNORECASE)
_CAP = re.compile(rf"{_NUMERAL}\s*[x×]\s*cap|cap(?:ped)?\s*(?:at|of|:)?\s*{_NUMERAL}\s*[x×]", re.IGNORECASE)


def _count(given: Any) -> Any:
    """9,000,000 and 9M are counts of shares too."""
    if isinstance(given, str) and given.strip().startswith("$"):
        raise ValueError(f"{given.strip()[:40]!r} is money, no count of shares")
    if isinstance(given, (str, float)):
        try:
            value = amount(given)
        except ValueError as error:
            raise ValueError(f"{str(given)[:40]!r} is no count of shares; write 9000000 or 9M") from error
        if isinstance(value, Decimal):
            if not value.is_finite() or value != value.to_integral_value():
                raise ValueError("shares are whole")
            return int(value)
    return given


def _part(given: Any) -> Any:
    """20% and 0.2 are the same part of one."""
    if isinstance(given, float):
        return Decimal(repr(given))
    if isinstance(given, str):
        text = given.strip()
        try:
            value = Decimal(text.removesuffix("%").strip())
        except InvalidOperation as error:
            raise ValueError(f"{text[:40]!r} is no share of one; write 0.2 or 20%") from error
        return value / 100 if text.endswith("%") else value
    return given


def _plain(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


_written = PlainSerializer(_plain, when_used="json")
Shares = Annotated[int, BeforeValidator(_count), Field(ge=0, le=MOST_SHARES)]
Part = Annotated[Decimal, BeforeValidator(_part), Field(ge=0, lt=1, allow_inf_nan=False), _written]
Times = Annotated[Decimal, BeforeValidator(_part), Field(ge=0, le=100, allow_inf_nan=False), _written]
Name = Annotated[str, Field(min_length=1, max_length=80)]


def preference_words(text: str) -> dict[str, Any]:
    """'1x participating', '2x non-participating', '1x participating, 3x cap' as fields."""
    said = text.strip().lower()
    found: dict[str, Any] = {"participating": "participating" in said and not re.search(r"non[- ]?participating", said)}
    if multiple := _MULTIPLE.search(said):
        found["multiple"] = multiple[1]
    if cap := _CAP.search(said):
        found["participation_cap"] = cap[1] or cap[2]
    if "participating" not in said and "multiple" not in found:
        raise ValueError(f"{text[:40]!r} is no preference; write 1x non-participating, 1x participating, or add 3x cap")
    return found


def exact(value: Decimal | int) -> Fraction:
    return Fraction(value)


def cut(price: Fraction, decimals: int | None = None) -> Fraction:
    """A price as a term sheet prints it: rounded down to four decimals, and to five significant digits when four
    decimals would be fewer. decimals: how many instead."""
    if decimals is None:
        decimals = 4
        while decimals < 18 and 0 < price * 10**decimals < 10_000:
            decimals += 1
    return Fraction(int(price * 10**decimals), 10**decimals)

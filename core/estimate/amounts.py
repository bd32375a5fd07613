"""Amounts as people say them: $2,100–3,400, 3.4–6.0 billion tokens."""

from __future__ import annotations

import math

_SCALES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))


def significant(value: float, digits: int) -> float:
    """Rounded to so many significant digits."""
    if not value or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def money(value: float, digits: int = 3) -> str:
    """USD; cents below 100 dollars, more decimals below a cent."""
    rounded = significant(value, digits)
    if abs(rounded) >= 100 or not rounded:
        return f"${rounded:,.0f}"
    decimals = 2 if abs(rounded) >= 1 else max(2, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"${rounded:,.{decimals}f}"


def money_range(low: float, high: float) -> str:
    """Two digits each; one amount where both round to the same."""
    if low == high:
        return money(low)
    first, last = money(low, 2), money(high, 2)
    return first if first == last else f"{first}–{last[1:]}"


def tokens(value: float, digits: int = 2) -> str:
    """2.1 billion, 800 million, 950; without the word tokens."""
    number, scale = _scaled(value, _scale(value, digits), digits)
    return f"{number} {scale}".strip()


def tokens_range(low: float, high: float) -> str:
    """3.4–6.0 billion, 800 million–1.2 billion."""
    first, last = _scale(low, 2), _scale(high, 2)
    if first != last:
        return f"{tokens(low)}–{tokens(high)}"
    start, end = _scaled(low, first, 2)[0], _scaled(high, last, 2)[0]
    return tokens(low) if start == end else f"{start}–{end} {last[1]}".strip()


def _scale(value: float, digits: int) -> tuple[float, str]:
    rounded = significant(value, digits)
    return next((one for one in _SCALES if rounded >= one[0]), (1.0, ""))


def _scaled(value: float, scale: tuple[float, str], digits: int) -> tuple[str, str]:
    number = significant(value, digits) / scale[0]
    decimals = 1 if number < 10 and scale[1] else 0
    return f"{number:,.{decimals}f}", scale[1]

"""Amounts as people say them: $2,100–3,410, $1.2 billion, 3.41–6.03 billion tokens; three digits, as in `words`."""

from __future__ import annotations

import math

_SCALES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
_DIGITS = 3


def significant(value: float, digits: int) -> float:
    """Rounded to so many significant digits."""
    if not value or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def digits(value: float, significant: int = _DIGITS) -> str:
    """1234567 → 1,230,000; 0.01234 → 0.0123."""
    if not value or not math.isfinite(value):
        return "0" if not value else str(value)
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}".rstrip("0").rstrip(".") if places > 0 else f"{rounded:,.0f}"


def money(value: float, digits: int = _DIGITS) -> str:
    """USD; cents below 100 dollars, more decimals below a cent; millions and more in words."""
    rounded = significant(value, digits)
    if abs(rounded) >= 1e18:
        return f"${rounded:.3g}"
    if abs(rounded) >= 1e6:
        return "$" + " ".join(_scaled(value, _scale(value, digits), digits))
    if abs(rounded) >= 100 or not rounded:
        return f"${rounded:,.0f}"
    decimals = 2 if abs(rounded) >= 1 else max(2, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"${rounded:,.{decimals}f}"


def money_range(low: float, high: float) -> str:
    """One amount where both round to the same."""
    first, last = money(low), money(high)
    if first == last:
        return first
    begun, ended = first.partition(" "), last.partition(" ")
    if begun[2] == ended[2]:
        return f"{begun[0]}–{last[1:]}"
    return f"{first} to {last}"


def tokens(value: float, digits: int = _DIGITS) -> str:
    """2.1 billion, 800 million, 950; without the word tokens."""
    if abs(value) >= 1e18:
        return f"{value:.3g}"
    return " ".join(_scaled(value, _scale(value, digits), digits)).strip()


def tokens_range(low: float, high: float) -> str:
    """3.41–6.03 billion, 800 million–1.2 billion."""
    first, last = _scale(low, _DIGITS), _scale(high, _DIGITS)
    if tokens(low) == tokens(high):
        return tokens(low)
    if first != last or high >= 1e18:
        return f"{tokens(low)}–{tokens(high)}"
    start, end = _scaled(low, first, _DIGITS)[0], _scaled(high, last, _DIGITS)[0]
    return f"{start}–{end} {last[1]}".strip()


def _scale(value: float, digits: int) -> tuple[float, str]:
    rounded = abs(significant(value, digits))
    return next((one for one in _SCALES if rounded >= one[0]), (1.0, ""))


def _scaled(value: float, scale: tuple[float, str], places: int) -> tuple[str, str]:
    return digits(value / scale[0], places), scale[1]

"""Figures in words: as many digits as they deserve, with their unit; a range as a range."""

from __future__ import annotations

import math
import re

from core.estimate.amounts import significant
from core.estimate.ranges import Range

_NUMBER = re.compile(r"\$?[\d.,]+")
_STEPS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_SECONDS = (
    (86_400 * 365.25, "years"),
    (86_400, "days"),
    (3_600, "hours"),
    (60, "min"),
    (1, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)


def digits(value: float, significant: int = 3) -> str:
    """1234567 → 1,230,000; 0.01234 → 0.0123."""
    if not value or not math.isfinite(value):
        return "0" if not value else str(value)
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}".rstrip("0").rstrip(".") if places > 0 else f"{rounded:,.0f}"


def large(value: float) -> str:
    """2.1e9 → 2.1 billion, 999.9e6 → 1 billion."""
    rounded = significant(value, 3)
    for size, name in _STEPS:
        if abs(rounded) >= size:
            return f"{digits(value / size)} {name}"
    return digits(value)


def said(value: float, unit: str) -> str:
    """With its unit, in the size people use: bytes, seconds, USD, FLOP and the rest."""
    if unit == "USD":
        return f"${large(value) if abs(value) >= 1e6 else digits(value)}"
    if unit.startswith("USD/"):
        return f"${digits(value)}{unit.removeprefix('USD')}"
    if unit == "bytes":
        return _scaled(value, _BYTES, "B")
    if unit == "s":
        return _scaled(value, _SECONDS, "s")
    if unit in ("FLOP", "FLOP/s"):
        return f"{value:.3g} {unit}"
    if unit == "share":
        return f"{value:.0%}" if abs(value) >= 0.1 or not value else f"{value:.1%}"
    return f"{large(value)} {unit}".strip()


def said_range(value: Range, unit: str) -> str:
    """low to high, when they differ: 2.3 to 3.1 GB."""
    if value.low == value.high:
        return said(value.expected, unit)
    low, high = said(value.low, unit), said(value.high, unit)
    begun, ended = _NUMBER.match(low), _NUMBER.match(high)
    same = begun and ended and low[begun.end() :] == high[ended.end() :]
    return f"{begun[0]} to {high}" if same and begun else f"{low} to {high}"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], least: str) -> str:
    rounded = significant(value, 3)
    for size, name in steps:
        if abs(rounded) >= size:
            number = digits(value / size)
            return f"{number} {name.removesuffix('s') if number == '1' and len(name) > 2 else name}"
    return f"{digits(value)} {least}"

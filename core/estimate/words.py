"""Figures in words: as many digits as they deserve, with their unit; a range as a range."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.estimate.amounts import digits as digits
from core.estimate.amounts import significant
from core.estimate.ranges import Range

_MOST_DAYS = 1_000
_OLD_PRICE = re.compile(r"Price of (.+?),? is (\d+) months old\.")
_NUMBER = re.compile(r"\$?[\d.,]+")
_STEPS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_DAY = 86_400
_YEAR = 365.25 * _DAY
_SECONDS = (
    (_DAY, "days"),
    (3_600, "hours"),
    (60, "min"),
    (1, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
)


def large(value: float) -> str:
    """2.1e9 → 2.1 billion, 999.9e6 → 1 billion."""
    rounded = significant(value, 3)
    for size, name in _STEPS:
        if abs(rounded) >= size:
            return f"{digits(value / size)} {name}"
    return digits(value)


def said(value: float, unit: str) -> str:
    """With its unit, in the size people use: bytes, seconds and days, USD, FLOP and the rest."""
    if unit == "USD":
        return f"${large(value) if abs(value) >= 1e6 else digits(value)}"
    if unit.startswith("USD/"):
        return f"${digits(value)}{unit.removeprefix('USD')}"
    if unit == "bytes":
        return _scaled(value, _BYTES, "B")
    if unit == "s":
        return _time(value)
    if unit == "days":
        return _time(value * _DAY) if value else "0 days"
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


def ages_together(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes, with those that say that a price is old as one."""
    kept, old = list[str](), list[tuple[str, str]]()
    for note in dict.fromkeys(notes):
        if found := _OLD_PRICE.fullmatch(note):
            old.append((found[1], found[2]))
        else:
            kept.append(note)
    if len(old) < 2:
        return tuple(dict.fromkeys(notes))
    told = "; ".join(f"{what} ({months} months)" for what, months in old)
    return (*kept, f"{len(old)} of the prices are older than six months: {told}.")


def _time(seconds: float) -> str:
    """Years from 1,000 days on, so that a run of a year and a half is still told in days."""
    if abs(seconds) > _MOST_DAYS * _DAY:
        return f"{digits(seconds / _YEAR)} years"
    return _scaled(seconds, _SECONDS, "s")


def _scaled(value: float, steps: tuple[tuple[float, str], ...], least: str) -> str:
    rounded = significant(value, 3)
    for size, name in steps:
        if abs(rounded) >= size:
            number = digits(value / size)
            return f"{number} {name.removesuffix('s') if number == '1' and len(name) > 2 else name}"
    return f"{digits(value)} {least}"

"""Months, as people write them: "2026-03"; counted from the first month of a plan."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"^(\d{4})-(\d{1,2})(?:-\d{1,2})?$")
EARLIEST, LATEST = 1990, 2100


def month(given: Any) -> Any:
    """A month, a day of it, or a date of YAML → "YYYY-MM". Raises ValueError with what is allowed."""
    if isinstance(given, date):
        return f"{given.year:04d}-{given.month:02d}"
    found = _WRITTEN.match(given.strip()) if isinstance(given, str) else None
    if not found or not 1 <= int(found[2]) <= 12 or not EARLIEST <= int(found[1]) <= LATEST:
        raise ValueError(f"{str(given)[:40]!r} is no month; write one as 2026-03 ({EARLIEST} to {LATEST})")
    return f"{found[1]}-{int(found[2]):02d}"


Month = Annotated[str, BeforeValidator(month)]


def number(text: str) -> int:
    """Months since year 0, so that months can be subtracted."""
    year, one = text.split("-")
    return int(year) * 12 + int(one) - 1


def text(count: int) -> str:
    """The month of `number`."""
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def after(start: str, count: int) -> str:
    """The month so many months after `start`."""
    return text(number(start) + count)


def between(start: str, end: str) -> int:
    """Months from `start` to `end`; negative when it lies before."""
    return number(end) - number(start)


def today() -> str:
    now = date.today()
    return f"{now.year:04d}-{now.month:02d}"


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def said(text: str) -> str:
    """2026-03 → Mar 2026."""
    year, one = text.split("-")
    return f"{_NAMES[int(one) - 1]} {year}"

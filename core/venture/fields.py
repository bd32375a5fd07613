"""Fields that the registers share: a day as 2026-07-14, a name, a longer text; and the quarter of a day."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from core.venture.months import EARLIEST, LATEST


def day(given: Any) -> Any:
    """Text as 2026-07-14, or a date of YAML. A date of other order is refused: 03/04/2026 is two days."""
    if isinstance(given, dt.datetime):
        given = given.date()
    try:
        found = dt.date.fromisoformat(given.strip()) if isinstance(given, str) else given
    except ValueError:
        found = None
    if not isinstance(found, dt.date) or not EARLIEST <= found.year <= LATEST:
        raise ValueError(f"{str(given)[:40]!r} is no date; write one as 2026-07-14 ({EARLIEST} to {LATEST})")
    return found


Day = Annotated[dt.date, BeforeValidator(day)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(max_length=2_000)]


def quarter(day: dt.date) -> str:
    """2026-07-14 is "2026 Q3"."""
    return f"{day.year} Q{(day.month + 2) // 3}"

"""Months, quarters and years of a plan: counted from its first month, so that each but the last is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.venture import months

Span = Literal["month", "quarter", "year"]
LENGTH: dict[Span, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """Months [first, end) of a plan, by their number."""

    label: str
    first: int
    end: int

    @property
    def months(self) -> int:
        return self.end - self.first


def periods(names: tuple[str, ...], span: Span) -> tuple[Period, ...]:
    """names: the plan's months. The last period is shorter where the plan is."""
    step = LENGTH[span]
    return tuple(period(names, first, min(first + step, len(names))) for first in range(0, len(names), step))


def period(names: tuple[str, ...], first: int, end: int) -> Period:
    """Named by its months: Jan 2027, Jan–Mar 2027, Nov 2026–Jan 2027."""
    begun, ended = months.said(names[first]), months.said(names[end - 1])
    if end - first == 1:
        return Period(begun, first, end)
    same = begun[-4:] == ended[-4:]
    return Period(f"{begun[:3] if same else begun}–{ended}", first, end)

"""How long the cash lasts: at this month's burn, and along the plan; and when to start raising before it is gone.

Cash is of a month's end; it runs out in the first month whose end is below 0. When to start raising follows
`core.venture.raising`, for one plan and for many runs at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.venture import metric_formulas, months, raising
from core.venture.metric_formulas import Value
from core.venture.money import major
from core.venture.plan import Money, Plan
from core.venture.raising import RaiseTiming

Months = NDArray[np.int64]
"""[run], counted from the plan's first month, which is 0."""
NEVER = 10**6
"""Stands for a month beyond the plan, so that it sorts behind all others."""
_TAIL = 3  # as in core.venture.raising: the burn of a plan's last months goes on after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """Asked at the end of `month`. at_this_burn: months that cash lasts at that month's net burn. empty: the first
    month whose end is below 0. lasts_until: the last before it that is not; None with empty given: not one is.
    months: from the plan's start, in which cash stays at 0 or above, as Monte Carlo counts them; None: all of it.
    lowest: the least cash of the plan, and its month.
    """

    month: str
    cash: int
    net_burn: int
    at_this_burn: Value
    empty: str | None
    lasts_until: str | None
    months: int | None
    lowest: int
    lowest_month: str


def runway(plan: Plan, at: int = 0, run: int = 0) -> Runway:
    """at: month of the plan, from 0. Money in minor units."""
    cash = plan.cash[run]
    burn = int(plan.net_burn[run, at])
    first = int(empty_at(plan.cash[run : run + 1])[0])
    low = int(np.argmin(cash))
    return Runway(
        month=plan.months[at],
        cash=int(cash[at]),
        net_burn=burn,
        at_this_burn=metric_formulas.runway(major(int(cash[at])), major(burn)),
        empty=None if first == NEVER else plan.months[first],
        lasts_until=None if first in (NEVER, 0) else plan.months[first - 1],
        months=None if first == NEVER else first,
        lowest=int(cash[low]),
        lowest_month=plan.months[low],
    )


def empty_at(cash: Money) -> Months:
    """The first month whose end is below 0; `NEVER` where none of the plan's is."""
    below = cash < 0
    return np.where(below.any(axis=1), below.argmax(axis=1), NEVER).astype(np.int64)


def start_raising(plan: Plan, months_to_close: int = 6, buffer_months: int = 6, run: int = 0) -> RaiseTiming:
    """When talks have to begin so that the money comes before the buffer, in months of burn, is touched."""
    cash = [int(one) for one in plan.cash[run]]
    return raising.when_to_start(cash, plan.months, months_to_close=months_to_close, buffer_months=buffer_months)


def start_months(cash: Money, months_to_close: int, buffer_months: int) -> Months:
    """`start_raising` of many runs; below 0 where the start lies before the plan, `NEVER` where none is needed."""
    runs, count = cash.shape
    falls = np.zeros((runs, count + buffer_months + 1), dtype=np.int64)
    if count > 1:
        falls[:, 1:count] = np.maximum(cash[:, :-1] - cash[:, 1:], 0)
        falls[:, 0] = falls[:, 1]
    last = np.sort(falls[:, max(count - _TAIL, 0) : count], axis=1)
    falls[:, count : count + buffer_months] = last[:, last.shape[1] // 2][:, None]
    so_far = np.cumsum(falls, axis=1)
    buffer = so_far[:, buffer_months : buffer_months + count] - so_far[:, :count]
    needed, stays = np.full(runs, NEVER), np.ones(runs, dtype=bool)
    for month in reversed(range(count)):
        stays = (cash[:, month] < buffer[:, month]) & (stays | (cash[:, month] < 0))
        needed = np.where(stays, month - months_to_close, needed)
    return needed.astype(np.int64)


def named(start: str, month: int) -> str | None:
    """The month of a number; None for `NEVER`."""
    return None if month == NEVER else months.after(start, month)


def sentence(plan: Plan, months_to_close: int = 6, buffer_months: int = 6, run: int = 0) -> str:
    """The answer first: how long cash lasts, and when to start raising."""
    found = runway(plan, run=run)
    timing = start_raising(plan, months_to_close, buffer_months, run)
    if found.empty is None:
        lasts = f"Cash lasts beyond {months.said(plan.months[-1])}, the end of the plan"
    elif found.lasts_until is None:
        lasts = f"There is not enough cash for the first month, {months.said(found.empty)}"
    else:
        lasts = f"Cash runs out in {months.said(found.empty)}"
    if timing.start is None:
        return f"{lasts}; no money has to be raised for it."
    by = "now, it is late" if timing.late else f"by {months.said(timing.start)}"
    return f"{lasts}; start raising {by}."

"""What matters most: each driver alone at its low and at its high, and what that does to a target (a tornado)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.venture.drivers import BASE, DRIVERS, NAMES, DistributionSpec, Name
from core.venture.plan import Plan, simulate
from core.venture.runway import NEVER, empty_at
from core.venture.spec import CompanySpec

Key = Literal["cash_end", "cash_low", "runway", "arr_end", "gross_margin"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at. of: `[run]`, in minor units for money; NaN where there is none."""

    label: str
    unit: Literal["money", "months", "share"]
    of: Callable[[Plan], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """low, high: the driver's values. at_low, at_high: the target there, alone; None where it has no value."""

    name: Name
    label: str
    low: float
    high: float
    at_low: float | None
    at_high: float | None
    swing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado:
    """base: the target as planned. bars: the longest first. most: of a runway, which is not known beyond the plan."""

    target: Key
    label: str
    unit: Literal["money", "months", "share"]
    base: float | None
    bars: tuple[Bar, ...]
    most: int


def _runway(plan: Plan) -> NDArray[np.float64]:
    empty = empty_at(plan.cash)
    return np.where(empty == NEVER, len(plan.months), empty).astype(np.float64)


def _margin(plan: Plan) -> NDArray[np.float64]:
    revenue, profit = plan.revenue.sum(axis=1), plan.gross_profit.sum(axis=1)
    return np.where(revenue > 0, profit / np.maximum(revenue, 1), np.nan)


TARGETS: dict[Key, Target] = {
    "cash_end": Target("Cash at the end", "money", lambda plan: plan.cash[:, -1].astype(np.float64)),
    "cash_low": Target("Lowest cash", "money", lambda plan: plan.cash.min(axis=1).astype(np.float64)),
    "runway": Target("Months that cash lasts, from the plan's start", "months", _runway),
    "arr_end": Target("ARR at the end", "money", lambda plan: plan.recurring[:, -1].astype(np.float64) * 12),
    "gross_margin": Target("Gross margin of the whole plan", "share", _margin),
}


def tornado(spec: CompanySpec, target: Key = "cash_end") -> Tornado:
    """Lows and highs are those of the company's distributions; a driver without one has the usual."""
    ends = {name: _ends(spec.uncertainty.distributions.get(name), name) for name in NAMES}
    drivers: dict[str, NDArray[np.float64]] = {
        name: np.full(1 + 2 * len(NAMES), float(getattr(BASE, name))) for name in NAMES
    }
    for place, name in enumerate(NAMES):
        drivers[name][1 + 2 * place], drivers[name][2 + 2 * place] = ends[name]
    plan = simulate(spec, drivers)
    values = [None if np.isnan(one) else float(one) for one in TARGETS[target].of(plan)]
    bars = [
        _bar(name, ends[name], values[0], values[1 + 2 * place], values[2 + 2 * place])
        for place, name in enumerate(NAMES)
    ]
    return Tornado(
        target=target,
        label=TARGETS[target].label,
        unit=TARGETS[target].unit,
        base=values[0],
        bars=tuple(sorted(bars, key=lambda one: -one.swing)),
        most=len(plan.months),
    )


def _ends(given: DistributionSpec | None, name: Name) -> tuple[float, float]:
    return (DRIVERS[name].low, DRIVERS[name].high) if given is None else (given.low, given.high)


def _bar(name: Name, ends: tuple[float, float], base: float | None, low: float | None, high: float | None) -> Bar:
    reached = [one for one in (base, low, high) if one is not None]
    return Bar(
        name=name,
        label=DRIVERS[name].label,
        low=ends[0],
        high=ends[1],
        at_low=low,
        at_high=high,
        swing=max(reached) - min(reached) if reached else 0.0,
    )

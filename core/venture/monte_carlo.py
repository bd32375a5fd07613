"""Ten thousand futures of a plan: how cash spreads, how long it lasts, and what that hangs on.

Every run is the plan's own engine under drawn drivers (`core.venture.draws`), a thousand at a time, so that memory
stays small; a run's figures do not depend on which thousand it is in. Only what is shown is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.venture import months, runway
from core.venture.draws import Adjusted, Column, draws
from core.venture.drivers import NAMES, Name
from core.venture.money import minor
from core.venture.plan import Money, simulate
from core.venture.runway import NEVER
from core.venture.spec import CompanySpec

LEVELS = (5, 10, 25, 50, 75, 90, 95)
"""Percentiles that are kept of each month."""
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Paths:
    """[run, month] each, in minor units."""

    cash: Money
    revenue: Money
    mrr: Money


@dataclass(frozen=True, slots=True)
class Fan:
    """values: [level, month], for each of `LEVELS`, in minor units; each is the value of a run, none in between."""

    values: Money

    def at(self, level: int) -> NDArray[np.int64]:
        """[month], of one of `LEVELS`."""
        return np.asarray(self.values[LEVELS.index(level)])


@dataclass(frozen=True, slots=True)
class Influence:
    """How a driver goes with cash at the end. correlation: of ranks (Spearman). share: of the squares of all drivers',
    which is the share of the spread that it explains as long as drivers are nearly independent."""

    name: Name
    correlation: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarlo:
    """runway: by percentile (10, 50, 90), whole months from the plan's start; None: longer than the plan. start: the
    month in which to start raising, at a middling (50) and a bad course (10: a tenth of the runs start by then); None:
    no need; late: it lies before the plan. chance_out: [month], of cash having been below 0 by its end.
    adjusted: correlations that were given and could not all be.
    """

    currency: str
    months: tuple[str, ...]
    runs: int
    seed: int
    opening_cash: int
    cash: Fan
    revenue: Fan
    mrr: Fan
    runway: dict[int, int | None]
    start: dict[int, str | None]
    late: dict[int, bool]
    chance_out: NDArray[np.float64]
    influences: tuple[Influence, ...]
    adjusted: tuple[Adjusted, ...]

    def chance_before(self, month: str) -> float:
        """Of cash running out before this month begins. Raises InvalidInput for a month beyond the plan's end."""
        place = months.between(self.months[0], month)
        if place > len(self.months):
            raise InvalidInput(
                f"{months.said(month)} lies beyond the plan, which ends with {months.said(self.months[-1])}.",
                allowed=f"Up to {months.said(months.after(self.months[-1], 1))}.",
                next_step="Choose an earlier month, or plan for more months.",
            )
        return float(self.chance_out[place - 1]) if place > 0 else 0.0

    def runway_words(self, level: int) -> str:
        """14 months; > 36 months."""
        found = self.runway[level]
        return f"> {len(self.months)} months" if found is None else f"{found} month{'' if found == 1 else 's'}"


def monte_carlo(
    spec: CompanySpec, *, runs: int | None = None, seed: int | None = None, chunk: int = CHUNK
) -> MonteCarlo:
    """runs, seed: of `spec.uncertainty` when they are left out."""
    count = spec.uncertainty.runs if runs is None else runs
    taken = spec.uncertainty.seed if seed is None else seed
    drawn = draws(spec.uncertainty, count, taken)
    found = paths(spec, drawn.values, chunk)
    names = tuple(months.after(spec.company.start, month) for month in range(spec.company.months))
    empty = runway.empty_at(found.cash)
    raising = spec.fundraising
    start = runway.start_months(found.cash, raising.months_to_close, raising.buffer_months)
    starts = {level: int(_ranked(start, level)) for level in (10, 50)}
    return MonteCarlo(
        currency=spec.company.currency,
        months=names,
        runs=count,
        seed=taken,
        opening_cash=minor(spec.company.opening_cash),
        cash=_fan(found.cash),
        revenue=_fan(found.revenue),
        mrr=_fan(found.mrr),
        runway={level: _lasting(int(_ranked(empty, level))) for level in (10, 50, 90)},
        start={level: runway.named(names[0], month) for level, month in starts.items()},
        late={level: month < 0 for level, month in starts.items()},
        chance_out=np.array([(empty <= month).mean() for month in range(len(names))]),
        influences=_influences(drawn.values, found.cash[:, -1]),
        adjusted=drawn.adjusted,
    )


def paths(spec: CompanySpec, drivers: Mapping[Name, Column], chunk: int = CHUNK) -> Paths:
    """Every run of these drivers, `chunk` of them at a time."""
    runs, count = len(drivers[NAMES[0]]), spec.company.months
    found = Paths(*(np.empty((runs, count), dtype=np.int64) for _ in range(3)))
    for first in range(0, runs, chunk):
        part = slice(first, first + chunk)
        plan = simulate(spec, {name: values[part] for name, values in drivers.items()})
        found.cash[part], found.revenue[part], found.mrr[part] = plan.cash, plan.revenue, plan.recurring
    return found


def _ranked(values: NDArray[np.int64], level: int) -> np.int64:
    """The smallest value that so many percent do not exceed."""
    return np.sort(values)[_place(len(values), level)]  # type: ignore[no-any-return]


def _fan(line: Money) -> Fan:
    ordered = np.sort(np.ascontiguousarray(line.T), axis=1)
    return Fan(np.stack([ordered[:, _place(line.shape[0], level)] for level in LEVELS]))


def _place(runs: int, level: int) -> int:
    return max(-(-runs * level // 100) - 1, 0)


def _lasting(empty: int) -> int | None:
    """Empty at the end of month 14 (the fifteenth): fourteen whole months."""
    return None if empty == NEVER else empty


def _influences(drivers: Mapping[Name, Column], target: NDArray[np.int64]) -> tuple[Influence, ...]:
    """The strongest first; none for drivers that do not vary."""
    ranks = _ranks(target.astype(np.float64))
    found = {
        name: _correlation(_ranks(values), ranks)
        for name, values in drivers.items()
        if float(np.ptp(values)) > 0 and float(np.ptp(target)) > 0
    }
    total = sum(one**2 for one in found.values())
    listed = [Influence(name, one, one**2 / total if total else 0.0) for name, one in found.items()]
    return tuple(sorted(listed, key=lambda one: -one.share))


def _ranks(values: Column) -> Column:
    """Equal values (a normal cut off at 0) share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)


def _correlation(a: Column, b: Column) -> float:
    return float(np.corrcoef(a, b)[0, 1])

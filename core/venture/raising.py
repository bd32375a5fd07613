"""When to start raising, and what a round buys: months of runway and milestones.

Cash is the plan's, at the end of each month, in minor units and without the planned rounds; what the plan burns is what
the cash falls by. Runway along the plan (the month the cash goes below 0), as in ../shared facts of finance: it is not
cash ÷ last month's burn, which forgets who is hired next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.errors import InvalidInput
from core.venture.fundraising import FundraisingSpec, PlannedRoundSpec
from core.venture.money import minor
from core.venture.months import after, between

_TAIL = 3  # months at the end of the plan whose middle burn goes on after it
BEYOND = 12  # months after the plan's end that are told; what lies farther is not extrapolated


@dataclass(frozen=True, slots=True)
class RaiseTiming:
    """needed: the month whose end no longer has the buffer. start: the month to begin talks. empty: the month whose end
    is below 0. None: not within the plan. late: start lies before the plan's first month."""

    start: str | None
    needed: str | None
    empty: str | None
    late: bool


@dataclass(frozen=True, slots=True)
class Bought:
    """What a round does to the runway, earlier rounds counted in. without, with_round: the month in which the cash goes
    below 0; None: not until `horizon`, `BEYOND` months after the plan's end. added: months between them.
    beyond_plan: with_round lies after the plan's end, where `burn` (minor units a month) is taken to go on; burn of 0:
    the plan's cash no longer falls. too_late: the cash is gone before the money comes.
    """

    name: str
    month: str
    without: str | None
    with_round: str | None
    added: int | None
    beyond_plan: bool
    too_late: bool
    horizon: str = ""
    burn: int = 0

    @property
    def at_least(self) -> int | None:
        """Months that it adds and more, where its end lies beyond what is told."""
        open_end = self.without and self.horizon and self.with_round is None
        return between(self.without or "", self.horizon) if open_end else None


@dataclass(frozen=True, slots=True)
class Demand:
    """When a planned round has its talks, beside when the cash wants the money, earlier planned rounds counted in.
    talks: months to close before the round. needed: the month by whose end the money must be there; None: not within
    the plan. after_need: it is planned later than that. before_plan: its talks start before the plan does."""

    name: str
    month: str
    talks: str
    needed: str | None
    after_need: bool
    before_plan: bool


@dataclass(frozen=True, slots=True)
class MilestoneOutcome:
    """cost, so_far: in minor units; so_far: with all that are due before. inside: the round's amount covers so_far."""

    name: str
    due: str
    cost: int
    so_far: int
    inside: bool
    in_time: bool


def burns(cash: Sequence[int]) -> tuple[int, ...]:
    """What the cash falls by in each month, in minor units; below 0 where it grows. The first month's is not in the
    series: the second's stands for it."""
    falls = [before - now for before, now in pairwise(cash)]
    return (falls[0], *falls) if falls else (0,) * len(cash)


def when_to_start(
    cash: Sequence[int], months: Sequence[str], *, months_to_close: int, buffer_months: int
) -> RaiseTiming:
    """The buffer of a month is the burn of the months that follow it: money that comes in is not counted on.

    What is short for a while, and filled by what the plan brings before the cash is gone, needs no round.
    """
    _check(cash, months)
    falls = [max(one, 0) for one in burns(cash)]
    falls += [_tail(falls)] * buffer_months
    needed, stays = None, True  # short from a month on, until the cash is gone or to the plan's end
    for place in reversed(range(len(months))):
        short = cash[place] < sum(falls[place + 1 : place + 1 + buffer_months])
        stays = short and (stays or cash[place] < 0)
        needed = months[place] if stays else needed
    empty = next((month for month, one in zip(months, cash, strict=True) if one < 0), None)
    start = after(needed, -months_to_close) if needed else None
    return RaiseTiming(start, needed, empty, start is not None and start < months[0])


def demands(spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str]) -> tuple[Demand, ...]:
    """Of each planned round that is not before the plan."""
    _check(cash, months)
    found = []
    here = list(cash)
    for planned in spec.planned:
        if planned.month < months[0]:
            continue
        timing = when_to_start(here, months, months_to_close=spec.months_to_close, buffer_months=spec.buffer_months)
        talks = after(planned.month, -spec.months_to_close)
        later = timing.needed is not None and planned.month > timing.needed
        found.append(Demand(planned.name, planned.month, talks, timing.needed, later, talks < months[0]))
        here = _paid_in(here, months, planned)
    return tuple(found)


def bought(
    spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str], *, with_milestones: bool = False
) -> tuple[Bought, ...]:
    """Each planned round in turn. One before the plan's first month is in its opening cash already.

    with_milestones: what a round's milestones cost is paid when they are due, on top of all that the plan pays.
    """
    _check(cash, months)
    burn = max(_tail(burns(cash)), 0)
    told = [*months, *(after(months[-1], place + 1) for place in range(BEYOND))]
    here = [*cash, *(cash[-1] - burn * (place + 1) for place in range(BEYOND))]
    found = []
    for planned in spec.planned:
        without = _empty(here, told)
        late = without is not None and without < planned.month
        if not late:
            here = _paid_in(here, told, planned) if planned.month >= months[0] else here
            here = _paid_out(here, told, planned) if with_milestones else here
        reached = _empty(here, told)
        added = between(without, reached) if without and reached else None
        beyond = reached is not None and reached > months[-1]
        found.append(Bought(planned.name, planned.month, without, reached, added, beyond, late, told[-1], burn))
    return tuple(found)


def _paid_in(cash: Sequence[int], months: Sequence[str], planned: PlannedRoundSpec) -> list[int]:
    amount = minor(planned.amount)
    return [one + amount * (planned.month <= month) for one, month in zip(cash, months, strict=True)]


def _paid_out(cash: Sequence[int], months: Sequence[str], planned: PlannedRoundSpec) -> list[int]:
    """What was due before the plan is in its opening cash."""
    due = [(one.due(planned.month), minor(one.cost)) for one in planned.milestones]
    due = [(month, cost) for month, cost in due if month >= months[0]]
    return [one - sum(cost for when, cost in due if when <= month) for one, month in zip(cash, months, strict=True)]


def milestones(planned: PlannedRoundSpec, empty: str | None = None) -> tuple[MilestoneOutcome, ...]:
    """By the month they are due. empty: when the cash runs out with this round; a milestone after it is not in time."""
    amount = minor(planned.amount)
    found: list[MilestoneOutcome] = []
    for one in sorted(planned.milestones, key=lambda one: one.due(planned.month)):
        cost, due = minor(one.cost), one.due(planned.month)
        so_far = (found[-1].so_far if found else 0) + cost
        found.append(MilestoneOutcome(one.name, due, cost, so_far, so_far <= amount, empty is None or due < empty))
    return tuple(found)


def _empty(cash: Sequence[int], months: Sequence[str]) -> str | None:
    """The month in which the cash goes below 0."""
    return next((month for month, one in zip(months, cash, strict=True) if one < 0), None)


def _tail(falls: Sequence[int]) -> int:
    """The middle one of the last months: money that came in once in one of them does not count."""
    last = sorted(falls[-_TAIL:])
    return last[len(last) // 2] if last else 0


def _check(cash: Sequence[int], months: Sequence[str]) -> None:
    if not months or len(cash) != len(months):
        raise InvalidInput(
            f"{len(cash)} amounts of cash for {len(months)} months.",
            allowed="One amount a month, and one month at least.",
        )

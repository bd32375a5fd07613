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

_TAIL = 3  # months at the end of the plan whose mean burn goes on after it
_FARTHEST = 240


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
    below 0; None: never, as it is planned. added: months between them. beyond_plan: with_round lies after the plan's
    end, where the burn of its last months is taken to go on. too_late: the cash is gone before the money comes.
    """

    name: str
    month: str
    without: str | None
    with_round: str | None
    added: int | None
    beyond_plan: bool
    too_late: bool


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


def bought(spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str]) -> tuple[Bought, ...]:
    """Each planned round in turn. One before the plan's first month is in its opening cash already."""
    _check(cash, months)
    found = []
    here, tail, later = list(cash), _tail(burns(cash)), 0
    for planned in spec.planned:
        without, beyond = _empty(here, months, tail, later)
        late = without is not None and without < planned.month
        reached = without
        if not late and planned.month >= months[0]:
            amount = minor(planned.amount)
            later += amount if planned.month > months[-1] else 0
            here = [one + amount * (planned.month <= month) for one, month in zip(here, months, strict=True)]
            reached, beyond = _empty(here, months, tail, later)
        added = between(without, reached) if without and reached else None
        found.append(Bought(planned.name, planned.month, without, reached, added, beyond, late))
    return tuple(found)


def milestones(planned: PlannedRoundSpec, empty: str | None = None) -> tuple[MilestoneOutcome, ...]:
    """By the month they are due. empty: when the cash runs out with this round; a milestone after it is not in time."""
    amount = minor(planned.amount)
    found: list[MilestoneOutcome] = []
    for one in sorted(planned.milestones, key=lambda one: one.due(planned.month)):
        cost, due = minor(one.cost), one.due(planned.month)
        so_far = (found[-1].so_far if found else 0) + cost
        found.append(MilestoneOutcome(one.name, due, cost, so_far, so_far <= amount, empty is None or due < empty))
    return tuple(found)


def _empty(cash: Sequence[int], months: Sequence[str], tail: int, later: int) -> tuple[str | None, bool]:
    """The month in which the cash goes below 0, and whether it lies beyond the plan, where it falls by `tail` a month
    from what the plan leaves and `later` brings."""
    here = next((month for month, one in zip(months, cash, strict=True) if one < 0), None)
    if here is not None:
        return here, False
    left = cash[-1] + later
    if tail <= 0 or left // tail >= _FARTHEST:
        return None, False
    return after(months[-1], int(left // tail) + 1), True


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

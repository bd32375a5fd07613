"""What a round costs in ownership, at one valuation or over a range of them.

Source: price = pre-money ÷ fully diluted shares, the pool's increase counted before the money (Venture Hacks, "The
option pool shuffle"; YC Safe User Guide). In shares of the company: investors get amount ÷ (pre-money + amount), the
pool what it is to hold afterwards, and all others keep their proportions in the rest. SAFEs that convert in the round
dilute further, and which of them how is the cap table's matter: `core.venture.ownership`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.errors import InvalidInput
from core.venture.fundraising import PlannedRoundSpec
from core.venture.ownership.spec import OwnershipSpec

POINTS = 61


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """Shares of the company, 0 to 1. held: what the founders have before; kept: after. pool: after."""

    pre_money: Decimal
    amount: Decimal
    investors: float
    pool: float
    held: float
    kept: float
    effective_pre_money: Decimal

    @property
    def post_money(self) -> Decimal:
        return self.pre_money + self.amount

    @property
    def dilution(self) -> float:
        """How much smaller the founders' part became: 0.25 is a quarter of what they had."""
        return 1 - self.kept / self.held if self.held else 0.0


@dataclass(frozen=True, slots=True)
class RoundRange:
    """A round at its low, expected and high valuation."""

    low: RoundOutcome
    expected: RoundOutcome
    high: RoundOutcome


def round_at(
    amount: Decimal, pre_money: Decimal, *, pool: float = 0.0, held: float = 1.0, held_pool: float = 0.0
) -> RoundOutcome:
    """pool: its share after the round; a pool that is larger already is only diluted. held, held_pool: the founders'
    and the pool's share of all fully diluted shares before the round. Raises InvalidInput when nothing is left for
    the owners of before.
    """
    if amount <= 0 or pre_money <= 0:
        raise InvalidInput(
            f"A round of {amount:,f} at {pre_money:,f} before the money has no price.", allowed="Both are above 0."
        )
    if not (0 <= held <= 1 and 0 <= held_pool < 1 and held + held_pool <= 1 + 1e-9):
        raise InvalidInput(
            f"Founders hold {held:.1%} and the pool {held_pool:.1%} before the round.",
            allowed="Shares from 0 to 1 that are 1 at most together, the pool below 1.",
        )
    investors = float(amount / (pre_money + amount))
    pool_after = max(pool, held_pool * (1 - investors))
    rest = 1 - investors - pool_after
    if rest <= 0:
        raise InvalidInput(
            f"Investors get {investors:.1%} and the pool {pool_after:.1%} of the company: its owners get none.",
            next_step="Lower the amount or the pool, or raise the valuation.",
        )
    # What the old shares are priced at: the pre-money less the part of it that is a pool not yet there.
    made = pool_after - held_pool * rest / (1 - held_pool)
    effective = pre_money - (pre_money + amount) * Decimal(repr(max(made, 0.0)))
    return RoundOutcome(pre_money, amount, investors, pool_after, held, held * rest / (1 - held_pool), effective)


def at_valuations(planned: PlannedRoundSpec, *, held: float = 1.0, held_pool: float = 0.0) -> RoundRange:
    low, expected, high = (
        round_at(planned.amount, value, pool=planned.pool, held=held, held_pool=held_pool)
        for value in planned.valuations()
    )
    return RoundRange(low, expected, high)


def curve(
    planned: PlannedRoundSpec, *, held: float = 1.0, held_pool: float = 0.0, points: int = POINTS
) -> tuple[RoundOutcome, ...]:
    """From below the low to above the high valuation, evenly on a logarithmic axis; what cannot be is left out."""
    low, _, high = (float(value) for value in planned.valuations())
    start, end = math.log(low / 1.6), math.log(high * 1.6)
    found = []
    for place in range(points):
        value = Decimal(round(math.exp(start + (end - start) * place / (points - 1)), 2)).quantize(Decimal("0.01"))
        try:
            found.append(round_at(planned.amount, value, pool=planned.pool, held=held, held_pool=held_pool))
        except InvalidInput:
            continue  # a valuation at which the investors and the pool would have it all
    return tuple(found)


def through(rounds: Sequence[PlannedRoundSpec], *, held: float = 1.0, held_pool: float = 0.0) -> tuple[RoundRange, ...]:
    """Round after round, each from what the one before left: all at their low, all at their expected, all at their high
    valuation."""
    ends: tuple[list[RoundOutcome], ...] = ([], [], [])
    for place, found in enumerate(ends):
        mine, pool = held, held_pool
        for one in rounds:
            outcome = round_at(one.amount, one.valuations()[place], pool=one.pool, held=mine, held_pool=pool)
            mine, pool = outcome.kept, outcome.pool
            found.append(outcome)
    return tuple(RoundRange(*three) for three in zip(*ends, strict=True))


def held_today(ownership: OwnershipSpec) -> tuple[float, float]:
    """The founders' and the unissued pool's share of all shares and options of today; (1, 0) of an empty cap table.
    SAFEs and notes are not among them until a round converts them."""
    founders = sum(one.shares for one in ownership.holders if one.kind == "founder")
    options = ownership.options_outstanding + ownership.options_promised
    everything = sum(one.shares for one in ownership.holders) + options + ownership.unissued_pool
    return (founders / everything, ownership.unissued_pool / everything) if everything else (1.0, 0.0)

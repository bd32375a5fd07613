"""What planned rounds cost in ownership: on the company's own cap table, at one valuation or over a range of them.

There is one calculation of ownership, `core.venture.ownership.rounds.history`; here the planned rounds become rounds of
it: SAFEs and notes convert, the pool is made before the money (Venture Hacks, "The option pool shuffle"; YC Safe User
Guide), earlier planned rounds are in at their expected valuation. Rounds that only the cap table has are in too.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import InvalidInput
from core.venture.fundraising import PlannedRoundSpec
from core.venture.money import short
from core.venture.months import said
from core.venture.ownership.rounds import by_method, history
from core.venture.ownership.spec import HolderSpec, OwnershipSpec, RoundSpec
from core.venture.ownership.terms import METHODS

POINTS = 41
_ALL = 10_000_000  # shares of owners that nobody wrote down


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """Shares of the company, 0 to 1. held: what the founders have before; kept: after. pool, converts: after; converts
    are the SAFEs and notes that this round turned into shares."""

    pre_money: Decimal
    amount: Decimal
    investors: float
    pool: float
    converts: float
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


@dataclass(frozen=True, slots=True)
class Course:
    """The cap table with its rounds, the one asked for last. known: False where no cap table is entered, and all owners
    of today are counted as one. converting: SAFEs and notes in it. left_out: those that it leaves out, because
    `undecided` does not say by which conversion method they convert."""

    planned: PlannedRoundSpec
    table: OwnershipSpec
    known: bool
    converting: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    undecided: str = ""

    def at(self, pre_money: Decimal) -> RoundOutcome:
        """Raises InvalidInput when the round cannot be: nothing would be left for the owners of before."""
        asked = self.table.rounds[-1].model_copy(update={"pre_money_usd": pre_money})
        past = history(self.table.model_copy(update={"rounds": (*self.table.rounds[:-1], asked)}))
        before, after = past.snapshots[-2:]
        made = sum(one.shares for one in after.conversions)
        price = after.exact_price or 0
        lost = price * after.pool_increase
        return RoundOutcome(
            pre_money=pre_money,
            amount=self.planned.amount,
            investors=after.new_shares / after.total,
            pool=after.of_kind("pool") / after.total,
            converts=made / after.total,
            held=before.of_kind("founder") / before.total,
            kept=after.of_kind("founder") / after.total,
            effective_pre_money=pre_money - Decimal(lost.numerator) / Decimal(lost.denominator),
        )


def course(ownership: OwnershipSpec, planned: Sequence[PlannedRoundSpec], place: int) -> Course:
    """place: of the round that is asked for among those planned, which are in the order of their months."""
    known = any(one.shares for one in ownership.holders)
    rounds = _rounds(ownership, planned[: place + 1])
    table = ownership.model_copy(update={"holders": _holders(ownership), "classes": (), "rounds": rounds})
    if not known:
        table = OwnershipSpec(holders=(HolderSpec(name="Owners", shares=_ALL),)).model_copy(update={"rounds": rounds})
    names = (*(one.name for one in table.safes), *(one.name for one in table.notes))
    governed = by_method(table)
    undecided = next((one.name for one in rounds if one.name in governed and one.conversion_method is None), "")
    if not undecided:
        return Course(planned[place], table, known, names)
    plain = table.model_copy(update={"safes": (), "notes": ()})
    return Course(planned[place], plain, known, (), names, undecided)


def at_valuations(found: Course) -> RoundRange:
    low, expected, high = (found.at(value) for value in found.planned.valuations())
    return RoundRange(low, expected, high)


def curve(found: Course, points: int = POINTS) -> tuple[RoundOutcome, ...]:
    """From below the low to above the high valuation, evenly on a logarithmic axis; what cannot be is left out."""
    low, _, high = (float(value) for value in found.planned.valuations())
    start, end = math.log(low / 1.6), math.log(high * 1.6)
    drawn = []
    for place in range(points):
        value = Decimal(round(math.exp(start + (end - start) * place / (points - 1)), 2)).quantize(Decimal("0.01"))
        try:
            drawn.append(found.at(value))
        except InvalidInput:
            continue  # a valuation at which the investors and the pool would have it all
    return tuple(drawn)


def through(ownership: OwnershipSpec, planned: Sequence[PlannedRoundSpec]) -> tuple[RoundRange, ...]:
    """Of each planned round, the ones before it at their expected valuation."""
    return tuple(at_valuations(course(ownership, planned, place)) for place in range(len(planned)))


def choose(found: Course) -> str:
    """What is left out and where to decide it; "" when all is in."""
    if not found.undecided:
        return ""
    methods = ", ".join(name.replace("_", " ") for name in METHODS)
    several = len(found.left_out) > 1
    left, converts = ("are left out", "they convert") if several else ("is left out", "it converts")
    return (
        f"{', '.join(found.left_out)} {left}: nothing says by which method {converts} at {found.undecided}. "
        f"Choose one ({methods}) under Ownership, for a round named {found.undecided}; the term sheet says which."
    )


def differences(ownership: OwnershipSpec, planned: PlannedRoundSpec, currency: str) -> tuple[str, ...]:
    """Where the cap table's round of the same name says something else: the two then give two answers."""
    other = _namesake(ownership, planned)
    if other is None:
        return ()
    pairs = [
        (f"{short(other.money_usd, currency)} of money", f"{short(planned.amount, currency)} of money")
        if other.money_usd != planned.amount
        else None,
        (f"{short(other.pre_money_usd, currency)} before the money", f"{short(planned.pre_money, currency)}")
        if other.pre_money_usd != planned.pre_money
        else None,
        (_pool_words(other), f"a pool of {planned.pool:.1%}") if _pool_words(other) != _pool_words(planned) else None,
        (said(f"{other.date:%Y-%m}"), said(planned.month))
        if other.date and f"{other.date:%Y-%m}" != planned.month
        else None,
    ]
    return tuple(f"{there}, here {here}" for there, here in (one for one in pairs if one))


def _pool_words(one: RoundSpec | PlannedRoundSpec) -> str:
    if isinstance(one, PlannedRoundSpec):
        return f"a pool of {one.pool:.1%}"
    if one.pool_increase_shares:
        return f"{one.pool_increase_shares:,} shares more in the pool"
    return f"a pool of {float(one.post_money_pool or 0):.1%}"


def _holders(ownership: OwnershipSpec) -> tuple[HolderSpec, ...]:
    """Two stand for all: the founders, and everybody else. A round treats shares alike, whoever holds them."""
    founders = sum(one.shares for one in ownership.holders if one.kind == "founder")
    others = sum(one.shares for one in ownership.holders) - founders
    return (
        HolderSpec.model_construct(name="Founders", shares=founders, kind="founder", share_class="common"),
        HolderSpec.model_construct(name="Others", shares=others, kind="other", share_class="common"),
    )


def _rounds(ownership: OwnershipSpec, planned: Sequence[PlannedRoundSpec]) -> tuple[RoundSpec, ...]:
    """The planned ones, and before each those of the cap table alone that come before it there."""
    names = {one.name for one in planned}
    left = [one for one in ownership.rounds if one.name not in names]
    order = [one.name for one in ownership.rounds]
    found: list[RoundSpec] = []
    for one in planned:
        made = _round(ownership, one)
        place = order.index(one.name) if one.name in order else -1
        for other in [other for other in left if _earlier(other, made, order.index(other.name) < place)]:
            found.append(other)
            left.remove(other)
        found.append(made)
    return tuple(found)


def _earlier(other: RoundSpec, made: RoundSpec, listed: bool) -> bool:
    """By date where it has one; else by its place in the list."""
    return other.date < made.date if other.date and made.date else listed


def _round(ownership: OwnershipSpec, planned: PlannedRoundSpec) -> RoundSpec:
    """Money, valuation, pool and month as planned; the rest as the cap table's round of that name has it."""
    other = _namesake(ownership, planned)
    year, month = (int(one) for one in planned.month.split("-"))
    day = other.date if other else None
    if day is None or (day.year, day.month) != (year, month):
        day = date(year, month, monthrange(year, month)[1])
    stated = {one.conversion_method for one in ownership.rounds if one.conversion_method}
    method = other.conversion_method if other else None
    return RoundSpec(
        name=planned.name[:80],
        money_usd=planned.amount,
        pre_money_usd=planned.pre_money,
        date=day,
        post_money_pool=Decimal(repr(planned.pool)) if planned.pool else None,
        conversion_method=method or (stated.pop() if len(stated) == 1 else None),
        price_decimals=other.price_decimals if other else None,
    )


def _namesake(ownership: OwnershipSpec, planned: PlannedRoundSpec) -> RoundSpec | None:
    return next((one for one in ownership.rounds if one.name == planned.name), None)

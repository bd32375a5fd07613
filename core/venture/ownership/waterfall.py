"""An exit flows down: debt, preferences by seniority, then common and whoever is better off beside it.

Everybody's best choice is found at once. Write v for what a common share gets. For every v each class's best answer is
known (`Claim.worth`), the sum of them, F(v), only grows with v, and the exit fixes v by F(v) = exit: nobody can gain by
choosing otherwise while the others keep their choice. Below the sum of all preferences seniority decides. F is made of
straight pieces, so v is exact, and so are the points where anybody's line bends. Where somebody's conversion gives open
SAFEs more shares, F steps up: exits within the step leave v as it is, and what they add goes to those SAFEs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.errors import InvalidInput
from core.venture.ownership.claims import Claim, Stack
from core.venture.ownership.solve import ZERO

CENTS = 100


@dataclass(frozen=True, slots=True)
class Payout:
    """To one class. exact: before cents. converted: it gave up its preference. holders: (name, cents)."""

    name: str
    exact: Fraction
    cents: int
    converted: bool
    holders: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """Payouts of an exit, in cents; they sum to it. share: what a common share gets. unclaimed: cents that nobody has a
    claim on, as when there are no shares at all."""

    value_cents: int
    first: tuple[tuple[str, int], ...]
    payouts: tuple[Payout, ...]
    share: Fraction
    unclaimed: int = 0

    def holders(self) -> dict[str, int]:
        """Cents by holder, debt and costs not among them."""
        found: dict[str, int] = {}
        for one in self.payouts:
            for name, cents in one.holders:
                found[name] = found.get(name, 0) + cents
        return found

    def of(self, name: str) -> int:
        return sum(one.cents for one in self.payouts if one.name == name)


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """value: of the exit, where the line of one or more classes bends. words: why."""

    value: Fraction
    words: tuple[str, ...]


def waterfall(claims: Stack, exit_value: Fraction, *, by_holder: bool = True) -> Exit:
    """by_holder: shared out within each class too; a curve of many exits does without."""
    if exit_value < 0:
        raise InvalidInput(f"An exit of {float(exit_value):,.2f} is below 0.", allowed="0 or more.")
    cents = int(exit_value * CENTS)
    left = Fraction(cents, CENTS)
    first = []
    for name, owed in claims.first:
        paid = int(min(owed, left) * CENTS)
        first.append((name, paid))
        left -= Fraction(paid, CENTS)
    share, amounts = _amounts(claims.claims, left)
    whole = int(left * CENTS)
    split = apportion([value * CENTS for value in amounts], whole if sum(amounts, ZERO) else 0)
    payouts = tuple(
        Payout(one.name, exact, paid, _converted(one, share), _holders(one, paid) if by_holder else ())
        for one, exact, paid in zip(claims.claims, amounts, split, strict=True)
    )
    return Exit(cents, tuple(first), payouts, share, whole - sum(split))


def _converted(one: Claim, share: Fraction) -> bool:
    at = one.converts_at
    return at is not None and share > at


def _holders(one: Claim, cents: int) -> tuple[tuple[str, int], ...]:
    total = sum(count for _, count in one.holders)
    parts = _in_proportion([count for _, count in one.holders], total, cents) if total else []
    return tuple((name, paid) for (name, _), paid in zip(one.holders, parts, strict=True))


def _in_proportion(counts: Sequence[int], total: int, cents: int) -> list[int]:
    """As `apportion`, in whole numbers alone: a register may have many holders."""
    floors = [cents * count // total for count in counts]
    order = sorted(range(len(counts)), key=lambda place: (-(cents * counts[place] % total), place))
    for place in order[: cents - sum(floors)]:
        floors[place] += 1
    return floors


def apportion(exact: Sequence[Fraction], whole: int) -> list[int]:
    """Whole cents that sum to `whole`: rounded down, the rest to the largest remainders, the first of equals first."""
    floors = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda place: (floors[place] - exact[place], place))
    for place in order[: whole - sum(floors)]:
        floors[place] += 1
    return floors


def total_at(claims: Sequence[Claim], share: Fraction, *, reached: bool = True) -> Fraction:
    """F(v); reached=False: on the left of a step at v."""
    return sum((one.worth(share, reached=reached) for one in claims), ZERO)


def _amounts(claims: Sequence[Claim], left: Fraction) -> tuple[Fraction, list[Fraction]]:
    owed = [one.preference for one in claims]
    return (ZERO, _by_rank(claims, left)) if left < sum(owed, ZERO) else _rising(claims, left, owed)


def _by_rank(claims: Sequence[Claim], left: Fraction) -> list[Fraction]:
    """The highest rank first; equal ranks side by side, each in proportion to its preference."""
    paid = [ZERO] * len(claims)
    for rank in sorted({one.rank for one in claims if one.preference}, reverse=True):
        tier = [place for place, one in enumerate(claims) if one.preference and one.rank == rank]
        owed = sum((claims[place].preference for place in tier), ZERO)
        part = min(Fraction(1), left / owed)
        for place in tier:
            paid[place] = claims[place].preference * part
        left -= owed * part
    return paid


def _rising(claims: Sequence[Claim], left: Fraction, owed: list[Fraction]) -> tuple[Fraction, list[Fraction]]:
    """v, and everybody's amount, on the straight piece or within the step that holds the exit."""
    points = [(kink, reached) for kink in (ZERO, *_bends(claims)) for reached in (False, True)]
    place = bisect_left(points, left, key=lambda point: total_at(claims, point[0], reached=point[1]))
    low, at_low = ZERO, owed
    if place:
        low, reached = points[place - 1]
        at_low = [one.worth(low, reached=reached) for one in claims]
    high, reached = points[place] if place < len(points) else (low + 1, True)
    at_high = [one.worth(high, reached=reached) for one in claims]
    part = _part(sum(at_low, ZERO), left, sum(at_high, ZERO))
    return low + (high - low) * part, _between(at_low, at_high, part)


def _part(low: Fraction, value: Fraction, high: Fraction) -> Fraction:
    return (value - low) / (high - low) if high > low else ZERO


def _between(low: Sequence[Fraction], high: Sequence[Fraction], part: Fraction) -> list[Fraction]:
    return [first + (last - first) * part for first, last in zip(low, high, strict=True)]


def _bends(claims: Sequence[Claim]) -> list[Fraction]:
    return sorted({value for one in claims for value, _ in one.kinks() if value > 0})


def breakpoints(claims: Stack) -> tuple[Breakpoint, ...]:
    """All of them, from the smallest exit up; those at the same exit are one."""
    found: dict[Fraction, list[str]] = {}
    paid = ZERO
    for name, owed in claims.first:
        paid += owed
        found.setdefault(paid, []).append(f"{name} paid" if name != "Debt" else "Debt repaid")
    before = paid
    ranks = sorted({one.rank for one in claims.claims if one.preference}, reverse=True)
    for rank in ranks:
        tier = [one for one in claims.claims if one.preference and one.rank == rank]
        before += sum((one.preference for one in tier), ZERO)
        names = ", ".join(one.name for one in tier)
        found.setdefault(before, []).append(f"{names}: preference paid")
    for one in claims.claims:
        for share, words in one.kinks():
            if share > 0:
                found.setdefault(paid + total_at(claims.claims, share, reached=False), []).append(words)
    for share in (ZERO, *_bends(claims.claims)):
        if stepped := [one.name for one in claims.claims if one.worth(share) > one.worth(share, reached=False)]:
            words = "counted with those who convert here" if share else "discount paid"
            found.setdefault(paid + total_at(claims.claims, share), []).append(f"{', '.join(stepped)}: {words}")
    return tuple(Breakpoint(value, tuple(found[value])) for value in sorted(found))


def curve(claims: Stack, highest: Fraction | None = None, least: int = 40) -> tuple[Exit, ...]:
    """Payouts by class over exit values: every breakpoint, and enough points between them for a picture."""
    bends = [one.value for one in breakpoints(claims)]
    top = highest or max([value * Fraction(8, 5) for value in bends] + [Fraction(10_000_000)])
    values = {Fraction(0), top, *(value for value in bends if value <= top)}
    values |= {top * place / least for place in range(least)}
    return tuple(waterfall(claims, value, by_holder=False) for value in sorted(values))

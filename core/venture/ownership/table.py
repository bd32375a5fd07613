"""The cap table at one moment: who holds how many shares of which class, and what each class was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from core.venture.ownership.checks import POOLS
from core.venture.ownership.terms import exact

OUTSTANDING, PROMISED, POOL = POOLS
OPTIONS = (OUTSTANDING, PROMISED)


@dataclass(frozen=True, slots=True)
class Position:
    """shares: whole. kind: founder, employee, investor, adviser, other, safe, note, options or pool."""

    holder: str
    kind: str
    share_class: str
    shares: int


@dataclass(frozen=True, slots=True)
class Series:
    """A preferred class. invested: what its preference counts on. participation_cap: of all it gets, times invested."""

    name: str
    invested: Fraction
    price: Fraction
    multiple: Fraction = Fraction(1)
    participating: bool = False
    participation_cap: Fraction | None = None
    seniority: int = 1


@dataclass(frozen=True, slots=True)
class Conversion:
    """A SAFE or note that became shares. amount: purchase, or principal and interest. basis: post-money cap, pre-money
    cap, discount or round price. price: as printed."""

    name: str
    amount: Fraction
    shares: int
    price: Fraction
    basis: str
    interest: Fraction = Fraction(0)
    terms_of: str = ""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """A pool increase that the old holders pay. effective_pre_money: pre-money − increase × price. kept: of the old
    holders now; kept_after: had the same pool been made after the money, when the investors pay their part."""

    increase: int
    pool: Fraction
    effective_pre_money: Fraction
    kept: Fraction
    kept_after: Fraction
    investors: Fraction
    investors_after: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """After one event. price, money, pre_money: of a round; None today. exact_price: before it is printed.
    capitalisation: what post-money SAFEs count on. effective_post_money: price × all shares."""

    event: str
    day: date | None
    positions: tuple[Position, ...]
    series: tuple[Series, ...]
    conversions: tuple[Conversion, ...] = ()
    price: Fraction | None = None
    exact_price: Fraction | None = None
    money: Fraction | None = None
    pre_money: Fraction | None = None
    new_shares: int = 0
    pool_increase: int = 0
    capitalisation: int | None = None
    method: str | None = None
    shuffle: Shuffle | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(one.shares for one in self.positions)

    @property
    def post_money(self) -> Fraction | None:
        """Price × all shares: what the new price says the whole is worth."""
        return None if self.exact_price is None else self.exact_price * self.total

    def ownership(self) -> dict[str, Fraction]:
        """Fully diluted, by holder; sums to one exactly."""
        whole = self.total
        found: dict[str, Fraction] = {}
        for one in self.positions:
            if one.shares:
                found[one.holder] = found.get(one.holder, Fraction(0)) + Fraction(one.shares, whole)
        return found

    def shares(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.positions:
            found[one.holder] = found.get(one.holder, 0) + one.shares
        return {name: count for name, count in found.items() if count}

    def of_kind(self, *kinds: str) -> int:
        return sum(one.shares for one in self.positions if one.kind in kinds)

    def as_today(self) -> tuple[int, int]:
        """All shares, and the unissued pool of them."""
        return self.total, sum(one.shares for one in self.positions if one.kind == "pool")


def rounded(ownership: dict[str, Fraction], digits: int = 4) -> dict[str, float]:
    """Shares of one with so many decimals that still sum to one: the largest remainders are rounded up."""
    scale = 10**digits
    floors = {name: int(part * scale) for name, part in ownership.items()}
    left = round(float(sum(ownership.values(), Fraction(0)) * scale)) - sum(floors.values())
    by_rest = sorted(ownership, key=lambda name: ownership[name] * scale - floors[name], reverse=True)
    for name in by_rest[: max(left, 0)]:
        floors[name] += 1
    return {name: count / scale for name, count in floors.items()}


def series_price(invested: Fraction, shares: int) -> Fraction:
    return invested / shares if shares else exact(0)

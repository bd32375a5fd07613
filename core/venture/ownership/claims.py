"""What each class may claim at an exit, from the cap table as it stands then and from what has not converted yet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from core.venture.ownership.rounds import History, interest
from core.venture.ownership.solve import ZERO
from core.venture.ownership.spec import NoteSpec, OwnershipSpec, SafeSpec
from core.venture.ownership.table import OPTIONS, Snapshot
from core.venture.ownership.terms import exact

COMMON = "Common"
NOTE_RANK = 1_000_000  # a note is debt: before every preferred class
DEBT, COSTS = "Debt", "Transaction costs"


@dataclass(frozen=True, slots=True)
class Claim:
    """One class. holders: of its shares. preference: in money, 0 for common. participating: it shares the rest beside
    its preference, up to cap (in money) when there is one. strike: an option's price a share. converts: it may give its
    preference up and share as common."""

    name: str
    shares: Fraction
    holders: tuple[tuple[str, int], ...]
    preference: Fraction = ZERO
    participating: bool = False
    cap: Fraction | None = None
    rank: int = 0
    strike: Fraction = ZERO

    @property
    def converts_at(self) -> Fraction | None:
        """Value of a common share above which it is better off as common; None: never, or it is common."""
        if not self.preference or not self.shares:
            return None
        if self.participating:
            return None if self.cap is None else self.cap / self.shares
        return self.preference / self.shares

    def worth(self, share: Fraction) -> Fraction:
        """At a value of a common share, every preference paid in full."""
        alone = self.shares * max(share - self.strike, ZERO)
        if not self.preference:
            return alone
        if not self.participating:
            return max(self.preference, alone)
        both = self.preference + alone
        return both if self.cap is None else max(min(both, self.cap), alone)

    def kinks(self) -> list[tuple[Fraction, str]]:
        """Values of a common share at which its line bends, and why."""
        found = [(self.strike, f"{self.name} are exercised")] if self.strike else []
        if self.participating and self.cap is not None and self.shares:
            reached = (self.cap - self.preference) / self.shares
            found.append((reached, f"{self.name} reaches its cap"))
        if (at := self.converts_at) is not None:
            found.append((at, f"{self.name} converts to common"))
        return found


@dataclass(frozen=True, slots=True)
class Stack:
    """All claims on an exit. first: debt and costs, paid before everybody else, in this order."""

    claims: tuple[Claim, ...]
    first: tuple[tuple[str, Fraction], ...]


def stack(spec: OwnershipSpec, past: History) -> Stack:
    """The unissued pool gets nothing: nobody owns it. Options count at their strike, vested or not."""
    last = past.last
    found = [_common(last), *_options(spec, last), *_preferred(last)]
    found += [_open_safe(one, past) for one in past.safes] + [_open_note(one, past) for one in past.notes]
    first = ((COSTS, exact(spec.transaction_costs_usd)), (DEBT, exact(spec.debt_usd)))
    return Stack(tuple(one for one in found if one.shares or one.preference), tuple(one for one in first if one[1]))


def _common(last: Snapshot) -> Claim:
    held = [
        (one.holder, one.shares)
        for one in last.positions
        if one.share_class == "common" and one.kind not in ("options", "pool") and one.shares
    ]
    return Claim(COMMON, Fraction(sum(count for _, count in held)), tuple(held))


def _options(spec: OwnershipSpec, last: Snapshot) -> list[Claim]:
    held = [(one.holder, one.shares) for one in last.positions if one.holder in OPTIONS and one.shares]
    count = Fraction(sum(shares for _, shares in held))
    return [Claim("Options", count, tuple(held), strike=exact(spec.options_strike_usd))] if held else []


def _preferred(last: Snapshot) -> list[Claim]:
    found = []
    for series in last.series:
        held = [(one.holder, one.shares) for one in last.positions if one.share_class == series.name and one.shares]
        if not held:  # a class that nobody holds yet claims nothing
            continue
        cap = None if series.participation_cap is None else series.participation_cap * series.invested
        found.append(
            Claim(
                series.name,
                Fraction(sum(count for _, count in held)),
                tuple(held),
                preference=series.multiple * series.invested,
                participating=series.participating,
                cap=cap,
                rank=series.seniority,
            )
        )
    return found


def _open_safe(safe: SafeSpec, past: History) -> Claim:
    """A SAFE that no round has converted: its purchase back, or shares at its cap, whichever is more (YC, liquidity
    event). Without a cap it has its purchase alone. Counted on the company as it stands, other SAFEs and the unissued
    pool left out."""
    amount = exact(safe.purchase_usd)
    outstanding = past.last.total - past.last.of_kind("pool")
    shares = ZERO
    if safe.post_money_cap_usd is not None:
        sold = sum(
            (exact(one.purchase_usd / one.post_money_cap_usd) for one in past.safes if one.post_money_cap_usd), ZERO
        )
        shares = amount / exact(safe.post_money_cap_usd) * outstanding / (1 - sold)
    elif safe.pre_money_cap_usd is not None:
        shares = amount / exact(safe.pre_money_cap_usd) * outstanding
    return Claim(safe.name, shares, ((safe.name, 1),), preference=amount, rank=1)


def _open_note(note: NoteSpec, past: History) -> Claim:
    """A note that no round has converted: debt with its interest (to the last date known), or shares at its cap."""
    days = [one.day for one in past.snapshots if one.day]
    amount = exact(note.principal_usd) + interest(note, max(days) if days and note.issued else None)
    shares = ZERO
    if note.cap_usd is not None:
        shares = amount / exact(note.cap_usd) * (past.last.total - past.last.of_kind("pool"))
    return Claim(note.name, shares, ((note.name, 1),), preference=amount, rank=NOTE_RANK)

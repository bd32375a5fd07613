"""What each class may claim at an exit, from the cap table as it stands then and from what has not converted yet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from core.errors import InvalidInput
from core.venture.ownership.rounds import History, interest, later_safes
from core.venture.ownership.solve import ZERO
from core.venture.ownership.spec import NoteSpec, OwnershipSpec, SafeSpec
from core.venture.ownership.table import OPTIONS, Snapshot
from core.venture.ownership.terms import exact

COMMON = "Common"
NOTE_RANK = 1_000_000  # a note is debt: before every preferred class
DEBT, COSTS = "Debt", "Transaction costs"
_LEAST = Fraction(1, 10**9)  # of the company; SAFEs that leave less are refused, with their names


@dataclass(frozen=True, slots=True)
class Step:
    """From a value of a common share on: how many shares an open SAFE has as common, and what money beside them."""

    share: Fraction
    shares: Fraction
    money: Fraction = ZERO


@dataclass(frozen=True, slots=True)
class Claim:
    """One class. holders: of its shares. preference: in money, 0 for common. participating: it shares the rest beside
    its preference, up to cap (in money) when there is one. strike: an option's price a share. steps: of a SAFE whose
    shares depend on who else converts, from where it converts on; shares are then those of the last."""

    name: str
    shares: Fraction
    holders: tuple[tuple[str, int], ...]
    preference: Fraction = ZERO
    participating: bool = False
    cap: Fraction | None = None
    rank: int = 0
    strike: Fraction = ZERO
    steps: tuple[Step, ...] = ()

    @property
    def converts_at(self) -> Fraction | None:
        """Value of a common share above which it is better off as common; None: never, or it is common."""
        if self.steps:
            return self.steps[0].share
        if not self.preference or not self.shares:
            return None
        if self.participating:
            return None if self.cap is None else self.cap / self.shares
        return self.preference / self.shares

    def alone(self, share: Fraction, *, reached: bool = True) -> Fraction:
        """As common. reached: a step that begins at this very value counts."""
        if not self.steps:
            return self.shares * max(share - self.strike, ZERO)
        place = (bisect_right if reached else bisect_left)(self.steps, share, key=lambda one: one.share)
        return self.steps[place - 1].shares * share + self.steps[place - 1].money if place else ZERO

    def worth(self, share: Fraction, *, reached: bool = True) -> Fraction:
        """At a value of a common share, every preference paid in full."""
        alone = self.alone(share, reached=reached)
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
    """The unissued pool gets nothing: nobody owns it. Options count at their strike, vested or not. Raises InvalidInput
    when SAFEs that take the terms of later ones would own the whole company."""
    last = past.last
    found = [_common(last), *_options(spec, last), *_preferred(last)]
    found += _open(found, past)
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


def _open(issued: Sequence[Claim], past: History) -> list[Claim]:
    """SAFEs and notes that no round has converted. A SAFE has its purchase back, or what it gets as common, whichever
    is more (YC, liquidity event). Those with a post-money cap come last: they count all the others."""
    terms = {safe.name: _terms(safe, past) for safe in past.safes}
    notes = [_open_note(one, past) for one in past.notes]
    found = {one.name: _open_safe(one, terms[one.name], past) for one in past.safes}
    capped = {one.name: exact(cap) for one in past.safes if (cap := terms[one.name].post_money_cap_usd) is not None}
    others = [*issued, *notes, *(one for name, one in found.items() if name not in capped)]
    steps = _steps({name: (found[name].preference, cap) for name, cap in capped.items()}, others)
    for name, its in steps.items():
        found[name] = replace(found[name], shares=its[-1].shares if its else ZERO, steps=its)
    return [*found.values(), *notes]


def _terms(safe: SafeSpec, past: History) -> SafeSpec:
    """Its own terms, or with an MFN the whole terms of a later SAFE (YC, MFN form): a cap goes before a discount, as a
    cap alone grows with the exit, and of caps the one that gives more shares."""
    amount = exact(safe.purchase_usd)
    sold = sum((_promised(one, exact(one.purchase_usd)) for one in past.safes if one is not safe), ZERO)

    def better(one: SafeSpec) -> tuple[Fraction, Fraction]:
        if part := _promised(one, amount):
            return part / max(1 - sold - part, _LEAST), ZERO
        if one.pre_money_cap_usd is not None:
            return amount / exact(one.pre_money_cap_usd), ZERO
        return ZERO, exact(one.discount)

    later = later_safes(safe, past.safes) if safe.mfn else []
    return max([safe, *later], key=better)


def _promised(terms: SafeSpec, amount: Fraction) -> Fraction:
    """What a post-money cap gives for an amount, as a share of the company."""
    return amount / exact(terms.post_money_cap_usd) if terms.post_money_cap_usd is not None else ZERO


def _open_safe(safe: SafeSpec, terms: SafeSpec, past: History) -> Claim:
    """A pre-money cap counts on the company as it stands, other SAFEs, notes and the unissued pool left out (YC, form
    before 2018). Without a cap the price is that of common less the discount (YC, discount-only form v1.1), so that
    the shares are worth purchase ÷ (1 − discount) at any price; a cap at an exit goes without the discount."""
    amount = exact(safe.purchase_usd)
    claim = Claim(safe.name, ZERO, ((safe.name, 1),), preference=amount, rank=1)
    if terms.post_money_cap_usd is not None:
        return claim
    if terms.pre_money_cap_usd is not None:
        return replace(claim, shares=amount / exact(terms.pre_money_cap_usd) * _outstanding(past))
    return replace(claim, steps=(Step(ZERO, ZERO, amount / (1 - exact(terms.discount))),)) if terms.discount else claim


def _outstanding(past: History) -> int:
    return past.last.total - past.last.of_kind("pool")


def _steps(capped: dict[str, tuple[Fraction, Fraction]], others: Sequence[Claim]) -> dict[str, tuple[Step, ...]]:
    """capped: purchase and post-money cap of each SAFE. Its shares are purchase ÷ cap × C. C, the liquidity
    capitalisation (YC, post-money form), is everything that shares as common, itself and other converting securities
    in; the unissued pool, and who takes money instead of converting, out. With B the rest of it and p the purchase ÷
    cap of each SAFE that converts, C = B ÷ (1 − Σp), and a SAFE converts once C × the value of a share is its cap: the
    lower cap first."""
    parts = {name: paid / cap for name, (paid, cap) in capped.items()}
    if (promised := sum(parts.values(), ZERO)) >= 1:
        raise InvalidInput(
            f"The post-money SAFEs, {', '.join(capped)}, with the terms that an MFN takes, together promise "
            f"{float(promised):.1%} of the company.",
            allowed="Below 100 %.",
            next_step="Raise a cap, or take mfn off the SAFE that does not take those terms.",
        )
    pieces = _pieces(others)
    begins: dict[str, Fraction] = {}
    for name in sorted(capped, key=lambda name: capped[name][1], reverse=True):
        cap = capped[name][1]
        inside = sum((parts[one] for one in capped if capped[one][1] <= cap), ZERO)
        if starts := [one for one in (_reaches(cap * (1 - inside), pieces), *begins.values()) if one is not None]:
            begins[name] = min(starts)
    whole = [
        _capitalisation(at, pieces, begins, parts) for at in sorted({*begins.values(), *(p.share for p in pieces)})
    ]
    return {
        name: tuple(
            Step(one.share, parts[name] * one.shares, parts[name] * one.money)
            for one in whole
            if name in begins and one.share >= begins[name]
        )
        for name in capped
    }


def _capitalisation(
    share: Fraction, pieces: Sequence[Step], begins: dict[str, Fraction], parts: dict[str, Fraction]
) -> Step:
    """C from this value of a common share on."""
    piece = [one for one in pieces if one.share <= share][-1]
    free = 1 - sum((parts[name] for name, start in begins.items() if start <= share), ZERO)
    return Step(share, piece.shares / free, piece.money / free)


def _pieces(others: Sequence[Claim]) -> tuple[Step, ...]:
    """Shares of those that share as common, and the money of those whose shares are worth a sum, from each value of a
    common share on. Participating preferred always shares; options count whatever their strike."""
    entries = sorted(((at, one) for one in others if (at := _entry(one)) is not None), key=lambda entry: entry[0])
    found = [Step(ZERO, ZERO)]
    for at, one in entries:
        money = one.steps[0].money if one.steps else ZERO
        found.append(Step(at, found[-1].shares + one.shares, found[-1].money + money))
    return tuple({one.share: one for one in found}.values())  # the last of those that begin together


def _entry(one: Claim) -> Fraction | None:
    return ZERO if one.participating or not one.preference else one.converts_at


def _reaches(value: Fraction, pieces: Sequence[Step]) -> Fraction | None:
    """The value of a common share at which they are worth so much together."""
    for one, after in pairwise([*pieces, None]):
        assert one is not None
        if one.shares * one.share + one.money >= value:
            return one.share
        at = (value - one.money) / one.shares if one.shares else None
        if at is not None and (after is None or at < after.share):
            return at
    return None


def _open_note(note: NoteSpec, past: History) -> Claim:
    """A note that no round has converted: debt with its interest (to the last date known), or shares at its cap."""
    amount = exact(note.principal_usd) + interest(note, _until(past))
    shares = amount / exact(note.cap_usd) * _outstanding(past) if note.cap_usd is not None else ZERO
    return Claim(note.name, shares, ((note.name, 1),), preference=amount, rank=NOTE_RANK)


def _until(past: History) -> date | None:
    return max((one.day for one in past.snapshots if one.day), default=None)


def undated(note: NoteSpec, past: History) -> str:
    """How far the interest of an open note is counted at an exit, where that is not the exit itself; else nothing."""
    if not note.interest or note.months is not None:
        return ""
    if (until := _until(past)) is None:
        return f"{note.name}: no interest is counted at an exit, as there is no date to count to; give months instead."
    return f"{note.name}: interest at an exit is counted to {until}, the date of the last round."

"""One event after another: what converts, what is issued, and the cap table that stands after it.

Shares are whole, rounded down, and the price is printed as a term sheet prints it before the money is divided by it
(`terms.cut`): so do the worked examples that the tests hold this against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from core.errors import InvalidInput
from core.venture.ownership.checks import method_words
from core.venture.ownership.solve import ZERO, Convert, Question, Solution, Term, solve
from core.venture.ownership.spec import NoteSpec, OwnershipSpec, RoundSpec, SafeSpec
from core.venture.ownership.table import (
    OUTSTANDING,
    POOL,
    PROMISED,
    Conversion,
    Position,
    Series,
    Shuffle,
    Snapshot,
    series_price,
)
from core.venture.ownership.terms import MOST_SHARES, cut, exact, printed

DAYS_A_YEAR = 365
_BASES = {"post_cap": "post-money cap", "pre_cap": "pre-money cap"}


@dataclass(frozen=True, slots=True)
class History:
    """today: before any round. snapshots: today and one after each round. safes, notes: what no round has converted."""

    snapshots: tuple[Snapshot, ...]
    safes: tuple[SafeSpec, ...]
    notes: tuple[NoteSpec, ...]

    @property
    def last(self) -> Snapshot:
        return self.snapshots[-1]


def history(spec: OwnershipSpec) -> History:
    """Raises InvalidInput when a round cannot be: no method is chosen, or nothing would be left for today's holders."""
    snapshots = [today(spec)]
    safes, notes = list(spec.safes), list(spec.notes)
    for one in spec.rounds:
        converting = [safe for safe in safes if _before(safe.date, one.date)]
        owed = [note for note in notes if _before(note.issued, one.date) and _qualified(note, one)]
        snapshots.append(_after(snapshots[-1], one, converting, owed, spec.safes))
        safes = [safe for safe in safes if safe not in converting]
        notes = [note for note in notes if note not in owed]
    return History(tuple(snapshots), tuple(safes), tuple(notes))


def today(spec: OwnershipSpec) -> Snapshot:
    """Before any round. SAFEs and notes are no shares yet."""
    positions = [Position(one.name, one.kind, one.share_class, one.shares) for one in spec.holders]
    positions += [
        Position(OUTSTANDING, "options", "common", spec.options_outstanding),
        Position(PROMISED, "options", "common", spec.options_promised),
        Position(POOL, "pool", "common", spec.unissued_pool),
    ]
    series = []
    for one in spec.classes:
        held = sum(holder.shares for holder in spec.holders if holder.share_class == one.name)
        invested = exact(one.invested_usd) if one.invested_usd is not None else exact(one.price_usd or 0) * held
        cap = None if one.participation_cap is None else exact(one.participation_cap)
        price = series_price(invested, held)
        series.append(Series(one.name, invested, price, exact(one.multiple), one.participating, cap, one.seniority))
    return Snapshot(event="Today", day=None, positions=tuple(positions), series=tuple(series))


def _before(day: date | None, round_day: date | None) -> bool:
    """What has no date converts in the first round."""
    return day is None or round_day is None or day <= round_day


def _qualified(note: NoteSpec, one: RoundSpec) -> bool:
    return note.qualified_financing_usd is None or one.money_usd >= note.qualified_financing_usd


def interest(note: NoteSpec, until: date | None) -> Fraction:
    """Principal × rate × days ÷ 365, or compounded once a year: principal × ((1 + rate)^whole years × (1 + rate × rest
    of a year) − 1). months count as twelfths of a year. A note that is issued after `until` owes none by then."""
    if not note.interest:
        return ZERO
    if note.months is not None:
        years = Fraction(note.months, 12)
    elif note.issued and until:
        years = Fraction(max((until - note.issued).days, 0), DAYS_A_YEAR)
    else:
        return ZERO
    rate = exact(note.interest)
    if not note.compound:
        return exact(note.principal_usd) * rate * years
    whole = int(years)
    return exact(note.principal_usd) * ((1 + rate) ** whole * (1 + rate * (years - whole)) - 1)


def _safe_terms(safe: SafeSpec, amount: Fraction, source: str = "") -> tuple[Term, ...]:
    terms = []
    if safe.post_money_cap_usd is not None:
        cap = exact(safe.post_money_cap_usd)
        terms.append(Term("post_cap", amount / cap, cap=cap, source=source))
    if safe.pre_money_cap_usd is not None:
        cap = exact(safe.pre_money_cap_usd)
        terms.append(Term("pre_cap", amount / cap, cap=cap, source=source))
    discount = exact(safe.discount)
    return (*terms, Term("price", amount / (1 - discount), discount=discount, source=source))


def _is_post(safe: SafeSpec, later: Sequence[SafeSpec]) -> bool | None:
    """Whether it is of the post-money form; None when nothing says so."""
    if safe.post_money_cap_usd is not None or safe.form == "post_money":
        return True
    if safe.pre_money_cap_usd is not None or safe.form == "pre_money":
        return False
    if safe.mfn and any(one.post_money_cap_usd is not None for one in later):
        return True
    return None


def later_safes(safe: SafeSpec, safes: Sequence[SafeSpec]) -> list[SafeSpec]:
    """SAFEs that came after it: by date where both have one, else by their order in the file."""
    place = safes.index(safe)
    return [
        one
        for at, one in enumerate(safes)
        if one is not safe
        and ((one.date > safe.date) if one.date and safe.date and one.date != safe.date else at > place)
    ]


def _converts(
    one: RoundSpec, safes: Sequence[SafeSpec], notes: Sequence[NoteSpec], known: Sequence[SafeSpec]
) -> tuple[Convert, ...]:
    """An MFN SAFE may take the whole terms of a later SAFE, never a mixture (YC, MFN form)."""
    found = []
    for safe in safes:
        amount = exact(safe.purchase_usd)
        later = [other for other in later_safes(safe, known) if other in safes] if safe.mfn else []
        terms = list(_safe_terms(safe, amount))
        for other in later:
            terms += _safe_terms(other, amount, source=other.name)
        found.append(Convert(safe.name, amount, tuple(dict.fromkeys(terms)), _is_post(safe, later) is not True))
    for note in notes:
        amount = exact(note.principal_usd) + interest(note, one.date)
        discount = exact(note.discount)
        terms = [Term("price", amount / (1 - discount), discount=discount)]
        if note.cap_usd is not None:
            cap = exact(note.cap_usd)
            terms.insert(0, Term("pre_cap", amount / cap, cap=cap))
        found.append(Convert(note.name, amount, tuple(terms), True))
    return tuple(found)


def by_method(spec: OwnershipSpec) -> dict[str, tuple[str, ...]]:
    """Of each round, by name: the SAFEs and notes whose conversion the method governs. Rounds without any are left
    out."""
    found: dict[str, tuple[str, ...]] = {}
    safes, notes = list(spec.safes), list(spec.notes)
    for one in spec.rounds:
        converting = [safe for safe in safes if _before(safe.date, one.date)]
        owed = [note for note in notes if _before(note.issued, one.date) and _qualified(note, one)]
        if names := tuple(made.name for made in _converts(one, converting, owed, spec.safes) if made.by_method):
            found[one.name] = names
        safes = [safe for safe in safes if safe not in converting]
        notes = [note for note in notes if note not in owed]
    return found


def _check_method(one: RoundSpec, converts: Sequence[Convert]) -> None:
    named = [convert.name for convert in converts if convert.by_method]
    if named and one.conversion_method is None:
        raise InvalidInput(
            f"{one.name}: {', '.join(named)} convert at this round, and it does not say by which conversion method.",
            allowed=f"conversion_method is one of: {method_words()}.",
            next_step="It is negotiated, so take it from the term sheet; for a post-money SAFE without a cap say form: "
            "post_money instead.",
        )


def _after(
    before: Snapshot,
    one: RoundSpec,
    safes: Sequence[SafeSpec],
    notes: Sequence[NoteSpec],
    known: Sequence[SafeSpec],
) -> Snapshot:
    converts = _converts(one, safes, notes, known)
    _check_method(one, converts)
    existing, unissued = before.as_today()
    asked = Question(
        existing=existing,
        unissued=unissued,
        converts=converts,
        money=exact(one.money_usd),
        pre_money=exact(one.pre_money_usd),
        pool_increase=one.pool_increase_shares or 0,
        pool_target=None if one.post_money_pool is None else exact(one.post_money_pool),
        method=one.conversion_method,
    )
    try:
        solved = solve(asked)
    except InvalidInput as error:
        raise InvalidInput(f"{one.name}: {error.happened}", allowed=error.allowed, next_step=error.next_step) from error
    return _issue(before, one, asked, solved, {note.name: interest(note, one.date) for note in notes})


def _issue(
    before: Snapshot, one: RoundSpec, asked: Question, solved: Solution, interests: dict[str, Fraction]
) -> Snapshot:
    price = printed(solved.price, one.price_decimals)
    if not price:
        raise InvalidInput(
            f"{one.name}: the price is below what {one.price_decimals} decimals can say.",
            next_step="Leave price_decimals out, or raise it.",
        )
    increase = int(solved.pool_increase)
    made = tuple(
        _conversion(convert, term, shares, price, interests.get(convert.name, ZERO))
        for convert, term, shares in zip(asked.converts, solved.terms, solved.shares, strict=True)
    )
    new_shares = int(asked.money / price)
    kinds = {convert.name: "note" if convert.name in interests else "safe" for convert in asked.converts}
    positions = [
        Position(p.holder, p.kind, p.share_class, p.shares + (increase if p.kind == "pool" else 0))
        for p in before.positions
    ]
    series = list(before.series)
    terms = (exact(one.multiple), one.participating, _capped(one), one.seniority)
    for made_one in made:
        label = f"{one.name} · {made_one.name}"
        positions.append(Position(made_one.name, kinds[made_one.name], label, made_one.shares))
        series.append(Series(label, made_one.amount, made_one.price, *terms))
    positions.append(Position(one.name, "investor", one.name, new_shares))
    series.append(Series(one.name, asked.money, price, *terms))
    _check_count(one, price, positions)
    # The cap table as it stands before the round's own pool increase and new money.
    capitalisation = asked.existing + sum(convert.shares for convert in made)
    after = Snapshot(
        event=one.name,
        day=one.date,
        positions=tuple(positions),
        series=tuple(series),
        conversions=made,
        price=price,
        exact_price=solved.price,
        money=asked.money,
        pre_money=asked.pre_money,
        new_shares=new_shares,
        pool_increase=increase,
        capitalisation=capitalisation,
        method=asked.method if any(convert.by_method for convert in asked.converts) else None,
        notes=_notes(one, asked, solved),
    )
    return _with_shuffle(after, asked) if increase else after


def _capped(one: RoundSpec) -> Fraction | None:
    return None if one.participation_cap is None else exact(one.participation_cap)


def _conversion(convert: Convert, term: Term, shares: Fraction, round_price: Fraction, paid: Fraction) -> Conversion:
    """Post-money caps fix the share of the company, so their shares come from the exact capitalisation. A discount is
    taken off the price as it is printed (YC, SAFE Primer: 20 % off 0.19 is 0.152). Other caps divide the amount by
    their own price as it is printed."""
    price = round_price * (1 - term.discount) if term.basis == "price" else cut(convert.amount / shares)
    whole = int(shares) if term.basis == "post_cap" else int(convert.amount / price)
    basis = _BASES.get(term.basis) or ("discount" if term.discount else "round price")
    return Conversion(convert.name, convert.amount, whole, price, basis, paid, term.source)


def _check_count(one: RoundSpec, price: Fraction, positions: Sequence[Position]) -> None:
    most = max(positions, key=lambda position: position.shares)
    if most.shares > MOST_SHARES:
        raise InvalidInput(
            f"{one.name}: at a price of {float(price):.4g} a share {most.holder} would have {most.shares:.4g} shares.",
            allowed=f"Up to {MOST_SHARES:.0e} shares each.",
            next_step=f"The pre-money is {one.pre_money_usd:,f} and the money {one.money_usd:,f}; check that both are "
            "in the same unit.",
        )


def _notes(one: RoundSpec, asked: Question, solved: Solution) -> tuple[str, ...]:
    told = []
    if asked.pool_target is not None and not solved.pool_increase:
        told.append(
            f"{one.name}: the pool already holds its target of {float(asked.pool_target):.1%}; nothing was added."
        )
    return tuple(told)


def _with_shuffle(after: Snapshot, asked: Question) -> Snapshot:
    """The same pool made after the money: the price is that of a round without an increase, then everybody is diluted
    (Venture Hacks, "The option pool shuffle")."""
    pool = after.of_kind("pool")
    part = Fraction(pool, after.total)
    plain = solve(
        Question(
            existing=asked.existing,
            unissued=asked.unissued,
            converts=asked.converts,
            money=asked.money,
            pre_money=asked.pre_money,
            method=asked.method,
        )
    )
    bought = asked.money / plain.price
    whole = asked.existing + sum(plain.shares, ZERO) + bought
    added = (part * whole - asked.unissued) / (1 - part)
    grown = whole + max(added, ZERO)
    held = asked.existing - asked.unissued
    price = after.exact_price or ZERO
    shuffle = Shuffle(
        increase=after.pool_increase,
        pool=part,
        effective_pre_money=asked.pre_money - price * after.pool_increase,
        kept=Fraction(held, after.total),
        kept_after=Fraction(held) / grown,
        investors=Fraction(after.new_shares, after.total),
        investors_after=bought / grown,
    )
    return replace(after, shuffle=shuffle)

"""One case, from what is given to what comes out: the answer of `python -m core captable`, as JSON and in words.

`run_case` takes the fields of `OwnershipSpec`, or the `given` block of a worked example as it is printed. Shares of
ownership have four decimals and sum to one, as sources print percentages; the share counts beside them are exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership.claims import Stack, stack, undated
from core.venture.ownership.rounds import History, history
from core.venture.ownership.spec import OwnershipSpec
from core.venture.ownership.table import Position, Snapshot, rounded
from core.venture.ownership.waterfall import Breakpoint, Exit, breakpoints, waterfall

Json = dict[str, Any]
NOT_ADVICE = "Not financial advice."
_TOGETHER = {"founder": "founders", "options": "options_and_promised", "pool": "pool"}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """spec: as it was read. past: a cap table after each event. exits: of the values asked for."""

    spec: OwnershipSpec
    past: History
    claims: Stack
    exits: tuple[Exit, ...]
    breakpoints: tuple[Breakpoint, ...]

    def to_json(self) -> Json:
        """The last event on the first level, all events under `events`."""
        found = _event(self.past.last)
        if self.exits:
            found |= _exit(self.exits[0], self.spec)
        found["events"] = [_event(one) for one in self.past.snapshots]
        found["exits"] = [_exit(one, self.spec) for one in self.exits]
        found["breakpoints"] = [{"exit_usd": number(one.value), "why": list(one.words)} for one in self.breakpoints]
        found["unconverted"] = self.waiting()
        found["notes"] = list(self.notes())
        return found

    def waiting(self) -> list[str]:
        """SAFEs and notes that no round here has converted."""
        return [one.name for one in self.past.safes] + [one.name for one in self.past.notes]

    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what is left open."""
        told = [note for one in self.past.snapshots for note in one.notes]
        if waiting := self.waiting():
            told.append(
                f"Not converted by any round here: {', '.join(waiting)}. At an exit they take their money back, "
                "or shares at their cap or discount (a note: at its cap)."
            )
        told += [undated(note, self.past) for note in self.past.notes if undated(note, self.past)]
        if any(one.price for one in self.past.snapshots):
            told.append(
                "Shares are rounded down; prices are cut to four decimals, or to five digits where that is too coarse."
            )
        return (*told, NOT_ADVICE)

    def lines(self) -> list[str]:
        """For a reader at a terminal."""
        found = []
        for one in self.past.snapshots:
            found += [*_heading(one), *_table(one), ""]
        for exit_ in self.exits:
            found += [*_exit_lines(exit_), ""]
        if self.breakpoints:
            found.append("Breakpoints")
            found += [f"  {money(one.value):>16}  {'; '.join(one.words)}" for one in self.breakpoints]
            found.append("")
        return [*found, *self.notes()]


def run_case(given: dict[str, Any]) -> CaseResult:
    """A case, or a whole company with its section `ownership`. Raises InvalidInput with every fault of the file, or
    with why a round cannot be."""
    section = given.get("ownership")
    return run(parse(OwnershipSpec, section if isinstance(section, dict) else given))


def run(spec: OwnershipSpec) -> CaseResult:
    if spec.empty:
        raise InvalidInput(
            "The cap table has no shares.",
            allowed="holders, founders_shares, existing_shares or fully_diluted_shares.",
            next_step="Add the founders and their shares; see docs/captable.md.",
        )
    past = history(spec)
    claims = stack(spec, past)
    exits = tuple(waterfall(claims, Fraction(value)) for value in spec.exit_values)
    preferred = any(one.preference for one in claims.claims)
    return CaseResult(spec, past, claims, exits, breakpoints(claims) if preferred or claims.first else ())


def slug(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_") or "unnamed"


def number(value: Fraction | int) -> int | float:
    """To the cent or closer; whole numbers stay whole."""
    exact = Fraction(value)
    return int(exact) if exact.denominator == 1 else float(round(exact, 6))


def money(value: Fraction | int) -> str:
    return f"{float(value):,.2f}".removesuffix(".00")


def groups(one: Snapshot) -> dict[str, int]:
    """Shares as worked examples sum them: founders and the plan together, everybody else by name. Nobody is added to
    somebody else: a second 'founders' is 'founders_2'."""
    found: dict[str, int] = {}
    keys: dict[tuple[str, str], str] = {}
    for position in sorted(one.positions, key=lambda position: position.kind not in _TOGETHER):
        who = _who(position)
        if who not in keys:
            keys[who] = _free(who[1], set(keys.values()))
    for position in one.positions:
        key = keys[_who(position)]
        found[key] = found.get(key, 0) + position.shares
    return {key: count for key, count in found.items() if count}


def _who(position: Position) -> tuple[str, str]:
    """Whose shares they are, and by which name."""
    if together := _TOGETHER.get(position.kind):
        return "", together
    converted = position.kind in ("safe", "note")
    return position.holder, position.holder if converted else slug(position.holder)


def _free(key: str, taken: set[str]) -> str:
    place = 1
    while (key if place == 1 else f"{key}_{place}") in taken:
        place += 1
    return key if place == 1 else f"{key}_{place}"


def _event(one: Snapshot) -> Json:
    shares = groups(one)
    whole = one.total or 1
    found: Json = {
        "event": one.event,
        "date": one.day.isoformat() if one.day else None,
        "total_shares": one.total,
        "shares": shares,
        "ownership": rounded({key: Fraction(count, whole) for key, count in shares.items()}),
        "holders": [
            {"name": name, "shares": count, "ownership": float(Fraction(count, whole))}
            for name, count in one.shares().items()
        ],
    }
    return found | _round(one) if one.price is not None else found


def _round(one: Snapshot) -> Json:
    assert one.price is not None
    assert one.exact_price is not None
    kinds = {position.holder: position.kind for position in one.positions if position.kind in ("safe", "note")}
    rows = [
        {
            "name": made.name,
            "kind": kinds[made.name],
            ("purchase_usd" if kinds[made.name] == "safe" else "amount_usd"): number(made.amount),
            "price_usd": float(made.price),
            "shares": made.shares,
            "basis": made.basis,
            "terms_of": made.terms_of or None,
            "interest_usd": number(made.interest),
        }
        for made in one.conversions
    ]
    found: Json = {
        "price_usd": float(one.price),
        "exact_price_usd": float(one.exact_price),
        "new_shares": one.new_shares,
        "pool_increase_shares": one.pool_increase,
        "money_usd": number(one.money or 0),
        "pre_money_usd": number(one.pre_money or 0),
        "post_money_usd": number((one.pre_money or 0) + (one.money or 0)),
        "effective_post_money_usd": number(cents(one.post_money or Fraction(0))),
        "effective_pre_money_usd": number(cents((one.pre_money or 0) - one.pool_increase * one.exact_price)),
        "conversion_method": one.method,
        "company_capitalisation": one.capitalisation,
        "safe_shares": {made.name: made.shares for made in one.conversions if kinds[made.name] == "safe"},
        "note_shares": {made.name: made.shares for made in one.conversions if kinds[made.name] == "note"},
        "safes": [row for row in rows if row["kind"] == "safe"],
        "conversions": rows,
    }
    if one.shuffle:
        found["shuffle"] = {
            "pool": float(one.shuffle.pool),
            "effective_pre_money_usd": number(cents(one.shuffle.effective_pre_money)),
            "holders_today": float(one.shuffle.kept),
            "holders_today_if_after_the_money": float(one.shuffle.kept_after),
            "investors": float(one.shuffle.investors),
            "investors_if_after_the_money": float(one.shuffle.investors_after),
        }
    return found


def cents(value: Fraction) -> Fraction:
    return Fraction(round(value * 100), 100)


def _exit(one: Exit, spec: OwnershipSpec) -> Json:
    """investor_usd: to everybody who holds preferred; others_usd: the rest of the holders."""
    holders = one.holders()
    common = {"Common", "Options"}
    preferred = sum(paid.cents for paid in one.payouts if paid.name not in common)
    rest = sum(paid.cents for paid in one.payouts if paid.name in common)
    return {
        "exit_usd": usd(one.value_cents),
        "investor_usd": usd(preferred),
        "others_usd": usd(rest),
        "first": {name: usd(paid) for name, paid in one.first},
        "classes": [{"name": paid.name, "usd": usd(paid.cents), "converts": paid.converted} for paid in one.payouts],
        "payouts": {name: usd(paid) for name, paid in holders.items()},
        "common_share_usd": float(one.share),
        "unclaimed_usd": usd(one.unclaimed),
    }


def usd(minor_units: int) -> int | float:
    return number(Fraction(minor_units, 100))


def _heading(one: Snapshot) -> list[str]:
    name = f"{one.event} ({one.day})" if one.day else one.event
    if one.price is None:
        return [f"{name}: {one.total:,} shares fully diluted"]
    price = f"{float(one.price):.10f}".rstrip("0")
    decimals = max(len(price.split(".")[1]), 2)
    lines = [
        f"{name}: {money(one.money or 0)} at {money(one.pre_money or 0)} pre-money, "
        f"price {float(one.price):.{decimals}f}, {one.new_shares:,} new shares, {one.total:,} in all"
    ]
    lines += [
        f"  {made.name}: {money(made.amount)} became {made.shares:,} shares at {float(made.price):.6g} ({made.basis}"
        f"{f' of {made.terms_of}' if made.terms_of else ''})"
        for made in one.conversions
    ]
    if one.shuffle:
        lines.append(
            f"  The pool grows by {one.pool_increase:,} shares out of the pre-money, which is worth "
            f"{money(cents(one.shuffle.effective_pre_money))} to those who were there before"
        )
    return lines


def _table(one: Snapshot) -> list[str]:
    shares = one.shares()
    parts = rounded(one.ownership())
    wide = max((len(name) for name in shares), default=0)
    return [f"  {name:<{wide}}  {count:>15,}  {parts[name]:>8.2%}" for name, count in shares.items()]


def _exit_lines(one: Exit) -> list[str]:
    paid = dict(one.first) | one.holders()
    wide = max((len(name) for name in paid), default=0)
    told = [f"Exit at {money(Fraction(one.value_cents, 100))}"]
    return told + [f"  {name:<{wide}}  {money(Fraction(count, 100)):>18}" for name, count in paid.items()]

"""What cannot be true of a cap table as a whole, told before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from core.venture.ownership.terms import METHODS

if TYPE_CHECKING:
    from core.venture.ownership.spec import OwnershipSpec

POOLS = ("Options outstanding", "Options promised", "Unissued pool")
CLASSES = ("Common", "Options")  # as the proceeds of an exit name them


def faults(spec: OwnershipSpec) -> list[str]:
    """Every fault, each with its values."""
    return [*_names(spec), *_classes(spec), *_dates(spec), *_sold(spec), *_seats(spec)]


def _twice(what: str, names: Iterable[str]) -> list[str]:
    return [
        f"{what} {name!r} is there {times} times; each needs its own name"
        for name, times in Counter(names).items()
        if times > 1
    ]


def _names(spec: OwnershipSpec) -> list[str]:
    converts = [one.name for one in spec.safes] + [one.name for one in spec.notes]
    rows = [f"{one.name}, {one.share_class}" for one in spec.holders]
    found = (
        _twice("holder", rows) + _twice("SAFE or note", converts) + _twice("round", (one.name for one in spec.rounds))
    )
    found += _twice("class", (one.name for one in spec.classes))
    taken = {one.name for one in spec.holders}
    found += [
        f"{name!r} is both a holder and a round; rename one" for name in (r.name for r in spec.rounds) if name in taken
    ]
    found += [f"{name!r} is kept for the option plan; rename the holder" for name in POOLS if name in taken]
    return found + _kept(spec, converts)


def _kept(spec: OwnershipSpec, converts: list[str]) -> list[str]:
    """Names under which shares or proceeds of different people would be added together."""
    rounds, classes = [one.name for one in spec.rounds], [one.name for one in spec.classes]
    found = [f"{name!r} is both a SAFE or note and a round; rename one" for name in rounds if name in converts]
    found += [f"{name!r} is both a class and a round; rename one" for name in rounds if name in classes]
    found += [f"{name!r} is both a SAFE or note and a class; rename one" for name in classes if name in converts]
    found += [
        f"{name!r} is kept for {what}; rename the {kind}"
        for kind, names in (("SAFE or note", converts), ("round", rounds), ("class", classes))
        for kept, what in ((POOLS, "the option plan"), (CLASSES, "a class of shares"))
        for name in names
        if name in kept
    ]
    return found


def _classes(spec: OwnershipSpec) -> list[str]:
    known = {"common", *(one.name for one in spec.classes)}
    missing = [one for one in spec.holders if one.share_class not in known]
    return [
        f"{one.name}: there is no class {one.share_class!r}; it is {', '.join(sorted(known))}, or add it under classes"
        for one in missing
    ]


def _dates(spec: OwnershipSpec) -> list[str]:
    dated = [one for one in spec.rounds if one.date]
    found = [
        f"dates out of order: {later.name} ({later.date}) is listed after {first.name} ({first.date})"
        for first, later in pairwise(dated)
        if later.date and first.date and later.date < first.date
    ]
    for note in spec.notes:
        if note.interest and not note.issued and note.months is None and spec.rounds:
            found.append(f"{note.name}: interest of {note.interest} needs issued, or months")
        if note.interest and note.issued and any(not one.date for one in spec.rounds):
            found.append(f"{note.name}: its interest runs from {note.issued} to the round, and a round has no date")
    return found


def _sold(spec: OwnershipSpec) -> list[str]:
    """Post-money caps promise shares of the whole: together they must leave something."""
    sold = sum((one.purchase_usd / one.post_money_cap_usd for one in spec.safes if one.post_money_cap_usd), start=0)
    if sold < 1:
        return []
    return [f"the post-money SAFEs together promise {float(sold):.1%} of the company; it must stay below 100 %"]


def _seats(spec: OwnershipSpec) -> list[str]:
    """Rounds and SAFEs convert into a company that has shares."""
    if (spec.rounds or spec.safes or spec.notes) and not any(one.shares for one in spec.holders):
        return ["no holder has any shares yet; add the founders first"]
    return []


def method_words() -> str:
    return "; ".join(f"{name}: {words}" for name, words in METHODS.items())

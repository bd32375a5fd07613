"""The kinds of numbers a cap table is written in: share counts, parts of one, and preference terms in words."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from core.venture.money import amount

MOST_SHARES = 10**12
Method = Literal["pre_money", "percent_ownership", "dollars_invested"]
METHODS: dict[str, str] = {
    "pre_money": "the price is pre-money ÷ shares before the converts, so founders and new investors share their cost",
    "percent_ownership": "the new investors own money ÷ (pre-money + money) whatever converts, so only the old holders "
    "are diluted by the converts",
    "dollars_invested": "post-money = pre-money + new money + the converts' principal and interest, so the cost of "
    "their discount falls on the old holders alone",
}
_TOKEN = re.compile(
    r"(?P<times>\d+(?:\.\d+)?)\s*(?P<unit>x|×|times|%)(?![a-z0-9])"
    r"|non[-\s]*(?=participat)|total returns?\b|[a-z]+(?:'[a-z]+)?|\d[\d.]*[a-z]*|[,;()]|[^\s]"
)
_PARTICIPATES = {"participating", "participation", "participates", "participate"}
_NOT = {"non", "no", "not", "without", "never", "none"}
_STOPS = {",", ";", "(", ")"}
# 3x cap, or cap of 3x; only capped at 3x
_CAP_NOUNS = {
    "cap",
    "caps",
    "max",
    "maximum",
    "limit",
    "ceiling",
    "total return",
    "total returns",
}
_CAP_VERBS = {"capped", "limited", "upto", "until"}
_LINKS = {"at", "of", "to", "a", "an", "the", "is", "by", ":", "="}
_ALL = {"total", "overall", "aggregate"}  # beside a cap word only
_PLAIN = {
    *("liquidation", "liq", "preference", "preferred", "pref", "stock", "shares", "and", "with", "then", "plus"),
    *("full", "fully", "simple", "capital", "+", "&"),
}
UNDERSTOOD = "1x non-participating, 2x participating, 1x participating, 3x cap (or: capped at 3x, up to 3x)"


def _count(given: Any) -> Any:
    """9,000,000 and 9M are counts of shares too."""
    if isinstance(given, str) and given.strip().startswith("$"):
        raise ValueError(f"{given.strip()[:40]!r} is money, no count of shares")
    if isinstance(given, (str, float)):
        try:
            value = amount(given)
        except ValueError as error:
            raise ValueError(f"{str(given)[:40]!r} is no count of shares; write 9000000 or 9M") from error
        if isinstance(value, Decimal):
            if not value.is_finite() or value != value.to_integral_value():
                raise ValueError("shares are whole")
            return int(value)
    return given


def _part(given: Any) -> Any:
    """20% and 0.2 are the same part of one."""
    if isinstance(given, float):
        return Decimal(repr(given))
    if isinstance(given, str):
        text = given.strip()
        try:
            value = Decimal(text.removesuffix("%").strip())
        except InvalidOperation as error:
            raise ValueError(f"{text[:40]!r} is no share of one; write 0.2 or 20%") from error
        return value / 100 if text.endswith("%") else value
    return given


def _plain(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


_written = PlainSerializer(_plain, when_used="json")
Shares = Annotated[int, BeforeValidator(_count), Field(ge=0, le=MOST_SHARES)]
Part = Annotated[Decimal, BeforeValidator(_part), Field(ge=0, lt=1, allow_inf_nan=False), _written]
Times = Annotated[Decimal, BeforeValidator(_part), Field(ge=0, le=100, allow_inf_nan=False), _written]
Name = Annotated[str, Field(min_length=1, max_length=80)]


def preference_words(text: str) -> dict[str, Any]:
    """'1x participating', '2x non-participating', '1x participating, 3x cap' as fields. The whole string is read: what
    is left over is refused, never passed over."""
    tokens = _tokens(text)
    used: set[int] = set()
    participating = _participation(tokens, used)
    caps = _caps(tokens, used)
    numbers = [place for place, (_, times) in enumerate(tokens) if times is not None]
    multiples = [place for place in numbers if place not in caps]
    used |= {*caps, *multiples[:1]}
    known = _LINKS | _PLAIN | _STOPS
    left = [word for place, (word, _) in enumerate(tokens) if place not in used and word not in known]
    if left:
        raise ValueError(f"{text[:40]!r}: {', '.join(map(repr, left[:5]))} is not understood; write {UNDERSTOOD}")
    if len(caps) > 1 or len(participating) > 1:
        raise ValueError(f"{text[:40]!r} says two things at once; write {UNDERSTOOD}")
    if not (multiples or caps or participating):
        raise ValueError(f"{text[:40]!r} is no preference; write {UNDERSTOOD}")
    found: dict[str, Any] = {"participating": True in participating}
    if multiples:
        found["multiple"] = str(tokens[multiples[0]][1])
    if caps:
        found["participation_cap"] = str(tokens[caps.pop()][1])
    return found


def _tokens(text: str) -> list[tuple[str, Decimal | None]]:
    """Words as they are, '3x' and '300%' with their value as a multiple."""
    said = re.sub(r"\b(?:up to|(?:at|no|not) (?:most|more than))\b", "upto", text.strip().lower()).rstrip(".")
    said = re.sub(r"\s[-–—]\s", " , ", said)
    found: list[tuple[str, Decimal | None]] = []
    for one in _TOKEN.finditer(said):
        value = None if one["times"] is None else Decimal(one["times"]) / (100 if one["unit"] == "%" else 1)
        found.append(("non" if one[0].startswith("non") and one[0].strip("- ") == "non" else one[0], value))
    return found


def _participation(tokens: list[tuple[str, Decimal | None]], used: set[int]) -> set[bool]:
    """What is said of participation: non-, not, no or without before it, or ': no' after it, turn it round."""
    said = set()
    for place, (word, _) in enumerate(tokens):
        if word not in _PARTICIPATES and word != "nonparticipating":
            continue
        used.add(place)
        negated = word == "nonparticipating"
        before = place - 1
        while before >= 0 and tokens[before][0] in {"full", "fully", "any", "-"}:
            before -= 1
        if before >= 0 and tokens[before][0] in _NOT:
            used |= set(range(before, place))
            negated = True
        after = [word for word, _ in tokens[place + 1 : place + 3]]
        if after[:1] and after[0] in {":", "="} and after[1:] and after[1] in {"no", "false", "none", "yes", "true"}:
            used |= {place + 1, place + 2}
            negated = negated or after[1] in {"no", "false", "none"}
        said.add(not negated)
    return said


def _caps(tokens: list[tuple[str, Decimal | None]], used: set[int]) -> set[int]:
    """Places of the numbers that a word for a cap belongs to; 'uncapped' and 'no cap' have none."""
    found = set()
    for place, (word, _) in enumerate(tokens):
        if word == "uncapped":
            used.add(place)
        elif word in _CAP_NOUNS | _CAP_VERBS and place not in used:
            before = _walk(tokens, place, -1, {"a", "any"})
            if word in _CAP_NOUNS and before is not None and tokens[before][0] in {"no", "without"}:
                used |= set(range(before, place + 1))
                continue
            at = _number(tokens, place, -1) if word in _CAP_NOUNS else None
            at = _number(tokens, place, 1) if at is None else at
            if at is not None:
                found.add(at)
                low, high = sorted((place, at))
                used |= {place} | {each for each in range(low, high) if tokens[each][0] in _ALL}
    return found


def _number(tokens: list[tuple[str, Decimal | None]], place: int, step: int) -> int | None:
    """The number that a cap word stands beside, or None: 'capped participating 2x' and 'capped 2x participating' do not
    say whether 2x is the cap or the preference, 'capped participating at 2x' does."""
    over = _CAP_NOUNS | _CAP_VERBS | _LINKS | _ALL | _PARTICIPATES if step > 0 else _CAP_NOUNS | _ALL
    at = _walk(tokens, place, step, over)
    if at is None or tokens[at][1] is None:
        return None
    between = {word for word, _ in tokens[place + 1 : at]} if step > 0 else set()
    after = tokens[at + 1][0] if at + 1 < len(tokens) else ""
    unsure = between & _PARTICIPATES or (step > 0 and after in {*_PARTICIPATES, "non", "nonparticipating"})
    return at if not unsure or tokens[at - 1][0] in _LINKS else None


def _walk(tokens: list[tuple[str, Decimal | None]], place: int, step: int, over: set[str]) -> int | None:
    """The first place before or after that is not passed over."""
    place += step
    while 0 <= place < len(tokens) and tokens[place][0] in over:
        place += step
    return place if 0 <= place < len(tokens) else None


def exact(value: Decimal | int) -> Fraction:
    return Fraction(value)


def cut(price: Fraction) -> Fraction:
    """The price of a SAFE or note, as the YC SAFE Primer prints it (0.72727): rounded down to four decimals, and to
    five significant digits when four decimals would be fewer."""
    decimals = 4
    while decimals < 18 and 0 < price * 10**decimals < 10_000:
        decimals += 1
    return _cut(price, decimals)


def printed(price: Fraction, decimals: int | None = None) -> Fraction:
    """The price of a round as a term sheet prints it: rounded down to four decimals, as in the YC Safe User Guide
    (1.1144) and the SAFE Primer (0.909), unless that lost more than a ten-thousandth of it; then to five significant
    digits. decimals: how many instead."""
    if decimals is not None:
        return _cut(price, decimals)
    short = _cut(price, 4)
    return short if (price - short) * 10_000 <= price else cut(price)


def _cut(price: Fraction, decimals: int) -> Fraction:
    return Fraction(int(price * 10**decimals), 10**decimals)

"""The price of a round and the shares of what converts in it, solved exactly: three linear equations in fractions.

Unknown are x = 1 ÷ price, C (the company capitalisation of post-money SAFEs: everything that is issued, promised or
converting, without the round's pool increase) and K (the pool increase). With E existing shares, M new money and V the
pre-money, a convert of amount w takes the most of what its terms give:

- post-money cap: w · C ÷ cap (YC, Safe User Guide)
- pre-money cap, of a SAFE or a note: w · (E + K) ÷ cap (YC, SAFE Primer): converts left out, pool increase taken in
- discount d, or none: w · x ÷ (1 − d)

and the price 1 ÷ x is V' ÷ D, where the conversion method says what is in D and V' (Cooley GO, "Calculating share
price with outstanding convertible notes"):

- post-money SAFEs are always in D: the round's pre-money is counted on the company after them
- pre_money: D leaves pre-money SAFEs and notes out, V' = V
- percent_ownership: D takes them in, V' = V, so the new money owns M ÷ (V + M)
- dollars_invested: D takes them in, V' = V + Σw, so that post-money = V + M + Σw
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal

from core.errors import InvalidInput

Basis = Literal["post_cap", "pre_cap", "price"]
Vector = tuple[Fraction, Fraction, Fraction]  # of x, C, K
_MOST_TURNS = 200
_MOST_SEARCHED = 12
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Term:
    """One way to convert. per: shares a unit of C, of E + K or of x. cap, discount: what it came from."""

    basis: Basis
    per: Fraction
    cap: Fraction | None = None
    discount: Fraction = ZERO
    source: str = ""


@dataclass(frozen=True, slots=True)
class Convert:
    """A SAFE or note at the round. amount: purchase, or principal and interest. by_method: the conversion method
    governs it; otherwise it is a post-money SAFE."""

    name: str
    amount: Fraction
    terms: tuple[Term, ...]
    by_method: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """existing: fully diluted shares before the round, the unissued pool in. unissued: that pool. pool_target: of
    everything after the round, or None for `pool_increase` shares."""

    existing: int
    unissued: int
    converts: tuple[Convert, ...]
    money: Fraction
    pre_money: Fraction
    pool_increase: int = 0
    pool_target: Fraction | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """Exact, before anything is rounded. terms: the one each convert took. shares: of each convert."""

    price: Fraction
    capitalisation: Fraction
    pool_increase: Fraction
    terms: tuple[Term, ...]
    shares: tuple[Fraction, ...]


def solve(asked: Question) -> Solution:
    """Raises InvalidInput when pool, investors and converts together want the whole company or more."""
    kept = _settled(asked)
    if kept is None:
        raise _impossible(asked)
    if kept.pool_increase < 0:  # the target is met without an increase
        return solve(_without_target(asked))
    return kept


def _without_target(asked: Question) -> Question:
    return Question(
        existing=asked.existing,
        unissued=asked.unissued,
        converts=asked.converts,
        money=asked.money,
        pre_money=asked.pre_money,
        method=asked.method,
    )


def _settled(asked: Question) -> Solution | None:
    """Everybody on the best of their terms: taken in turns, and by trying all where turns go round in circles."""
    for start in (0, -1):
        choice = tuple(one.terms[start] for one in asked.converts)
        seen: set[tuple[Term, ...]] = set()
        while choice not in seen and len(seen) < _MOST_TURNS:
            seen.add(choice)
            found = _at(asked, choice)
            if found is None:
                break
            better = tuple(_best(one, found, asked) for one in asked.converts)
            if better == choice or _same(asked, found, better):
                return found
            choice = better
    if len(asked.converts) > _MOST_SEARCHED:
        return None
    for choice in product(*(one.terms for one in asked.converts)):
        found = _at(asked, choice)
        if found and _same(asked, found, tuple(_best(one, found, asked) for one in asked.converts)):
            return found
    return None


def _same(asked: Question, found: Solution, better: Sequence[Term]) -> bool:
    """Another term that gives as many shares is no better."""
    return all(_shares(one, found, asked) <= have for one, have in zip(better, found.shares, strict=True))


def _best(one: Convert, found: Solution, asked: Question) -> Term:
    return max(one.terms, key=lambda term: _shares(term, found, asked))


def _shares(term: Term, found: Solution, asked: Question) -> Fraction:
    if term.basis == "post_cap":
        return term.per * found.capitalisation
    if term.basis == "pre_cap":
        return term.per * (asked.existing + found.pool_increase)
    return term.per / found.price


def _at(asked: Question, choice: Sequence[Term]) -> Solution | None:
    """The equations with every convert's term fixed; None when no positive price solves them."""
    existing, money = Fraction(asked.existing), asked.money
    by_price, by_post, by_pre = (_sum(choice, basis) for basis in ("price", "post_cap", "pre_cap"))
    inside = [
        term
        for one, term in zip(asked.converts, choice, strict=True)
        if not one.by_method or asked.method in ("percent_ownership", "dollars_invested")
    ]
    in_price, in_post, in_pre = (_sum(inside, basis) for basis in ("price", "post_cap", "pre_cap"))
    value = asked.pre_money
    if asked.method == "dollars_invested":
        value += sum((one.amount for one in asked.converts if one.by_method), ZERO)
    rows: list[Vector] = [(-by_price, 1 - by_post, -by_pre), (value - in_price, -in_post, -(1 + in_pre))]
    right = [existing * (1 + by_pre), existing * (1 + in_pre)]
    if asked.pool_target is None:
        rows.append((ZERO, ZERO, Fraction(1)))
        right.append(Fraction(asked.pool_increase))
    else:
        part = asked.pool_target
        rows.append((-part * (by_price + money), -part * by_post, 1 - part * (1 + by_pre)))
        right.append(part * existing * (1 + by_pre) - asked.unissued)
    solved = _cramer(rows, right)
    if solved is None or solved[0] <= 0 or solved[1] < existing:
        return None
    price = 1 / solved[0]
    found = Solution(price, solved[1], solved[2], tuple(choice), ())
    shares = tuple(_shares(term, found, asked) for term in choice)
    whole = existing + found.pool_increase + sum(shares, ZERO) + money / price
    if whole <= 0 or any(one < 0 for one in shares) or asked.existing + found.pool_increase < 0:
        return None
    return Solution(price, solved[1], solved[2], tuple(choice), shares)


def _sum(terms: Sequence[Term], basis: str) -> Fraction:
    return sum((term.per for term in terms if term.basis == basis), ZERO)


def _determinant(a: Vector, b: Vector, c: Vector) -> Fraction:
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])


def _cramer(rows: Sequence[Vector], right: Sequence[Fraction]) -> Vector | None:
    whole = _determinant(rows[0], rows[1], rows[2])
    if not whole:
        return None
    found = []
    for column in range(3):
        swapped = [
            tuple(right[line] if place == column else value for place, value in enumerate(row))
            for line, row in enumerate(rows)
        ]
        found.append(_determinant(swapped[0], swapped[1], swapped[2]) / whole)  # type: ignore[arg-type]
    return found[0], found[1], found[2]


def _impossible(asked: Question) -> InvalidInput:
    post = asked.pre_money + asked.money
    told = [f"the new investors {float(asked.money / post):.1%}"]
    if asked.pool_target is not None:
        told.append(f"the pool {float(asked.pool_target):.1%}")
    promised = sum((term.per for one in asked.converts for term in one.terms if term.basis == "post_cap"), ZERO)
    if promised:
        told.append(f"the post-money SAFEs {float(promised):.1%} before the new money")
    if rest := [one for one in asked.converts if not any(term.basis == "post_cap" for term in one.terms)]:
        part = sum((one.amount for one in rest), ZERO) / post
        told.append(f"SAFEs and notes put in {float(part):.1%} of the post-money before any cap or discount")
    return InvalidInput(
        f"No price solves this round: {', '.join(told)} leave nothing for the holders of today.",
        allowed="Together they must stay below 100 %.",
        next_step="Lower the pool target or the money, or raise the pre-money or the caps.",
    )

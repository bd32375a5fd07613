"""Medians and quartiles of deals by quarter and stage, and where an own round stands among those of its stage.

Quartiles are linear between the ordered values, as `numpy.percentile` draws them. Fewer than three deals make no
median worth a comparison: the spread is still given, and `few` says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.venture.fields import quarter
from core.venture.fundraising import PlannedRoundSpec
from core.venture.market import STAGES, DealSpec, stage_named

Measure = Literal["amount", "pre_money"]
MEASURES: dict[Measure, str] = {"amount": "Amount raised", "pre_money": "Pre-money valuation"}
FEW = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles of `count` deals, in the currency of the company."""

    count: int
    low: Decimal
    median: Decimal
    high: Decimal

    @property
    def few(self) -> bool:
        return self.count < FEW


@dataclass(frozen=True, slots=True)
class Group:
    """A quarter's or a stage's deals. untold: those without this figure, which the spread does not hold."""

    name: str
    spread: Spread | None
    untold: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An own round's figure among the deals of its stage. rank: share of them that lie below, equals counted half."""

    measure: Measure
    stage: str
    value: Decimal
    spread: Spread | None
    rank: float | None
    untold: int


def own_or_example(deals: Iterable[DealSpec]) -> tuple[tuple[DealSpec, ...], bool]:
    """Own deals alone where there is one: an invented company never counts beside a real one. True: examples."""
    given = tuple(deals)
    own = tuple(one for one in given if not one.example)
    return (own, False) if own else (given, bool(given))


def with_new(old: Sequence[DealSpec], new: Sequence[DealSpec]) -> tuple[tuple[DealSpec, ...], int]:
    """Old and new deals, those that are there already left out and counted: the same file twice is no second market."""
    known = {_same(one) for one in old}
    fresh = [one for one in dict.fromkeys(new) if _same(one) not in known]
    return (*old, *fresh), len(new) - len(fresh)


def spread(values: Iterable[Decimal]) -> Spread | None:
    ordered = sorted(values)
    if not ordered:
        return None
    if len(ordered) == 1:
        return Spread(1, ordered[0], ordered[0], ordered[0])
    low, median, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(len(ordered), low, median, high)


def by_quarter(deals: Iterable[DealSpec], measure: Measure, stage: str = "") -> tuple[Group, ...]:
    """The earliest first; quarters without a deal are not there. stage: "" for all."""
    parts: dict[str, list[DealSpec]] = {}
    for one in deals:
        if not stage or one.stage == stage_named(stage):
            parts.setdefault(quarter(one.date), []).append(one)
    return tuple(_group(name, parts[name], measure) for name in sorted(parts))


def by_stage(deals: Iterable[DealSpec], measure: Measure) -> tuple[Group, ...]:
    """From the earliest stage to the latest; stages with names of their own behind them."""
    parts: dict[str, list[DealSpec]] = {}
    for one in deals:
        parts.setdefault(one.stage, []).append(one)
    return tuple(_group(name, parts[name], measure) for name in sorted(parts, key=stage_order))


def stage_order(stage: str) -> tuple[int, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage)


def stage_of(planned: PlannedRoundSpec) -> str:
    """The stage that a planned round is compared with: what it says, else its name ("Seed", "Series A extension")."""
    if planned.stage:
        return str(stage_named(planned.stage))
    name = str(stage_named(planned.name))
    words = name.replace("-", " ")
    found = [stage for stage in STAGES if f" {stage.replace('-', ' ')} " in f" {words} "]
    return max(found, key=len) if found else name


def stage_title(stage: str) -> str:
    """As it is written in a sentence: pre-seed, seed, Series A."""
    return stage.title() if stage.startswith("series ") else stage


def rank(value: Decimal, values: Sequence[Decimal]) -> float | None:
    """Percentile rank, 0 to 1: the share below, and half of those that are equal."""
    if not values:
        return None
    return (sum(one < value for one in values) + sum(one == value for one in values) / 2) / len(values)


def standing(planned: PlannedRoundSpec, deals: Iterable[DealSpec], measure: Measure) -> Standing:
    """A planned round at its expected valuation, against all deals of its stage."""
    stage = stage_of(planned)
    here = [one for one in deals if one.stage == stage]
    told = [value for one in here if (value := figure(one, measure)) is not None]
    mine = planned.amount if measure == "amount" else planned.pre_money
    return Standing(measure, stage, mine, spread(told), rank(mine, told), len(here) - len(told))


def figure(deal: DealSpec, measure: Measure) -> Decimal | None:
    return deal.amount if measure == "amount" else deal.pre_money


def _group(name: str, deals: Sequence[DealSpec], measure: Measure) -> Group:
    told = [value for one in deals if (value := figure(one, measure)) is not None]
    return Group(name, spread(told), len(deals) - len(told))


def _same(deal: DealSpec) -> tuple[object, ...]:
    return deal.company.casefold(), deal.stage, deal.date, deal.amount

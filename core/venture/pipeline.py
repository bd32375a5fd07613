"""The pipeline of investors: who, how far, how much, how likely, what next; and what it is worth in expectation.

The chances by stage are our starting points and no measurement: they are shown, and each can be overwritten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.estimate.config import Share, Strict
from core.venture.fields import Day, Name, Text
from core.venture.money import Money, minor

InvestorKind = Literal["angel", "fund", "corporate", "grant", "family"]
InvestorStage = Literal["research", "contacted", "meeting", "diligence", "term sheet", "signed", "passed"]
KINDS: tuple[InvestorKind, ...] = ("angel", "fund", "corporate", "grant", "family")
STAGES: tuple[InvestorStage, ...] = (
    "research",
    "contacted",
    "meeting",
    "diligence",
    "term sheet",
    "signed",
    "passed",
)
CHANCES: dict[InvestorStage, float] = {
    "research": 0.02,
    "contacted": 0.05,
    "meeting": 0.15,
    "diligence": 0.35,
    "term sheet": 0.70,
    "signed": 0.95,  # signed is not yet paid
    "passed": 0.0,
}
MOST_INVESTORS = 500


class InvestorSpec(Strict):
    """One who may give money. `probability`: of the whole amount; None takes the stage's."""

    name: Name
    kind: InvestorKind = "fund"
    stage: InvestorStage = "research"
    amount: Money = Decimal(0)
    probability: Share | None = None
    next_step: Text = ""
    due: Day | None = None
    note: Text = ""

    @property
    def chance(self) -> float:
        """Who passed gives nothing, whatever probability still stands there."""
        if self.stage == "passed":
            return 0.0
        return CHANCES[self.stage] if self.probability is None else self.probability


@dataclass(frozen=True, slots=True)
class StageSum:
    """Investors of one stage. Amounts in minor units; weighted: each amount times its chance."""

    stage: InvestorStage
    investors: int
    amount: int
    weighted: int


@dataclass(frozen=True, slots=True)
class PipelineSum:
    """All that have not passed. target: what is to be raised. Amounts in minor units."""

    stages: tuple[StageSum, ...]
    amount: int
    weighted: int
    signed: int
    target: int

    @property
    def coverage(self) -> float | None:
        """weighted ÷ target; None without a target. 1: the round is there in expectation."""
        return self.weighted / self.target if self.target else None

    @property
    def asked_coverage(self) -> float | None:
        """amount ÷ target: how many times over the round is asked for."""
        return self.amount / self.target if self.target else None


def weighted(investor: InvestorSpec) -> int:
    """amount × chance in minor units."""
    return minor(investor.amount * Decimal(repr(investor.chance)))


def weigh(pipeline: Sequence[InvestorSpec], target: Decimal = Decimal(0)) -> PipelineSum:
    """By stage, in the order of STAGES, each of them there. An expectation, and no promise: deals come whole or not."""
    stages = []
    for stage in STAGES:
        here = [one for one in pipeline if one.stage == stage]
        amounts = sum(minor(one.amount) for one in here)
        stages.append(StageSum(stage, len(here), amounts, sum(weighted(one) for one in here)))
    live = [one for one in stages if one.stage != "passed"]
    return PipelineSum(
        tuple(stages),
        sum(one.amount for one in live),
        sum(one.weighted for one in live),
        next(one.amount for one in stages if one.stage == "signed"),
        minor(target),
    )


def overdue(pipeline: Sequence[InvestorSpec], today: dt.date) -> tuple[InvestorSpec, ...]:
    """Whose next step was due before today, the longest ago first. Who signed or passed owes none."""
    late = [one for one in pipeline if one.due and one.due < today and one.stage not in ("signed", "passed")]
    return tuple(sorted(late, key=lambda one: one.due or today))

"""Rounds planned: how much, when, which milestones the money buys, and at which price in ownership."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from core.estimate.config import Strict
from core.venture.fields import Name, Text
from core.venture.money import Money
from core.venture.months import Month, after
from core.venture.pipeline import MOST_INVESTORS, InvestorSpec

MOST_ROUNDS, MOST_MILESTONES = 12, 40
PoolShare = Annotated[float, Field(ge=0, lt=0.95)]


class MilestoneSpec(Strict):
    """What the money is for. Due in `month`, or `months_of_work` after the round's; at once when neither is given."""

    name: Name
    month: Month | None = None
    months_of_work: Annotated[int, Field(ge=0, le=240)] | None = None
    cost: Money = Decimal(0)

    @model_validator(mode="after")
    def _one_time(self) -> MilestoneSpec:
        if self.month is not None and self.months_of_work is not None:
            raise ValueError("month and months_of_work say the same thing: give one of them")
        return self

    def due(self, round_month: str) -> str:
        return self.month or after(round_month, self.months_of_work or 0)


class PlannedRoundSpec(Strict):
    """A round that is meant to be raised. low and high: None stands for the expected valuation.

    pool: share of the company after the round that an option pool made in it holds. stage: as in the table of deals;
    "" reads it from the name.
    """

    name: Name = "Seed"
    month: Month
    amount: Annotated[Money, Field(gt=0)]
    pre_money: Annotated[Money, Field(gt=0)]
    pre_money_low: Annotated[Money, Field(gt=0)] | None = None
    pre_money_high: Annotated[Money, Field(gt=0)] | None = None
    pool: PoolShare = 0.0
    stage: Annotated[str, Field(max_length=40)] = ""
    milestones: Annotated[tuple[MilestoneSpec, ...], Field(max_length=MOST_MILESTONES)] = ()
    note: Text = ""

    @model_validator(mode="after")
    def _in_order(self) -> PlannedRoundSpec:
        low, expected, high = self.valuations()
        if not low <= expected <= high:
            told = f"{low:,f}, {expected:,f}, {high:,f}"
            raise ValueError(f"pre_money_low ≤ pre_money ≤ pre_money_high is needed, not {told}")
        return self

    @model_validator(mode="after")
    def _milestones_after(self) -> PlannedRoundSpec:
        early = [one for one in self.milestones if one.due(self.month) < self.month]
        if early:
            told = ", ".join(f"{one.name} ({one.month})" for one in early[:4])
            raise ValueError(f"milestones before the round of {self.month}: {told}; its money cannot pay for them")
        return self

    def valuations(self) -> tuple[Decimal, Decimal, Decimal]:
        """Before the money: low, expected, high."""
        low = self.pre_money if self.pre_money_low is None else self.pre_money_low
        high = self.pre_money if self.pre_money_high is None else self.pre_money_high
        return low, self.pre_money, high


class FundraisingSpec(Strict):
    """months_to_close: from the first talk to the money. buffer_months: burn that shall always be in the bank."""

    planned: Annotated[tuple[PlannedRoundSpec, ...], Field(max_length=MOST_ROUNDS)] = ()
    pipeline: Annotated[tuple[InvestorSpec, ...], Field(max_length=MOST_INVESTORS)] = ()
    months_to_close: Annotated[int, Field(ge=0, le=36)] = 6
    buffer_months: Annotated[int, Field(ge=0, le=36)] = 6

    @field_validator("planned", mode="after")
    @classmethod
    def _by_month(cls, rounds: tuple[PlannedRoundSpec, ...]) -> tuple[PlannedRoundSpec, ...]:
        return tuple(sorted(rounds, key=lambda one: one.month))

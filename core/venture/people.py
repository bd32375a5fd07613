"""Who and what a company pays: roles, compute, other expenses; and the four functions that costs are told apart by."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.estimate.config import Percent, Share, Strict
from core.venture.money import Money
from core.venture.months import Month

Function = Literal["cogs", "research", "sales", "general"]
FUNCTIONS: dict[Function, str] = {
    "cogs": "Cost of revenue",
    "research": "Research and development",
    "sales": "Sales and marketing",
    "general": "General and administrative",
}
ROLES: dict[str, Function] = {
    "ML engineer": "research",
    "Data scientist": "research",
    "Software engineer": "research",
    "Product manager": "research",
    "Designer": "research",
    "Operations": "cogs",
    "Support": "cogs",
    "Annotator": "cogs",
    "Sales": "sales",
    "Marketing": "sales",
    "Founder": "general",
    "Finance and administration": "general",
}

Level = Annotated[int, Field(ge=1, le=5)]


class _Dated(Strict):
    """Something that is paid from a month (None: the first of the plan) to a month (None: the last), both included."""

    start: Month | None = None
    end: Month | None = None

    @model_validator(mode="after")
    def _in_order(self) -> _Dated:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"it ends in {self.end}, before it starts in {self.start}")
        return self


class RoleSpec(_Dated):
    """People in one role. salary: a year and person. burden: taxes, insurance and benefits, as a share of the salary.
    skills: levels from 1 (knows it) to 5 (could teach it)."""

    role: Annotated[str, Field(min_length=1, max_length=80)]
    function: Function = "research"
    count: Annotated[float, Field(gt=0, le=10_000)] = 1
    salary: Money
    burden: Annotated[Percent, Field(ge=0, le=2)] = 0.2
    skills: dict[str, Level] = Field(default_factory=dict)


class ComputeSpec(_Dated):
    """Fine-tunes, experiments and serving that is not counted by the token. amount: a month, or each time.

    every_months: 1 is each month from start to end; 3 is each third. once: only in the first.
    scenario_id, scenario_name, measurement_ids, as_of: the saved estimate that the amount is from.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Literal["fine-tune", "serving", "experiments", "data"] = "fine-tune"
    amount: Money
    once: bool = False
    every_months: Annotated[int, Field(ge=1, le=60)] = 1
    scenario_id: str = ""
    scenario_name: str = ""
    measurement_ids: tuple[str, ...] = ()
    as_of: date | None = None

    @property
    def function(self) -> Function:
        """Serving is a cost of revenue; the rest is development."""
        return "cogs" if self.kind == "serving" else "research"


class ExpenseSpec(_Dated):
    """Any other cost. amount: a month, or once. growth: share a month. share_of_revenue: beside the amount."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    function: Function = "general"
    amount: Money = Field(default=0, validate_default=True)
    once: bool = False
    growth: Annotated[Percent, Field(ge=-0.5, le=0.5)] = 0
    share_of_revenue: Share = 0

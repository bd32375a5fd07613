"""A company as one file: what it sells, whom it pays, who pays for it, who owns it, and what may go wrong.

`python -m core plan` reads it from YAML or JSON, the dashboard saves it in the record. Every fault is told at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from core.errors import InvalidInput
from core.estimate.config import Percent, Strict, parse
from core.venture.actuals import ActualSpec
from core.venture.company_file import MOST_BYTES, document_of
from core.venture.drivers import DOWN, UP, ScenarioSpec, UncertaintySpec
from core.venture.funding import FundingSpec
from core.venture.fundraising import FundraisingSpec
from core.venture.market import DealSpec
from core.venture.money import Money
from core.venture.months import Month, today
from core.venture.ownership.spec import OwnershipSpec
from core.venture.people import ComputeSpec, ExpenseSpec, RoleSpec
from core.venture.products import ProductSpec
from core.venture.risks import RiskSpec
from core.venture.skills import SkillNeedSpec

LONGEST = 60  # months


class AboutSpec(Strict):
    """The company. currency: of every amount of this file. per_usd: what a dollar costs in it, because prices of models
    and machines are in dollars. tax_rate: of the profit that losses of earlier months do not cover. assumed: what
    stands in for answers that were left open."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "My company"
    about: Annotated[str, Field(max_length=400)] = ""
    sector: Annotated[str, Field(max_length=80)] = ""
    stage: Annotated[str, Field(max_length=40)] = ""
    example: bool = False
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    per_usd: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    start: Month = Field(default_factory=today)
    months: Annotated[int, Field(ge=1, le=LONGEST)] = 36
    opening_cash: Money = Field(default=0, validate_default=True)
    assumed: tuple[str, ...] = ()
    tax_rate: Annotated[Percent, Field(ge=0, le=0.6)] = 0

    @model_validator(mode="after")
    def _dollars(self) -> AboutSpec:
        if self.currency == "USD" and self.per_usd != 1:
            raise ValueError(
                f"a dollar costs one dollar, not {self.per_usd:g}; leave per_usd out, or choose a currency"
            )
        return self

    @property
    def is_per_usd_given(self) -> bool:
        """Whether it was written, rather than left at 1."""
        return "per_usd" in self.model_fields_set


class CompanySpec(Strict):
    """The whole file; every section may be left out."""

    company: AboutSpec = Field(default_factory=AboutSpec)
    products: tuple[ProductSpec, ...] = ()
    team: tuple[RoleSpec, ...] = ()
    skills_needed: tuple[SkillNeedSpec, ...] = ()
    compute: tuple[ComputeSpec, ...] = ()
    expenses: tuple[ExpenseSpec, ...] = ()
    funding: tuple[FundingSpec, ...] = ()
    scenarios: dict[Annotated[str, Field(min_length=1, max_length=40)], ScenarioSpec] = Field(
        default_factory=lambda: {"down": DOWN, "up": UP}
    )
    uncertainty: UncertaintySpec = Field(default_factory=UncertaintySpec)
    ownership: OwnershipSpec = Field(default_factory=OwnershipSpec)
    fundraising: FundraisingSpec = Field(default_factory=FundraisingSpec)
    risks: tuple[RiskSpec, ...] = ()
    market: tuple[DealSpec, ...] = ()
    actuals: tuple[ActualSpec, ...] = ()

    @model_validator(mode="after")
    def _told_apart(self) -> CompanySpec:
        names = [one.name for one in self.products]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"products: two are called {', '.join(twice)}; give each its own name")
        months = [one.month for one in self.actuals]
        if again := sorted({month for month in months if months.count(month) > 1}):
            raise ValueError(f"actuals: {', '.join(again)} stands there twice; give each month one row")
        if "base" in self.scenarios:
            raise ValueError("scenarios: base is the plan as it is written; give this one another name")
        return self

    @model_validator(mode="after")
    def _dollars_have_a_price(self) -> CompanySpec:
        """Where something is priced in dollars, a dollar that nobody gave a price would be one of the currency."""
        about = self.company
        if about.currency == "USD" or about.is_per_usd_given:
            return self
        priced = [f"{one.name}'s tokens" for one in self.products if one.cost.is_priced]
        priced += [f"{one.name}, from an estimate," for one in self.compute if one.scenario_id and one.amount]
        if priced:
            raise ValueError(
                f"company: the currency is {about.currency}, but the prices of {priced[0]} are in US dollars; give "
                f"per_usd, what a dollar costs: per_usd: 0.92 means that it costs 0.92 {about.currency}"
            )
        return self

    def to_json(self) -> dict[str, Any]:
        """As JSON and YAML have it, without what was left at its default."""
        found = self.model_dump(mode="json", exclude_defaults=True)
        if self.company.currency != "USD" and self.company.is_per_usd_given:
            found["company"]["per_usd"] = self.company.per_usd  # 1 too: it was given, and is no default
        return found


def company(given: dict[str, Any]) -> CompanySpec:
    """Raises InvalidInput with every fault, each with its key, its value and what is allowed."""
    return parse(CompanySpec, given)


def read_company(path: Path) -> CompanySpec:
    """A YAML or JSON file, as `company_text` writes it. Raises InvalidInput as `company`, and for one that cannot
    be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", next_step="Check the path.") from error
    return company(document_of(str(path), content))

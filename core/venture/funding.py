"""Sources of money: what comes in, when, on what terms, and what goes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.estimate.config import Percent, Strict
from core.venture.money import Money
from core.venture.months import Month

Kind = Literal["savings", "family", "grant", "angel", "venture", "loan"]
KINDS: dict[Kind, str] = {
    "savings": "Own savings",
    "family": "Family and friends",
    "grant": "Grants and subsidies",
    "angel": "Angels",
    "venture": "Venture capital",
    "loan": "Loans",
}


class FundingSpec(Strict):
    """Money that comes in once. interest: a year, on what is owed. grace_months: before the first repayment.
    repay_months: equal repayments after that; 0: none within the plan, so that a loan stays owed."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Kind = "savings"
    month: Month
    amount: Money
    terms: Annotated[str, Field(max_length=400)] = ""
    interest: Annotated[Percent, Field(ge=0, le=1)] = 0
    grace_months: Annotated[int, Field(ge=0, le=60)] = 0
    repay_months: Annotated[int, Field(ge=0, le=360)] = 0

    @model_validator(mode="after")
    def _owed(self) -> FundingSpec:
        if self.kind in ("grant", "angel", "venture") and (self.interest or self.repay_months):
            raise ValueError(
                f"{KINDS[self.kind].lower()} are not repaid: leave interest and repay_months out, or make it a loan"
            )
        return self

    @property
    def owed(self) -> bool:
        """Whether it has to go back. Savings and a family's money may be a gift to the company; a loan is none."""
        return self.kind == "loan" or bool(self.interest or self.repay_months)

"""Deals of comparable companies: medians and quartiles by quarter and stage, and where an own round stands."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from core.estimate.config import Strict
from core.venture.fields import Day, Name
from core.venture.money import Money

MOST_DEALS = 5_000
STAGES = ("pre-seed", "seed", "series a", "series b", "series c", "series d", "later")
_ALSO = {"preseed": "pre-seed", "angel": "pre-seed", "growth": "later"} | {
    letter: f"series {letter}" for letter in "abcd"
}


def stage_named(given: Any) -> Any:
    """Series A, SERIES-A, Series_A and A are one stage; a name unknown to us is a stage of its own."""
    if not isinstance(given, str):
        return given
    words = re.sub(r"[\s_-]+", " ", given.strip().casefold())
    words = words.removesuffix(" round").strip()
    known = {stage.replace("-", " "): stage for stage in STAGES}
    return _ALSO.get(words) or known.get(words) or words


Stage = Annotated[str, BeforeValidator(stage_named), Field(min_length=1, max_length=40)]
Short = Annotated[str, Field(max_length=120)]


class DealSpec(Strict):
    """One round of one company. valuation: None when it was not told; `valuation_kind`: before or after the money."""

    company: Name
    stage: Stage
    date: Day
    amount: Annotated[Money, Field(gt=0)]
    valuation: Annotated[Money, Field(gt=0)] | None = None
    valuation_kind: Literal["pre", "post"] = "post"
    sector: Short = ""
    country: Short = ""
    source: Annotated[str, Field(max_length=400)] = ""
    example: bool = False

    @model_validator(mode="after")
    def _above_the_money(self) -> DealSpec:
        if self.valuation is not None and self.valuation_kind == "post" and self.valuation <= self.amount:
            raise ValueError(
                f"valuation: {self.valuation:,f} after the money is not above the amount of {self.amount:,f}; "
                "was it before the money (valuation_kind: pre)?"
            )
        return self

    @property
    def pre_money(self) -> Decimal | None:
        if self.valuation is None:
            return None
        return self.valuation if self.valuation_kind == "pre" else self.valuation - self.amount

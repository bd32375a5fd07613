"""The cap table as a file: holders, SAFEs, notes, priced rounds and exits, in full or as a worked example is printed.

Every amount is in the company's own currency; the names end in `_usd` as published examples write them.
"""

from __future__ import annotations

from datetime import date as Day
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from core.estimate.config import Strict
from core.venture.money import Money
from core.venture.ownership.normalise import normalised, renamed, with_pre_money
from core.venture.ownership.terms import Method, Name, Part, Shares, Times, preference_words

Kind = Literal["founder", "employee", "investor", "adviser", "other"]
COMMON = "common"
MOST_ROWS = 100_000


class HolderSpec(Strict):
    """Shares of one holder. share_class: common, or the name of a preferred class."""

    name: Name
    shares: Shares
    kind: Kind = "founder"
    share_class: Name = COMMON

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, given: Any) -> Any:
        return renamed(given, {"class": "share_class"})


class PreferenceSpec(Strict):
    """What a preferred class gets first. multiple: of the money invested. participating: it shares the rest too.
    participation_cap: all it may get, as a multiple of the money invested. seniority: the higher is paid first, equal
    ranks side by side."""

    multiple: Times = Field(default=1, validate_default=True)
    participating: bool = False
    participation_cap: Times | None = None
    seniority: Annotated[int, Field(ge=0, le=1000)] = 1

    @model_validator(mode="before")
    @classmethod
    def _words(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("preference"), str):
            rest = {key: value for key, value in given.items() if key != "preference"}
            return preference_words(given["preference"]) | rest
        return given

    @model_validator(mode="after")
    def _cap(self) -> PreferenceSpec:
        if self.participation_cap is not None and not self.participating:
            raise ValueError(
                "participation_cap is for participating preferred; set participating: true, or leave it out"
            )
        if self.participation_cap is not None and self.participation_cap < self.multiple:
            raise ValueError(
                f"participation_cap {self.participation_cap} is below the preference itself, {self.multiple}x"
            )
        return self


class ClassSpec(PreferenceSpec):
    """A class of preferred that is issued already. One of price_usd and invested_usd says what it paid."""

    name: Name
    price_usd: Money | None = None
    invested_usd: Money | None = None

    @model_validator(mode="after")
    def _paid(self) -> ClassSpec:
        if (self.price_usd is None) == (self.invested_usd is None):
            raise ValueError(f"{self.name}: one of price_usd and invested_usd is needed")
        if self.name == COMMON:
            raise ValueError("common is no preferred class; choose another name")
        return self


class SafeSpec(Strict):
    """A SAFE. post_money_cap_usd: of the current form. pre_money_cap_usd (or cap_usd): of the form before 2018.
    mfn: it takes the terms of a later SAFE where they are better. form: needed only when there is no cap."""

    name: Name
    purchase_usd: Annotated[Money, Field(gt=0)]
    post_money_cap_usd: Annotated[Money, Field(gt=0)] | None = None
    pre_money_cap_usd: Annotated[Money, Field(gt=0)] | None = None
    discount: Part = Field(default=0, validate_default=True)
    mfn: bool = False
    form: Literal["post_money", "pre_money"] | None = None
    date: Day | None = None

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, given: Any) -> Any:
        names = {"cap_usd": "pre_money_cap_usd", "cap": "pre_money_cap_usd", "purchase": "purchase_usd"}
        more = {"post_money_cap": "post_money_cap_usd", "pre_money_cap": "pre_money_cap_usd"}
        given = renamed(given, names | more)
        if isinstance(given, dict) and given.get(f"{given.get('form')}_cap_usd") is not None:
            return {key: value for key, value in given.items() if key != "form"}  # the cap says it already
        return given

    @model_validator(mode="after")
    def _caps(self) -> SafeSpec:
        if self.post_money_cap_usd is not None and self.pre_money_cap_usd is not None:
            raise ValueError(f"{self.name}: a SAFE has a post-money cap or a pre-money cap, not both")
        post, pre, paid = self.post_money_cap_usd, self.pre_money_cap_usd, self.purchase_usd
        if post is not None and post <= paid:
            raise ValueError(
                f"{self.name}: the cap, {post:,f}, is not above the purchase, {paid:,f}, so the SAFE would own the "
                "whole company; post_money_cap_usd must be more than the purchase"
            )
        if pre is not None and pre < paid:
            raise ValueError(
                f"{self.name}: the cap, {pre:,f}, is below the purchase, {paid:,f}, so the SAFE alone would have more "
                "shares than all that its cap counts; pre_money_cap_usd must be at least the purchase"
            )
        implied = "post_money" if self.post_money_cap_usd else "pre_money" if self.pre_money_cap_usd else None
        if self.form and implied and self.form != implied:
            raise ValueError(f"{self.name}: form {self.form} and its cap say different things; leave form out")
        return self


class NoteSpec(Strict):
    """A convertible note. interest: a year, simple on 365 days, or compound: true, added once a year.
    months: how long it runs until it converts, where no dates are given. qualified_financing_usd: a smaller round
    leaves it as it is."""

    name: Name
    principal_usd: Annotated[Money, Field(gt=0)]
    interest: Part = Field(default=0, validate_default=True)
    compound: bool = False
    issued: Day | None = None
    months: Annotated[int, Field(ge=0, le=240)] | None = None
    cap_usd: Annotated[Money, Field(gt=0)] | None = None
    discount: Part = Field(default=0, validate_default=True)
    qualified_financing_usd: Money | None = None

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, given: Any) -> Any:
        return renamed(given, {"cap": "cap_usd", "principal": "principal_usd", "date": "issued"})

    @model_validator(mode="after")
    def _cap(self) -> NoteSpec:
        if self.cap_usd is not None and self.cap_usd < self.principal_usd:
            raise ValueError(
                f"{self.name}: the cap, {self.cap_usd:,f}, is below the principal, {self.principal_usd:,f}, so the "
                "note alone would have more shares than all that its cap counts; cap_usd must be at least the principal"
            )
        if self.issued is not None and self.months is not None:
            raise ValueError(f"{self.name}: issued and months say the same thing; give one of them")
        return self


class RoundSpec(PreferenceSpec):
    """A priced round. One of pool_increase_shares and post_money_pool (the unissued pool's share of everything
    after the round). conversion_method: how pre-money SAFEs and notes meet the pre-money; needed when any converts."""

    name: Name
    money_usd: Annotated[Money, Field(gt=0)]
    pre_money_usd: Annotated[Money, Field(gt=0)]
    date: Day | None = None
    pool_increase_shares: Shares | None = None
    post_money_pool: Part | None = None
    conversion_method: Method | None = None
    price_decimals: Annotated[int, Field(ge=0, le=12)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _post_money(cls, given: Any) -> Any:
        return with_pre_money(given)

    @model_validator(mode="after")
    def _pool(self) -> RoundSpec:
        if self.pool_increase_shares is not None and self.post_money_pool is not None:
            raise ValueError(
                f"{self.name}: pool_increase_shares and post_money_pool say the same thing; give one of them"
            )
        return self


class OwnershipSpec(Strict):
    """The section `ownership` of a company, and a case file of `python -m core captable`."""

    holders: Annotated[tuple[HolderSpec, ...], Field(max_length=MOST_ROWS)] = ()
    classes: Annotated[tuple[ClassSpec, ...], Field(max_length=MOST_ROWS)] = ()
    options_outstanding: Shares = 0
    options_promised: Shares = 0
    options_strike_usd: Money = Field(default=0, validate_default=True)
    unissued_pool: Shares = 0
    safes: Annotated[tuple[SafeSpec, ...], Field(max_length=200)] = ()
    notes: Annotated[tuple[NoteSpec, ...], Field(max_length=200)] = ()
    rounds: Annotated[tuple[RoundSpec, ...], Field(max_length=50)] = ()
    exit_values: Annotated[tuple[Money, ...], Field(max_length=50)] = ()
    debt_usd: Money = Field(default=0, validate_default=True)
    transaction_costs_usd: Money = Field(default=0, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _shapes(cls, given: Any) -> Any:
        return normalised(given)

    @model_validator(mode="after")
    def _whole(self) -> OwnershipSpec:
        from core.venture.ownership.checks import faults

        if found := faults(self):
            raise ValueError("; ".join(found))
        return self

    @property
    def empty(self) -> bool:
        return not (self.holders or self.options_outstanding or self.options_promised or self.unissued_pool)

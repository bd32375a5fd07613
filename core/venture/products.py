"""What a company sells: `ProductSpec`, with its tasks, the tokens each needs and what a million tokens costs.

A price is told in the company's currency, a token price in US dollars (as every estimate and API tells it). Counts and
shares are floats as they were typed; what is computed from them is exact in Decimal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from core.estimate.config import Discount, Percent, Rate, Share, Strict
from core.venture.money import Money
from core.venture.months import Month

MILLION = Decimal(1_000_000)
MINUTES_PER_HOUR = Decimal(60)
MOST_RUN_IDS = 200  # kept with a task; more would make the company's file unreadable
Change = Annotated[Percent, Field(ge=-0.9, le=3, allow_inf_nan=False)]  # a month
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]


class Tokens(NamedTuple):
    """A customer's tokens of a month. input: those read at the full price. cached: those read from the cache."""

    input: Decimal
    cached: Decimal
    output: Decimal

    @property
    def total(self) -> Decimal:
        return self.input + self.cached + self.output


def exact(value: float) -> Decimal:
    """As it was typed: 0.1 is a tenth."""
    return Decimal(repr(value))


def add(tokens: Iterable[Tokens]) -> Tokens:
    total = Tokens(Decimal(0), Decimal(0), Decimal(0))
    for one in tokens:
        total = Tokens(total.input + one.input, total.cached + one.cached, total.output + one.output)
    return total


class TaskSpec(Strict):
    """Something a user has the model do. input_tokens, output_tokens: of a run. runs_per_user: a month.
    cached_share: of the input, read from the provider's or the server's prompt cache. run_ids: the recorded runs that
    the tokens were averaged from; none means that they were typed in."""

    name: Name
    runs_per_user: Rate = 0
    input_tokens: Rate = 0
    output_tokens: Rate = 0
    cached_share: Share = 0
    run_ids: Annotated[tuple[str, ...], Field(max_length=MOST_RUN_IDS)] = ()

    def tokens_per_run(self) -> Tokens:
        given, share = exact(self.input_tokens), exact(self.cached_share)
        return Tokens(given * (1 - share), given * share, exact(self.output_tokens))

    def tokens_per_user(self) -> Tokens:
        """A month."""
        runs = exact(self.runs_per_user)
        return Tokens(*(runs * one for one in self.tokens_per_run()))


class CostSpec(Strict):
    """What tokens cost, in US dollars a million, and who says so. usd_per_million_cached_input: None is the full
    price. low_factor, high_factor: the price's range, as factors of the price."""

    source: Literal["typed", "api", "estimate"] = "typed"
    usd_per_million_input: Money = Decimal(0)
    usd_per_million_cached_input: Money | None = None
    usd_per_million_output: Money = Decimal(0)
    low_factor: Annotated[float, Field(ge=0, le=1)] = 1
    high_factor: Annotated[float, Field(ge=1, le=1000)] = 1
    provider: str = ""
    model: str = ""
    precision: str = ""
    scenario_id: str = ""
    scenario_name: str = ""
    measurement_ids: tuple[str, ...] = ()
    as_of: date | None = None
    note: str = ""

    @property
    def cached_price(self) -> Decimal:
        given = self.usd_per_million_cached_input
        return self.usd_per_million_input if given is None else given

    @property
    def is_priced(self) -> bool:
        """Whether any token costs anything."""
        return any((self.usd_per_million_input, self.cached_price, self.usd_per_million_output))

    def usd(self, tokens: Tokens) -> Decimal:
        """What these tokens cost, expected."""
        spent = tokens.input * self.usd_per_million_input + tokens.cached * self.cached_price
        return (spent + tokens.output * self.usd_per_million_output) / MILLION


class ProductSpec(Strict):
    """A plan that customers buy. model: a subscription (price a month and customer), usage (price a unit) or a project
    (price a project, done in `project_months`). customers: at the start. new_customers: a month, growing by `growth`
    a month. churn, expansion, contraction: shares of the opening month's customers or revenue; reactivation: of the
    lost customers, a month. delivery_cost: a project's, beside its inference, hosting and people."""

    name: Name
    model: Literal["subscription", "usage", "project"] = "subscription"
    price: Money = Decimal(0)
    unit: Literal["million_tokens", "run"] = "million_tokens"
    launch: Month | None = None
    customers: Rate = 0
    new_customers: Rate = 0
    growth: Change = 0
    churn: Share = 0
    expansion: Share = 0
    contraction: Share = 0
    reactivation: Share = 0
    sales_cycle_months: Annotated[int, Field(ge=0, le=36)] = 0
    payment_delay_months: Annotated[int, Field(ge=0, le=12)] = 0
    users_per_customer: Rate = 1
    tasks: Annotated[tuple[TaskSpec, ...], Field(max_length=50)] = ()
    usage_growth: Change = 0
    cost: CostSpec = CostSpec()
    hosting_per_customer: Money = Decimal(0)
    people_minutes_per_customer: Rate = 0
    people_hourly_cost: Money = Decimal(0)
    payment_fee: Discount = 0
    project_months: Annotated[int, Field(ge=1, le=60)] = 3
    delivery_cost: Money = Decimal(0)
    target_margin: Discount = 0.7

    @model_validator(mode="after")
    def _fits(self) -> ProductSpec:
        names = [task.name.strip().casefold() for task in self.tasks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two tasks are named {twice[0]!r}: each needs its own name")
        if self.churn + self.contraction > 1 + 1e-12:
            raise ValueError(
                f"churn {self.churn:.0%} and contraction {self.contraction:.0%} lose more than there is: 100 % at most"
            )
        return self

    @property
    def tokens_per_customer(self) -> Tokens:
        """A month."""
        users = exact(self.users_per_customer)
        return Tokens(*(users * one for one in add(task.tokens_per_user() for task in self.tasks)))

    @property
    def runs_per_customer(self) -> Decimal:
        """A month, of all tasks."""
        return exact(self.users_per_customer) * sum((exact(task.runs_per_user) for task in self.tasks), Decimal(0))

    @property
    def units_per_customer(self) -> Decimal:
        """A month: a million tokens or runs where usage is sold; one subscription; a project's part of a month."""
        if self.model == "subscription":
            return Decimal(1)
        if self.model == "project":
            return 1 / Decimal(self.project_months)
        return self.runs_per_customer if self.unit == "run" else self.tokens_per_customer.total / MILLION

    @property
    def price_per_customer(self) -> Decimal:
        """A month, in the company's currency; a project's price is spread over its months."""
        if self.model == "project":
            return self.price / self.project_months
        return self.price * self.units_per_customer

    @property
    def inference_usd_per_customer(self) -> Decimal:
        """A month, expected."""
        return self.cost.usd(self.tokens_per_customer)

    @property
    def people_per_customer(self) -> Decimal:
        """A month."""
        return exact(self.people_minutes_per_customer) / MINUTES_PER_HOUR * self.people_hourly_cost

    @property
    def delivery_per_customer(self) -> Decimal:
        """A month of a project; nothing else is delivered."""
        return self.delivery_cost / self.project_months if self.model == "project" else Decimal(0)

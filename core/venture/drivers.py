"""What a plan hangs on: nine drivers, which scenarios set, a tornado moves one by one, and Monte Carlo draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.estimate.config import Strict

Name = Literal[
    "new_customers", "growth", "churn", "expansion", "price", "tokens_per_user", "gpu_price", "expenses", "hiring_delay"
]


@dataclass(frozen=True, slots=True)
class Driver:
    """label: on screen. help: what it multiplies. low, high: the usual tenth and ninetieth percentile; months for the
    hiring delay, factors for the others."""

    label: str
    help: str
    low: float
    high: float


DRIVERS: dict[Name, Driver] = {
    "new_customers": Driver("New customers", "Multiplies the customers won each month.", 0.7, 1.3),
    "growth": Driver(
        "Growth",
        "Moves the monthly growth of new customers: 1.2 makes 10% 12%, and −10% −8%, so that more is always better.",
        0.6,
        1.4,
    ),
    "churn": Driver("Churn", "Multiplies the share of customers lost each month.", 0.7, 1.5),
    "expansion": Driver("Expansion", "Multiplies what existing customers add each month.", 0.7, 1.3),
    "price": Driver("Price", "Multiplies every price, of existing customers too.", 0.9, 1.1),
    "tokens_per_user": Driver(
        "Tokens per user",
        "Multiplies the tokens of every run; where they are billed, they bring more too.",
        0.7,
        1.5,
    ),
    "gpu_price": Driver("GPU and API price", "Multiplies what tokens and other compute cost.", 0.7, 1.3),
    "expenses": Driver(
        "Other expenses",
        "Multiplies the amounts of other expenses; their shares of revenue follow the revenue.",
        0.9,
        1.2,
    ),
    "hiring_delay": Driver("Hiring delay", "Months by which people who are still to be hired start later.", 0.0, 4.0),
}
NAMES: tuple[Name, ...] = tuple(DRIVERS)

Factor = Annotated[float, Field(ge=0, le=10)]


class ScenarioSpec(Strict):
    """A plan under other circumstances: factors on the drivers, 1 is as planned; the hiring delay is in months."""

    new_customers: Factor = 1
    growth: Factor = 1
    churn: Factor = 1
    expansion: Factor = 1
    price: Factor = 1
    tokens_per_user: Factor = 1
    gpu_price: Factor = 1
    expenses: Factor = 1
    hiring_delay: Annotated[float, Field(ge=0, le=24)] = 0


BASE = ScenarioSpec()
DOWN = ScenarioSpec(new_customers=0.7, growth=0.7, churn=1.4, price=0.95, tokens_per_user=1.2, gpu_price=1.1)
UP = ScenarioSpec(new_customers=1.3, growth=1.2, churn=0.8, price=1.05, gpu_price=0.8)


class DistributionSpec(Strict):
    """How a driver varies. low, high: tenth and ninetieth percentile of a normal or log-normal, the ends of a uniform
    or triangular. mode: the peak of a triangular; the middle when it is left out."""

    kind: Literal["normal", "lognormal", "triangular", "uniform"] = "triangular"
    low: Annotated[float, Field(ge=0, le=24)]
    high: Annotated[float, Field(ge=0, le=24)]
    mode: Annotated[float, Field(ge=0, le=24)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> DistributionSpec:
        if not self.low <= (self.low if self.mode is None else self.mode) <= self.high:
            raise ValueError(f"low ≤ mode ≤ high is needed, not {self.low:g}, {self.mode}, {self.high:g}")
        if self.kind == "lognormal" and self.low <= 0:
            raise ValueError(f"a log-normal has no value of 0 or below; low is {self.low:g}")
        return self


class CorrelationSpec(Strict):
    """Two drivers that move together (rho > 0) or against each other."""

    a: Name
    b: Name
    rho: Annotated[float, Field(gt=-1, lt=1)]

    @model_validator(mode="after")
    def _two(self) -> CorrelationSpec:
        if self.a == self.b:
            raise ValueError(f"{self.a} cannot be correlated with itself")
        return self


def usual_distributions() -> dict[Name, DistributionSpec]:
    """Triangular, with the peak at the plan."""
    return {
        name: DistributionSpec(low=one.low, high=one.high, mode=one.low if name == "hiring_delay" else 1.0)
        for name, one in DRIVERS.items()
    }


class UncertaintySpec(Strict):
    """What Monte Carlo draws. correlations: the usual: customers who come easily stay, and cheap GPUs mean more use."""

    distributions: dict[Name, DistributionSpec] = Field(default_factory=usual_distributions)
    correlations: tuple[CorrelationSpec, ...] = (
        CorrelationSpec(a="growth", b="churn", rho=-0.4),
        CorrelationSpec(a="new_customers", b="growth", rho=0.3),
        CorrelationSpec(a="price", b="churn", rho=0.3),
        CorrelationSpec(a="tokens_per_user", b="gpu_price", rho=-0.2),
    )
    runs: Annotated[int, Field(ge=100, le=100_000)] = 10_000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 7

    @model_validator(mode="after")
    def _each_pair_once(self) -> UncertaintySpec:
        pairs = [" and ".join(sorted((one.a, one.b))) for one in self.correlations]
        if twice := sorted({pair for pair in pairs if pairs.count(pair) > 1}):
            raise ValueError(f"correlations: {', '.join(twice)} stand there twice; give each pair one row")
        return self

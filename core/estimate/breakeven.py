"""API or one's own hosting: the cost of both over the tokens of a month, and from where one's own pays.

Each factor is moved alone and the moves are added in quadrature (`propagation`). The own side is a staircase of
replicas, so that the curves may cross more than once: `crossing` finds the last time, `breakeven_volume` its range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.estimate.breakeven_question import Question, inputs_of
from core.estimate.breakeven_volume import NAMES, Crossing, costs, cross, expected_values
from core.estimate.crossing import NEVER
from core.estimate.figures import Driver, Figure
from core.estimate.propagation import Spread, Values, propagate
from core.estimate.ranges import Range

CURVE_POINTS = 97


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """USD a month that own hosting saves; less than 0 where the API is cheaper, which a `Range` cannot be.
    drivers: the saving with one factor at its ends."""

    low: float
    expected: float
    high: float
    drivers: tuple[Driver, ...] = ()
    formula: str = r"\Delta = C_\mathrm{API}(T) - C_\mathrm{own}(T)"
    key: str = "saving_usd_per_month"
    label: str = "What own hosting saves a month"
    unit: str = "USD/month"

    def to_json(self) -> dict[str, float]:
        return {"low": self.low, "expected": self.expected, "high": self.high}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Cost of a month with so many tokens; replicas: at the expected values."""

    monthly_tokens: float
    api_usd: Range
    own_usd: Range
    replicas: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakeven:
    """At the reader's volume: both costs, what is saved, replicas (whole, save when they are paid by use).

    own_usd_per_million_tokens: of GPUs that are as full as they get. commitment_usd: what a reservation binds, whatever
    the demand; None without one.
    """

    question: Question
    api_usd_per_month: Figure
    own_usd_per_month: Figure
    saving: Difference
    replicas: Figure
    api_usd_per_million_tokens: Figure
    own_usd_per_million_tokens: Figure
    commitment_usd: Figure | None
    crossing: Crossing
    curve: tuple[CurvePoint, ...]
    notes: tuple[str, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        found = (
            self.api_usd_per_month,
            self.own_usd_per_month,
            self.replicas,
            self.api_usd_per_million_tokens,
            self.own_usd_per_million_tokens,
            self.commitment_usd,
            self.crossing.figure,
        )
        return tuple(one for one in found if one is not None)


def breakeven(asked: Question) -> Breakeven:
    """The whole comparison."""
    spreads = propagate(lambda at: _monthly(asked, at), asked.factors, names=NAMES)
    crossing = cross(asked)
    figures = {key: _figure(key, asked, spreads[key]) for key in _WORDS if key in spreads}
    return Breakeven(
        question=asked,
        api_usd_per_month=figures["api_usd_per_month"],
        own_usd_per_month=figures["own_usd_per_month"],
        saving=saving(asked),
        replicas=figures["replicas"],
        api_usd_per_million_tokens=figures["api_usd_per_million_tokens"],
        own_usd_per_million_tokens=figures["own_usd_per_million_tokens"],
        commitment_usd=figures.get("commitment_usd"),
        crossing=crossing,
        curve=curve(asked, crossing),
        notes=_notes(asked),
    )


def saving(asked: Question) -> Difference:
    """At the reader's volume; the moves of single factors added in quadrature, in USD since the sign may change."""

    def saved(at: Values) -> float:
        both = costs(asked, at)
        return both.api_usd(at["monthly_tokens"]) - both.own_usd(at["monthly_tokens"])

    centre = expected_values(asked)
    middle = saved(centre)
    drivers = []
    for key, factor in asked.factors.items():
        ends = sorted(saved({**centre, key: end}) for end in (factor.low, factor.high))
        if ends[0] < ends[1]:
            drivers.append(Driver(NAMES[key], ends[0], ends[1]))
    down = math.hypot(*(max(0.0, middle - one.low) for one in drivers))
    up = math.hypot(*(max(0.0, one.high - middle) for one in drivers))
    drivers.sort(key=lambda one: one.low - one.high)
    return Difference(low=middle - down, expected=middle, high=middle + up, drivers=tuple(drivers))


def curve(asked: Question, crossing: Crossing) -> tuple[CurvePoint, ...]:
    """Both costs, log-spaced from a hundredth to a hundred times what matters: the reader's volume, the break-even."""
    marks = [asked.demand.monthly_tokens.expected, crossing.low_tokens, crossing.expected_tokens, crossing.high_tokens]
    marks = [mark for mark in marks if 1 < mark < NEVER]
    volumes = [float(one) for one in np.geomspace(min(marks) / 100, max(marks) * 100, CURVE_POINTS)]

    def own(at: Values) -> dict[str, float]:
        both = costs(asked, at)
        return {str(index): both.own_usd(volume) for index, volume in enumerate(volumes)}

    per_token = propagate(lambda at: {"a": costs(asked, at).api_usd_per_token}, asked.factors)["a"].value
    spreads = propagate(own, asked.factors)
    both = costs(asked, expected_values(asked))
    return tuple(
        CurvePoint(
            monthly_tokens=volume,
            api_usd=per_token * volume,
            own_usd=spreads[str(index)].value,
            replicas=both.replicas(volume),
        )
        for index, volume in enumerate(volumes)
    )


def _monthly(asked: Question, at: Values) -> dict[str, float]:
    both, tokens = costs(asked, at), at["monthly_tokens"]
    replicas = both.replicas(tokens)
    found = {
        "api_usd_per_month": both.api_usd(tokens),
        "own_usd_per_month": both.own_usd(tokens),
        "replicas": replicas,
        "api_usd_per_million_tokens": both.api_usd_per_token * 1e6,
        "own_usd_per_million_tokens": both.own_usd_per_token() * 1e6,
    }
    if asked.own.months_committed:
        bound = asked.own.reserved_replicas or math.ceil(replicas)
        found["commitment_usd"] = bound * both.reserved_usd * asked.own.months_committed
    return found


_OWN = r"F + 730\,g\,p\,\max\!\left(r_{\min}, \left\lceil T / k \right\rceil\right)"
_CAPACITY = r"k = \frac{730 \cdot 3600\,u}{s_\mathrm{in} / v_\mathrm{in} + s_\mathrm{out} / v_\mathrm{out}}"
_API = r"s_\mathrm{in}((1-c)\,p_\mathrm{in} + c\,p_\mathrm{cached}) + s_\mathrm{out}\,p_\mathrm{out}"
# Key: label, unit, formula.
_WORDS: dict[str, tuple[str, str, str]] = {
    "api_usd_per_month": ("API, a month", "USD/month", rf"C_\mathrm{{API}} = 10^{{-6}}\,T\,({_API})"),
    "own_usd_per_month": ("Own hosting, a month", "USD/month", rf"C_\mathrm{{own}} = {_OWN},\quad {_CAPACITY}"),
    "replicas": ("Replicas", "", rf"\max\!\left(r_{{\min}}, \lceil T/k \rceil\right),\quad {_CAPACITY}"),
    "api_usd_per_million_tokens": ("API, a million tokens as mixed", "USD/1M tokens", _API),
    "own_usd_per_million_tokens": (
        "Own GPUs, a million tokens on full replicas",
        "USD/1M tokens",
        rf"10^6 \cdot 730\,g\,p / k,\quad {_CAPACITY}",
    ),
    "commitment_usd": ("Bound by the reservation", "USD", r"730\,g\,p\,(1-d)\,r\,m"),
}


def _figure(key: str, asked: Question, spread: Spread) -> Figure:
    label, unit, formula = _WORDS[key]
    return Figure(
        key=key,
        label=label,
        unit=unit,
        value=spread.value,
        formula=formula,
        source="price times amount; " + "; ".join(one for one in (asked.api.source, asked.own.source) if one),
        inputs=inputs_of(asked),
        drivers=spread.drivers,
        measurement_ids=() if key.startswith("api") else asked.own.measurement_ids,
    )


def _notes(asked: Question) -> tuple[str, ...]:
    notes = []
    if not asked.own.people_usd.high:
        notes.append("No cost of people is counted: hosting takes some of somebody's time.")
    if asked.demand.cached_share.high and asked.api.usd_per_million_cached_input is None:
        notes.append("The API's cached-input price is unknown: cached tokens are counted at its full price.")
    if asked.own.reserved_discount.high and not asked.own.months_committed:
        notes.append("A reserved discount is taken, but no months of commitment are named.")
    if not asked.own.minimum_replicas:
        notes.append("GPU-hours are paid only while they are used; the time to start a replica is not counted.")
    return tuple(notes)

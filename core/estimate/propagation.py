"""From uncertain factors to ranges with drivers: each factor alone at its ends, then the spreads in quadrature.

The law of propagation for independent factors (GUM, JCGM 100:2008, § 5.1.2), on logarithms as in
`core.estimate.ranges`: any model of floats will do, since it is only evaluated, 2 · factors + 1 times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.estimate.figures import Driver
from core.estimate.ranges import Range

Values = Mapping[str, float]
_NOTHING = 50.0  # ln of the ratio to a value of 0, as in `ranges`
_LEAST_MOVE = 1e-3  # of a figure, below which a factor is no driver


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure's range, and the factors behind it, the strongest first."""

    value: Range
    drivers: tuple[Driver, ...]


def propagate(
    model: Callable[[Values], Values], factors: Mapping[str, Range], *, names: Mapping[str, str] | None = None
) -> dict[str, Spread]:
    """names: of factors, for people. Every key that the model gives at the expected values."""
    centre = {name: factor.expected for name, factor in factors.items()}
    expected = model(centre)
    ends = {
        name: (model({**centre, name: factor.low}), model({**centre, name: factor.high}))
        for name, factor in factors.items()
        if factor.high > factor.low
    }
    shown = names or {}
    return {
        key: _spread(value, {shown.get(n, n): (a[key], b[key]) for n, (a, b) in ends.items()})
        for key, value in expected.items()
    }


def _spread(expected: float, ends: Mapping[str, tuple[float, float]]) -> Spread:
    if not expected:
        return Spread(Range(0.0, 0.0, max([0.0, *(max(pair) for pair in ends.values())])), ())
    below = math.hypot(*(_fall(expected, min(pair)) for pair in ends.values()))
    above = math.hypot(*(_rise(expected, max(pair)) for pair in ends.values()))
    moving = {name: pair for name, pair in ends.items() if abs(pair[1] - pair[0]) > _LEAST_MOVE * expected}
    strongest = sorted(moving.items(), key=lambda item: -abs(item[1][1] - item[1][0]))
    drivers = tuple(Driver(name, min(pair), max(pair)) for name, pair in strongest)
    return Spread(Range(expected * math.exp(-below), expected, expected * math.exp(above)), drivers)


def _fall(expected: float, end: float) -> float:
    return max(0.0, math.log(expected / end)) if end > 0 else _NOTHING


def _rise(expected: float, end: float) -> float:
    return max(0.0, math.log(end / expected)) if end > 0 else 0.0

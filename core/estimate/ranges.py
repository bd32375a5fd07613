"""`Range`: an estimate is low, expected and high, and a product of uncertain factors is no surer than they are.

Factors are taken as independent and log-normal, so that spreads add in quadrature: the high of a product lies above its
expected value by exp(√Σ ln²(high/expected)) (error propagation, GUM, JCGM 100:2008, § 5.1.2, on logarithms).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Range:
    """low ≤ expected ≤ high, all finite and not negative. Raises InvalidInput otherwise."""

    low: float
    expected: float
    high: float

    def __post_init__(self) -> None:
        values = (self.low, self.expected, self.high)
        if (
            not all(math.isfinite(value) and value >= 0 for value in values)
            or not self.low <= self.expected <= self.high
        ):
            raise InvalidInput(
                f"{self.low:g}, {self.expected:g}, {self.high:g} is not a range.",
                allowed="low ≤ expected ≤ high, none negative.",
            )

    @classmethod
    def exactly(cls, value: float) -> Range:
        """A figure without doubt: a count, a price that was agreed."""
        return cls(value, value, value)

    @classmethod
    def around(cls, expected: float, factor: float) -> Range:
        """From expected ÷ factor to expected · factor; factor ≥ 1."""
        return cls(expected / factor, expected, expected * factor)

    @property
    def spread(self) -> float:
        """high ÷ low; 1 for a figure without doubt, exactly zero among them; infinite when only low is zero."""
        if not self.low:
            return math.inf if self.high else 1.0
        return self.high / self.low

    def __add__(self, other: Range | float) -> Range:
        """A sum: its parts may all be low together, so ends are added to ends."""
        if not isinstance(other, Range):
            return Range(self.low + other, self.expected + other, self.high + other)
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        if not isinstance(other, Range):
            return Range(self.low * other, self.expected * other, self.high * other)
        if not self.expected or not other.expected:
            return Range(self.low * other.low, self.expected * other.expected, self.high * other.high)
        below = math.exp(-math.hypot(_below(self), _below(other))) if self.low and other.low else 0.0
        above = math.exp(math.hypot(_above(self), _above(other)))
        expected = self.expected * other.expected
        return Range(expected * below, expected, expected * above)

    __rmul__ = __mul__
    __radd__ = __add__

    def inverse(self) -> Range:
        """1 ÷ it. Raises InvalidInput when it may be zero."""
        if not self.low:
            raise InvalidInput("A range that may be zero cannot be divided by.", allowed="More than 0.")
        return Range(1 / self.high, 1 / self.expected, 1 / self.low)

    def __truediv__(self, other: Range | float) -> Range:
        if isinstance(other, Range):
            return self * other.inverse()
        if not other:
            raise InvalidInput("A range cannot be divided by zero.", allowed="More than 0.")
        return self * (1 / other)


def total(ranges: Iterable[Range]) -> Range:
    """The sum of all; exactly 0 of none."""
    return sum(ranges, Range.exactly(0.0))


def _below(one: Range) -> float:
    return math.log(one.expected / one.low)


def _above(one: Range) -> float:
    return math.log(one.high / one.expected)

"""`Figure`: a derived number that knows where it came from: formula, source, inputs, what drives its range,
measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.estimate.ranges import Range


@dataclass(frozen=True, slots=True)
class Input:
    """One value that went into a figure. unit: "" for a count. source: who says so; "" when the reader gave it."""

    name: str
    value: float | str
    unit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """Why a figure has a range: a factor, how far it alone moves the figure. low, high: the figure with only this
    factor at its ends, in the figure's unit."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """key: a name with its unit, as in JSON (`step_s`). label: for people. unit: s, bytes, FLOP, FLOP/s, tokens/s,
    USD, … formula: LaTeX. source: the paper or page of the formula. measurement_ids: rows of the record that it
    stands on."""

    key: str
    label: str
    unit: str
    value: Range
    formula: str
    source: str
    inputs: tuple[Input, ...] = ()
    drivers: tuple[Driver, ...] = ()
    measurement_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """low, expected and high."""
        return {"low": self.value.low, "expected": self.value.expected, "high": self.value.high}

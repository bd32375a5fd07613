"""What a workbook of an estimate holds, before it is written: inputs by name, and everything else as formulas on them.

`Book.values` works every formula out in order, which gives the values that are written beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exports.formulas import Formula, Value, evaluate

Content = float | str | Formula
ENDS = ("", "_low", "_high")  # what is put behind a row's name for its three cells, in the order they are worked out


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity. name: of its cell; with low and high, name_low and name_high are theirs. expected: a number, one of
    `choices`, or a formula over names above it. source: who says so."""

    name: str
    label: str
    expected: Content
    unit: str = ""
    low: Content | None = None
    high: Content | None = None
    source: str = ""
    choices: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[str, Content]:
        """Each of its names, and what is in that cell."""
        contents = (self.expected, self.low, self.high)
        found = zip(ENDS, contents, strict=True)
        return {f"{self.name}{end}": content for end, content in found if content is not None}


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Formulas of a figure's three cells."""

    low: Formula
    expected: Formula
    high: Formula

    @classmethod
    def of(cls, name: str) -> Result:
        """Of a row that has ends."""
        return cls(Formula(f"{name}_low"), Formula(name), Formula(f"{name}_high"))

    @classmethod
    def exactly(cls, name: str) -> Result:
        """Of a row without a range."""
        return cls(Formula(name), Formula(name), Formula(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """A figure whose ends are two cases more, in which all factors are moved together, each by its share of the joint
    pull (`core.estimate.breakeven_volume`). key: of the figure; step: the row that it is. burden: what the factors pull
    at, compared at `at`, which `at_formula` gives over the expected case. left_out: factors that stay."""

    key: str
    step: str
    at: str
    at_formula: Formula
    burden: Formula
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """A model that is evaluated with every factor at its ends, one column a case, as `core.estimate.propagation` does.

    factors: names of input rows with ends. steps: formulas in which the factors and the steps above mean the cells of
    their own column. figures: keys whose range the moves make, the name of the step that each is."""

    factors: tuple[str, ...]
    steps: tuple[Section, ...]
    figures: Mapping[str, str]
    joint: Joint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A table over one variable, and its chart on logarithmic axes. variable: its name in the columns' formulas, which
    may also be names of the cases, meant as expected. columns: title, formula."""

    title: str
    variable: str
    label: str
    unit: str
    points: tuple[float, ...]
    columns: tuple[tuple[str, Formula], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """results: by the keys of figures; a figure without an entry (and without a case) is written as a value."""

    inputs: tuple[Section, ...]
    steps: tuple[Section, ...] = ()
    cases: Cases | None = None
    results: Mapping[str, Result] = field(default_factory=dict)
    curve: Curve | None = None
    notes: tuple[str, ...] = ()

    def values(self) -> dict[str, Value]:
        """Every named cell of inputs and steps."""
        return worked_out((*self.inputs, *self.steps), {})


def worked_out(sections: tuple[Section, ...], names: Mapping[str, Value]) -> dict[str, Value]:
    """names, and after them the rows' cells in order."""
    found = dict(names)
    for section in sections:
        for row in section.rows:
            for name, content in row.cells.items():
                found[name] = evaluate(content, found) if isinstance(content, Formula) else content
    return found


def product(*factors: str, over: tuple[str, ...] = (), times: str = "1") -> tuple[Formula, Formula, Formula]:
    """low, expected and high of a product of rows with ends: their spreads added in quadrature, on logarithms (as
    `core.estimate.ranges`). over: rows that it is divided by. times: a factor without a range."""
    middle = "*".join((f"({times})", *factors)) + "".join(f"/{one}" for one in over)
    lows = "*".join((f"({times})", *(f"{one}_low" for one in factors))) + "".join(f"/{one}_high" for one in over)
    highs = "*".join((f"({times})", *(f"{one}_high" for one in factors))) + "".join(f"/{one}_low" for one in over)
    below = [f"IF({one}_low>0,LN({one}/{one}_low),50)^2" for one in factors]
    below += [f"LN({one}_high/{one})^2" for one in over]
    above = [f"LN({one}_high/{one})^2" for one in factors] + [f"LN({one}/{one}_low)^2" for one in over]
    return (
        Formula(f"IF({middle}>0,{middle}*EXP(-SQRT({'+'.join(below)})),{lows})"),
        Formula(middle),
        Formula(f"IF({middle}>0,{middle}*EXP(SQRT({'+'.join(above)})),{highs})"),
    )

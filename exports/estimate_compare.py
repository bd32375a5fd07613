"""Estimates beside each other: a row a figure, a column a scenario, of one kind or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from core.estimate.ranges import Range
from core.estimate.report import TITLES, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigure:
    """values: one a scenario, None where it has no such figure."""

    key: str
    label: str
    unit: str
    values: tuple[Range | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """names, reports: one a scenario, in the order given. rows: every figure of any of them, in the order of the first
    that has it."""

    names: tuple[str, ...]
    reports: tuple[Report, ...]
    rows: tuple[ComparedFigure, ...]


def compare(reports: Sequence[Report], names: Sequence[str] = ()) -> Comparison:
    """names: of the scenarios; default, their configuration's `name`, or their kind and number. Figures are the same
    when key, label and unit are: a step of training is none of decoding. Raises InvalidInput for no reports, or another
    number of names."""
    if not reports or (names and len(names) != len(reports)):
        raise InvalidInput(
            f"{len(reports)} estimates with {len(names)} names cannot be compared.",
            allowed="At least one estimate, and a name for each.",
            next_step="Choose the scenarios to compare.",
        )
    found = [{(one.key, one.label, one.unit): one.value for one in report.figures} for report in reports]
    order = dict.fromkeys(same for values in found for same in values)
    return Comparison(
        names=tuple(names) or tuple(_name(report, at) for at, report in enumerate(reports, 1)),
        reports=tuple(reports),
        rows=tuple(
            ComparedFigure(key=key, label=label, unit=unit, values=tuple(one.get((key, label, unit)) for one in found))
            for key, label, unit in order
        ),
    )


def _name(report: Report, number: int) -> str:
    given = report.spec.get("name")
    return str(given) if given else f"{TITLES[report.kind]} {number}"

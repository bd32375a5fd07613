"""An estimate as a table: one row a figure; what went into the figures and drives them; scenarios beside each other."""

from __future__ import annotations

from core.estimate.report import Report
from exports.cells import csv_bytes
from exports.estimate_compare import Comparison

FIGURE_COLUMNS = ("key", "label", "unit", "low", "expected", "high", "formula", "source", "measurement_ids")
ORIGIN_COLUMNS = ("figure", "role", "name", "value", "unit", "low", "high", "source")
COMPARED_COLUMNS = ("key", "label", "unit")


def figures_csv(report: Report) -> bytes:
    """One row a figure. Numbers in full, in the row's unit; formulas as LaTeX; measurement ids separated by spaces."""
    return csv_bytes(
        FIGURE_COLUMNS,
        (
            [
                one.key,
                one.label,
                one.unit,
                one.value.low,
                one.value.expected,
                one.value.high,
                one.formula,
                one.source,
                " ".join(one.measurement_ids),
            ]
            for one in report.figures
        ),
    )


def origins_csv(report: Report) -> bytes:
    """One row for each input and each driver of each figure. role: input or driver. A driver's low and high are the
    figure with this factor alone at its ends, in the figure's unit."""
    rows: list[list[str | float | None]] = []
    for figure in report.figures:
        rows += [[figure.key, "input", one.name, one.value, one.unit, None, None, one.source] for one in figure.inputs]
        rows += [[figure.key, "driver", one.name, None, figure.unit, one.low, one.high, None] for one in figure.drivers]
    return csv_bytes(ORIGIN_COLUMNS, rows)


def comparison_csv(comparison: Comparison) -> bytes:
    """One row a figure; low, expected and high of each scenario. Empty where a scenario has no such figure."""
    ends = ("low", "expected", "high")
    return csv_bytes(
        (*COMPARED_COLUMNS, *(f"{name}: {end}" for name in comparison.names for end in ends)),
        (
            [row.key, row.label, row.unit, *(getattr(one, end, None) for one in row.values for end in ends)]
            for row in comparison.rows
        ),
    )

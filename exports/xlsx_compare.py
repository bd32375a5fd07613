"""Scenarios in one workbook: a sheet of figures side by side with their change from the first, and a sheet of notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.estimate.ranges import Range
from core.estimate.report import TITLES
from exports.estimate_compare import ComparedFigure, Comparison
from exports.estimate_document import command, config_yaml, made
from exports.formulas import Formula
from exports.xlsx_case_sheet import letters
from exports.xlsx_write import Writer

COLUMNS = ("low", "expected", "high", "change")
_FIRST = 3  # columns: figure, unit, key


def comparison_workbook(comparison: Comparison, *, at: datetime) -> bytes:
    writer = Writer("Estimates compared", at)
    count = len(comparison.names)
    sheet = writer.sheet("Comparison", (44, 14, 32, *[14] * (len(COLUMNS) * count)))
    for scenario, name in enumerate(comparison.names):
        writer.words(sheet, 0, _FIRST + scenario * len(COLUMNS), name, "heading")
    heads = ("Figure", "Unit", "Key", *[head.capitalize() for _ in comparison.names for head in COLUMNS])
    writer.heads(sheet, 1, heads, numbers=range(_FIRST, len(heads)))
    sheet.freeze_panes(2, 1)
    for line, row in enumerate(comparison.rows, 2):
        _row(writer, sheet, line, row)
    _about(writer, comparison, at)
    return writer.finished()


def _row(writer: Writer, sheet: Any, line: int, row: ComparedFigure) -> None:
    for column, text in enumerate((row.label, row.unit, row.key)):
        writer.words(sheet, line, column, text, "plain" if column else "label")
    for scenario, value in enumerate(row.values):
        if value is None:
            continue
        column = _FIRST + scenario * len(COLUMNS)
        for offset, end in enumerate((value.low, value.expected, value.high)):
            writer.put(sheet, line, column + offset, end, end, unit=row.unit)
        first = row.values[0]
        if scenario and first is not None and first.expected:
            writer.put(sheet, line, column + 3, *_change(line, column + 1, value, first), unit="share")


def _change(line: int, column: int, value: Range, first: Range) -> tuple[Formula, float]:
    """Of the expected value, from the first scenario's."""
    own, other = f"{letters(column)}{line + 1}", f"{letters(_FIRST + 1)}{line + 1}"
    return Formula(f"{own}/{other}-1"), value.expected / first.expected - 1


def _about(writer: Writer, comparison: Comparison, at: datetime) -> None:
    sheet = writer.sheet("Notes", (120,))
    lines = [("text", f"{made(at)}. Change is of the expected value, from the first scenario.")]
    for name, report in zip(comparison.names, comparison.reports, strict=True):
        lines += [("heading", name), ("text", f"{TITLES[report.kind]}. {report.sentence}")]
        lines += [("text", note) for note in report.notes]
        lines += [("mono", command(report)), ("mono", config_yaml(report))]
    writer.lines(sheet, lines)

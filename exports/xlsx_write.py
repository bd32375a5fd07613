"""A `Book` becomes a workbook: Inputs, Results, a curve with its chart, Calculation, Cases, Sources and Notes.

Every cell of text is written as text and never read for a formula; formulas are only those of `exports.formulas`, each
with its value beside it, so that the file says the same before it is calculated.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from core.estimate.figures import Figure
from core.estimate.report import Report
from exports.cells import neutralised
from exports.estimate_document import command, config_yaml, input_value, made, title
from exports.formulas import Formula, Value, evaluate, is_name
from exports.xlsx_book import Book, Content, Curve, Row, Section
from exports.xlsx_cases import CaseSheet, case_sheet

LONGEST_TEXT = 32_767  # characters of a cell
SHADES = {"input": {"bg_color": "#FFF7DB", "border": 1, "border_color": "#DCE1E7"}, "plain": {}}
NUMBERS = {  # by the size that a cell has when it is written
    "zero": "General",
    "tiny": "0.000E+00",
    "small": "0.0000",
    "middle": "#,##0.00",
    "whole": "#,##0",
    "huge": "0.000E+00",
}
WORDS: dict[str, dict[str, Any]] = {
    "text": {"text_wrap": True},
    "plain": {"indent": 1},
    "label": {},
    "title": {"bold": True, "font_size": 14},
    "heading": {"bold": True, "bottom": 1, "text_wrap": True},
    "right": {"bold": True, "bottom": 1, "align": "right"},
    "section": {"bold": True, "bg_color": "#EBEFF3"},
    "choice": {"align": "right", **SHADES["input"]},
    "mono": {"font_name": "Consolas", "font_size": 10, "text_wrap": True},
}
COLOURS = ("#0072B2", "#D55E00", "#008F68", "#B8588E")
LINE_POINTS = 15  # of a line of text; wrapped cells need their height said


class Writer:
    """One workbook in the making."""

    def __init__(self, heading: str, at: datetime) -> None:
        self._buffer = io.BytesIO()
        # No text is taken for a formula, a number or a link, whatever it begins with.
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(self._buffer, options)
        self.book.set_properties({"title": heading, "author": "Groundwork", "created": at.replace(tzinfo=None)})
        self.looks = {name: self.book.add_format({"valign": "top", **look}) for name, look in WORDS.items()}
        self.numbers = {
            (kind, pattern): self.book.add_format({"valign": "top", "num_format": pattern, **shade})
            for kind, shade in SHADES.items()
            for pattern in ("0.0%", *NUMBERS.values(), *(f"${one}" for one in NUMBERS.values()))
        }

    def sheet(self, name: str, widths: Sequence[int]) -> Any:
        found = self.book.add_worksheet(name)
        for column, width in enumerate(widths):
            found.set_column(column, column, width)
        found.set_landscape()
        found.fit_to_pages(1, 0)
        return found

    def words(self, sheet: Any, row: int, column: int, text: str, look: str = "plain") -> None:
        """Text as text: neutralised besides, for a reader who edits the cell or saves the sheet as CSV."""
        if text:
            safe = str(neutralised("".join(one for one in text if one == "\n" or one.isprintable())))
            sheet.write_string(row, column, safe[:LONGEST_TEXT], self.looks[look])

    def put(
        self, sheet: Any, row: int, column: int, content: Content, value: Value, *, unit: str = "", shade: str = "plain"
    ) -> None:
        """A formula with its value, a number, or one of our own choices."""
        look = self.looks["choice"] if isinstance(value, str) else self.numbers[shade, _pattern(value, unit)]
        if isinstance(content, Formula):
            sheet.write_formula(row, column, f"={content.text}", look, value)
        elif isinstance(content, str):
            self.words(sheet, row, column, content, "choice")
        else:
            sheet.write_number(row, column, content, look)

    def heads(self, sheet: Any, row: int, names: Sequence[str], *, numbers: Sequence[int] = ()) -> None:
        """numbers: columns of numbers, whose heads stand above them."""
        for column, name in enumerate(names):
            self.words(sheet, row, column, name, "right" if column in numbers else "heading")

    def lines(self, sheet: Any, lines: Sequence[tuple[str, str]]) -> None:
        """Look and text, one below the other."""
        for line, (look, text) in enumerate(lines):
            self.words(sheet, line, 0, text, look)
            if look in ("text", "mono"):
                sheet.set_row(line, min(400, LINE_POINTS * _lines(text, 118)))

    def name(self, name: str, sheet: str, cell: str) -> None:
        """A defined name for a cell such as $C$5."""
        if not is_name(name):
            raise ValueError(f"{name} is no name for a cell.")
        self.book.define_name(name, f"='{sheet}'!{cell}")

    def finished(self) -> bytes:
        self.book.close()
        return self._buffer.getvalue()


def workbook(report: Report, book: Book, *, at: datetime, notes: Sequence[str] = ()) -> bytes:
    """notes: about the workbook itself, beside the report's."""
    writer = Writer(title(report), at)
    values = book.values()
    inputs = writer.sheet("Inputs", (56, 18, 18, 18, 12, 26, 60))
    results = writer.sheet("Results", (50, 18, 18, 18, 14, 34, 18, 24))
    curve = writer.sheet("Curve", (28, 28, 28)) if book.curve else None
    if book.steps:
        _rows(writer, writer.sheet("Calculation", (56, 18, 18, 18, 12, 26, 60)), "Calculation", book.steps, values)
    cases = None
    if book.cases:
        cases = case_sheet(book.cases, values)
        _cases(writer, writer.sheet("Cases", (44, 12, 14)), cases)
    sources = writer.sheet("Sources", (40, 32, 60, 60, 60, 40))
    remarks = writer.sheet("Notes", (120,))
    _rows(writer, inputs, "Inputs", book.inputs, values)
    _results(writer, results, report, book, values, cases)
    if book.curve:
        _curve(writer, curve, book, values, cases)
    _sources(writer, sources, report)
    _notes(writer, remarks, report, (*book.notes, *notes), at)
    results.activate()
    return writer.finished()


def _pattern(value: float, unit: str) -> str:
    """By the unit, and by the size that a cell has when it is written."""
    if unit == "share":
        return "0.0%"
    size = abs(value)
    if size >= 1e12:
        kind = "huge"
    elif size >= 1_000 or (float(value).is_integer() and size):
        kind = "whole"
    else:
        kind = "zero" if not size else "tiny" if size < 1e-3 else "small" if size < 1 else "middle"
    dollars = unit.startswith("USD") and kind in ("small", "middle", "whole")
    return f"${NUMBERS[kind]}" if dollars else NUMBERS[kind]


def _rows(writer: Writer, sheet: Any, name: str, sections: tuple[Section, ...], values: dict[str, Value]) -> None:
    """One row a quantity: label, low, expected, high, unit, name, source."""
    writer.heads(sheet, 0, ("Quantity", "Low", "Expected", "High", "Unit", "Name", "Source"), numbers=(1, 2, 3))
    sheet.freeze_panes(1, 1)
    line = 1
    for section in sections:
        for column in range(7):
            sheet.write_blank(line, column, None, writer.looks["section"])
        writer.words(sheet, line, 0, section.title, "section")
        line += 1
        for row in section.rows:
            _row(writer, sheet, name, line, row, values)
            line += 1


def _row(writer: Writer, sheet: Any, sheet_name: str, line: int, row: Row, values: dict[str, Value]) -> None:
    writer.words(sheet, line, 0, row.label, "label")
    columns = {f"{row.name}_low": 1, row.name: 2, f"{row.name}_high": 3}
    for name, content in row.cells.items():
        column, shade = columns[name], "plain" if isinstance(content, Formula) else "input"
        writer.put(sheet, line, column, content, values[name], unit=row.unit, shade=shade)
        writer.name(name, sheet_name, f"${'ABCD'[column]}${line + 1}")
    if row.choices:
        sheet.data_validation(line, 2, line, 2, {"validate": "list", "source": list(row.choices)})
    for column, text in ((4, row.unit), (5, row.name), (6, row.source)):
        writer.words(sheet, line, column, text)


def _results(
    writer: Writer, sheet: Any, report: Report, book: Book, values: dict[str, Value], cases: CaseSheet | None
) -> None:
    """The figures, live; those that cannot be are values, and say so."""
    writer.words(sheet, 0, 0, title(report), "title")
    writer.words(sheet, 1, 0, report.sentence, "label")
    live = {one.key: _live(one, book, values, cases) for one in report.figures}
    writer.words(sheet, 2, 0, _what_follows([isinstance(cells[0][0], Formula) for cells in live.values()]), "label")
    heads = ("Figure", "Low", "Expected", "High", "Unit", "Key", "As estimated")
    writer.heads(sheet, 4, heads, numbers=(1, 2, 3, 6))
    sheet.freeze_panes(5, 1)
    for line, figure in enumerate(report.figures, 5):
        writer.words(sheet, line, 0, figure.label, "label")
        cells = live[figure.key]
        for column, (content, value) in enumerate(cells, 1):
            writer.put(sheet, line, column, content, value, unit=figure.unit)
        writer.words(sheet, line, 4, figure.unit)
        writer.words(sheet, line, 5, figure.key)
        expected = figure.value.expected
        writer.put(sheet, line, 6, expected, expected, unit=figure.unit)
        if not isinstance(cells[0][0], Formula):
            writer.words(sheet, line, 7, "a value, not a formula")


def _what_follows(live: Sequence[bool]) -> str:
    """Which cells of Results change with the inputs."""
    if not any(live):
        return "All figures are values as estimated: none follows the inputs."
    if all(live):
        return "Every figure follows the inputs; the sentence and the last column are as estimated."
    count = live.count(False)
    values = "1 figure is a value" if count == 1 else f"{count} figures are values"
    return (
        f"{live.count(True)} figures follow the inputs. {values}, marked beside, and as estimated, as the sentence and"
        " the last column are."
    )


def _live(
    figure: Figure, book: Book, values: dict[str, Value], cases: CaseSheet | None
) -> Sequence[tuple[Content, Value]]:
    """Low, expected and high, each with its value."""
    if cases and figure.key in cases.results:
        return cases.results[figure.key]
    found = book.results.get(figure.key)
    if found is None:
        return [(end, end) for end in (figure.value.low, figure.value.expected, figure.value.high)]
    return [(one, evaluate(one, values)) for one in (found.low, found.expected, found.high)]


def _cases(writer: Writer, sheet: Any, cases: CaseSheet) -> None:
    sheet.freeze_panes(2, 3)
    for line, row in enumerate(cases.rows):
        for column, (content, value) in enumerate(row.cells):
            if isinstance(content, str):
                writer.words(sheet, line, column, content, row.look if row.look != "plain" or column else "label")
            elif content is not None:
                writer.put(sheet, line, column, content, value)


def _curve(writer: Writer, sheet: Any, book: Book, values: dict[str, Value], cases: CaseSheet | None) -> None:
    curve = book.curve
    assert curve is not None  # the caller has looked
    expected = values | (cases.expected if cases else {})
    heads = (f"{curve.label} ({curve.unit})", *(name for name, _ in curve.columns))
    writer.heads(sheet, 0, heads, numbers=range(len(heads)))
    for line, point in enumerate(curve.points, 1):
        writer.put(sheet, line, 0, point, point, shade="input")
        cells = {curve.variable: f"$A{line + 1}"} | (cases.expected_cells if cases else {})
        names = expected | {curve.variable: point}
        for column, (_, formula) in enumerate(curve.columns, 1):
            writer.put(sheet, line, column, formula.with_cells(cells), evaluate(formula, names), unit="USD")
    sheet.insert_chart(1, len(heads) + 1, _chart(writer, curve))


def _chart(writer: Writer, curve: Curve) -> Any:
    chart, last = writer.book.add_chart({"type": "scatter", "subtype": "straight"}), len(curve.points)
    for column, (name, _) in enumerate(curve.columns, 1):
        chart.add_series(
            {
                "name": name,
                "categories": ["Curve", 1, 0, last, 0],
                "values": ["Curve", 1, column, last, column],
                "line": {"color": COLOURS[(column - 1) % len(COLOURS)], "width": 2},
            }
        )
    across = {"name": f"{curve.label} ({curve.unit})", "log_base": 10, "num_format": "0E+0", "crossing": "min"}
    chart.set_title({"name": curve.title, "name_font": {"size": 12}})
    chart.set_x_axis(across | {"min": min(curve.points), "max": max(curve.points)})
    chart.set_y_axis({"name": "USD a month", "log_base": 10, "num_format": "$#,##0", "crossing": "min"})
    chart.set_size({"width": 760, "height": 440})
    return chart


def _sources(writer: Writer, sheet: Any, report: Report) -> None:
    writer.heads(sheet, 0, ("Figure", "Key", "Formula (LaTeX)", "Source", "From", "Measurement ids"))
    sheet.freeze_panes(1, 1)
    for line, one in enumerate(report.figures, 1):
        origin = "; ".join(f"{given.name} = {input_value(given)}" for given in one.inputs)
        words = (one.label, one.key, one.formula, one.source, origin, " ".join(one.measurement_ids))
        for column, text in enumerate(words):
            writer.words(sheet, line, column, text, "text")
        sheet.set_row(line, LINE_POINTS * max(_lines(text, 58) for text in words[2:5]))


def _notes(writer: Writer, sheet: Any, report: Report, own: Sequence[str], at: datetime) -> None:
    lines = [("title", title(report)), ("text", report.sentence), ("text", f"{made(at)}.")]
    how = (
        "Change the yellow cells of Inputs: the figures of Results follow, as formulas over named cells, but for those"
        " that are marked as values."
    )
    lines += [("heading", "How to use this workbook"), *(("text", note) for note in (how, *own))]
    if report.notes:
        lines += [("heading", "Assumptions and notes"), *(("text", note) for note in report.notes)]
    if report.measurement_ids:
        lines += [("heading", "Measurements"), *(("plain", one) for one in report.measurement_ids)]
    lines += [("heading", "Repeat it: save the next cell as CONFIG.yaml, then run"), ("mono", command(report))]
    lines += [("mono", config_yaml(report))]
    writer.lines(sheet, lines)


def _lines(text: str, width: int) -> int:
    """How many lines it takes in a cell so many characters wide."""
    return sum(max(1, -(-len(one) // width)) for one in text.split("\n"))

"""The first sheet of a company's workbook with its charts, sheets of values, and the last, with notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.venture.spec import CompanySpec
from exports.estimate_document import made
from exports.formulas import Formula
from exports.plan_book import (
    DATE_ROW,
    FIRST_COLUMN,
    Places,
)
from exports.plan_xlsx_summary import Key, Summary, title_of
from exports.plan_xlsx_write import PlanWriter, serial
from exports.xlsx_write import COLOURS, LINE_POINTS

EXAMPLE = "Example company: invented figures."
NOT_ADVICE = "Not financial advice."
CHARTS = (
    ("Cash at the end of each month", (("cash", "Cash"),)),
    ("Revenue and what is paid", (("revenue", "Revenue"), ("payments", "Paid for everything"))),
)
WIDEST = 60  # characters of a column of values
CHART_ROWS = 20  # of the sheet, that a chart lies over
HOW = (
    "Change the yellow cells of Assumptions: every month of every sheet follows. Sheets that say so hold values.",
    "Choose a scenario in the yellow cell beside “Scenario in use”; the column “your own” is for factors of yours.",
    "Every amount is rounded to cents where it arises. The plan behind this file rounds a half cent to the even cent "
    "and a spreadsheet away from zero, so that a line may differ by a cent.",
    "The number of months, and how a product is sold, are part of the formulas: change them where the file was made.",
    "Months are first days of months. An empty month means from the start, or to the end, of the plan.",
)


@dataclass(frozen=True, slots=True)
class SheetOfText:
    """A sheet that is values alone: what the plan's formulas do not reach. rows: texts and numbers below heads."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    note: str = ""


def summary_sheet(
    writer: PlanWriter, sheet: Any, found: Summary, spec: CompanySpec, in_use: str, places: Places, at: datetime
) -> None:
    writer.words(sheet, 0, 0, title_of(spec), "title")
    marks = (EXAMPLE, NOT_ADVICE) if spec.company.example else (NOT_ADVICE,)
    writer.words(sheet, 1, 0, " ".join((f"{made(at)}.", f"Amounts in {spec.company.currency}.", *marks)), "label")
    writer.words(sheet, 2, 0, "Scenario in use; choose another on the sheet Assumptions", "label")
    writer.formula(sheet, 2, 2, Formula("scenario"), in_use, writer.look("choice"))
    writer.heads(sheet, 4, ("Figure", "Unit", "Value", "When this file was made"), numbers=(2, 3))
    for row, key in enumerate(found.keys, 5):
        _key(writer, sheet, row, key)
    top = 5 + len(found.keys) + 1
    writer.heads(
        sheet, top, (f"Year of the plan ({spec.company.currency})", "", *found.year_heads), numbers=range(2, 9)
    )
    for row, (label, cells) in enumerate(found.years, top + 1):
        writer.words(sheet, row, 0, label, "label")
        for column, (content, number) in enumerate(cells, 2):
            writer.formula(sheet, row, column, content, number, writer.look("money"))
    below = top + len(found.years) + 2
    for number, (title, lines) in enumerate(CHARTS):
        chart = _chart(writer, places, title, lines, spec.company.currency)
        sheet.insert_chart(below + number * CHART_ROWS, 0, chart)


def _key(writer: PlanWriter, sheet: Any, row: int, key: Key) -> None:
    writer.words(sheet, row, 0, key.label, "label")
    writer.words(sheet, row, 1, key.unit, "label")
    is_month = key.look == "month" and str(key.value)[:4].isdigit()
    value = float(serial(str(key.value))) if is_month else key.value
    look = writer.look("choice" if isinstance(value, str) else key.look)
    writer.formula(sheet, row, 2, key.formula, value, writer.look(key.look))
    if isinstance(value, str):
        writer.text(sheet, row, 3, value, look)
    else:
        sheet.write_number(row, 3, value, look)


def _chart(writer: PlanWriter, places: Places, title: str, lines: Sequence[tuple[str, str]], currency: str) -> Any:
    chart = writer.book.add_chart({"type": "line"})
    last = FIRST_COLUMN + places.count - 1
    for number, (key, name) in enumerate(lines):
        sheet, row = places.rows(key)
        chart.add_series(
            {
                "name": name,
                "categories": [sheet, DATE_ROW, FIRST_COLUMN, DATE_ROW, last],
                "values": [sheet, row, FIRST_COLUMN, row, last],
                "line": {"color": COLOURS[number], "width": 2},
            }
        )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_x_axis({"date_axis": True, "num_format": "mmm yy", "label_position": "low"})
    chart.set_y_axis({"name": currency, "num_format": "#,##0"})
    chart.set_legend({"position": "bottom"} if len(lines) > 1 else {"none": True})
    chart.set_size({"width": 860, "height": 380})
    return chart


def values_sheet(writer: PlanWriter, found: SheetOfText) -> None:
    """Columns as wide as what stands in them, up to WIDEST; rows as high as their longest text."""
    widths = [
        min(WIDEST, 2 + max(len(head), *(len(_words(row[column])) for row in found.rows)))
        for column, head in enumerate(found.heads)
    ]
    sheet = writer.sheet(found.name, widths)
    writer.words(sheet, 0, 0, found.title, "title")
    writer.words(sheet, 1, 0, found.note, "label")
    numbers = [place for place in range(len(found.heads)) if _is_number(found.rows, place)]
    writer.heads(sheet, 3, found.heads, numbers=numbers)
    for row, cells in enumerate(found.rows, 4):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                writer.text(sheet, row, column, cell, writer.look("wrapped"))
            elif cell is not None:
                sheet.write_number(row, column, cell, writer.look("price" if cell % 1 else "count"))
        high = max(-(-len(_words(cell)) // width) for cell, width in zip(cells, widths, strict=True))
        if high > 1:
            sheet.set_row(row, min(400, LINE_POINTS * high))
    sheet.freeze_panes(4, 1)


def _words(cell: str | float | None) -> str:
    return cell if isinstance(cell, str) else "" if cell is None else f"{cell:,.4f}"


def _is_number(rows: Sequence[Sequence[str | float | None]], column: int) -> bool:
    return any(isinstance(row[column], int | float) for row in rows)


def notes_sheet(writer: PlanWriter, spec: CompanySpec, own: Sequence[str], at: datetime) -> None:
    lines = [("title", title_of(spec)), ("text", f"{made(at)}. {NOT_ADVICE}")]
    if spec.company.example:
        lines.append(("text", EXAMPLE))
    lines += [("heading", "How to use this workbook"), *(("text", note) for note in HOW)]
    if own:
        lines += [("heading", "Notes"), *(("text", note) for note in own)]
    writer.lines(writer.sheet("Notes", (120,)), lines)

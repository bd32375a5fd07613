"""A company as a workbook that calculates: change a yellow cell, and customers, profit and cash follow.

Every month of every line is a formula over the assumptions and the month before, with the engine's value beside it, so
that a viewer that does not calculate shows the same figures. Text is written as text and never read for a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.store.columns import utc_now
from core.venture.plan import Plan, plan
from core.venture.spec import CompanySpec
from exports.formulas import Formula
from exports.plan_book import (
    DATE_ROW,
    FIRST_COLUMN,
    FIRST_ROW,
    INDEX_ROW,
    Cell,
    Line,
    Months,
    Places,
    Table,
    column_name,
    named_cells,
)
from exports.plan_xlsx_costs import compute_lines, expense_lines, funding_lines, team_lines
from exports.plan_xlsx_first import SheetOfText, notes_sheet, summary_sheet, values_sheet
from exports.plan_xlsx_inputs import BASE, chosen, tables
from exports.plan_xlsx_products import product_lines
from exports.plan_xlsx_summary import summary
from exports.plan_xlsx_totals import cash_lines, metric_lines, profit_lines
from exports.plan_xlsx_write import PlanWriter, plain, serial

ASSUMPTIONS = "Assumptions"
MONTHS_A_PAGE = 12  # of paper


def plan_xlsx(
    spec: CompanySpec,
    *,
    scenario: str = BASE,
    more: Sequence[SheetOfText] = (),
    notes: Sequence[str] = (),
    at: datetime | None = None,
) -> bytes:
    """scenario: the one that is in use when it is opened. more: sheets beside the plan's own; notes: of the reader.

    Raises InvalidInput as `core.venture.plan.plan`.
    """
    drivers, when = chosen(spec, scenario), at or utc_now()
    found = plan(spec, drivers)
    inputs = tables(spec, scenario)
    sheets = month_sheets(spec, found, scenario)
    places = Places(spec.company.months)
    places.add(sheets)
    writer = PlanWriter(f"Plan: {spec.company.name}", when)
    first = writer.sheet("Summary", (44, 18, 18, 26, *(16,) * 6))
    _assumptions(writer, inputs)
    for sheet in sheets:
        _months(writer, sheet, places, found.months)
    in_use = str(named_cells(inputs)["scenario"].value)
    summary_sheet(writer, first, summary(spec, found, places), spec, in_use, places, when)
    for one in more:
        values_sheet(writer, one)
    notes_sheet(writer, spec, notes, when)
    first.activate()
    return writer.finished()


def month_sheets(spec: CompanySpec, found: Plan, scenario: str = BASE) -> tuple[Months, ...]:
    """found: the plan under `scenario`."""
    drivers, about = chosen(spec, scenario), spec.company
    products = [
        line
        for number, (product, one) in enumerate(zip(spec.products, found.products, strict=True), 1)
        for line in product_lines(product, one, about, drivers, number)
    ]
    sheets = (
        Months("Products", "Products", tuple(products)),
        Months("Team", "Team", team_lines(spec, found, drivers)),
        Months("Compute", "Compute", compute_lines(spec, found, drivers)),
        Months("Expenses", "Other expenses", expense_lines(spec, found, drivers)),
        Months("Funding", "Funding", funding_lines(spec, found)),
        Months("Profit and loss", "Profit and loss", profit_lines(spec, found)),
        Months("Cash", "Cash", cash_lines(spec, found)),
        Months("Metrics", "Metrics", metric_lines(spec, found)),
    )
    return tuple(one for one in sheets if one.lines)


def _assumptions(writer: PlanWriter, inputs: Sequence[Table]) -> None:
    sheet = writer.sheet(ASSUMPTIONS, (40, 20, *(16,) * 12))
    writer.words(sheet, 0, 0, "Assumptions", "title")
    writer.words(sheet, 1, 0, "Change a yellow cell: every sheet follows.", "label")
    row = 3
    for table in inputs:
        for column in range(max(len(table.heads), 3)):
            sheet.write_blank(row, column, None, writer.looks["section"])
        writer.words(sheet, row, 0, table.title, "section")
        heads = row + 1
        for column, head in enumerate(table.heads):
            look = writer.looks["heading"] if column < table.words else writer.look("head")
            writer.text(sheet, heads, column, head, look)
        row += 2
        for line in table.rows:
            for column, cell in enumerate(line):
                if cell is not None:
                    _cell(writer, sheet, row, column, cell, heads)
            row += 1
        if table.note:
            writer.words(sheet, row, 0, table.note, "label")
            row += 1
        row += 1
    sheet.freeze_panes(3, 1)


def _cell(writer: PlanWriter, sheet: Any, row: int, column: int, cell: Cell, heads: int) -> None:
    look = writer.look(cell.look, given=cell.given)
    if isinstance(cell.content, Formula):
        value = plain(cell.value) if isinstance(cell.value, str) else float(cell.value)
        writer.formula(sheet, row, column, cell.content, value, look)
    elif cell.content is None:
        sheet.write_blank(row, column, None, look)
    elif cell.look == "month":
        sheet.write_number(row, column, serial(str(cell.content)), look)
    elif isinstance(cell.content, str):
        writer.text(sheet, row, column, cell.content, look)
    else:
        sheet.write_number(row, column, float(cell.content), look)
    if cell.name:
        writer.name(cell.name, ASSUMPTIONS, f"${column_name(column)}${row + 1}")
    if cell.choices:
        # The names of scenarios are the reader's own, so their list is the cells that they stand in.
        last = column_name(2 + len(cell.choices))
        own = f"=$D${heads + 1}:${last}${heads + 1}"
        sheet.data_validation(
            row,
            column,
            row,
            column,
            {"validate": "list", "source": own if cell.name == "scenario" else list(cell.choices)},
        )


def _months(writer: PlanWriter, sheet_of: Months, places: Places, when: Sequence[str]) -> None:
    sheet = writer.sheet(sheet_of.name, (44, 24, *(12,) * len(when)))
    writer.words(sheet, 0, 0, sheet_of.title, "title")
    writer.words(sheet, INDEX_ROW, 0, "Month, from 0", "label")
    writer.words(sheet, DATE_ROW, 0, "Month", "heading")
    writer.words(sheet, DATE_ROW, 1, "Unit", "heading")
    dated = writer.book.add_format({"bold": True, "bottom": 1, "align": "right", "num_format": "mmm yyyy"})
    for month, name in enumerate(when):
        column = FIRST_COLUMN + month
        letter = column_name(column)
        sheet.write_number(INDEX_ROW, column, month, writer.look("index"))
        date_of = Formula(f"DATE(YEAR(plan_start),MONTH(plan_start)+{letter}{INDEX_ROW + 1},1)")
        writer.formula(sheet, DATE_ROW, column, date_of, serial(name), dated)
    for row, line in enumerate(sheet_of.lines, FIRST_ROW):
        _line(writer, sheet, sheet_of.name, row, line, places)
    sheet.freeze_panes(FIRST_ROW, FIRST_COLUMN)
    sheet.repeat_columns(0, 1)
    sheet.repeat_rows(INDEX_ROW, DATE_ROW)
    sheet.fit_to_pages(-(-len(when) // MONTHS_A_PAGE), 0)


def _line(writer: PlanWriter, sheet: Any, name: str, row: int, line: Line, places: Places) -> None:
    if not line.formula:
        for column in range(FIRST_COLUMN + places.count):
            sheet.write_blank(row, column, None, writer.looks["section"])
    words = writer.looks["section"] if not line.formula else writer.look("text", strong=line.strong)
    for column, of, text in ((0, line.label_of, line.label), (1, line.unit_of, line.unit)):
        if of:
            writer.formula(sheet, row, column, Formula(of), plain(text), words)
        elif text:
            writer.text(sheet, row, column, text, words)
    look = writer.look(line.look, strong=line.strong)
    for month in range(places.count if line.formula else 0):
        text = line.first if month == 0 and line.first is not None else line.formula
        content = places.formula(text, name, month)
        writer.formula(sheet, row, FIRST_COLUMN + month, content, float(line.values[month]), look)

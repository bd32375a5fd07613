"""How the cells of a company's workbook look and are written: text as text, months as dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from exports.cells import neutralised
from exports.formulas import Formula, Value
from exports.xlsx_write import LONGEST_TEXT, Writer

YELLOW = {"bg_color": "#FFF7DB", "border": 1, "border_color": "#DCE1E7"}
PATTERNS = {
    "money": "#,##0;[Red]-#,##0",
    "price": "#,##0.00##",
    "count": "#,##0",
    "tenths": "#,##0.0",
    "share": "0.0%",
    "factor": "0.00##",
    "index": "0",
    "month": "mmm yyyy",
}


class PlanWriter(Writer):
    """The house's writer, with the looks of a plan."""

    def __init__(self, heading: str, at: datetime) -> None:
        super().__init__(heading, at)
        self._looks: dict[tuple[str, bool, bool], Any] = {}

    def look(self, name: str, *, given: bool = False, strong: bool = False) -> Any:
        key = (name, given, strong)
        if key not in self._looks:
            made: dict[str, Any] = {"valign": "top"} | (YELLOW if given else {})
            if name in PATTERNS:
                made |= {"num_format": PATTERNS[name]}
            if name in ("choice", "month"):
                made |= {"align": "right"}
            if name == "head":
                made |= {"align": "right", "bold": True, "bottom": 1, "text_wrap": True}
            if name == "wrapped":
                made |= {"text_wrap": True}
            if strong:
                made |= {"bold": True, "top": 1, "border_color": "#DCE1E7"}
            self._looks[key] = self.book.add_format(made)
        return self._looks[key]

    def text(self, sheet: Any, row: int, column: int, text: str, look: Any) -> None:
        """Never a formula, nor for who saves the sheet as CSV."""
        sheet.write_string(row, column, plain(text), look)

    def formula(self, sheet: Any, row: int, column: int, content: Formula, value: Value, look: Any) -> None:
        sheet.write_formula(row, column, f"={content.text}", look, value)


def plain(text: str) -> str:
    """As every writer of a sheet here: without what cannot be printed, and inert."""
    return str(neutralised("".join(one for one in text if one == "\n" or one.isprintable())))[:LONGEST_TEXT]


def serial(month: str) -> int:
    """The day that a spreadsheet counts the first of the month as."""
    year, number = (int(part) for part in month.split("-"))
    return (date(year, number, 1) - date(1899, 12, 30)).days

"""A company's workbook before it is written: cells of assumptions, and lines of months that are formulas over them.

A line's formula names other lines in brackets: [mrr] is their cell of the same month, [mrr<] of the month before,
[mrr!] the whole line; [a|b] are the lines from a to b in the same month, [a|b@] their units; [m] is the month's number,
0 for the first of the plan. All other names are cells of the assumptions. Addresses are found when the workbook is
written, on whichever sheet a line came to lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from exports.formulas import Formula, Value

Look = Literal["money", "price", "count", "tenths", "share", "factor", "month", "text", "choice", "strong", "index"]
FIRST_COLUMN = 2  # of the months: a label and a unit stand before them
INDEX_ROW, DATE_ROW, FIRST_ROW = 2, 3, 4  # of every sheet of months
_PLACE = re.compile(r"\[([A-Za-z_][A-Za-z_0-9]*)(?:\|([A-Za-z_][A-Za-z_0-9]*))?([<!@]?)\]")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table of assumptions. content: a number, a text, a formula (with its value), None for empty. A
    month is text as 2026-03. given: typed, so it may be typed over. choices: what may stand in it."""

    content: Formula | float | str | None
    value: Value = ""
    name: str = ""
    look: Look = "count"
    given: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """heads: of the columns; the first cell of a row is its label. words: so many columns of text come first."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    note: str = ""
    words: int = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of months. formula: "" for a heading. first: of the first month, where it differs. label_of: the name
    of a cell whose text is the label, so that it follows. unit_of: the same of the unit."""

    key: str
    label: str
    formula: str = ""
    values: Sequence[float] = ()
    look: Look = "money"
    first: str | None = None
    unit: str = ""
    unit_of: str = ""
    label_of: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Months:
    """A sheet of lines, months across."""

    name: str
    title: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Places:
    """Where each line lies."""

    count: int
    _found: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, sheets: Iterable[Months]) -> None:
        for sheet in sheets:
            for row, line in enumerate(sheet.lines, FIRST_ROW):
                if line.formula:
                    assert line.key not in self._found, line.key
                    self._found[line.key] = (sheet.name, row)

    def whole(self, key: str, sheet: str = "") -> str:
        """All months of a line, absolute."""
        where, row = self._found[key]
        last = column_name(FIRST_COLUMN + self.count - 1)
        return f"{_on(where, sheet)}${column_name(FIRST_COLUMN)}${row + 1}:${last}${row + 1}"

    def span(self, key: str, first: int, last: int) -> str:
        """Months `first` to `last` of a line, both included."""
        where, row = self._found[key]
        ends = (f"${column_name(FIRST_COLUMN + month)}${row + 1}" for month in (first, last))
        return f"{_on(where, '')}{':'.join(ends)}"

    def rows(self, key: str) -> tuple[str, int]:
        """The sheet, and the row from 0."""
        return self._found[key]

    def formula(self, text: str, sheet: str, month: int) -> Formula:
        """With every bracket replaced by the address it stands for."""

        def address(found: re.Match[str]) -> str:
            key, until, where = found.groups()
            column = column_name(FIRST_COLUMN + month - (where == "<"))
            if key == "m":
                return f"{column}${INDEX_ROW + 1}"
            if where == "!":
                return self.whole(key, sheet)
            on, row = self._found[key]
            if until:
                letter = "$B" if where == "@" else column
                return f"{_on(on, sheet)}{letter}${row + 1}:{letter}${self._found[until][1] + 1}"
            return f"{_on(on, sheet)}{column}{row + 1}"

        return Formula(_PLACE.sub(address, text))


def column_name(column: int) -> str:
    """0 → A, 26 → AA."""
    name = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        name = chr(65 + letter) + name
        column -= 1
    return name


def total(keys: Sequence[str]) -> str:
    """The sum of lines, as a formula; 0 of none."""
    return "+".join(f"[{key}]" for key in keys) or "0"


def label(text: str) -> Cell:
    return Cell(text, look="text")


def given(content: float | str | None, name: str, look: Look = "count", choices: tuple[str, ...] = ()) -> Cell:
    """A yellow cell."""
    return Cell(content, "" if content is None else content, name, look, True, choices)


def made(text: str, value: Value, name: str = "", look: Look = "count") -> Cell:
    """A formula with its value."""
    return Cell(Formula(text), value, name, look)


def _on(where: str, sheet: str) -> str:
    return "" if where == sheet else f"'{where}'!" if not where.isalnum() else f"{where}!"


def named_cells(tables: Iterable[Table]) -> Mapping[str, Cell]:
    """Every cell that has a name. Two of one name are a fault of ours."""
    found: dict[str, Cell] = {}
    for table in tables:
        for row in table.rows:
            for cell in row:
                if cell is not None and cell.name:
                    assert cell.name not in found, cell.name
                    found[cell.name] = cell
    return found


def place_of(cell: str) -> str:
    """The number of a month of the plan, 0 for the first; an empty cell is the first."""
    return f'IF({cell}="",0,(YEAR({cell})-YEAR(plan_start))*12+MONTH({cell})-MONTH(plan_start))'

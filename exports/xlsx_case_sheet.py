"""The sheet Cases in the making: which cell holds which factor or step in which case, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass

from exports.formulas import Formula, Value, evaluate
from exports.xlsx_book import Cases, Content

FIRST_CASE = 3  # columns: label, unit, expected, then low and high of each factor


Cell = tuple[Content | None, Value]
Ends = tuple[tuple[Formula, Value], ...]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Cells from the left; None for an empty one. look: of its words."""

    cells: tuple[Cell, ...]
    look: str = "plain"


@dataclass(frozen=True, slots=True)
class Case:
    """One column: which factor is at which end."""

    column: int
    factor: str
    end: str


@dataclass(slots=True)
class Sheet:
    """The sheet in the making. lines: row of each factor and step, from 0; worked: values of each column."""

    cases: Cases
    columns: tuple[Case, ...]
    rows: list[CaseRow]
    lines: dict[str, int]
    worked: dict[int, dict[str, Value]]

    @property
    def last(self) -> str:
        """The last column of the single moves."""
        return letters(FIRST_CASE + 2 * len(self.cases.factors) - 1)

    def cell(self, name: str, column: int) -> str:
        return f"{letters(column)}{self.lines[name] + 1}"

    def section(self, title: str) -> None:
        self.rows.append(CaseRow(((title, ""),), "section"))

    def add(self, words: str, unit: str, cells: list[Cell], name: str = "") -> None:
        if name:
            self.lines[name] = len(self.rows)
        self.rows.append(CaseRow(((words, ""), (unit, ""), *cells)))

    def worked_cell(self, formula: Formula, column: int) -> Cell:
        """A formula over the cells of its own column."""
        cells = {name: self.cell(name, column) for name in self.lines}
        return formula.with_cells(cells), evaluate(formula, self.worked[column])


def add_step(sheet: Sheet, name: str, words: str, unit: str, content: Content) -> None:
    """A row that is worked out in every column."""
    assert isinstance(content, Formula)  # a case has no cells to type into
    cells = [sheet.worked_cell(content, case.column) for case in sheet.columns]
    for case, (_, value) in zip(sheet.columns, cells, strict=True):
        sheet.worked[case.column][name] = value
    sheet.add(words, unit, cells, name)


def number(value: Value) -> float:
    assert not isinstance(value, str)  # figures are numbers
    return value


def letters(column: int) -> str:
    """0 → A, 26 → AA."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found

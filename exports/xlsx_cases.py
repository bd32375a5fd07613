"""The sheet Cases: a model evaluated with each factor alone at its ends, a column a case, and what that makes of each
figure's range (`core.estimate.propagation`, as formulas).

A figure's low is its expected value divided by exp(√Σ fall²), where a factor's fall is ln of how far it alone brings
the figure down; its high likewise by the rises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from exports.formulas import Formula, Value
from exports.xlsx_book import Cases
from exports.xlsx_case_sheet import FIRST_CASE, Case, CaseRow, Cell, Ends, Sheet, add_step, letters, number
from exports.xlsx_joint import joint_result

_NOTHING = 50.0  # ln of the ratio to 0, as `core.estimate.ranges` has it


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSheet:
    """expected, expected_cells: of each factor and step, its value and its absolute cell. results: low, expected and
    high of each figure, as formulas over this sheet with their values."""

    rows: tuple[CaseRow, ...]
    expected: dict[str, Value]
    expected_cells: dict[str, str]
    results: dict[str, Ends]


def case_sheet(cases: Cases, values: dict[str, Value]) -> CaseSheet:
    """values: of the named cells of the other sheets."""
    columns = [Case(2, "", "")]
    for at, factor in enumerate(cases.factors):
        columns += [Case(FIRST_CASE + 2 * at + end, factor, ("_low", "_high")[end]) for end in (0, 1)]
    sheet = Sheet(cases, tuple(columns), _heads(cases), {}, {case.column: dict(values) for case in columns})
    for factor in cases.factors:
        cells: list[Cell] = []
        for case in columns:
            name = f"{factor}{case.end}" if case.factor == factor else factor
            sheet.worked[case.column][factor] = values[name]
            cells.append((Formula(name), values[name]))
        sheet.add(factor, "", cells, factor)
    for section in cases.steps:
        sheet.section(section.title)
        for row in section.rows:
            add_step(sheet, row.name, row.label, row.unit, row.expected)
    results = _ranges(sheet)
    if cases.joint:
        results[cases.joint.key] = joint_result(sheet, cases.joint)
    return CaseSheet(
        rows=tuple(sheet.rows),
        expected={name: sheet.worked[2][name] for name in sheet.lines},
        expected_cells={name: f"Cases!$C${line + 1}" for name, line in sheet.lines.items()},
        results=results,
    )


def _heads(cases: Cases) -> list[CaseRow]:
    names: list[Cell] = [("Factor at its end", ""), ("", ""), ("none", "")]
    ends: list[Cell] = [("Quantity", ""), ("Unit", ""), ("expected", "")]
    for factor in cases.factors:
        names += [(factor, ""), ("", "")]
        ends += [("low", ""), ("high", "")]
    return [CaseRow(tuple(names), "heading"), CaseRow(tuple(ends), "heading")]


def _ranges(sheet: Sheet) -> dict[str, Ends]:
    """Low, expected and high of each figure: its moves added in quadrature."""
    sheet.section("How far each factor alone moves a figure, ln")
    results = {}
    for key, name in sheet.cases.figures.items():
        at = sheet.lines[name] + 1
        moves = {}
        for word in ("falls", "rises"):
            cells: list[Cell] = [(None, "")]
            squares = 0.0
            for index in range(len(sheet.cases.factors)):
                column = FIRST_CASE + 2 * index
                formula, value = _move(word, at, column, sheet.worked, name)
                squares += value**2
                cells += [(formula, value), (None, "")]
            sheet.add(f"{key} {word}", "", cells)
            moves[word] = (len(sheet.rows), math.sqrt(squares))
        results[key] = _result(at, moves, sheet.last, sheet.worked, name)
    return results


def _move(word: str, at: int, column: int, worked: dict[int, dict[str, Value]], name: str) -> tuple[Formula, float]:
    """ln of expected ÷ the lower end, or of the higher end ÷ expected; never less than 0."""
    expected, ends = number(worked[2][name]), [number(worked[column + end][name]) for end in (0, 1)]
    pair = f"{letters(column)}{at},{letters(column + 1)}{at}"
    if word == "falls":
        formula = f"IF($C{at}>0,IF(MIN({pair})>0,MAX(0,LN($C{at}/MIN({pair}))),{_NOTHING:g}),0)"
        value = (math.log(expected / min(ends)) if min(ends) > 0 else _NOTHING) if expected > 0 else 0.0
    else:
        formula = f"IF($C{at}>0,IF(MAX({pair})>0,MAX(0,LN(MAX({pair})/$C{at})),0),0)"
        value = math.log(max(ends) / expected) if expected > 0 and max(ends) > 0 else 0.0
    return Formula(formula), max(0.0, value)


def _result(
    at: int, moves: dict[str, tuple[int, float]], last: str, worked: dict[int, dict[str, Value]], name: str
) -> Ends:
    expected, cell = number(worked[2][name]), f"Cases!$C${at}"
    first = letters(FIRST_CASE)
    (fall_line, fall), (rise_line, rise) = moves["falls"], moves["rises"]
    fallen, risen = (f"SQRT(SUMSQ(Cases!${first}${line}:${last}${line}))" for line in (fall_line, rise_line))
    most = max(number(names[name]) for names in worked.values())
    return (
        (Formula(f"IF({cell}>0,{cell}*EXP(-{fallen}),0)"), expected * math.exp(-fall) if expected > 0 else 0.0),
        (Formula(cell), expected),
        (
            Formula(f"IF({cell}>0,{cell}*EXP({risen}),MAX(Cases!$C${at}:${last}${at}))"),
            expected * math.exp(rise) if expected > 0 else most,
        ),
    )

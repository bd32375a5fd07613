"""Two cases more on the sheet Cases: all factors moved together, for a figure and against it, each by its share of the
joint pull (first-order reliability method, as `core.estimate.breakeven_volume`, as formulas)."""

from __future__ import annotations

import math

from exports.formulas import Formula, Value, evaluate
from exports.xlsx_book import Content, Joint
from exports.xlsx_case_sheet import FIRST_CASE, CaseRow, Cell, Ends, Sheet, letters, number

_SIGNS = {"for": -1, "against": 1}


def joint_result(sheet: Sheet, joint: Joint) -> Ends:
    """low, expected and high of the figure: the least and the most of its row, the two joint cases in it."""
    at = _compared_at(sheet, joint)
    first = FIRST_CASE + 2 * len(sheet.cases.factors)
    lines = list(sheet.lines.items())
    for column, (word, sign) in enumerate(_SIGNS.items(), first):
        moved = _pulls(sheet, joint, word, sign, at)
        sheet.worked[column] = dict(sheet.worked[2]) | {name: number(value) for name, (_, value) in moved.items()}
        heads = ("all, by their pull", word)
        for line, text in enumerate(heads):
            _put(sheet, line, column, text, text)
        for name, line in lines:
            cell = moved[name] if name in moved else sheet.worked_cell(_step(sheet, name), column)
            sheet.worked[column][name] = cell[1]
            _put(sheet, line, column, *cell)
    row = sheet.lines[joint.step] + 1
    found = [number(names[joint.step]) for names in sheet.worked.values()]
    whole = f"Cases!$C${row}:${letters(first + 1)}${row}"
    return (
        (Formula(f"MIN({whole})"), min(found)),
        (Formula(f"Cases!$C${row}"), number(sheet.worked[2][joint.step])),
        (Formula(f"MAX({whole})"), max(found)),
    )


def _compared_at(sheet: Sheet, joint: Joint) -> str:
    """The rows of what the factors pull at; the name of the row of burdens."""
    sheet.section("How far each factor pulls, ln")
    value = sheet.worked_cell(joint.at_formula, 2)
    line = len(sheet.rows) + 1
    sheet.add(joint.at, "", [value])
    cells: list[Cell] = []
    for case in sheet.columns:
        names = {name: sheet.cell(name, case.column) for name in sheet.lines} | {joint.at: f"$C${line}"}
        found = evaluate(joint.burden, sheet.worked[case.column] | {joint.at: value[1]})
        sheet.worked[case.column]["joint_burden"] = found
        cells.append((joint.burden.with_cells(names), found))
    sheet.add("burden", "", cells)
    return str(len(sheet.rows))


def _pulls(sheet: Sheet, joint: Joint, word: str, sign: int, at: str) -> dict[str, tuple[Formula, Value]]:
    """Each factor, moved by its share. Rows: how far it pulls, and the end that it is pulled to."""
    pulls: list[Cell] = [(None, "")]
    ends: list[Cell] = [(None, "")]
    for index, factor in enumerate(sheet.cases.factors):
        pull, end = _pull(sheet, joint, index, factor, sign, at)
        pulls += [pull, (None, "")]
        ends += [end, (None, "")]
    sheet.add(f"pull {word}", "", pulls)
    pull_line = len(sheet.rows)
    sheet.add(f"end {word}", "", ends)
    joined = math.hypot(*(number(value) for content, value in pulls if content is not None)) or 1.0
    whole = f"SQRT(SUMSQ(${letters(FIRST_CASE)}${pull_line}:${sheet.last}${pull_line}))"
    found: dict[str, tuple[Formula, Value]] = {}
    for index, factor in enumerate(sheet.cases.factors):
        column, start = letters(FIRST_CASE + 2 * index), number(sheet.worked[2][factor])
        share = number(pulls[1 + 2 * index][1]) / joined
        end_value = number(ends[1 + 2 * index][1])
        cells = (f"$C${sheet.lines[factor] + 1}", f"${column}${pull_line + 1}")
        part = f"IF({whole}>0,${column}${pull_line}/{whole},0)"
        found[factor] = (_part_way(*cells, part), _moved(start, end_value, share))
    return found


def _pull(sheet: Sheet, joint: Joint, index: int, factor: str, sign: int, at: str) -> tuple[Cell, Cell]:
    column = FIRST_CASE + 2 * index
    middle, low, high = (number(sheet.worked[one]["joint_burden"]) for one in (2, column, column + 1))
    line = sheet.lines[factor] + 1
    down, up = (f"{sign}*({letters(one)}{at}-$C{at})" for one in (column, column + 1))
    to = f"IF({down}>{up},{letters(column)}{line},{letters(column + 1)}{line})"
    ends = number(sheet.worked[column][factor]), number(sheet.worked[column + 1][factor])
    pulled = [sign * (one - middle) for one in (low, high)]
    if factor in joint.left_out:
        return (Formula("0"), 0.0), (Formula(to), ends[0] if pulled[0] > pulled[1] else ends[1])
    return (Formula(f"MAX(0,{down},{up})"), max(0.0, *pulled)), (
        Formula(to),
        ends[0] if pulled[0] > pulled[1] else ends[1],
    )


def _part_way(start: str, end: str, share: str) -> Formula:
    """On a logarithmic scale; on a plain one from or to 0."""
    plain = f"{start}+({end}-{start})*{share}"
    return Formula(f"IF(MIN({start},{end})<=0,{plain},{start}*({end}/{start})^{share})")


def _moved(start: float, end: float, share: float) -> float:
    return start + (end - start) * share if min(start, end) <= 0 else float(start * (end / start) ** share)


def _step(sheet: Sheet, name: str) -> Formula:
    content = next(row.expected for section in sheet.cases.steps for row in section.rows if row.name == name)
    assert isinstance(content, Formula)  # a case has no cells to type into
    return content


def _put(sheet: Sheet, line: int, column: int, content: Content | None, value: Value) -> None:
    """Into a row that is there, further to the right."""
    row = sheet.rows[line]
    cells = [*row.cells, *[(None, "")] * (column - len(row.cells)), (content, value)]
    sheet.rows[line] = CaseRow(tuple(cells), row.look)

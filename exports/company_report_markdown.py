"""A company's report as Markdown: the same sections and tables, pictures in words, notes as footnotes.

What a user wrote stays text: it cannot become a heading, a link, HTML or a formula.
"""

from __future__ import annotations

from exports.company_report import EXAMPLE, NOT_ADVICE
from exports.company_report_parts import Block, Bullets, Document, Grid, Numbers, Picture, Row, Section, Text
from exports.estimate_document import made
from exports.estimate_markdown import escaped


def report_markdown(document: Document) -> bytes:
    """In UTF-8."""
    parts = [f"# {escaped(document.title)}", escaped(document.about)]
    if document.example:
        parts.append(f"**{EXAMPLE}**")
    parts.append("\n".join(f"- {escaped(name)}: {escaped(words)}" for name, words in document.facts))
    parts.append(NOT_ADVICE)
    for section in document.sections:
        parts += _section(section)
    if not document.sections:
        parts.append("No section of this report has anything to show yet.")
    if document.left_out:
        parts.append("## Not in this report, for want of data")
        parts.append("\n".join(f"- {escaped(name)}: {escaped(why)}" for name, why in document.left_out))
    if document.notes:
        parts.append("## Notes: where figures are from")
        parts.append("\n".join(f"[^{number}]: {escaped(one)}" for number, one in enumerate(document.notes, start=1)))
    parts.append(f"{made(document.at)}. {EXAMPLE + ' ' if document.example else ''}{NOT_ADVICE}")
    text = "\n\n".join(part for part in parts if part) + "\n"
    return text.encode("utf-8", errors="replace")


def _section(section: Section) -> list[str]:
    return [f"## {escaped(section.title)}", *(_block(one) for one in section.blocks)]


def _block(block: Block) -> str:
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Bullets):
        return "\n".join(f"- {escaped(one)}" for one in block.lines)
    if isinstance(block, Picture):
        return f"*{escaped(block.title)}*: {escaped(block.told)}"
    assert isinstance(block, Text)
    words = f"**{escaped(block.words)}**" if block.strong else escaped(block.words)
    return f"{words}{_refers(block.notes)}"


def _grid(grid: Grid) -> str:
    aligned = ["---" if not column or column in grid.words else "---:" for column in range(len(grid.heads))]
    lines = [[escaped(one) for one in grid.heads], aligned, *(_row(one) for one in grid.rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{escaped(grid.title)}**\n\n{table}" if grid.title else table


def _row(row: Row) -> list[str]:
    cells = [escaped(one) for one in row.cells]
    if row.strong:
        cells = [f"**{one}**" if one else "" for one in cells]
    return [cells[0] + _refers(row.notes), *cells[1:]]


def _refers(notes: Numbers) -> str:
    return "".join(f"[^{one}]" for one in notes)

"""A company's report as one HTML file that needs nothing else: to read, to send, and to print on A4.

Every word of it is escaped, pictures are inline SVG, and a content policy forbids the browser to load or to run
anything all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from exports.company_report import EXAMPLE, NOT_ADVICE
from exports.company_report_parts import Block, Bullets, Document, Grid, Numbers, Picture, Row, Section, Text
from exports.estimate_document import made

_STYLE = Path(__file__).with_name("company.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_BRIEF = 11  # characters
_SHORT = 24  # rows of a table that stays on one sheet of paper


def report_html(document: Document) -> bytes:
    """In UTF-8."""
    parts = [_head(document), _contents(document), *(_section(one) for one in document.sections), _end(document)]
    style = _STYLE.read_text(encoding="utf-8")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light"><title>{escape(document.title)}</title>'
        f"<style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(one for one in parts if one)}\n</main>\n"
        f"<footer>{escape(made(document.at))}. {_marks(document)}</footer></body></html>\n"
    )
    return page.encode("utf-8", errors="replace")  # half a surrogate pair is no character


def _marks(document: Document) -> str:
    return f"{EXAMPLE} {NOT_ADVICE}" if document.example else NOT_ADVICE


def _head(document: Document) -> str:
    facts = (*document.facts, ("Made", f"{document.at:%Y-%m-%d}"))
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in facts)
    example = f'<p class="example">{EXAMPLE}</p>' if document.example else ""
    about = f"<p>{escape(document.about)}</p>" if document.about else ""
    return (
        f"<header><h1>{escape(document.title)}</h1>{about}{example}<dl>{items}</dl>"
        f'<p class="note">{NOT_ADVICE}</p></header>'
    )


def _contents(document: Document) -> str:
    items = "".join(f'<li><a href="#{one.key}">{escape(one.title)}</a></li>' for one in document.sections)
    missing = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in document.left_out)
    told = (
        f'<p class="note">Not in this report, for want of data:</p><ul class="note">{missing}</ul>' if missing else ""
    )
    listed = f"<ul>{items}</ul>" if items else "<p>No section of this report has anything to show yet.</p>"
    return f'<nav aria-label="Contents">{listed}</nav>{told}'


def _section(section: Section) -> str:
    """Pictures that follow each other stand side by side."""
    parts: list[str] = []
    row: list[str] = []
    for block in section.blocks:
        if isinstance(block, Picture):
            row.append(_picture(block))
            continue
        if row:
            parts.append(f'<div class="figures">{"".join(row)}</div>')
            row = []
        parts.append(_block(block))
    if row:
        parts.append(f'<div class="figures">{"".join(row)}</div>')
    return f'<section id="{section.key}"><h2>{escape(section.title)}</h2>{"".join(parts)}</section>'


def _block(block: Block) -> str:
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Bullets):
        return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in block.lines)}</ul>" if block.lines else ""
    assert isinstance(block, Text)
    kind = ' class="answer"' if block.strong else ""
    return f"<p{kind}>{escape(block.words)}{_refers(block.notes)}</p>"


def _grid(grid: Grid) -> str:
    head = "".join(
        f'<th scope="col"{_kind(grid, column)}>{escape(name)}</th>' for column, name in enumerate(grid.heads)
    )
    body = "".join(_row(grid, one) for one in grid.rows)
    caption = f"<caption>{escape(grid.title)}</caption>" if grid.title else ""
    kind = "wide short" if len(grid.rows) <= _SHORT else "wide"
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="{kind}">{table}</div>'


def _row(grid: Grid, row: Row) -> str:
    cells = "".join(
        f"<td{_kind(grid, column, cell)}>{escape(cell)}</td>" for column, cell in enumerate(row.cells[1:], start=1)
    )
    kind = ' class="sum"' if row.strong else ""
    return f'<tr{kind}><th scope="row">{escape(row.cells[0])}{_refers(row.notes)}</th>{cells}</tr>'


def _kind(grid: Grid, column: int, cell: str = "") -> str:
    """Dates and single words are not broken."""
    if column and column not in grid.words:
        return ' class="number"'
    return ' class="brief"' if 0 < len(cell) <= _BRIEF else ""


def _refers(notes: Numbers) -> str:
    links = ", ".join(f'<a href="#note-{one}" aria-label="Note {one}">{one}</a>' for one in notes)
    return f"<sup>{links}</sup>" if links else ""


def _picture(picture: Picture) -> str:
    kind = "a" if picture.areas else "k"
    items = "".join(
        f'<li><span class="swatch {kind}{style}"></span>{escape(words)}</li>' for style, words in picture.key
    )
    key = f'<ul class="key">{items}</ul>' if items else ""
    note = f'<p class="note">{escape(picture.note)}</p>' if picture.note else ""
    return f"<figure><figcaption>{escape(picture.title)}</figcaption>{picture.drawing}{key}{note}</figure>"


def _end(document: Document) -> str:
    if not document.notes:
        return ""
    items = "".join(f'<li id="note-{number}">{escape(one)}</li>' for number, one in _numbered(document.notes))
    heading = "<h2>Notes: where figures are from</h2>"
    return f'<section id="notes" class="page">{heading}<ol class="notes">{items}</ol></section>'


def _numbered(notes: Sequence[str]) -> enumerate[str]:
    return enumerate(notes, start=1)

"""What a company's report is made of, before it is HTML or Markdown: sections of texts, tables and pictures, and notes.

A note is numbered once, wherever it is referred to, so that every figure leads to the end of the report and from there
to the estimate, the measurements and the runs behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. notes: numbers of notes. strong: the answer."""

    words: str
    notes: Numbers = ()
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """cells: in words, the label first. notes: of the label. strong: a sum."""

    cells: tuple[str, ...]
    notes: Numbers = ()
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. words: columns that hold text and no numbers, beside the first."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    words: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """drawing: SVG. key: (style, words) of its lines, or of its areas. told: for readers who do not see it."""

    title: str
    drawing: str
    told: str
    key: tuple[tuple[int, str], ...] = ()
    areas: bool = False
    note: str = ""


Block = Text | Bullets | Grid | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """missing: why there is nothing to show, "" where there is."""

    key: str
    title: str
    blocks: tuple[Block, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """facts: (name, words) below the title. sections: those with content. left_out: (title, why) of the others.
    notes: in order; the first has number 1."""

    title: str
    about: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    example: bool
    at: datetime


@dataclass(slots=True)
class Notes:
    """Numbers notes as they are first referred to."""

    texts: list[str] = field(default_factory=list)

    def add(self, texts: Iterable[str]) -> Numbers:
        found = []
        for text in texts:
            words = " ".join(text.split())
            if not words:
                continue
            if words not in self.texts:
                self.texts.append(words)
            number = self.texts.index(words) + 1
            if number not in found:
                found.append(number)
        return tuple(found)


def grid(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str] | Row], words: Sequence[int] = ()
) -> tuple[Grid, ...]:
    """() where there are no rows."""
    made = tuple(one if isinstance(one, Row) else Row(tuple(one)) for one in rows)
    assert all(len(one.cells) == len(heads) for one in made), title
    return (Grid(title, tuple(heads), made, tuple(words)),) if made else ()

"""CSV and TSV as Python's own reader takes them, with the rows at fault named.

A spreadsheet cuts and pads rows in silence; here a row with too many cells, whose values may stand in the wrong
columns, is left out and told.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from core.errors import CorruptFile, InvalidInput
from core.training.data.decode import mend
from core.training.data.findings import about_rows
from core.training.data.prepared import Finding

DELIMITERS = ",;\t|"
LARGEST_CELL = 64 * 1024**2  # characters
_SNIFFED = 200
"""Rows at which the delimiter is guessed."""


def read_csv(path: Path, text: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Every cell as text, "" where it is empty. Raises InvalidInput without a header, CorruptFile."""
    rows = _rows(path, text.replace("\0", ""))
    header = _header(path, rows[0] if rows else [])
    kept, findings = _squared(rows[1:], len(header))
    columns = zip(*kept.values(), strict=True) if kept else ((),) * len(header)
    cells = {name: pd.Series(list(column), dtype=object) for name, column in zip(header, columns, strict=True)}
    return pd.DataFrame(cells).set_axis(list(kept), axis="index"), findings


def _squared(rows: list[list[str]], width: int) -> tuple[dict[int, list[str]], list[Finding]]:
    """Rows of the header's width by their place: short ones are filled up, those with more cells left out."""
    kept: dict[int, list[str]] = {}
    short, long = [], []
    for index, row in enumerate(rows):
        if any(cell.strip() for cell in row[width:]):
            long.append(index + 1)
            continue
        if len(row) < width:
            short.append(index + 1)
        kept[index] = (row + [""] * width)[:width]
    step = "Put cells that hold the delimiter into quotation marks."
    told = "{n} {have} more cells than the header and stay out"
    padded = "{n} {have} fewer cells than the header; the rest is empty"
    return kept, [
        *about_rows("ragged rows", "warning", told, long, next_step=step),
        *about_rows("ragged rows", "warning", padded, short),
    ]


def _rows(path: Path, text: str) -> list[list[str]]:
    """Rows with a cell in them; wholly blank lines are no rows."""
    old = csv.field_size_limit(LARGEST_CELL)
    try:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise CorruptFile(
            f"{path.name} cannot be read as CSV: {error}.", next_step="Save it again, with cells in quotation marks."
        ) from error
    finally:
        csv.field_size_limit(old)


def _delimiter(text: str) -> str:
    """The one that gives most rows the header's number of cells, which is above one."""
    sample = text[:262_144]
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        rows = []
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=candidate):
            rows.append(len(row))
            if len(rows) > _SNIFFED:
                break
        if not rows or rows[0] < 2:
            continue
        body = [count for count in rows[1:] if count] or rows
        score = (sum(count == rows[0] for count in body) / len(body), rows[0])
        if score > best_score:
            best, best_score = candidate, score
    return best


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [mend(cell).strip() or f"column {place}" for place, cell in enumerate(cells, 1)]
    if not names:
        raise InvalidInput(f"{path.name} has no header.", allowed="Names of the columns in the first line.")
    if all(_is_number(name) for name in names):
        raise InvalidInput(
            f"The first line of {path.name} holds numbers ({', '.join(names[:4])}), not names of columns.",
            next_step="Put a line with names above it.",
        )
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise InvalidInput(
            f"{path.name} has two columns named {twice[0]!r}.", allowed="Names that differ.", next_step="Rename one."
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Cells of a table that a spreadsheet will open. Text that it would take for a formula is made plain text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

Cell = str | int | float | bool | None

# https://owasp.org/www-community/attacks/CSV_Injection; the wide forms are read as formulas by East Asian editions.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


def neutralised(value: Cell) -> Cell:
    """The value, with an apostrophe before text that would run as a formula. Numbers stay numbers."""
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file in UTF-8 (with a byte order mark, without which Excel guesses another encoding), CRLF, RFC 4180.

    Every text cell is neutralised; None is an empty cell.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([neutralised(name) for name in header])
    writer.writerows([neutralised(cell) for cell in row] for row in rows)
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode("utf-8")


def rows_csv(rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """A CSV file of rows by column name; the columns are those of all rows, in the order in which they come."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    return csv_bytes(header, ([row.get(name) for name in header] for row in rows))

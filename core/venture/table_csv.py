"""One reading of CSV for all tables that the dashboard imports: columns found by name, every fault with its row.

How much is in a file is told before it is read, so that a million rows cost no memory. Nothing is taken over when one
row is at fault: half an import would be worse than none. Rows are counted below the header.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.errors import InvalidInput
from core.estimate.config import Strict, parse
from core.training.data.decode import decode, mend
from core.training.data.read_csv import read_csv

MOST_BYTES = 10 * 1024**2
KINDS = "CSV: text with a delimiter, in UTF-8 or Windows-1252."
_MOST_FAULTS = 12
_LONGEST = 200  # characters of a name of a file or a column that are repeated
_NEUTRALISED = re.compile(r"'(?=[=+\-@\t\r\n＝＋－＠])")  # as our own CSV files guard text from being a formula
_THOUSANDS_OR_NOT = re.compile(r"[-+−]?\D{0,3}[1-9]\d{0,2}\.\d{3}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a table may have. also: other names it goes by. money: cells are amounts."""

    name: str
    required: bool = False
    also: tuple[str, ...] = ()
    money: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """number: below the header, from 1. cells: those that are not empty, by the column's own name."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """header: column → what the file calls it. ignored: what no column goes by, with the column it is near to or ""."""

    file: str
    rows: tuple[Row, ...]
    header: dict[str, str]
    ignored: dict[str, str]


def read_table(file: str, raw: bytes, columns: Sequence[Column], *, most_rows: int) -> Table:
    """Raises InvalidInput for what is too long, no text, has no such columns, or rows with more cells than columns."""
    file = Path(file).name[-_LONGEST:] or "the file"
    _check_size(file, raw, most_rows)
    text = mend(decode(Path(file), raw, KINDS))
    frame, findings = read_csv(Path(file), text)
    header, ignored = _matched(file, [str(name) for name in frame.columns], columns)
    if told := [
        f"{one.told}: rows {', '.join(map(str, one.rows[:8]))}" for one in findings if "more cells" in one.told
    ]:
        raise InvalidInput(
            f"{file}: {'; '.join(told)}.",
            next_step="Put cells that hold the delimiter into quotation marks; no row was taken.",
        )
    kept = frame[list(header.values())]
    cells = (dict(zip(header, row, strict=True)) for row in kept.itertuples(index=False, name=None))
    rows = [
        Row(int(index) + 1, found)
        for index, row in zip(kept.index, cells, strict=True)
        if (found := {name: _own(cell) for name, cell in row.items() if cell.strip()})
    ]
    if len(rows) > most_rows:
        raise _too_many(file, len(rows), most_rows)
    if not rows:
        raise InvalidInput(f"{file} has a header and no rows below it.", next_step="Put one row a line below it.")
    return Table(file, tuple(rows), header, ignored)


Spec = TypeVar("Spec", bound=Strict)


def parsed(
    table: Table, kind: type[Spec], columns: Sequence[Column], constant: Mapping[str, Any] | None = None
) -> tuple[Spec, ...]:
    """A spec a row. constant: fields that no column has. Raises InvalidInput with the faults of all rows."""
    money = {one.name for one in columns if one.money}
    found, faults = [], []
    for row in table.rows:
        doubtful = [name for name in row.cells if name in money and _THOUSANDS_OR_NOT.fullmatch(row.cells[name])]
        faults += [f"row {row.number}: {name}: {_either(row.cells[name])}" for name in doubtful]
        try:
            found.append(parse(kind, {**row.cells, **(constant or {})}))
        except InvalidInput as error:
            faults.append(f"row {row.number}: {error.happened.rstrip('.')}")
    if faults:
        raise refused(table.file, faults)
    return tuple(found)


def refused(file: str, faults: Sequence[str]) -> InvalidInput:
    """What to raise for these faults of rows: the first dozen in full, and how many more there are."""
    more = f"; and {len(faults) - _MOST_FAULTS:,} more" if len(faults) > _MOST_FAULTS else ""
    many = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
    return InvalidInput(
        f"{file} has {many}: {'; '.join(faults[:_MOST_FAULTS])}{more}.",
        next_step="Correct these rows and choose the file again; nothing was taken, and what was there is kept.",
    )


def _own(cell: str) -> str:
    return _NEUTRALISED.sub("", cell.strip(), count=1) if cell.strip().startswith("'") else cell.strip()


def _either(cell: str) -> str:
    whole, broken = cell.replace(".", ""), float(re.sub(r"[^0-9.]", "", cell))
    return f"{cell!r} may be {whole} or {broken:g}; write it without the dot, or with two decimals"


def _check_size(file: str, raw: bytes, most_rows: int) -> None:
    lines = raw.count(b"\n") or raw.count(b"\r")
    if len(raw) > MOST_BYTES:
        raise InvalidInput(
            f"{file} has {len(raw) / 1024**2:,.0f} MB and about {lines:,} lines.",
            allowed=f"Up to {most_rows:,} rows and {MOST_BYTES // 1024**2} MB.",
            next_step="Keep the rows that matter and choose the file again; nothing was read.",
        )
    if lines > 20 * (most_rows + 1):  # cells may hold line breaks, so a few more lines than rows are no fault
        raise _too_many(file, lines, most_rows)
    if not raw.strip():
        raise InvalidInput(f"{file} is empty.", allowed="A header, and one row a line below it.")


def _too_many(file: str, rows: int, most_rows: int) -> InvalidInput:
    return InvalidInput(
        f"{file} has about {rows:,} rows." if rows > 20 * most_rows else f"{file} has {rows:,} rows.",
        allowed=f"Up to {most_rows:,}.",
        next_step="Keep the rows that matter and choose the file again; nothing was taken from it.",
    )


def _matched(file: str, names: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, str], dict[str, str]]:
    """column → the file's name of it; and the file's names that are none, with the column each is near to."""
    known = {_plain(name): one.name for one in columns for name in (one.name, *one.also)}
    header: dict[str, str] = {}
    twice = []
    for name in names:
        column = known.get(_plain(name))
        if column in header:
            twice.append(f"{header[column][:_LONGEST]!r} and {name[:_LONGEST]!r} are both {column}")
        elif column is not None:
            header[column] = name
    free = {words: column for words, column in known.items() if column not in header}
    others = [name for name in names if known.get(_plain(name)) is None and not re.fullmatch(r"column \d+", name)]
    ignored = {name: _near(name, free) for name in others}
    missing = [one.name for one in columns if one.required and one.name not in header]
    if missing or twice:
        raise _other_headers(file, columns, missing, twice, ignored)
    return header, ignored


def _other_headers(
    file: str, columns: Sequence[Column], missing: Sequence[str], twice: Sequence[str], ignored: Mapping[str, str]
) -> InvalidInput:
    near = [f"{name[:60]!r} is perhaps {column}" for name, column in ignored.items() if column]
    has = ", ".join(repr(name[:60]) for name in list(ignored)[:12])
    parts = [f"has no column {', '.join(missing)}" if missing else "", *twice]
    parts += [f"it has {has}" if missing and has else "", *near]
    required = ", ".join(one.name for one in columns if one.required)
    others = ", ".join(one.name for one in columns if not one.required)
    return InvalidInput(
        f"{file} {'; '.join(part for part in parts if part)}.",
        allowed=f"Needed: {required}." + (f" Possible: {others}." if others else ""),
        next_step="Rename the columns in the first line, or start from the example file.",
    )


def _near(name: str, free: Mapping[str, str]) -> str:
    found = difflib.get_close_matches(_plain(name), free, n=1, cutoff=0.7)
    return free[found[0]] if found else ""


def _plain(name: str) -> str:
    """Pre-Money Valuation (USD) → pre money valuation."""
    return " ".join(re.sub(r"[^\w]+|_", " ", re.sub(r"\(.*?\)|\[.*?\]", " ", name.casefold())).split())

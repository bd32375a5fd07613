"""`read_table`: a file becomes a frame with cells as they are in the file, and findings that name the rows at fault.

A row's number is its index + 1: of a CSV the first row below the header is row 1, of JSONL it is the line. Which rows
were left out shows as gaps in the index. Nothing in a file is ever run or unpickled.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import CorruptFile, InvalidInput
from core.training.data.decode import ODD, decode, mend
from core.training.data.findings import about_rows
from core.training.data.paragraphs import paragraphs
from core.training.data.prepared import Finding
from core.training.data.read_csv import read_csv

KINDS = ".csv, .tsv, .jsonl, .json, .txt or .parquet."
LARGEST_BYTES = 2 * 1024**3
LARGEST_ROWS = 20_000_000
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
"""Half a sign as JSON spells it, which may lack its other half."""


@dataclass(frozen=True, slots=True)
class Table:
    """frame: columns named as in the file. findings: what was odd in the reading."""

    frame: pd.DataFrame
    findings: tuple[Finding, ...] = ()


def read_table(path: Path) -> Table:
    """Read a table or a text. Raises InvalidInput for a file of another kind or without rows, CorruptFile."""
    _check_size(path)
    ending = path.suffix.lower()
    if ending == ".parquet" or _read(path, 4) == b"PAR1":
        return _checked(path, *_parquet(path))
    readers = {".csv": read_csv, ".tsv": read_csv, ".jsonl": _lines, ".ndjson": _lines, ".json": _json}
    readers |= {".txt": _text, ".md": _text}
    if ending not in readers:
        raise InvalidInput(f"{path.name} is no kind of file that is read here.", allowed=KINDS)
    text = decode(path, _read(path), KINDS)
    frame, findings = readers[ending](path, text)
    if ODD.search(text) or _ESCAPED.search(text):
        frame, odd = _mend(frame)
        findings = [*findings, *odd]
    return _checked(path, frame, findings)


def _check_size(path: Path) -> None:
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder.", allowed=f"A file: {KINDS}", next_step="Name a file in it.")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", next_step="Check the path.") from error
    if size == 0:
        raise InvalidInput(f"{path.name} is empty.", next_step="Choose a file with rows.")
    if size > LARGEST_BYTES:
        raise InvalidInput(
            f"{path.name} has {size / 1e9:.1f} GB.",
            allowed=f"{LARGEST_BYTES / 1e9:.1f} GB at most.",
            next_step="Take a part of it: a fine-tune on this machine would not see the end of it.",
        )


def _read(path: Path, size: int = -1) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", next_step="Check the path.") from error


def _checked(path: Path, frame: pd.DataFrame, findings: list[Finding]) -> Table:
    if not len(frame) or not len(frame.columns):
        faults = " ".join(finding.told for finding in findings)
        raise InvalidInput(f"{path.name} has no row that can be read. {faults}".strip(), next_step="Check the file.")
    if len(frame) > LARGEST_ROWS:
        raise InvalidInput(f"{path.name} has {len(frame):,} rows.", allowed=f"{LARGEST_ROWS:,} at most.")
    return Table(frame, tuple(findings))


def _text(path: Path, text: str) -> tuple[pd.DataFrame, list[Finding]]:
    return pd.DataFrame({"text": pd.Series(paragraphs(text), dtype=object)}), []


def _lines(path: Path, text: str) -> tuple[pd.DataFrame, list[Finding]]:
    """JSONL: an object a line. Blank lines count, so that a row's number is its line."""
    rows: dict[int, dict[str, Any]] = {}
    broken: list[int] = []
    # Not splitlines(): JSON strings may hold U+2028 and its like.
    for index, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            rows[index] = value
        else:
            broken.append(index + 1)
    if broken and not rows:
        raise CorruptFile(
            f"No line of {path.name} is a JSON object; line {broken[0]} is not.",
            allowed='A line a row, such as {"text": "…", "label": "…"}.',
        )
    findings = about_rows("broken lines", "warning", "{n} {lines} no JSON object and left out", broken)
    return _frame_of(rows), findings


def _json(path: Path, text: str) -> tuple[pd.DataFrame, list[Finding]]:
    """A list of objects; a file of JSON lines that is only called .json, too."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise CorruptFile(f"{path.name} is nested too deeply.", allowed="A list of objects.") from error
    except ValueError as error:
        if text.lstrip().startswith("{") and "\n" in text.strip():
            return _lines(path, text)
        raise CorruptFile(f"{path.name} is no JSON: {error}.", next_step="Save it again, or as CSV.") from error
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list)]
        value = lists[0] if len(lists) == 1 else [value]  # {"data": [...]} or one row
    if not isinstance(value, list):
        raise InvalidInput(f"{path.name} holds one {type(value).__name__}.", allowed="A list of objects, one a row.")
    rows = {index: row for index, row in enumerate(value) if isinstance(row, dict)}
    broken = [index + 1 for index, row in enumerate(value) if not isinstance(row, dict)]
    return _frame_of(rows), about_rows("broken lines", "warning", "{n} {entries} no object and left out", broken)


def _frame_of(rows: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Cells as JSON gave them (dtype object), None where a row lacks the key."""
    names = list(dict.fromkeys(key for row in rows.values() for key in row))
    columns = {mend(name): pd.Series([row.get(name) for row in rows.values()], dtype=object) for name in names}
    return pd.DataFrame(columns).set_axis(list(rows), axis="index")


def _parquet(path: Path) -> tuple[pd.DataFrame, list[Finding]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        facts = file.metadata
        size = sum(facts.row_group(index).total_byte_size for index in range(facts.num_row_groups))
        if facts.num_rows > LARGEST_ROWS or size > LARGEST_BYTES:
            raise InvalidInput(
                f"{path.name} unpacks to {facts.num_rows:,} rows of {size / 1e9:.1f} GB in all.",
                allowed=f"{LARGEST_ROWS:,} rows and {LARGEST_BYTES / 1e9:.1f} GB at most.",
            )
        table = file.read()
        names = list(dict.fromkeys(table.column_names))
        columns = {name: pd.Series(table.column(name).to_pylist(), dtype=object) for name in names}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorruptFile(
            f"{path.name} is no whole Parquet file: {' '.join(str(error).split())[:200]}.", next_step="Save it again."
        ) from error
    return pd.DataFrame(columns), []


def _is_odd(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_odd(part) for pair in value.items() for part in pair)
    return any(map(_is_odd, value)) if isinstance(value, list) else isinstance(value, str) and bool(ODD.search(value))


def _mend(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Odd bytes read as Windows-1252, with the rows in which they stood."""
    rows: set[int] = set()

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            return mend(value)
        if isinstance(value, list):
            return [cell(part) for part in value]
        return {mend(key): cell(part) for key, part in value.items()} if isinstance(value, dict) else value

    for name in frame.columns:
        odd = [_is_odd(value) for value in frame[name]]
        rows.update(int(index) + 1 for index in frame.index[odd])
        frame[name] = frame[name].map(cell)
    return frame, about_rows(
        "encoding",
        "warning",
        "{n} {rows} not UTF-8; their odd bytes were read as Windows-1252",
        sorted(rows),
        next_step="Look at these rows; save the file as UTF-8 if letters are wrong.",
    )

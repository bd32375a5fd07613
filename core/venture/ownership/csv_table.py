"""A cap table as one CSV file, a line a holder, class, SAFE, note or round, and back again with nothing lost.

The first column, `record`, says what a line is; a file without it is a plain list of holders. Text that a spreadsheet
would run as a formula gets an apostrophe, which is taken off again when the file is read.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from typing import Any

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership.spec import MOST_ROWS, OwnershipSpec

_COMMON = ("record", "name", "kind", "class", "shares")
COLUMNS = (
    *_COMMON,
    "amount_usd",
    "pre_money_usd",
    "price_usd",
    "post_money_cap_usd",
    "pre_money_cap_usd",
    "discount",
    "mfn",
    "form",
    "interest",
    "compound",
    "months",
    "date",
    "qualified_financing_usd",
    "pool_increase_shares",
    "post_money_pool",
    "conversion_method",
    "price_decimals",
    "multiple",
    "participating",
    "participation_cap",
    "seniority",
)
_PREFERENCE = ("multiple", "participating", "participation_cap", "seniority")
# Of each kind of line: its list in the spec, and which column fills which field.
_LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "holder": ("holders", {"name": "name", "kind": "kind", "class": "share_class", "shares": "shares"}),
    "class": (
        "classes",
        {"name": "name", "amount_usd": "invested_usd", "price_usd": "price_usd"} | {one: one for one in _PREFERENCE},
    ),
    "safe": (
        "safes",
        {"name": "name", "amount_usd": "purchase_usd", "date": "date", "mfn": "mfn", "form": "form"}
        | {one: one for one in ("post_money_cap_usd", "pre_money_cap_usd", "discount")},
    ),
    "note": (
        "notes",
        {"name": "name", "amount_usd": "principal_usd", "pre_money_cap_usd": "cap_usd", "date": "issued"}
        | {one: one for one in ("interest", "compound", "months", "discount", "qualified_financing_usd")},
    ),
    "round": (
        "rounds",
        {"name": "name", "amount_usd": "money_usd", "pre_money_usd": "pre_money_usd", "date": "date"}
        | {one: one for one in ("pool_increase_shares", "post_money_pool", "conversion_method", "price_decimals")}
        | {one: one for one in _PREFERENCE},
    ),
}
_SINGLES = {
    "options_outstanding": "shares",
    "options_promised": "shares",
    "unissued_pool": "shares",
    "options_strike_usd": "amount_usd",
    "debt_usd": "amount_usd",
    "transaction_costs_usd": "amount_usd",
}
_EXIT = "exit"
RECORDS = (*_LISTS, *_SINGLES, _EXIT)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TRUTH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_MOST_FAULTS = 10
_MOST_BYTES = 40_000_000
_NEXT = "See docs/captable.md for the columns; nothing of the table you have was changed."


def write_csv(spec: OwnershipSpec) -> bytes:
    """UTF-8 with a byte order mark, CRLF. A cell is empty where the value is the usual one."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    given = spec.model_dump(mode="json", exclude_defaults=True)
    for record, (field, columns) in _LISTS.items():
        for one in given.get(field, ()):
            cells = {column: _cell(one.get(name)) for column, name in columns.items()}
            writer.writerow({"record": record} | cells)
    for record, column in _SINGLES.items():
        if record in given:
            writer.writerow({"record": record, column: _cell(given[record])})
    for value in given.get("exit_values", ()):
        writer.writerow({"record": _EXIT, "amount_usd": _cell(value)})
    return ("\ufeff" + buffer.getvalue()).encode("utf-8")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return "'" + text if text.startswith((*_FORMULAS, "'")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv(data: bytes, *, keep: OwnershipSpec | None = None) -> OwnershipSpec:
    """The cap table of a file. keep: what stands for the kinds of line the file has none of. Raises InvalidInput with
    every fault and its row; more than 100,000 rows are refused before the rest is read."""
    rows = _rows(_text(data))
    header = next(rows)[1]
    _check_header(header)
    found, faults = _gathered(rows, header)
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise InvalidInput(f"{'; '.join(faults[:_MOST_FAULTS])}{more}.", next_step=_NEXT)
    if not found:
        raise InvalidInput("The file has a header and no rows.", allowed="A row a holder.", next_step=_NEXT)
    kept = keep.model_dump(mode="json", exclude_defaults=True) if keep else {}
    if "holders" in found and "classes" not in found:
        kept.pop("holders", None)
    return parse(OwnershipSpec, kept | found)


def _text(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise InvalidInput(
            f"The file has {len(data) / 1e6:,.0f} MB.",
            allowed=f"Up to {MOST_ROWS:,} rows and {_MOST_BYTES / 1e6:.0f} MB.",
            next_step=_NEXT,
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is no UTF-8 text: byte {error.start:,} is {data[error.start]:#04x}.",
            allowed="CSV in UTF-8.",
            next_step="Save it as 'CSV UTF-8' in the spreadsheet, and take that file.",
        ) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(row number as a spreadsheet counts, cells); empty rows are passed over."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count) if first.strip() else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    count = 0
    try:
        for place, cells in enumerate(reader, 1):
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS + 1:
                raise InvalidInput(
                    f"The file has more than {MOST_ROWS:,} rows; reading stopped at row {place:,}.",
                    allowed=f"Up to {MOST_ROWS:,} rows.",
                    next_step="Put small holders together in one row a class, or take the register of the share "
                    "plan out. Nothing of the table you have was changed.",
                )
            yield place, cells
    except csv.Error as error:
        raise InvalidInput(f"The file is no CSV: {error}.", next_step=_NEXT) from error
    if not count:
        raise InvalidInput("The file is empty.", allowed=f"A header: {', '.join(_COMMON)}.", next_step=_NEXT)


def _check_header(header: Sequence[str]) -> None:
    names = [name.strip().lower() for name in header]
    unknown = [name for name in names if name and name not in COLUMNS]
    missing = [name for name in ("name", "shares") if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    told = []
    for name in unknown[:_MOST_FAULTS]:
        near = difflib.get_close_matches(name, COLUMNS, n=1)
        told.append(f"column {name[:40]!r} is not known" + (f", perhaps {near[0]}" if near else ""))
    told += [f"column {name!r} is missing" for name in missing]
    told += [f"column {name!r} is there twice" for name in twice]
    if told:
        raise InvalidInput(
            f"{'; '.join(told)}.",
            allowed=f"Columns: {', '.join(COLUMNS)}; name and shares are needed.",
            next_step="Rename the columns in the first row and take the file again. Nothing of the table you have was "
            "changed.",
        )


def _gathered(rows: Iterator[tuple[int, list[str]]], header: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    names = [name.strip().lower() for name in header]
    found: dict[str, Any] = {}
    faults: list[str] = []
    for place, cells in rows:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            faults.append(f"row {place}: {len(cells)} cells under {len(names)} columns")
            continue
        row = {name: _clean(cell) for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
        record = row.pop("record", "holder").lower()
        if record not in RECORDS:
            near = difflib.get_close_matches(record, RECORDS, n=1)
            hint = f", perhaps {near[0]}" if near else ""
            faults.append(f"row {place}: record {record[:40]!r} is none of {', '.join(RECORDS)}{hint}")
            continue
        faults += _put(found, record, row, place)
    return found, faults


def _clean(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:2] in {*_FORMULAS, "'"} else text


def _put(found: dict[str, Any], record: str, row: dict[str, str], place: int) -> list[str]:
    if record in _LISTS:
        field, columns = _LISTS[record]
        faults = [f"row {place}: a {record} has no {name}" for name in row if name not in columns]
        values = {columns[name]: _value(name, text) for name, text in row.items() if name in columns}
        if "name" not in values:
            faults.append(f"row {place}: a {record} needs a name")
        if record == "holder" and not faults:
            faults += _holder_faults(values, place)
        found.setdefault(field, []).append(values)
        return faults
    column = _SINGLES.get(record, "amount_usd")
    if column not in row:
        return [f"row {place}: {record} needs {column}"]
    if record == _EXIT:
        found.setdefault("exit_values", []).append(row[column])
    elif record in found:
        return [f"row {place}: {record} is there twice"]
    else:
        found[record] = row[column]
    return []


def _holder_faults(values: dict[str, Any], place: int) -> list[str]:
    """With the row, which pydantic would not know."""
    shares = values.get("shares")
    if shares is None:
        return [f"row {place}: {values['name'][:40]} has no shares"]
    digits = shares.replace(",", "").replace("_", "").removesuffix(".0")
    if not digits.isascii() or not digits.isdigit():
        return [f"row {place}: shares {shares[:40]!r} is no whole number from 0"]
    return []


def _value(name: str, text: str) -> Any:
    if name in ("mfn", "participating", "compound"):
        return _TRUTH.get(text.lower(), text)
    return text.lower() if name in ("kind", "form", "conversion_method") else text

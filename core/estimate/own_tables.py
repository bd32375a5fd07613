"""The hardware and rental prices that estimates reckon with: the published rows, under the reader's own.

Own rows are kept in `<home>/estimate/hardware.json` and `prices.json`. One with the id of a published accelerator, or
the GPU, tier and term of a published price, stands in its place until it is dropped. A damaged file is told, never
overwritten and never read in part; `set_aside` keeps it under another name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from filelock import FileLock
from pydantic import ValidationError

from core.artefacts import guarding_storage, write_json
from core.errors import CorruptFile, InvalidInput
from core.estimate import hardware as accelerators
from core.estimate import prices as rentals
from core.estimate.hardware import Accelerator
from core.estimate.own_rows import OwnAccelerator, OwnPrice, fault_words
from core.estimate.prices import PriceRow
from core.settings import get_settings

Table = Literal["hardware", "prices"]
PriceKey = tuple[str, str, str]
"""GPU, tier, term."""

Row = TypeVar("Row", OwnAccelerator, OwnPrice)
Key = TypeVar("Key", str, PriceKey)


def hardware() -> tuple[Accelerator, ...]:
    """The table in use: published rows, own ones in their place, then those that are only the reader's. Raises
    CorruptFile."""
    return _all_hardware(own_hardware())


def prices() -> tuple[PriceRow, ...]:
    """The table in use, as `hardware`."""
    return _all_prices(own_prices())


def own_hardware() -> tuple[OwnAccelerator, ...]:
    """The reader's rows alone. Raises CorruptFile."""
    return _read("hardware", OwnAccelerator)


def own_prices() -> tuple[OwnPrice, ...]:
    """The reader's rows alone. Raises CorruptFile."""
    return _read("prices", OwnPrice)


def price_key(row: PriceRow | OwnPrice) -> PriceKey:
    """What tells one price from another."""
    return row.gpu, row.tier, row.term


def change_hardware(*, put: Sequence[Mapping[str, Any]] = (), drop: Sequence[str] = ()) -> None:
    """Add or replace rows (fields of `OwnAccelerator`), and drop others by id. All or nothing. Raises InvalidInput with
    every fault of every row, CorruptFile, StorageError."""
    rows = _checked(put, OwnAccelerator, lambda given: str(given.get("id") or "without an id"))
    with _changing("hardware", OwnAccelerator) as own:
        kept = _merged(own, rows, drop, lambda row: row.id)
        if faults := _ambiguous(kept):
            raise _refused("hardware", faults)
        shipped = {one.id: one for one in accelerators.published()}
        own[:] = [row for row in kept if row.accelerator() != shipped.get(row.id)]


def change_prices(*, put: Sequence[Mapping[str, Any]] = (), drop: Sequence[PriceKey] = ()) -> None:
    """As `change_hardware`; the GPU of a price has to be in the hardware table."""
    rows = _checked(put, OwnPrice, lambda given: f"{given.get('gpu') or 'no GPU'}, {given.get('tier') or 'no tier'}")
    known = {one.id for one in hardware()}
    if strange := [f"'{row.gpu}' is not in the hardware table" for row in rows if row.gpu not in known]:
        raise _refused("prices", strange)
    with _changing("prices", OwnPrice) as own:
        kept = _merged(own, rows, drop, price_key)
        shipped = set(rentals.published())
        own[:] = [row for row in kept if row.price() not in shipped]


def file_of(table: Table) -> Path:
    """Where the reader's rows are kept."""
    return get_settings().home / "estimate" / f"{table}.json"


def set_aside(table: Table) -> Path:
    """Give a damaged file another name, which is returned, so that the published rows can be used. Raises InvalidInput
    where there is none, StorageError."""
    file = file_of(table)
    kept = file.with_name(f"{table}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.json")
    if not file.exists():
        raise InvalidInput(f"There is no {file}: the published rows are used.")
    with guarding_storage(file), FileLock(str(file) + ".lock"):
        file.rename(kept)
    return kept


@lru_cache(maxsize=8)
def _all_hardware(own: tuple[OwnAccelerator, ...]) -> tuple[Accelerator, ...]:
    mine = {row.id: row.accelerator() for row in own}
    if not mine:
        return accelerators.published()
    shipped = tuple(mine.pop(one.id, one) for one in accelerators.published())
    return (*shipped, *mine.values())


@lru_cache(maxsize=8)
def _all_prices(own: tuple[OwnPrice, ...]) -> tuple[PriceRow, ...]:
    mine = {price_key(row): row.price() for row in own}
    if not mine:
        return rentals.published()
    shipped = tuple(mine.pop(price_key(row), row) for row in rentals.published())
    return (*shipped, *mine.values())


def _read(table: Table, kind: type[Row]) -> tuple[Row, ...]:
    file = file_of(table)
    try:
        stat = file.stat()
    except FileNotFoundError:
        return ()
    return _parsed(file, kind, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@lru_cache(maxsize=8)
def _parsed(file: Path, kind: type[Row], stamp: tuple[int, int, int]) -> tuple[Row, ...]:
    """stamp: a file that was written since is read again."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or set(found) != {"rows"} or not isinstance(found["rows"], list):
            raise ValueError("it has no list of rows")
        return tuple(kind.model_validate(row) for row in found["rows"])
    except (OSError, ValueError) as error:  # pydantic's is a ValueError
        raise CorruptFile(
            f"{file} does not hold your own rows as it should.",
            next_step="Correct it, or put it aside under Prices and hardware: the published rows are used then.",
        ) from error


@contextmanager
def _changing(table: Table, kind: type[Row]) -> Iterator[list[Row]]:
    """The own rows, to be changed in place; written when nothing was raised."""
    file = file_of(table)
    with guarding_storage(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(file) + ".lock"):
            rows = list(_read(table, kind))
            yield rows
            write_json(file, {"rows": [row.model_dump() for row in rows]})


def _checked(put: Sequence[Mapping[str, Any]], kind: type[Row], name: Callable[[Mapping[str, Any]], str]) -> list[Row]:
    rows, faults = [], []
    for given in put:
        try:
            rows.append(kind.model_validate(dict(given)))
        except ValidationError as error:
            faults += [f"{name(given)}: {fault_words(kind, one)}" for one in error.errors()]
    if faults:
        raise _refused("hardware" if kind is OwnAccelerator else "prices", faults)
    return rows


def _merged(own: Sequence[Row], put: Sequence[Row], drop: Sequence[Key], key: Callable[[Row], Key]) -> list[Row]:
    """Dropped first: a row that was renamed is dropped and put. Raises InvalidInput for two of one key."""
    keys = [key(row) for row in put]
    if twice := sorted({one for one in keys if keys.count(one) > 1}):
        said = [one if isinstance(one, str) else ", ".join(one) for one in twice]
        raise _refused("hardware" if isinstance(twice[0], str) else "prices", [f"{one} is there twice" for one in said])
    rows = {key(row): row for row in own if key(row) not in drop}
    return list((rows | {key(row): row for row in put}).values())


def _ambiguous(own: Sequence[OwnAccelerator]) -> list[str]:
    """Rows whose id or name another accelerator has, but for spaces and dashes."""
    mine = {row.id for row in own}
    table = [(one.id, one.name) for one in accelerators.published() if one.id not in mine]
    table += [(row.id, row.name) for row in own]
    owners: dict[str, set[str]] = {}
    for id, name in table:
        for said in (id, name):
            owners.setdefault(accelerators.plain(said), set()).add(id)
    return [f"{' and '.join(sorted(ids))} have the same id or name" for ids in owners.values() if len(ids) > 1]


def _refused(table: Table, faults: Sequence[str]) -> InvalidInput:
    return InvalidInput(
        f"The {'hardware' if table == 'hardware' else 'price'} table was not saved: {'; '.join(faults)}.",
        next_step="Correct these rows and save again: what you typed is still there.",
    )

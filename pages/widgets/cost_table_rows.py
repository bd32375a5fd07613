"""Rows of the hardware and price tables between the file and the page: in a reader's units, and back again.

A cell that was not touched keeps its value to the last bit: only what differs from what was shown is converted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.estimate import hardware, own_tables, prices
from core.estimate.own_rows import OwnAccelerator, OwnPrice
from core.estimate.own_tables import price_key

MARK = "Mark"
Cells = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """field: of the row in the file. scale: what the page shows is the value over it; 0 for text. A 0 of a number is
    shown as an empty cell: it is not known."""

    name: str
    field: str
    scale: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row of a table. values: as in the file. own: the reader's. published: one is shipped under its key."""

    values: dict[str, Any]
    mark: str
    own: bool
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """put: rows as the file has them. drop: keys of own rows that are gone. staying: published rows that were deleted,
    which they cannot be."""

    put: tuple[dict[str, Any], ...]
    drop: tuple[Key, ...]
    staying: tuple[Key, ...]

    def __bool__(self) -> bool:
        return bool(self.put or self.drop or self.staying)


HARDWARE = (
    Column("Id", "id"),
    Column("Name", "name"),
    Column("Kind", "kind"),
    Column("Memory, GB", "memory_bytes", 1e9),
    Column("Bandwidth, GB/s", "memory_bandwidth_bytes_per_s", 1e9),
    Column("16-bit, TFLOP/s", "fp16_flops_per_s", 1e12),
    Column("fp8, TFLOP/s", "fp8_flops_per_s", 1e12),
    Column("fp32, TFLOP/s", "fp32_flops_per_s", 1e12),
    Column("Power, W", "tdp_watts", 1.0),
    Column("In a node", "node_gpus", 1.0),
    Column("In the node, GB/s", "intra_node_bytes_per_s", 1e9),
    Column("Network, GB/s", "network_bytes_per_s", 1e9),
    Column("Source", "source"),
    Column("As of", "as_of"),
)
PRICES = (
    Column("GPU", "gpu"),
    Column("Who rents it out", "tier"),
    Column("Term", "term"),
    Column("Low, USD/h", "usd_per_gpu_hour_low", 1.0),
    Column("High, USD/h", "usd_per_gpu_hour_high", 1.0),
    Column("As of", "as_of"),
    Column("Source", "source"),
)
FILLED_IN = ("kind", "term", "source", "as_of")
"""What the page writes into a row that is added."""
KEYS: Mapping[str, tuple[str, ...]] = {"hardware": ("id",), "prices": ("gpu", "tier", "term")}


def hardware_rows(today: date) -> list[Shown]:
    """The table in use. Raises CorruptFile."""
    own = {row.id: row for row in own_tables.own_hardware()}
    shipped = {one.id for one in hardware.published()}
    rows = [own.get(one.id) or OwnAccelerator.of(one) for one in own_tables.hardware()]
    return [
        Shown(
            values=row.model_dump(),
            mark=_mark(row.as_of, today, own=row.id in own, published=row.id in shipped),
            own=row.id in own,
            published=row.id in shipped,
        )
        for row in rows
    ]


def price_rows(today: date) -> list[Shown]:
    """The table in use. Raises CorruptFile."""
    own = {price_key(row) for row in own_tables.own_prices()}
    shipped = {price_key(row) for row in prices.published()}
    return [
        Shown(
            values={name: getattr(row, name) for name in OwnPrice.model_fields},
            mark=_mark(row.as_of, today, own=price_key(row) in own, published=price_key(row) in shipped),
            own=price_key(row) in own,
            published=price_key(row) in shipped,
        )
        for row in own_tables.prices()
    ]


def own_source(today: date) -> str:
    """Of a row that the reader adds, until a better one is given."""
    return f"own entry, {today.isoformat()}"


def cells(row: Shown, columns: Sequence[Column]) -> Cells:
    """As the page shows it."""
    return {MARK: row.mark} | {column.name: _shown(row.values[column.field], column) for column in columns}


def key_of(values: Mapping[str, Any], table: str) -> Key:
    return tuple(str(values.get(field) or "").strip() for field in KEYS[table])


def changes(table: str, base: Sequence[Shown], edited: Sequence[Mapping[str, Any]]) -> Changes:
    """What the reader did to the table. A row that was added under a published row's key takes its place."""
    columns = HARDWARE if table == "hardware" else PRICES
    before = {key_of(row.values, table): row for row in base}
    put, seen = [], set[Key]()
    for cells_now in edited:
        now = {column.field: _cleaned(cells_now.get(column.name)) for column in columns}
        if all(value is None or field in FILLED_IN for field, value in now.items()):
            continue  # a row that was added and left empty
        key = key_of(now, table)
        seen.add(key)
        known = before.get(key)
        values = _file_values(now, columns, known)
        if known is None or values != known.values:
            put.append(values)
    return Changes(
        put=tuple(put),
        drop=tuple(key for key, row in before.items() if row.own and key not in seen),
        staying=tuple(key for key, row in before.items() if not row.own and key not in seen),
    )


def _file_values(now: Cells, columns: Sequence[Column], known: Shown | None) -> dict[str, Any]:
    """Empty cells of a new row are left out: the file's model has a default, or tells that they are missing."""
    values: dict[str, Any] = {}
    for column in columns:
        cell = now[column.field]
        if known is not None and cell == _shown(known.values[column.field], column):
            values[column.field] = known.values[column.field]
        elif cell is None:
            values |= {} if known is None else {column.field: 0 if column.scale else ""}
        else:
            values[column.field] = _value(cell, column)
    return values


def _value(cell: Any, column: Column) -> Any:
    if not column.scale or not isinstance(cell, (int, float)):
        return cell
    value = cell * column.scale
    return int(value) if column.field == "node_gpus" and float(value).is_integer() else float(value)


def _shown(value: Any, column: Column) -> Any:
    if not column.scale:
        return value or None
    return float(f"{value / column.scale:.6g}") if value else None


def _cleaned(cell: Any) -> Any:
    """None for an empty cell; text without spaces around it; a plain number."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, str):
        return cell.strip() or None
    return float(cell)


def _mark(as_of: str, today: date, *, own: bool, published: bool) -> str:
    said: list[str] = []
    if own:
        said.append("changed" if published else "yours")
    if as_of and (months := prices.age_months(as_of, today)) > prices.OLD_MONTHS:
        said.append(f"{months} months old")
    return " · ".join(said)

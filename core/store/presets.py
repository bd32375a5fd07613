"""Presets: sampling parameters that somebody liked, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.store.database import Database
from core.store.records import checked_name, fetch, to_record
from core.store.schema import PresetRow

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class PresetRecord:
    """parameters: as `SamplingParameters.to_json` gives them."""

    id: str
    name: str
    parameters: dict[str, Any]
    created_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
PresetRecords = list[PresetRecord]


class PresetRepository:
    """Reads and writes presets. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> PresetRecords:
        """All of them by name, whatever its case."""
        with self._db.reading() as tx:
            records = [to_record(PresetRecord, row) for row in tx.scalars(select(PresetRow))]
        return sorted(records, key=lambda record: (record.name.casefold(), record.name))

    def get(self, preset_id: str) -> PresetRecord:
        with self._db.reading() as tx:
            return to_record(PresetRecord, fetch(tx, PresetRow, preset_id, "preset"))

    def save(self, name: str, parameters: dict[str, Any]) -> PresetRecord:
        """Keep the parameters under this name, in place of what it held. Raises InvalidInput unless the name, trimmed,
        has 1 to 80 characters."""
        name = checked_name(name, "name", LONGEST_NAME)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "preset names")
            row = tx.scalar(select(PresetRow).where(PresetRow.name == name))
            if row is None:
                row = PresetRow(name=name, parameters=parameters)
                tx.add(row)
            else:
                row.parameters = parameters
            tx.flush()
            return to_record(PresetRecord, row)

    def delete(self, preset_id: str) -> None:
        with self._db.transaction() as tx:
            tx.delete(fetch(tx, PresetRow, preset_id, "preset"))

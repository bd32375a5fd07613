"""Templates: prompts that are used again, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.store.columns import storable_text
from core.store.database import Database
from core.store.records import checked_name, fetch, to_record
from core.store.schema import TemplateRow

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """A system prompt and the text that goes into the prompt field; either may be empty."""

    id: str
    name: str
    system_prompt: str
    prompt: str
    created_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
TemplateRecords = list[TemplateRecord]


class TemplateRepository:
    """Reads and writes templates. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> TemplateRecords:
        """All of them by name, whatever its case."""
        with self._db.reading() as tx:
            records = [to_record(TemplateRecord, row) for row in tx.scalars(select(TemplateRow))]
        return sorted(records, key=lambda record: (record.name.casefold(), record.name))

    def get(self, template_id: str) -> TemplateRecord:
        with self._db.reading() as tx:
            return to_record(TemplateRecord, fetch(tx, TemplateRow, template_id, "template"))

    def save(self, name: str, *, system_prompt: str = "", prompt: str = "") -> TemplateRecord:
        """Keep the texts under this name, in place of what it held. Raises InvalidInput unless the name, trimmed, has
        1 to 80 characters."""
        name = checked_name(name, "name", LONGEST_NAME)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "template names")
            row = tx.scalar(select(TemplateRow).where(TemplateRow.name == name))
            if row is None:
                row = TemplateRow(name=name)
                tx.add(row)
            row.system_prompt, row.prompt = storable_text(system_prompt), storable_text(prompt)
            tx.flush()
            return to_record(TemplateRecord, row)

    def delete(self, template_id: str) -> None:
        with self._db.transaction() as tx:
            tx.delete(fetch(tx, TemplateRow, template_id, "template"))

"""Readings: typed texts that were put before a model to look inside, so that a link can name one without telling it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.store.columns import storable_text
from core.store.database import Database
from core.store.records import fetch, to_record
from core.store.schema import ReadingRow


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """A text and the model that read it. token_ids: what it read."""

    id: str
    model_id: str
    revision: str
    text: str
    token_ids: list[int]
    created_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
ReadingRecords = list[ReadingRecord]


class ReadingRepository:
    """Reads and writes readings. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, *, model_id: str, revision: str, text: str, token_ids: Sequence[int]) -> ReadingRecord:
        """The record of this text before this model; the one that is there, if it was read before."""
        ids = list(token_ids)
        digest = hashlib.sha256(json.dumps([model_id, revision, ids]).encode()).hexdigest()
        with self._db.transaction() as tx:
            self._db.serialise(tx, "readings")
            row = tx.scalar(select(ReadingRow).where(ReadingRow.digest == digest))
            if row is None:
                row = ReadingRow(
                    digest=digest, model_id=model_id, revision=revision, text=storable_text(text), token_ids=ids
                )
                tx.add(row)
                tx.flush()
            return to_record(ReadingRecord, row)

    def get(self, reading_id: str) -> ReadingRecord:
        with self._db.reading() as tx:
            return to_record(ReadingRecord, fetch(tx, ReadingRow, reading_id, "reading"))

    def list(self, limit: int = 20) -> ReadingRecords:
        """The newest first."""
        query = select(ReadingRow).order_by(ReadingRow.created_at.desc(), ReadingRow.id).limit(max(limit, 0))
        with self._db.reading() as tx:
            return [to_record(ReadingRecord, row) for row in tx.scalars(query)]

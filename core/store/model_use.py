"""Which models the record knows to be in use: by runs, measurements, readings; counted by the database itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.store.database import Database
from core.store.schema import MeasurementRow, ReadingRow, RunRow


@dataclass(frozen=True, slots=True)
class ModelUse:
    """times: runs, measurements and readings together. last: the latest of them."""

    model_id: str
    times: int
    last: datetime


def models_in_use(db: Database) -> tuple[ModelUse, ...]:
    """The one used last first. A failing database raises StorageError."""
    found: dict[str, ModelUse] = {}
    with db.reading() as tx:
        for table in (RunRow, MeasurementRow, ReadingRow):
            query = select(table.model_id, func.count(), func.max(table.created_at)).group_by(table.model_id)
            for model_id, times, last in tx.execute(query):
                before = found.get(model_id, ModelUse(model_id, 0, last))
                found[model_id] = ModelUse(model_id, before.times + times, max(before.last, last))
    return tuple(sorted(found.values(), key=lambda one: (one.last, one.model_id), reverse=True))

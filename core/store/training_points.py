"""Training points: what a training said of itself, step by step; the curves that pages draw.

kind train: loss, learning_rate, grad_norm, epoch, units_per_s. eval: loss and the recipe's measures. sample: texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select

from core.store.database import Database
from core.store.schema import TrainingPointRow

PointKind = Literal["train", "eval", "sample"]


@dataclass(frozen=True, slots=True)
class TrainingPoint:
    """One moment of a training. ordinal: order of writing within the job, from 1. values: figures by name, or texts."""

    job_id: str
    ordinal: int
    step: int
    kind: PointKind
    values: dict[str, Any]
    created_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
TrainingPoints = list[TrainingPoint]


class TrainingPointRepository:
    """Reads and writes points. A failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, job_id: str, points: Iterable[tuple[int, PointKind, dict[str, Any]]]) -> None:
        """Write (step, kind, values) in this order. One process writes for a job at a time."""
        with self._db.transaction() as tx:
            query = select(func.max(TrainingPointRow.ordinal)).where(TrainingPointRow.job_id == job_id)
            last = tx.scalar(query) or 0
            for ordinal, (step, kind, values) in enumerate(points, last + 1):
                tx.add(TrainingPointRow(job_id=job_id, ordinal=ordinal, step=step, kind=kind, payload=values))

    def list(self, job_id: str, kind: PointKind | None = None, after: int = 0) -> TrainingPoints:
        """Points in the order of writing. after: an ordinal; only later ones."""
        query = select(TrainingPointRow).where(TrainingPointRow.job_id == job_id, TrainingPointRow.ordinal > after)
        if kind is not None:
            query = query.where(TrainingPointRow.kind == kind)
        with self._db.reading() as tx:
            return [_record(row) for row in tx.scalars(query.order_by(TrainingPointRow.ordinal))]

    def curves(self, job_ids: Sequence[str]) -> dict[str, TrainingPoints]:
        """The figures of several jobs, without their texts."""
        return {job_id: [point for point in self.list(job_id) if point.kind != "sample"] for job_id in job_ids}

    def forget_after(self, job_id: str, step: int) -> None:
        """Drop what was said after a step: the training goes on from there."""
        with self._db.transaction() as tx:
            tx.execute(delete(TrainingPointRow).where(TrainingPointRow.job_id == job_id, TrainingPointRow.step > step))


def _record(row: TrainingPointRow) -> TrainingPoint:
    kind: Any = row.kind
    return TrainingPoint(row.job_id, row.ordinal, row.step, kind, row.payload, row.created_at)

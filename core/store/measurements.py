"""Measurements: what a model did on a machine, what the machine could do, and all that repeats it.

A row is one cell of a grid: one precision, prompt length and batch. Its id is what a cost or a margin leads back to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.store.columns import utc_now
from core.store.database import Database
from core.store.records import fetch, to_record
from core.store.schema import MeasurementRow, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeasurement:
    """One measured cell. Rates are medians over the rounds, in tokens/s of all rows of the batch together.

    batch_id: the run of the grid; its rows share the machine's limits. job_id: the job that ran it, if one did.
    device_name: of the processor or the GPU. prompt_tokens, new_tokens: of each row of the batch; new_tokens is 0 for
    an encoder, whose decode figures are None. repeats: counted rounds.
    prefill_tokens_per_s: prompt tokens over the time to read them. decode_tokens_per_s: tokens after the first over
    the time they took. ttft_p50_s, ttft_p95_s: from the opening of a context to the choice of the first token; an
    encoder's whole pass. peak_memory_bytes: resident memory of a process that does nothing else, or the GPU's memory
    that it took. load_s: in that fresh process, libraries included.
    tokens_per_joule: new tokens over the energy of decoding, an encoder's tokens over that of reading; None where the
    machine reports no power. power_source: what the energy was read from, or why it was not.
    flop_per_s_limit, bandwidth_bytes_per_s: the machine's own, probed in the same run. prefill_flop, prefill_bytes,
    decode_flop, decode_bytes: floating-point operations and bytes that one pass needs at least (`core.measure.work`).
    samples: every round's raw times. environment: machine and versions, the export's checksums, and `other_work`, the
    share of the cores that other processes took meanwhile. command: the arguments that repeat the cell.
    """

    batch_id: str
    job_id: str | None
    model_id: str
    revision: str
    precision: str
    backend: str
    device: str
    device_name: str
    host: str
    threads: int
    task: str
    prompt_tokens: int
    batch: int
    new_tokens: int
    repeats: int
    prefill_tokens_per_s: float
    decode_tokens_per_s: float | None
    ttft_p50_s: float
    ttft_p95_s: float
    peak_memory_bytes: int
    load_s: float
    tokens_per_joule: float | None
    power_source: str
    flop_per_s_limit: float
    bandwidth_bytes_per_s: float
    prefill_flop: float
    prefill_bytes: float
    decode_flop: float | None
    decode_bytes: float | None
    samples: dict[str, Any]
    environment: dict[str, Any]
    command: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRecord(NewMeasurement):
    """A recorded cell: what was measured, its id, and when."""

    id: str
    created_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
MeasurementRecords = list[MeasurementRecord]


class MeasurementRepository:
    """Reads and writes measurements. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, measurement: NewMeasurement) -> MeasurementRecord:
        with self._db.transaction() as tx:
            row = MeasurementRow(id=new_id(), created_at=utc_now(), **asdict(measurement))
            tx.add(row)
            tx.flush()
            return to_record(MeasurementRecord, row)

    def get(self, measurement_id: str) -> MeasurementRecord:
        with self._db.reading() as tx:
            return to_record(MeasurementRecord, fetch(tx, MeasurementRow, measurement_id, "measurement"))

    def list(
        self,
        model_id: str | None = None,
        *,
        batch_id: str | None = None,
        job_id: str | None = None,
        limit: int = 200,
    ) -> MeasurementRecords:
        """Measurements, newest first; of one model, of one run of a grid, of one job."""
        newest = MeasurementRow.created_at.desc()
        query = select(MeasurementRow).order_by(newest, MeasurementRow.id).limit(max(limit, 0))
        wanted = {"model_id": model_id, "batch_id": batch_id, "job_id": job_id}
        query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
        with self._db.reading() as tx:
            return [to_record(MeasurementRecord, row) for row in tx.scalars(query)]

    def delete(self, measurement_id: str) -> None:
        with self._db.transaction() as tx:
            tx.delete(fetch(tx, MeasurementRow, measurement_id, "measurement"))

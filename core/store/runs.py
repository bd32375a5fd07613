"""Runs: every generation, recorded while it happens. What a killed process had written so far is still there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update

from core import __version__
from core.errors import InvalidInput, StorageError
from core.store.columns import storable_text, utc_now
from core.store.database import Database
from core.store.processes import ProcessIdentity, identify, is_dead
from core.store.records import fetch, not_found, to_record
from core.store.schema import MessageRow, RunChunkRow, RunRow, new_id

RunStatus = Literal["running", "done", "cancelled", "interrupted", "failed"]
ENDED: tuple[RunStatus, ...] = ("done", "cancelled", "interrupted", "failed")


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run about to start. prompt: {"messages": [...]} or {"raw_prompt": "..."}.

    revision, precision, backend, device and seed may be corrected by `finish`, once the model is loaded.
    """

    model_id: str
    revision: str
    precision: str
    backend: str
    device: str
    parameters: dict[str, Any]
    prompt: dict[str, Any]
    seed: int | None = None
    parent_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A recorded run. Times ending in _s in seconds; tokens_per_s: after the first token. error: in the user's words.

    completion_tokens: tokens the model chose; those given to it to continue from are not counted.
    """

    id: str
    created_at: datetime
    finished_at: datetime | None
    status: RunStatus
    finish_reason: str | None
    model_id: str
    revision: str
    precision: str
    backend: str
    device: str
    parameters: dict[str, Any]
    seed: int | None
    prompt: dict[str, Any]
    prompt_tokens: int | None
    completion_tokens: int
    cached_tokens: int | None
    text: str
    ttft_s: float | None
    tokens_per_s: float | None
    queue_s: float | None
    load_s: float | None
    app_version: str
    host: str
    pid: int
    process_started_at: datetime
    heartbeat_at: datetime
    parent_run_id: str | None
    error: str | None


# The class has a method called `list`, which hides the built-in type from its annotations.
RunRecords = list[RunRecord]
Tokens = list[dict[str, Any]]


class RunRepository:
    """Reads and writes runs. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(self, run: NewRun) -> str:
        """Record that this process starts a run. Returns its id. Raises NotFound for an unknown parent."""
        process = identify()
        now = utc_now()
        run_id = new_id()
        with self._db.transaction() as tx:
            if run.parent_run_id is not None:
                fetch(tx, RunRow, run.parent_run_id, "run")
            tx.add(
                RunRow(
                    id=run_id,
                    created_at=now,
                    status="running",
                    model_id=run.model_id,
                    revision=run.revision,
                    precision=run.precision,
                    backend=run.backend,
                    device=run.device,
                    parameters=run.parameters,
                    seed=run.seed,
                    prompt=run.prompt,
                    app_version=__version__,
                    host=process.host,
                    pid=process.pid,
                    process_started_at=process.started_at,
                    heartbeat_at=now,
                    parent_run_id=run.parent_run_id,
                )
            )
        return run_id

    def append(self, run_id: str, tokens: Sequence[dict[str, Any]], text: str, *, chosen: int | None = None) -> None:
        """Add tokens as one chunk. text: the whole answer so far. chosen: how many of them the model chose, to be
        counted; None: those without a true `forced`."""
        payload = zlib.compress(json.dumps(list(tokens)).encode(), 6)
        if chosen is None:
            chosen = sum(1 for token in tokens if not token.get("forced"))
        values = {
            "text": storable_text(text),
            "completion_tokens": RunRow.completion_tokens + chosen,
            "heartbeat_at": utc_now(),
        }
        with self._db.transaction() as tx:
            # The update comes first: it holds the row, so that chunks of one run are numbered one at a time.
            changed = tx.execute(update(RunRow).where(RunRow.id == run_id).values(values).returning(RunRow.id)).first()
            if changed is None:
                raise not_found("run", run_id)
            if tokens:
                last = tx.scalar(select(func.max(RunChunkRow.ordinal)).where(RunChunkRow.run_id == run_id))
                tx.add(RunChunkRow(run_id=run_id, ordinal=0 if last is None else last + 1, payload=payload))

    def touch(self, run_id: str) -> None:
        """A sign of life from a run that has no new token (it waits, loads or reads)."""
        with self._db.transaction() as tx:
            fetch(tx, RunRow, run_id, "run").heartbeat_at = utc_now()

    def finish(
        self,
        run_id: str,
        *,
        status: RunStatus,
        finish_reason: str | None,
        text: str | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
        ttft_s: float | None = None,
        tokens_per_s: float | None = None,
        queue_s: float | None = None,
        load_s: float | None = None,
        seed: int | None = None,
        revision: str | None = None,
        precision: str | None = None,
        backend: str | None = None,
        device: str | None = None,
        error: str | None = None,
    ) -> RunRecord:
        """Record how a run ended. A None leaves what is stored. Raises InvalidInput for a status that is no end."""
        if status not in ENDED:
            raise InvalidInput(f"A run cannot end as {status!r}.", allowed="It ends as " + ", ".join(ENDED) + ".")
        figures = {
            "text": None if text is None else storable_text(text),
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "cached_tokens": cached_tokens,
            "ttft_s": ttft_s,
            "tokens_per_s": tokens_per_s,
            "queue_s": queue_s,
            "load_s": load_s,
            "seed": seed,
            "revision": revision,
            "precision": precision,
            "backend": backend,
            "device": device,
            "error": None if error is None else storable_text(error),
        }
        now = utc_now()
        with self._db.transaction() as tx:
            row = fetch(tx, RunRow, run_id, "run")
            row.status, row.finish_reason, row.finished_at, row.heartbeat_at = status, finish_reason, now, now
            for name, value in figures.items():
                if value is not None:
                    setattr(row, name, value)
            return to_record(RunRecord, row)

    def get(self, run_id: str) -> RunRecord:
        with self._db.reading() as tx:
            return to_record(RunRecord, fetch(tx, RunRow, run_id, "run"))

    def tokens(self, run_id: str) -> Tokens:
        """Every token recorded, in order. Raises StorageError for a damaged chunk."""
        with self._db.reading() as tx:
            fetch(tx, RunRow, run_id, "run")
            query = select(RunChunkRow.payload).where(RunChunkRow.run_id == run_id).order_by(RunChunkRow.ordinal)
            payloads = list(tx.scalars(query))
        try:
            return [token for payload in payloads for token in json.loads(zlib.decompress(payload))]
        except (zlib.error, ValueError) as error:
            raise StorageError(
                f"The tokens of run {run_id} are damaged in the record.",
                next_step="Its text and figures are still there; repeat the run to have its tokens again.",
            ) from error

    def list(self, limit: int = 100, model_id: str | None = None, session_id: str | None = None) -> RunRecords:
        """Runs, newest first. session_id: only those that wrote a message of that session."""
        query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id).limit(max(limit, 0))
        if model_id is not None:
            query = query.where(RunRow.model_id == model_id)
        if session_id is not None:
            query = query.where(RunRow.id.in_(select(MessageRow.run_id).where(MessageRow.session_id == session_id)))
        with self._db.reading() as tx:
            return [to_record(RunRecord, row) for row in tx.scalars(query)]

    def mark_interrupted(self) -> int:
        """Mark every running run whose process is dead; its text and tokens stay. Returns how many there were."""
        with self._db.transaction() as tx:
            running = tx.scalars(select(RunRow).where(RunRow.status == "running").with_for_update(skip_locked=True))
            dead = [row for row in running if is_dead(_process(row), row.heartbeat_at)]
            for row in dead:
                row.status, row.finish_reason, row.finished_at = "interrupted", "interrupted", row.heartbeat_at
        return len(dead)


def _process(row: RunRow) -> ProcessIdentity:
    return ProcessIdentity(row.host, row.pid, row.process_started_at)

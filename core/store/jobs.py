"""Jobs: long work in a process of its own. These rows are all that it shares with the page that watches it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.store.columns import storable_text, utc_now
from core.store.database import Database
from core.store.processes import ProcessIdentity, identify, is_dead
from core.store.records import fetch, not_found, to_record
from core.store.schema import JobRow, new_id

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[JobState, ...] = ("queued", "running")
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job. progress: 0 to 1. step: what it does now, in the user's words. key: what it is about ("" for nothing).

    command: all that its process needs to know. host, pid and so on are None until a process has taken it. queue,
    place: where it waits, "" for nowhere. stop_requested: to end early and keep what it has. attempts: of processes.
    """

    id: str
    kind: str
    key: str
    title: str
    command: dict[str, Any]
    state: JobState
    progress: float
    step: str
    metrics: dict[str, Any]
    result: dict[str, Any] | None
    queue: str
    place: int
    attempts: int
    cancel_requested: bool
    stop_requested: bool
    error: str | None
    host: str | None
    pid: int | None
    process_started_at: datetime | None
    heartbeat_at: datetime | None
    created_at: datetime
    finished_at: datetime | None

    def runs_here(self) -> bool:
        """Whether its process is one of this machine's, and the very one that took it."""
        return self.host == socket.gethostname() and not _is_dead(self)


# The class has a method called `list`, which hides the built-in type from its annotations.
JobRecords = list[JobRecord]


class JobRepository:
    """Reads and writes jobs. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self, kind: str, title: str, command: dict[str, Any], key: str = "", queue: str = ""
    ) -> tuple[JobRecord, bool]:
        """Queue a job, last of its queue. If one of this kind and (non-empty) key is active, that one comes back, with
        False."""
        with self._db.transaction() as tx:
            if key:
                self._db.serialise(tx, f"job {kind} {key}")
                active = _active(tx, kind, key)
                if active is not None:
                    return to_record(JobRecord, active), False
            row = JobRow(id=new_id(), kind=kind, key=key, title=storable_text(title), command=command, state="queued")
            row.queue, row.place = queue, self._last_place(tx, queue) + 1
            tx.add(row)
            tx.flush()
            return to_record(JobRecord, row), True

    def get(self, job_id: str) -> JobRecord:
        with self._db.reading() as tx:
            return to_record(JobRecord, fetch(tx, JobRow, job_id, "job"))

    def list(self, limit: int = 100, kind: str | None = None, state: JobState | None = None) -> JobRecords:
        """Jobs, newest first."""
        query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id).limit(max(limit, 0))
        if kind is not None:
            query = query.where(JobRow.kind == kind)
        if state is not None:
            query = query.where(JobRow.state == state)
        with self._db.reading() as tx:
            return [to_record(JobRecord, row) for row in tx.scalars(query)]

    def waiting(self, queue: str) -> JobRecords:
        """The queued jobs of a queue, next first."""
        with self._db.reading() as tx:
            return [to_record(JobRecord, row) for row in _waiting(tx, queue)]

    def running_in(self, queue: str) -> JobRecords:
        """The running jobs of a queue."""
        query = select(JobRow).where(JobRow.queue == queue, JobRow.state == "running").order_by(JobRow.place)
        with self._db.reading() as tx:
            return [to_record(JobRecord, row) for row in tx.scalars(query)]

    def move(self, job_id: str, places: int) -> None:
        """Move a queued job by so many places (-1: one earlier), as far as its queue goes."""
        with self._db.transaction() as tx:
            moved = _held(tx, job_id)
            self._db.serialise(tx, f"queue {moved.queue}")
            rows = _waiting(tx, moved.queue)
            if moved not in rows:
                return
            at = rows.index(moved)
            rows.insert(min(max(at + places, 0), len(rows) - 1), rows.pop(at))
            for row, place in zip(rows, sorted(row.place for row in rows), strict=True):
                row.place = place

    def requeue(self, job_id: str, command: dict[str, Any] | None = None) -> JobRecord:
        """Put a job that has ended back into its queue, last; with another command, if one is given. What it was doing
        is forgotten, its metrics stay. Raises InvalidInput for one that has not ended."""
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state not in ENDED:
                raise InvalidInput(f"{row.title!r} is {row.state}.", allowed="A job that has ended can go on.")
            row.place = self._last_place(tx, row.queue) + 1
            row.state, row.step = "queued", ""
            row.cancel_requested = row.stop_requested = False
            row.error = row.result = row.finished_at = None
            row.host = row.pid = row.process_started_at = row.heartbeat_at = None
            if command is not None:
                row.command, row.progress = command, 0.0
            return to_record(JobRecord, row)

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, and what it recorded. Raises InvalidInput for one that is active."""
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state in ACTIVE:
                raise InvalidInput(f"{row.title!r} is {row.state}.", next_step="Cancel it first.")
            tx.delete(row)

    def _last_place(self, tx: Session, queue: str) -> int:
        if not queue:
            return 0
        self._db.serialise(tx, f"queue {queue}")
        return tx.scalar(select(func.max(JobRow.place)).where(JobRow.queue == queue)) or 0

    def find_active(self, kind: str, key: str) -> JobRecord | None:
        """The queued or running job of this kind and key."""
        with self._db.reading() as tx:
            row = _active(tx, kind, key)
            return None if row is None else to_record(JobRecord, row)

    def last(self, kind: str, key: str) -> JobRecord | None:
        """The newest job of this kind and key, whatever became of it; the active one, if one is."""
        query = select(JobRow).where(JobRow.kind == kind, JobRow.key == key)
        with self._db.reading() as tx:
            row = tx.scalars(query.order_by(JobRow.created_at.desc()).limit(1)).first()
            return None if row is None else to_record(JobRecord, row)

    def start(self, job_id: str, pid: int | None = None) -> bool:
        """Take a queued job for a process of this machine (None: this one). False if it is no longer queued, so that
        of two takers one wins."""
        process = identify(pid)
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state != "queued":
                return False
            row.state = "running"
            row.host, row.pid, row.process_started_at = process.host, process.pid, process.started_at
            row.heartbeat_at = utc_now()
            row.attempts += 1
            return True

    def progress(self, job_id: str, fraction: float, step: str, metrics: dict[str, Any] | None = None) -> None:
        """Say how far a running job is, which is also its sign of life. fraction is held to 0..1. metrics replace the
        stored ones. A job that has ended stays as it ended."""
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state == "running":
                row.progress = min(1.0, max(0.0, fraction))
                row.step = step
                row.heartbeat_at = utc_now()
                if metrics is not None:
                    row.metrics = metrics

    def touch(self, job_id: str) -> None:
        """A sign of life from a job with nothing new to say."""
        with self._db.transaction() as tx:
            _held(tx, job_id).heartbeat_at = utc_now()

    def request_cancel(self, job_id: str) -> JobRecord:
        """Ask a running job to stop; a queued one is cancelled at once; one that has ended stays as it is."""
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state in ACTIVE:
                row.cancel_requested = True
            if row.state == "queued":
                row.state, row.finished_at = "cancelled", utc_now()
            return to_record(JobRecord, row)

    def request_stop(self, job_id: str) -> JobRecord:
        """Ask a running job to end early and keep what it has. Any other stays as it is."""
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state == "running":
                row.stop_requested = True
            return to_record(JobRecord, row)

    def is_cancel_requested(self, job_id: str) -> bool:
        return self.get(job_id).cancel_requested

    def finish(
        self, job_id: str, state: JobState, result: dict[str, Any] | None = None, error: str | None = None
    ) -> JobRecord:
        """Record how a job ended; error in the user's words. The first end stands, except that a job taken for
        interrupted may still report. Raises InvalidInput for a state that is no end."""
        if state not in ENDED:
            raise InvalidInput(f"A job cannot end as {state!r}.", allowed="It ends as " + ", ".join(ENDED) + ".")
        with self._db.transaction() as tx:
            row = _held(tx, job_id)
            if row.state in (*ACTIVE, "interrupted"):
                row.state, row.finished_at = state, utc_now()
                row.result = result
                row.error = None if error is None else storable_text(error)
                if state == "done":
                    row.progress = 1.0
            return to_record(JobRecord, row)

    def mark_interrupted(self) -> int:
        """Mark every running job whose process is dead; returns how many. Queued jobs wait on for a process."""
        with self._db.transaction() as tx:
            running = tx.scalars(select(JobRow).where(JobRow.state == "running").with_for_update(skip_locked=True))
            dead = [row for row in running if _is_dead(row)]
            for row in dead:
                row.state, row.finished_at = "interrupted", row.heartbeat_at
        return len(dead)


def _active(tx: Session, kind: str, key: str) -> JobRow | None:
    query = select(JobRow).where(JobRow.kind == kind, JobRow.key == key, JobRow.state.in_(ACTIVE))
    return tx.scalars(query.order_by(JobRow.created_at.desc()).limit(1)).first()


def _waiting(tx: Session, queue: str) -> list[JobRow]:
    query = select(JobRow).where(JobRow.queue == queue, JobRow.state == "queued")
    return list(tx.scalars(query.order_by(JobRow.place, JobRow.created_at, JobRow.id)))


def _held(tx: Session, job_id: str) -> JobRow:
    """The row, locked until the transaction ends."""
    row = tx.scalar(select(JobRow).where(JobRow.id == job_id).with_for_update())
    if row is None:
        raise not_found("job", job_id)
    return row


def _is_dead(row: JobRow | JobRecord) -> bool:
    if row.host is None or row.pid is None or row.process_started_at is None or row.heartbeat_at is None:
        return True
    return is_dead(ProcessIdentity(row.host, row.pid, row.process_started_at), row.heartbeat_at)

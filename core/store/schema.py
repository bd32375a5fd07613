"""The tables. Repositories give out frozen records, so these rows never leave `core.store`.

A session is a tree of messages; an answer points at the run that wrote it. Times are UTC, durations in seconds.
A changed table needs a migration: see `migrations/alembic.ini`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.store.columns import UtcDateTime, Words, utc_now

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

JsonObject = dict[str, Any]
JsonList = list[Any]


def new_id() -> str:
    """A fresh id: 32 hexadecimal digits."""
    return uuid4().hex


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Words(),
        datetime: UtcDateTime(),
        JsonObject: JSON(none_as_null=True),
        JsonList: JSON(none_as_null=True),
    }


class SessionRow(Base):
    """A conversation. mode: chat or completion. leaf_id: the last message of the branch on screen; no foreign key,
    because message already points here."""

    __tablename__ = "session"
    __table_args__ = (Index(None, "updated_at"), Index(None, "deleted_at"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    title: Mapped[str]
    mode: Mapped[str]
    system_prompt: Mapped[str] = mapped_column(default="")
    settings: Mapped[JsonObject] = mapped_column(default=dict)
    leaf_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]


class RunRow(Base):
    """One generation with all that repeats it. prompt: {"messages": [...]} or {"raw_prompt": "..."}."""

    __tablename__ = "run"
    __table_args__ = (Index(None, "created_at"), Index(None, "model_id", "created_at"), Index(None, "status"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    status: Mapped[str]
    finish_reason: Mapped[str | None]
    model_id: Mapped[str]
    revision: Mapped[str]
    precision: Mapped[str]
    backend: Mapped[str]
    device: Mapped[str]
    parameters: Mapped[JsonObject]
    seed: Mapped[int | None] = mapped_column(BigInteger)
    prompt: Mapped[JsonObject]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int | None]
    text: Mapped[str] = mapped_column(default="")
    ttft_s: Mapped[float | None]
    tokens_per_s: Mapped[float | None]
    queue_s: Mapped[float | None]
    load_s: Mapped[float | None]
    app_version: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    process_started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    parent_run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id"), index=True)
    error: Mapped[str | None]


class MessageRow(Base):
    """One turn. ordinal: its place in the order of creation within the session, from 0.

    The unique pair is also the index for a session's messages. parent_id does not cascade: SQLite counts cascades as
    nested triggers and gives up at a thread of 1,000 turns.
    """

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("session_id", "ordinal"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    session_id: Mapped[str] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"), index=True)
    role: Mapped[str]
    content: Mapped[str]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ordinal: Mapped[int]


class RunChunkRow(Base):
    """Some tokens of a run. payload: a JSON list of token dicts, zlib-compressed."""

    __tablename__ = "run_chunk"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class PresetRow(Base):
    """Sampling parameters under a name."""

    __tablename__ = "preset"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    parameters: Mapped[JsonObject]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TemplateRow(Base):
    """A prompt under a name."""

    __tablename__ = "template"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    system_prompt: Mapped[str]
    prompt: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class JobRow(Base):
    """Long work in a process of its own. key: what the work is about; two active jobs of a kind never share one.

    progress: 0 to 1. step: what it does now, in the user's words. host, pid and the rest are empty while queued.
    queue: of those that wait for each other, "" for none; place: its order there, lowest first. stop_requested: to end
    early and keep what it has. attempts: processes that took it.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "created_at"),
        Index(None, "state"),
        Index(None, "kind", "key"),
        Index(None, "queue", "place"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(default="")
    title: Mapped[str]
    command: Mapped[JsonObject]
    state: Mapped[str]
    progress: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[str] = mapped_column(default="")
    metrics: Mapped[JsonObject] = mapped_column(default=dict)
    result: Mapped[JsonObject | None]
    queue: Mapped[str] = mapped_column(default="")
    place: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    stop_requested: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None]
    host: Mapped[str | None]
    pid: Mapped[int | None]
    process_started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class TrainingPointRow(Base):
    """Something that a training said of itself at a step. ordinal: order of writing within the job, from 1.

    kind: train, eval or sample. payload: figures by name, or texts.
    """

    __tablename__ = "training_point"
    __table_args__ = (Index(None, "job_id", "step"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int]
    kind: Mapped[str]
    payload: Mapped[JsonObject]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MeasurementRow(Base):
    """One cell of a grid that was measured, with all that repeats it. batch_id: of the grid's run.

    Rates in tokens/s, times in seconds, memory in bytes. What each column says: `core.store.measurements`.
    """

    __tablename__ = "measurement"
    __table_args__ = (Index(None, "created_at"), Index(None, "model_id", "created_at"), Index(None, "batch_id"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    batch_id: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
    model_id: Mapped[str]
    revision: Mapped[str]
    precision: Mapped[str]
    backend: Mapped[str]
    device: Mapped[str]
    device_name: Mapped[str]
    host: Mapped[str]
    threads: Mapped[int]
    task: Mapped[str]
    prompt_tokens: Mapped[int]
    batch: Mapped[int]
    new_tokens: Mapped[int]
    repeats: Mapped[int]
    prefill_tokens_per_s: Mapped[float]
    decode_tokens_per_s: Mapped[float | None]
    ttft_p50_s: Mapped[float]
    ttft_p95_s: Mapped[float]
    peak_memory_bytes: Mapped[int] = mapped_column(BigInteger)
    load_s: Mapped[float]
    tokens_per_joule: Mapped[float | None]
    power_source: Mapped[str]
    flop_per_s_limit: Mapped[float]
    bandwidth_bytes_per_s: Mapped[float]
    prefill_flop: Mapped[float]
    prefill_bytes: Mapped[float]
    decode_flop: Mapped[float | None]
    decode_bytes: Mapped[float | None]
    samples: Mapped[JsonObject]
    environment: Mapped[JsonObject]
    command: Mapped[JsonObject]


class ScenarioRow(Base):
    """A saved estimate under a name: what was asked, what came out, and the measurements that it stands on.

    spec: the configuration that repeats it. figures, form: as `core.store.scenarios` says.
    """

    __tablename__ = "scenario"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    spec: Mapped[JsonObject]
    sentence: Mapped[str]
    figures: Mapped[JsonList]
    notes: Mapped[JsonList]
    measurement_ids: Mapped[JsonList]
    form: Mapped[JsonObject]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReadingRow(Base):
    """A typed text that was put before a model to look inside: a link names its id, never the text.

    token_ids: what the model reads. digest: of model, revision and token ids, so that the same text is kept once.
    """

    __tablename__ = "reading"
    __table_args__ = (Index(None, "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    digest: Mapped[str] = mapped_column(unique=True)
    model_id: Mapped[str]
    revision: Mapped[str]
    text: Mapped[str]
    token_ids: Mapped[JsonList]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CompanyRow(Base):
    """A company under a name: the whole plan as one document. version: counts its changes. example: it is invented."""

    __tablename__ = "company"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    spec: Mapped[JsonObject]
    version: Mapped[int] = mapped_column(default=1)
    example: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

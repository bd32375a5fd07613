"""The lower end of an `Origin`: measurements with the rounds that were timed, and recorded runs."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import NotFound
from core.estimate.words import said
from core.store.database import Database
from core.store.measurements import MeasurementRecord, MeasurementRepository
from core.store.runs import RunRecord, RunRepository
from core.store.sessions import SessionRecord, SessionRepository
from core.venture.origin_tree import Link, Origin, joined

MOST_SHOWN = 20  # measurements or runs under one step; the rest are counted, and their ids kept in it
_WORDS = {"prefill_s": "reading", "ttft_s": "to the first token", "decode_s": "writing"}


def measurements(db: Database, ids: Sequence[str]) -> tuple[Origin, ...]:
    """One a measured cell, and at the end how many further ones there are."""
    repository, found = MeasurementRepository(db), list[Origin]()
    for one in ids[:MOST_SHOWN]:
        try:
            found.append(measurement(repository.get(one)))
        except NotFound:
            found.append(_gone("measurement", one, "Measure again on the Models page, and save the estimate again."))
    return (*found, *_rest(ids, "measured cells"))


def measurement(record: MeasurementRecord) -> Origin:
    """Its speed, on which model, precision and machine; its rounds below."""
    speed = record.decode_tokens_per_s or record.prefill_tokens_per_s
    what = "tokens/s written" if record.decode_tokens_per_s else "tokens/s read"
    where = f"{record.model_id} in {record.precision} on {record.device_name}"
    return Origin(
        kind="measurement",
        label=f"{where}, {record.prompt_tokens:,} tokens in × {record.batch:,}",
        value=said(speed, what),
        id=record.id,
        detail=(
            ("model", record.model_id),
            ("revision", record.revision),
            ("precision", record.precision),
            ("machine", joined([record.device_name, record.host, _threads(record)])),
            ("backend", f"{record.backend} on {record.device}"),
            ("reads", said(record.prefill_tokens_per_s, "tokens/s")),
            ("writes", said(record.decode_tokens_per_s, "tokens/s") if record.decode_tokens_per_s else "nothing"),
            ("request", f"{record.prompt_tokens:,} tokens in, {record.new_tokens:,} out, {record.batch:,} at once"),
            ("measured", f"{record.created_at:%Y-%m-%d %H:%M} UTC, median of {record.repeats:,} rounds"),
            ("repeated by", _command(record)),
        ),
        link=Link("models", record.model_id),
        footnote=(
            f"Measured {record.created_at:%Y-%m-%d}: {where}, {said(speed, what)} "
            f"({record.prompt_tokens:,} tokens in, batch {record.batch:,}; measurement {record.id})."
        ),
        children=_rounds(record),
    )


def _rounds(record: MeasurementRecord) -> tuple[Origin, ...]:
    """The runs behind a measured median: every round with its raw times."""
    samples = {name: list(record.samples.get(name) or ()) for name in _WORDS}
    count = max((len(one) for one in samples.values()), default=0)
    found = []
    for place in range(count):
        times = [
            f"{words} {said(float(samples[name][place]), 's')}"
            for name, words in _WORDS.items()
            if place < len(samples[name]) and samples[name][place]
        ]
        found.append(
            Origin(
                kind="run", label=f"Round {place + 1} of {count}", value=", ".join(times), id=f"{record.id}#{place + 1}"
            )
        )
    return tuple(found)


def runs(db: Database, ids: Sequence[str]) -> tuple[Origin, ...]:
    """One a recorded run, with the conversation it belongs to, and how many further ones there are."""
    repository, found = RunRepository(db), list[Origin]()
    sessions = SessionRepository(db).of_runs(ids[:MOST_SHOWN])
    for one in ids[:MOST_SHOWN]:
        try:
            found.append(run(repository.get(one), sessions.get(one)))
        except NotFound:
            found.append(_gone("run", one, "Take the tokens from recorded usage again."))
    return (*found, *_rest(ids, "runs"))


def run(record: RunRecord, session: SessionRecord | None = None) -> Origin:
    """session: the conversation that it answered in."""
    told = f"{record.prompt_tokens or 0:,} tokens in, {record.completion_tokens:,} out"
    speed = said(record.tokens_per_s, "tokens/s") if record.tokens_per_s else ""
    return Origin(
        kind="run",
        label=f"{record.model_id} in {record.precision} on {record.device}",
        value=told,
        id=record.id,
        detail=tuple(
            (name, value)
            for name, value in (
                ("model", record.model_id),
                ("precision", record.precision),
                ("machine", joined([record.host, record.device, record.backend])),
                ("cached", f"{record.cached_tokens or 0:,} tokens"),
                ("speed", speed),
                ("run", f"{record.created_at:%Y-%m-%d %H:%M} UTC"),
                ("conversation", session.title if session else ""),
            )
            if value
        ),
        link=Link("playground", session.id) if session else Link("attention", record.id),
    )


def _gone(what: str, id: str, advice: str) -> Origin:
    return Origin(kind="missing", label=f"This {what} was deleted from the record", id=id, advice=advice)


def _rest(ids: Sequence[str], what: str) -> tuple[Origin, ...]:
    left = ids[MOST_SHOWN:]
    if not left:
        return ()
    return (Origin(kind="figure", label=f"{len(left):,} further {what}", detail=(("ids", " ".join(left)),)),)


def _threads(record: MeasurementRecord) -> str:
    return f"{record.threads:,} threads" if record.device == "cpu" and record.threads else ""


def _command(record: MeasurementRecord) -> str:
    arguments = record.command.get("arguments") or ()
    return f"python -m core {' '.join(str(one) for one in arguments)}" if arguments else "not recorded"

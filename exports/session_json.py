"""A session with everything that is known of it: the whole tree, and every run with every token."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from core import __version__
from core.store.columns import to_json_text, utc_now
from core.store.database import Database
from core.store.runs import RunRecord, RunRepository
from core.store.sessions import SessionRepository

FORMAT = "groundwork-session"
VERSION = 1
# Of use only to the machine that ran it.
LEFT_OUT = ("pid", "process_started_at", "heartbeat_at")


def session_json(db: Database, session_id: str) -> bytes:
    """The session as JSON in UTF-8, times in ISO 8601 and UTC. Raises NotFound.

    `messages` in order of creation, `active_branch` as message ids from the root, `runs` oldest first with the runs
    they continue, each with its `tokens` (log-probabilities and alternatives included).
    """
    sessions, runs = SessionRepository(db), RunRepository(db)
    session, messages = sessions.get(session_id), sessions.messages(session_id)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "app_version": __version__,
        "exported_at": utc_now(),
        "session": asdict(session),
        "active_branch": [message.id for message in sessions.path(session_id)],
        "messages": [asdict(message) for message in messages],
        "runs": [
            _run_entry(runs, run)
            for run in _with_ancestors(runs, runs.list(limit=len(messages), session_id=session_id))
        ],
    }
    return to_json_text(_plain(document), indent=2).encode("utf-8")


def _with_ancestors(runs: RunRepository, found: list[RunRecord]) -> list[RunRecord]:
    known = {run.id: run for run in found}
    for run in found:
        parent_id = run.parent_run_id
        while parent_id is not None and parent_id not in known:
            known[parent_id] = runs.get(parent_id)
            parent_id = known[parent_id].parent_run_id
    return sorted(known.values(), key=lambda run: (run.created_at, run.id))


def _run_entry(runs: RunRepository, run: RunRecord) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(run).items() if name not in LEFT_OUT}
    return facts | {"tokens": runs.tokens(run.id)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

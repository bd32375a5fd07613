"""A session as a table: one row a message, with the figures of the run that wrote it."""

from __future__ import annotations

from core.store.database import Database
from core.store.runs import RunRepository
from core.store.sessions import SessionRepository
from exports.cells import csv_bytes

COLUMNS = (
    "session_id",
    "message_id",
    "parent_id",
    "role",
    "content",
    "created_at",
    "on_active_branch",
    "run_id",
    "model_id",
    "revision",
    "precision",
    "backend",
    "device",
    "prompt_tokens",
    "completion_tokens",
    "ttft_s",
    "tokens_per_s",
    "finish_reason",
    "seed",
)
RUN_COLUMNS = COLUMNS[COLUMNS.index("model_id") :]


def session_csv(db: Database, session_id: str) -> bytes:
    """Every message of the tree in order of creation, as CSV in UTF-8. Times in UTC. Raises NotFound."""
    sessions, runs = SessionRepository(db), RunRepository(db)
    messages = sessions.messages(session_id)
    active = {message.id for message in sessions.path(session_id)}
    # A session has at most as many runs as messages.
    by_id = {run.id: run for run in runs.list(limit=len(messages), session_id=session_id)}
    return csv_bytes(
        COLUMNS,
        (
            [
                message.session_id,
                message.id,
                message.parent_id,
                message.role,
                message.content,
                message.created_at.isoformat(),
                "yes" if message.id in active else "no",
                message.run_id,
                *(getattr(by_id.get(message.run_id or ""), name, None) for name in RUN_COLUMNS),
            ]
            for message in messages
        ),
    )

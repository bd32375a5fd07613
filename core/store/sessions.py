"""Sessions: conversations kept as trees, so that an edit or a second answer never costs the first one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import InvalidInput
from core.store.columns import storable_text, utc_now
from core.store.database import Database
from core.store.records import checked_name, fetch, not_found, to_record
from core.store.schema import MessageRow, RunChunkRow, RunRow, SessionRow

Mode = Literal["chat", "completion"]
Role = Literal["system", "user", "assistant"]
LONGEST_TITLE = 200
DEFAULT_TITLE = "New session"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A conversation. leaf_id: the last message of the active branch. updated_at: of its newest message."""

    id: str
    title: str
    mode: Mode
    system_prompt: str
    settings: dict[str, Any]
    leaf_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One turn. parent_id: the turn it answers (None: a root). ordinal: its place in order of creation, from 0."""

    id: str
    session_id: str
    parent_id: str | None
    role: Role
    content: str
    run_id: str | None
    created_at: datetime
    ordinal: int


# The methods below include one called `list`, which hides the built-in type from annotations in the class.
SessionRecords = list[SessionRecord]
MessageRecords = list[MessageRecord]


class SessionRepository:
    """Reads and writes sessions. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        *,
        mode: Mode = "chat",
        title: str = DEFAULT_TITLE,
        system_prompt: str = "",
        settings: dict[str, Any] | None = None,
    ) -> SessionRecord:
        """A new, empty session. Raises InvalidInput for a title out of bounds or an unknown mode."""
        now = utc_now()
        row = SessionRow(
            title=checked_name(title, "title", LONGEST_TITLE),
            mode=_one_of(mode, get_args(Mode), "mode"),
            system_prompt=storable_text(system_prompt),
            settings=settings or {},
            created_at=now,
            updated_at=now,
        )
        with self._db.transaction() as tx:
            tx.add(row)
            tx.flush()
            return to_record(SessionRecord, row)

    def get(self, session_id: str) -> SessionRecord:
        """The session, also when it was deleted and not yet purged (`deleted_at` says so)."""
        with self._db.reading() as tx:
            return to_record(SessionRecord, fetch(tx, SessionRow, session_id, "session"))

    def list(self, search: str | None = None, limit: int = 50, offset: int = 0) -> SessionRecords:
        """Sessions that are not deleted, newest first. search: found in the title or a message, whatever its case."""
        query = select(SessionRow).where(SessionRow.deleted_at.is_(None))
        if search and search.strip():
            in_messages = exists().where(
                MessageRow.session_id == SessionRow.id, self._contains(MessageRow.content, search.strip())
            )
            query = query.where(or_(self._contains(SessionRow.title, search.strip()), in_messages))
        query = query.order_by(SessionRow.updated_at.desc(), SessionRow.created_at.desc(), SessionRow.id)
        with self._db.reading() as tx:
            rows = tx.scalars(query.limit(max(limit, 0)).offset(max(offset, 0)))
            return [to_record(SessionRecord, row) for row in rows]

    def of_runs(self, run_ids: Sequence[str]) -> dict[str, SessionRecord]:
        """The session that each run answered in, by run; without runs of none, and without deleted sessions."""
        query = (
            select(MessageRow.run_id, SessionRow)
            .join(SessionRow, SessionRow.id == MessageRow.session_id)
            .where(MessageRow.run_id.in_(list(run_ids)), SessionRow.deleted_at.is_(None))
        )
        with self._db.reading() as tx:
            return {str(run_id): to_record(SessionRecord, row) for run_id, row in tx.execute(query)}

    def rename(self, session_id: str, title: str) -> SessionRecord:
        """Raises InvalidInput unless the title, trimmed, has 1 to 200 characters."""
        title = checked_name(title, "title", LONGEST_TITLE)
        with self._changing(session_id) as (_, row):
            row.title = title
            return to_record(SessionRecord, row)

    def update_settings(
        self, session_id: str, settings: dict[str, Any], system_prompt: str | None = None
    ) -> SessionRecord:
        """Replace the settings, and the system prompt if one is given."""
        with self._changing(session_id) as (_, row):
            row.settings = settings
            if system_prompt is not None:
                row.system_prompt = storable_text(system_prompt)
            return to_record(SessionRecord, row)

    def delete(self, session_id: str) -> None:
        """Move to the trash; `undelete` brings it back until it is purged."""
        with self._changing(session_id) as (_, row):
            row.deleted_at = row.deleted_at or utc_now()

    def undelete(self, session_id: str) -> SessionRecord:
        with self._changing(session_id) as (_, row):
            row.deleted_at = None
            return to_record(SessionRecord, row)

    def deleted(self) -> SessionRecords:
        """The trash, last deleted first."""
        query = select(SessionRow).where(SessionRow.deleted_at.is_not(None)).order_by(SessionRow.deleted_at.desc())
        with self._db.reading() as tx:
            return [to_record(SessionRecord, row) for row in tx.scalars(query)]

    def purge_deleted(self, older_than_days: float) -> int:
        """Remove what was deleted at least that long ago, for good. Returns how many sessions went.

        Their runs keep their figures, which estimates point at, but lose every word: prompt, answer and tokens.
        """
        limit = utc_now() - timedelta(days=older_than_days)
        with self._db.transaction() as tx:
            ids = list(tx.scalars(select(SessionRow.id).where(SessionRow.deleted_at <= limit)))
            for session_id in ids:
                _purge(tx, session_id)
        return len(ids)

    def add_message(
        self, session_id: str, parent_id: str | None, role: Role, content: str, run_id: str | None = None
    ) -> MessageRecord:
        """Add a turn below `parent_id` (None: a root) and make it the active leaf."""
        role = _one_of(role, get_args(Role), "role")
        with self._changing(session_id) as (tx, session):
            if parent_id is not None:
                _message_of(tx, session_id, parent_id)
            if run_id is not None:
                fetch(tx, RunRow, run_id, "run")
            last = tx.scalar(select(func.max(MessageRow.ordinal)).where(MessageRow.session_id == session_id))
            row = MessageRow(
                session_id=session_id,
                parent_id=parent_id,
                role=role,
                content=storable_text(content),
                run_id=run_id,
                created_at=utc_now(),
                ordinal=0 if last is None else last + 1,
            )
            tx.add(row)
            tx.flush()
            session.leaf_id = row.id
            session.updated_at = row.created_at
            return to_record(MessageRecord, row)

    def set_leaf(self, session_id: str, message_id: str | None) -> None:
        """Make the branch that ends in `message_id` the active one (None: show no message, to begin anew)."""
        with self._changing(session_id) as (tx, session):
            session.leaf_id = None if message_id is None else _message_of(tx, session_id, message_id).id

    def path(self, session_id: str, leaf_id: str | None = None) -> MessageRecords:
        """The branch from its root to `leaf_id` (None: to the active leaf). Empty when there is no message."""
        leaf = leaf_id or self.get(session_id).leaf_id
        by_id = {message.id: message for message in self.messages(session_id)}
        if leaf_id is not None and leaf_id not in by_id:
            raise not_found("message", leaf_id)
        branch: list[MessageRecord] = []
        while leaf is not None and leaf in by_id:
            branch.append(by_id[leaf])
            leaf = by_id[leaf].parent_id
        return branch[::-1]

    def siblings(self, message_id: str) -> MessageRecords:
        """The message and its alternatives, in order of creation. Roots are siblings of each other."""
        with self._db.reading() as tx:
            message = fetch(tx, MessageRow, message_id, "message")
            query = select(MessageRow).where(
                MessageRow.session_id == message.session_id,
                MessageRow.parent_id.is_not_distinct_from(message.parent_id),
            )
            return [to_record(MessageRecord, row) for row in tx.scalars(query.order_by(MessageRow.ordinal))]

    def deepest_leaf(self, message_id: str) -> MessageRecord:
        """The newest message at or below this one: where a switch to this branch lands."""
        with self._db.reading() as tx:
            top = to_record(MessageRecord, fetch(tx, MessageRow, message_id, "message"))
        # In order of creation a parent stands before its children, and nothing is below the newest of them.
        below, newest = {top.id}, top
        for message in self.messages(top.session_id):
            if message.parent_id in below:
                below.add(message.id)
                newest = message
        return newest

    def messages(self, session_id: str) -> MessageRecords:
        """The whole tree in order of creation."""
        with self._db.reading() as tx:
            fetch(tx, SessionRow, session_id, "session")
            query = select(MessageRow).where(MessageRow.session_id == session_id).order_by(MessageRow.ordinal)
            return [to_record(MessageRecord, row) for row in tx.scalars(query)]

    def message(self, message_id: str) -> MessageRecord:
        with self._db.reading() as tx:
            return to_record(MessageRecord, fetch(tx, MessageRow, message_id, "message"))

    def attach_run(self, message_id: str, run_id: str) -> None:
        """Say which run wrote the message."""
        with self._db.transaction() as tx:
            fetch(tx, RunRow, run_id, "run")
            fetch(tx, MessageRow, message_id, "message").run_id = run_id

    def set_content(self, message_id: str, content: str) -> None:
        """Put in what has been written so far. Only while a message streams: an edit is a new sibling."""
        with self._db.transaction() as tx:
            fetch(tx, MessageRow, message_id, "message").content = content

    @contextmanager
    def _changing(self, session_id: str) -> Iterator[tuple[Session, SessionRow]]:
        """A transaction that holds the session's row, so that two writers get different ordinals."""
        with self._db.transaction() as tx:
            row = tx.scalar(select(SessionRow).where(SessionRow.id == session_id).with_for_update())
            if row is None:
                raise not_found("session", session_id)
            yield tx, row

    def _contains(self, column: InstrumentedAttribute[str], needle: str) -> ColumnElement[bool]:
        needle = storable_text(needle)
        if self._db.is_sqlite:
            return func.casefold(column).contains(needle.casefold(), autoescape=True)
        return column.icontains(needle, autoescape=True)


def _message_of(tx: Session, session_id: str, message_id: str) -> MessageRow:
    row = fetch(tx, MessageRow, message_id, "message")
    if row.session_id != session_id:
        raise not_found("message", message_id)
    return row


def _purge(tx: Session, session_id: str) -> None:
    own = select(MessageRow.run_id).where(MessageRow.session_id == session_id, MessageRow.run_id.is_not(None))
    elsewhere = select(MessageRow.run_id).where(MessageRow.session_id != session_id, MessageRow.run_id.is_not(None))
    runs = list(tx.scalars(own.where(MessageRow.run_id.not_in(elsewhere)).distinct()))
    tx.execute(delete(RunChunkRow).where(RunChunkRow.run_id.in_(runs)))
    tx.execute(update(RunRow).where(RunRow.id.in_(runs)).values(text="", prompt={}))
    tx.execute(delete(SessionRow).where(SessionRow.id == session_id))


def _one_of(value: Any, allowed: tuple[str, ...], what: str) -> Any:
    if value not in allowed:
        raise InvalidInput(f"Unknown {what} {value!r}.", allowed="Known: " + ", ".join(allowed) + ".")
    return value

"""Opens the record: SQLite in WAL mode by default, PostgreSQL by address. Migrated when opened, one per process.

On SQLite a writing transaction takes the write lock when it begins (BEGIN IMMEDIATE): one that reads first and writes
later would fail at once, whatever the busy timeout, if another process wrote in between.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, pool, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from core.artefacts import guarding_storage
from core.settings import get_settings
from core.store import faults
from core.store.columns import to_json_text
from core.store.upgrade import NewerSchema, is_current, upgrade
from core.store.urls import is_sqlite, parse_url, shown, sqlite_path

BUSY_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10
UPGRADE_TIMEOUT_S = 120.0

_open: dict[tuple[int, str], Database] = {}
_opening = threading.RLock()


class Database:
    """An open record, migrated to this version's schema. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url
        self._engine = engine
        self._writers = sessionmaker(engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False)
        self._readers = sessionmaker(engine, expire_on_commit=False)

    def __repr__(self) -> str:
        return f"Database({shown(self.url)})"

    @property
    def is_sqlite(self) -> bool:
        return is_sqlite(self.url)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end and rolls back on any error. Raises StorageError."""
        with _speaking_plainly(self.url), self._writers.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads: it waits for no writer and nothing it does is kept. Raises StorageError."""
        with _speaking_plainly(self.url), self._readers() as session:
            yield session

    def serialise(self, session: Session, name: str) -> None:
        """Let only one transaction at a time past this point for `name`, until it ends."""
        if not self.is_sqlite:  # on SQLite the transaction holds the write lock already
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(name)})

    def close(self) -> None:
        """Give back every connection. The next use opens new ones."""
        self._engine.dispose()


def open_database(url: str | None = None) -> Database:
    """The record at `url` (None: of the settings), migrated to head; the same object for each call of this process.

    Two processes that open a new database together migrate it once. Raises StorageError (unreadable, damaged, full,
    unreachable, newer than this version; a damaged file is left as it is) and InvalidInput (not an address).
    """
    parsed = parse_url(url or get_settings().resolved_database_url)
    key = (os.getpid(), parsed.render_as_string(hide_password=False))  # a forked child opens its own
    with _opening:
        if key not in _open:
            _migrate(parsed)
            _open[key] = Database(_make_engine(parsed))
        return _open[key]


def close_databases() -> None:
    """Close and forget every open database (tests, and before a fork)."""
    with _opening:
        for database in _open.values():
            database.close()
        _open.clear()


@contextmanager
def _speaking_plainly(url: URL) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise faults.storage_error(error, url) from error


def _make_engine(url: URL, *, for_migration: bool = False) -> Engine:
    pooling: dict[str, Any] = {"poolclass": pool.NullPool} if for_migration else {"pool_pre_ping": not is_sqlite(url)}
    if is_sqlite(url):
        engine = create_engine(
            url, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=to_json_text, **pooling
        ).execution_options(sqlite_begin="IMMEDIATE" if for_migration else "DEFERRED")
        _prepare_sqlite(engine, foreign_keys=not for_migration)
        return engine
    # prepare_threshold=None: connection poolers in front of hosted servers lose prepared statements.
    arguments = {"prepare_threshold": None} | (
        {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    )
    served = create_engine(url, connect_args=arguments, json_serializer=to_json_text, **pooling)
    event.listen(served, "handle_error", _replace_what_cannot_be_asked)
    return served


def _replace_what_cannot_be_asked(context: ExceptionContext) -> None:
    # psycopg can find the socket closed before it calls the connection bad; SQLAlchemy would raise that to the caller.
    if context.is_pre_ping:
        context.is_disconnect = True


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, and leave DDL outside of transactions
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a power cut costs the last commits at most
        # SQLite's own lower() knows ASCII only.
        connection.create_function("casefold", 1, _casefold, deterministic=True)

    def begun(connection: Connection) -> None:
        kind = connection.get_execution_options()["sqlite_begin"]
        if kind:  # empty for what must stand outside of a transaction
            connection.exec_driver_sql(f"BEGIN {kind}")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _casefold(value: str | None) -> str | None:
    return None if value is None else value.casefold()


def _migrate(url: URL) -> None:
    engine = _make_engine(url, for_migration=True)
    try:
        with _speaking_plainly(url):
            if is_sqlite(url):
                _migrate_sqlite(engine)
            else:
                _migrate_postgresql(engine)
    except NewerSchema as error:
        raise faults.newer_schema(error.revision, url) from error
    finally:
        engine.dispose()


def _migrate_sqlite(engine: Engine) -> None:
    path = sqlite_path(engine.url)
    try:
        with guarding_storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise faults.not_a_file(path)
            with FileLock(f"{path}.lock", timeout=UPGRADE_TIMEOUT_S):
                with engine.connect().execution_options(sqlite_begin="") as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # stays with the file
                with engine.begin() as connection:
                    upgrade(connection)
    except Timeout as error:
        raise faults.upgrade_stuck(engine.url, UPGRADE_TIMEOUT_S) from error
    except OSError as error:
        raise faults.folder_error(error, engine.url) from error


def _migrate_postgresql(engine: Engine) -> None:
    with engine.begin() as connection:
        if is_current(connection):
            return
    with engine.begin() as connection:
        # A lock that ends with the transaction also holds through poolers, which a session's lock does not.
        connection.execute(text(f"SET LOCAL lock_timeout = '{UPGRADE_TIMEOUT_S:.0f}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key("groundwork migrations")})
        upgrade(connection)


def _lock_key(name: str) -> int:
    """A signed 64-bit number for a PostgreSQL advisory lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)

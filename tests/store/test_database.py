from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from core.errors import GroundworkError, InvalidInput, NotFound, StorageError
from core.store import database as database_module
from core.store.database import close_databases, open_database
from core.store.sessions import SessionRepository
from core.store.urls import parse_url, redacted, shown
from tests.store.postgres_server import PASSWORD, PostgresServer


def test_one_database_a_process_and_address(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = set(pool.map(lambda _: open_database(), range(16)))
    assert len(opened) == 1
    assert open_database(f"sqlite:///{home / 'other.db'}") not in opened
    close_databases()
    assert open_database() not in opened


def test_an_error_undoes_the_whole_transaction(home: Path) -> None:
    db = open_database()

    def insert_and_fail() -> None:
        with db.transaction() as tx:
            tx.execute(text("INSERT INTO preset VALUES ('1', 'a', '{}', '2025-01-01 00:00:00')"))
            raise NotFound("gone")

    with pytest.raises(NotFound, match="gone"):
        insert_and_fail()
    with db.reading() as tx:
        assert tx.scalar(text("SELECT count(*) FROM preset")) == 0


def test_a_reader_does_not_wait_for_a_writer(home: Path) -> None:
    db = open_database()
    sessions = SessionRepository(db)
    with db.transaction() as tx:
        tx.execute(text("DELETE FROM preset"))
        assert sessions.list() == []


def test_reading_first_and_writing_later_never_fails_for_a_writer_in_between(home: Path) -> None:
    sessions = SessionRepository(open_database())
    started = threading.Barrier(6)

    def write(number: int) -> None:
        started.wait()
        for _ in range(10):
            sessions.rename(session, f"Title {number}")

    session = sessions.create().id
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))


@pytest.mark.parametrize(
    "content", [b"This is a letter, not a database. " * 100, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_file_that_is_no_database_is_left_as_it_is(home: Path, content: bytes) -> None:
    path = home / "groundwork.db"
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        open_database()
    assert str(path) in str(caught.value)
    assert "move it away" in str(caught.value)
    assert path.read_bytes() == content


def test_a_database_damaged_inside_says_so(home: Path) -> None:
    sessions = SessionRepository(open_database())
    for number in range(200):
        sessions.create(title=f"{number} " + "x" * 150)
    close_databases()
    path = home / "groundwork.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * (size - 4096 * 4))
    with pytest.raises(StorageError, match="damaged"):
        SessionRepository(open_database()).list("9")
    assert path.stat().st_size == size


def test_a_folder_in_the_files_place(home: Path) -> None:
    (home / "groundwork.db").mkdir()
    with pytest.raises(StorageError, match="is a folder"):
        open_database()


def test_a_home_below_a_file(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(StorageError, match="GROUNDWORK_HOME"):
        open_database(f"sqlite:///{home / 'file' / 'deep' / 'groundwork.db'}")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(home: Path) -> None:
    (home / "locked").mkdir(mode=0o500)
    with pytest.raises(StorageError, match="GROUNDWORK_HOME"):
        open_database(f"sqlite:///{home / 'locked' / 'groundwork.db'}")


def test_a_folder_that_nobody_may_write(home: Path) -> None:
    with pytest.raises(StorageError, match="GROUNDWORK_HOME"):
        open_database("sqlite:////proc/groundwork/groundwork.db")


def test_a_full_disk_is_told_and_what_was_stored_stays(home: Path) -> None:
    db = open_database()
    sessions = SessionRepository(db)
    sessions.create(title="Before")

    def write_past_the_end() -> None:
        with db.transaction() as tx:
            pages = tx.scalar(text("PRAGMA page_count"))
            tx.execute(text(f"PRAGMA max_page_count = {pages}"))
            tx.execute(text("INSERT INTO preset VALUES ('1', 'a', :long, '2025-01-01')"), {"long": "x" * 100_000})

    with pytest.raises(StorageError, match="disk is full"):
        write_past_the_end()
    close_databases()
    assert [session.title for session in sessions.list()] == ["Before"]


def test_a_locked_database_is_told_after_the_timeout(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.2)
    db = open_database()
    with db.transaction() as tx:
        tx.execute(text("DELETE FROM preset"))
        with pytest.raises(StorageError, match="in use"):
            SessionRepository(db).create()


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/db", "://hunter2", "sqlite://", "sqlite:///:memory:", "hunter2"])
def test_other_addresses_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(InvalidInput, match="postgresql://") as caught:
        open_database(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_postgresql_address_goes_to_psycopg(scheme: str) -> None:
    url = parse_url(f"{scheme}://u:p%40ss@h:6000/db?password=other&sslmode=require")
    assert url.drivername == "postgresql+psycopg"
    assert shown(url) == "h:6000/db"
    assert redacted("p@ss other sslmode", url) == "*** *** sslmode"


def test_a_server_that_is_not_there_is_told_without_the_password(home: Path) -> None:
    with pytest.raises(GroundworkError, match="cannot be reached") as caught:
        open_database("postgresql://founder:hunter2@127.0.0.1:1/groundwork")
    message = str(caught.value)
    assert "127.0.0.1:1/groundwork" in message
    assert "hunter2" not in message


@pytest.mark.postgres
def test_a_wrong_password_or_database_is_told_without_the_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(StorageError) as wrong:
        open_database(postgres_server.url("postgres", password="hunter2"))
    assert "password authentication failed" in str(wrong.value)
    assert "hunter2" not in str(wrong.value)
    with pytest.raises(StorageError, match="does not exist") as missing:
        open_database(postgres_server.url("nowhere"))
    assert PASSWORD not in str(missing.value)


@pytest.mark.postgres
def test_a_connection_that_the_server_dropped_is_replaced(postgres_server: PostgresServer) -> None:
    db = open_database(postgres_server.fresh_url())
    sessions = SessionRepository(db)
    sessions.create(title="Before")
    other = open_database(postgres_server.fresh_url())
    with other.transaction() as tx:
        tx.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": db.url.database},
        )
    assert [session.title for session in sessions.list()] == ["Before"]


@pytest.mark.postgres
def test_a_connection_that_cannot_be_asked_is_replaced(postgres_server: PostgresServer) -> None:
    """psycopg says of a socket that closed in mid-question: not that the connection is bad, but busy."""
    db = open_database(postgres_server.fresh_url())
    sessions = SessionRepository(db)
    sessions.create(title="Before")
    with db.reading() as tx:
        raw = cast(Any, tx.connection().connection.driver_connection)
    raw.pgconn.send_query(b"SELECT 1")
    assert [session.title for session in sessions.list()] == ["Before"]

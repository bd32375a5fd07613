from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, text

from core.errors import StorageError
from core.store.database import close_databases, open_database
from core.store.sessions import SessionRepository
from core.store.upgrade import VERSION_TABLE, alembic_config
from core.store.urls import parse_url

ROOT = Path(__file__).parents[2]


def test_migrated_from_empty_the_schema_is_the_models(database_url: str) -> None:
    open_database(database_url)
    with create_engine(parse_url(database_url)).connect() as connection:
        command.check(alembic_config(connection))


def test_down_and_up_again(database_url: str) -> None:
    open_database(database_url)
    close_databases()
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert inspect(engine).get_table_names() == [VERSION_TABLE]
    SessionRepository(open_database(database_url)).create()


def test_a_schema_newer_than_the_app_is_left_alone(database_url: str) -> None:
    db = open_database(database_url)
    with db.transaction() as tx:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    close_databases()
    with pytest.raises(StorageError, match=r"newer Groundwork \(schema 9999\).*Update Groundwork"):
        open_database(database_url)


def test_processes_that_open_a_new_database_together_all_succeed(database_url: str) -> None:
    program = "from core.store.database import open_database; open_database()"
    environment = os.environ | {"GROUNDWORK_DATABASE_URL": database_url}
    together = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in together]
    assert [process.returncode for process in together] == [0, 0, 0], errors
    SessionRepository(open_database(database_url)).create()


def test_a_migration_that_fails_leaves_nothing_half_made(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE template (id integer)"))  # another program's: 0001 fails in its middle
    with pytest.raises(StorageError):
        open_database(database_url)
    assert inspect(engine).get_table_names() == ["template"]


def test_sqlite_is_opened_in_wal_mode_with_foreign_keys(home: Path) -> None:
    with open_database().transaction() as tx:
        pragmas = {
            name: tx.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 1}
    with sqlite3.connect(home / "groundwork.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

"""Brings a database to the schema of this version. Runs when a database is opened; there is no command to remember."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

MIGRATIONS = Path(__file__).parent / "migrations"
# Its own name, so that another program's Alembic in the same PostgreSQL database is left alone.
VERSION_TABLE = "groundwork_version"


class NewerSchema(Exception):
    """The database is at a revision that this version does not know."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(revision)


def alembic_config(connection: Connection | None = None) -> Config:
    """What `alembic.command` needs. With no connection, `env.py` opens the database of the settings."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@lru_cache(maxsize=1)
def _revisions() -> tuple[str, frozenset[str]]:
    """The newest revision and all known ones."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    head = scripts.get_current_head()
    assert head is not None
    return head, frozenset(script.revision for script in scripts.walk_revisions())


def is_current(connection: Connection) -> bool:
    """Whether the schema is this version's. Raises NewerSchema."""
    head, known = _revisions()
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_heads()
    for revision in current:
        if revision not in known:
            raise NewerSchema(revision)
    return current == (head,)


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision, inside the caller's transaction. Raises NewerSchema.

    SQLite: foreign keys are off on this connection (rebuilding a table would cascade), so they are checked at the end.
    """
    if is_current(connection):
        return
    command.upgrade(alembic_config(connection), "head")
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise RuntimeError(f"The migration broke a foreign key: {tuple(broken)}.")

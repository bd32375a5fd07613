"""Alembic's entry. `core.store.upgrade` hands it a connection; the command line gets the database of the settings."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, create_engine, pool

from core.settings import get_settings
from core.store.columns import UtcDateTime, Words
from core.store.schema import Base
from core.store.upgrade import VERSION_TABLE
from core.store.urls import parse_url


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A migration names plain column types: it must still run when our own have changed."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Words):
        return "sa.Text()"
    if kind == "type" and type(item).__name__ == "JSON":
        return "sa.JSON()"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations need a database to look at: leave out --sql.")

given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(parse_url(get_settings().resolved_database_url), poolclass=pool.NullPool)
    with engine.begin() as own:
        migrate(own)

"""Which database an address means. A password in it is never shown."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import InvalidInput

ALLOWED = "A database is sqlite:///path/to/file.db or postgresql://user:password@host:5432/name."
NEXT_STEP = "Change GROUNDWORK_DATABASE_URL, or leave it empty to record to a file in the home folder."
# Hosts hand out addresses under all of these names; one driver serves them.
POSTGRESQL_NAMES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"}
SQLITE_NAMES = {"sqlite", "sqlite+pysqlite"}


def parse_url(text: str) -> URL:
    """The address as SQLAlchemy wants it. Raises InvalidInput for another kind of database or a malformed address."""
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # `from None`: the parser's own error may quote the address, password included.
        raise InvalidInput("The database address cannot be read.", allowed=ALLOWED, next_step=NEXT_STEP) from None
    if url.drivername in POSTGRESQL_NAMES:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in SQLITE_NAMES:
        raise InvalidInput(
            f"Databases of the kind {url.drivername!r} are not supported.", allowed=ALLOWED, next_step=NEXT_STEP
        )
    if url.database in (None, "", ":memory:") or url.query.get("uri"):
        raise InvalidInput(
            "A SQLite database needs a file: a record in memory is gone with the process.",
            allowed=ALLOWED,
            next_step=NEXT_STEP,
        )
    return url


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sqlite_path(url: URL) -> Path:
    """The file of a SQLite address."""
    return Path(url.database or "").absolute()


def shown(url: URL) -> str:
    """How a message names the database: a path, or host and name. No user, no password, no query."""
    if is_sqlite(url):
        return str(sqlite_path(url))
    host = url.host or "the local socket"
    return f"{host}:{url.port or 5432}/{url.database or ''}"


def redacted(text: str, url: URL) -> str:
    """`text` with every secret of the address blotted out."""
    secrets = [url.password] if isinstance(url.password, str) else []
    for name, value in url.query.items():
        if "password" in name.lower():
            secrets.extend([value] if isinstance(value, str) else value)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text

"""What a database complains about, in the user's words and with the next step."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from core.errors import StorageError
from core.store.urls import is_sqlite, redacted, shown, sqlite_path

HOME_STEP = "Set GROUNDWORK_HOME (or GROUNDWORK_DATABASE_URL) to a place that you may write to."


def storage_error(error: SQLAlchemyError, url: URL) -> StorageError:
    """The StorageError to raise in place of `error`. It holds no password of `url`."""
    if isinstance(error, IntegrityError):
        return StorageError(
            f"The record in {shown(url)} refused the change, because something it points at is gone or taken: "
            f"{_reason(error, url)}.",
            next_step="Reload and try again.",
        )
    if not isinstance(error, DBAPIError):
        return StorageError(
            f"The record in {shown(url)} did not answer in time: too much is using it at once.",
            next_step="Try again in a moment.",
        )
    return _sqlite_error(error, url) if is_sqlite(url) else _postgresql_error(error, url)


def folder_error(error: OSError, url: URL) -> StorageError:
    """For a folder that cannot be made or a lock file that cannot be written."""
    path = sqlite_path(url)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(path)
    return StorageError(
        f"The database {path} cannot be opened: {error.strerror or error}.",
        next_step=HOME_STEP,
    )


def not_a_file(path: Path) -> StorageError:
    return StorageError(f"{path} is a folder; a database is a file.", next_step=HOME_STEP)


def newer_schema(revision: str, url: URL) -> StorageError:
    return StorageError(
        f"The record in {shown(url)} was written by a newer Groundwork (schema {revision}). Nothing was changed.",
        next_step="Update Groundwork, or point GROUNDWORK_DATABASE_URL at another database.",
    )


def upgrade_stuck(url: URL, seconds: float) -> StorageError:
    return StorageError(
        f"Another process has been preparing the record in {shown(url)} for more than {seconds:.0f} s.",
        next_step="Wait for it or stop it, then start again.",
    )


def _sqlite_error(error: DBAPIError, url: URL) -> StorageError:
    path = sqlite_path(url)
    # SQLITE_CORRUPT, SQLITE_IOERR_WRITE, …: the second word says which family.
    name = getattr(error.orig, "sqlite_errorname", "") or ""
    family = name.split("_")[1] if "_" in name else ""
    if family in ("CORRUPT", "NOTADB"):
        return StorageError(
            f"{path} is damaged, or is not a database ({_reason(error, url)}). The file was left as it is.",
            next_step="Put a backup in its place, or move it away (with its -wal and -shm siblings) to start afresh.",
        )
    if family == "FULL":
        return _disk_full(path)
    if family in ("BUSY", "LOCKED"):
        return StorageError(
            f"{path} is in use: another process kept it locked for too long.", next_step="Try again in a moment."
        )
    if family in ("CANTOPEN", "READONLY", "PERM", "IOERR", "AUTH"):
        return StorageError(
            f"The database {path} cannot be opened or written: {_reason(error, url)}.", next_step=HOME_STEP
        )
    return StorageError(
        f"The database {path} gave an error: {_reason(error, url)}.",
        next_step="Restart Groundwork. If it stays, move the file away to start afresh and keep it for a look.",
    )


def _disk_full(path: Path) -> StorageError:
    existing = next((folder for folder in path.parents if folder.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    return StorageError(
        f"The disk is full: {path} could not be written ({free / 1e6:,.0f} MB free). What was stored before is safe.",
        next_step="Free some space, or set GROUNDWORK_HOME to a folder on a larger disk.",
    )


# SQLSTATE → (what happened, next step), from https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES = {
    "28": ("refused the sign-in", "Check the user and password in GROUNDWORK_DATABASE_URL."),
    "3D000": ("has no database of that name", "Create it, or correct the name in GROUNDWORK_DATABASE_URL."),
    "42501": ("does not let this user do that", "Give the user the right to create and change tables there."),
    "53100": ("has a full disk", "Free some space on the server."),
    "53300": ("has no connection left", "Try again in a moment, or raise max_connections on the server."),
    "55P03": ("kept a row locked for too long", "Try again in a moment."),
    "25006": ("is read-only", "Point GROUNDWORK_DATABASE_URL at the server that takes writes."),
}


def _postgresql_error(error: DBAPIError, url: URL) -> StorageError:
    state = getattr(error.orig, "sqlstate", None) or ""
    for prefix, (happened, next_step) in _STATES.items():
        if state.startswith(prefix):
            return StorageError(f"The server {shown(url)} {happened}: {_reason(error, url)}.", next_step=next_step)
    # psycopg gives no SQLSTATE when there is no connection to begin with.
    if not state or state.startswith(("08", "57P")):
        return StorageError(
            f"The database server {shown(url)} cannot be reached: {_reason(error, url)}.",
            next_step="Check that it runs and that GROUNDWORK_DATABASE_URL is right, then try again.",
        )
    return StorageError(
        f"The database {shown(url)} gave an error: {_reason(error, url)}.",
        next_step="If another program keeps its tables there, give Groundwork a database of its own.",
    )


def _reason(error: DBAPIError, url: URL) -> str:
    """The driver's first line, without secrets and without the full stop."""
    lines = str(error.orig).strip().splitlines() or ["no reason given"]
    return redacted(lines[0], url).rstrip(". ")

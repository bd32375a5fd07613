"""Companies: what a founder plans, as one document each, saved by name and version.

Two windows may have the same company open: what is saved names the version that it changes, and a newer one is never
written over unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.errors import InvalidInput
from core.store.columns import utc_now
from core.store.database import Database
from core.store.records import checked_name, fetch, to_record
from core.store.schema import CompanyRow

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """spec: the document, as JSON. version: 1 at first, one more with each change. example: an invented company."""

    id: str
    name: str
    spec: dict[str, Any]
    version: int
    example: bool
    created_at: datetime
    updated_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
CompanyRecords = list[CompanyRecord]


class CompanyRepository:
    """Reads and writes companies. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, name: str, spec: dict[str, Any], *, example: bool = False) -> CompanyRecord:
        """A new one; a taken name gets a number behind it. Raises InvalidInput for a name out of bounds."""
        name = checked_name(name, "name", LONGEST_NAME)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "company names")
            taken = set(tx.scalars(select(CompanyRow.name)))
            row = CompanyRow(name=_free(name, taken), spec=spec, example=example)
            tx.add(row)
            tx.flush()
            return to_record(CompanyRecord, row)

    def list(self) -> CompanyRecords:
        """The last changed first."""
        query = select(CompanyRow).order_by(CompanyRow.updated_at.desc(), CompanyRow.id)
        with self._db.reading() as tx:
            return [to_record(CompanyRecord, row) for row in tx.scalars(query)]

    def get(self, company_id: str) -> CompanyRecord:
        with self._db.reading() as tx:
            return to_record(CompanyRecord, fetch(tx, CompanyRow, company_id, "company"))

    def save(self, company_id: str, spec: dict[str, Any], *, version: int, name: str | None = None) -> CompanyRecord:
        """Change it. version: the one that was read. Raises InvalidInput when it has been changed since."""
        checked = None if name is None else checked_name(name, "name", LONGEST_NAME)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "company names")
            row = fetch(tx, CompanyRow, company_id, "company")
            if row.version != version:
                raise InvalidInput(
                    f"“{row.name}” was changed elsewhere since this page read it; this change was not saved.",
                    next_step="Reload the page, which shows the newer one, and make the change again.",
                )
            if checked is not None and checked != row.name:
                others = set(tx.scalars(select(CompanyRow.name).where(CompanyRow.id != company_id)))
                row.name = _free(checked, others)
            row.spec, row.version, row.updated_at = spec, version + 1, utc_now()
            tx.flush()
            return to_record(CompanyRecord, row)

    def delete(self, company_id: str) -> None:
        with self._db.transaction() as tx:
            tx.delete(fetch(tx, CompanyRow, company_id, "company"))


def _free(name: str, taken: set[str]) -> str:
    """The name, or the name and the first free number."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name[: LONGEST_NAME - 6]} ({count})"
    return found

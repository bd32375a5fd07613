"""From a row to the frozen record that leaves the store."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.store.columns import storable_text
from core.store.schema import Base

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
Row = TypeVar("Row", bound=Base)


def to_record(kind: type[Record], row: Base) -> Record:
    """A `kind` whose every field is the row's attribute of that name."""
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(kind)}
    return kind(**values)


def fetch(session: Session, table: type[Row], row_id: str, what: str) -> Row:
    """The row of that id. what: the noun for the message. Raises NotFound."""
    row = session.get(table, row_id)
    if row is None:
        raise not_found(what, row_id)
    return row


def not_found(what: str, row_id: str) -> NotFound:
    return NotFound(
        f"There is no {what} {row_id[:64]!r} in the record.",
        next_step="It may have been deleted: go back to the list and choose another.",
    )


def checked_name(text: str, what: str, longest: int) -> str:
    """`text` on one line, without space at its ends. Raises InvalidInput unless 1 to `longest` characters remain."""
    name = storable_text(" ".join(text.split()))
    if not 1 <= len(name) <= longest:
        raise InvalidInput(
            f"The {what} has {len(name)} characters." if name else f"The {what} is empty.",
            allowed=f"It has 1 to {longest} characters.",
            next_step="Type another.",
        )
    return name

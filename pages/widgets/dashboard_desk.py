"""What every widget of the dashboard is given: the company on the page, and the way to change it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from core.store.companies import CompanyRecord, CompanyRepository
from core.store.database import Database
from core.venture.spec import CompanySpec, company
from pages import state


class Desk:
    """id, name, example: of the company in the record. spec: as it was saved last. db: the record.

    What the reader types belongs to the version that was on the page when they typed it. While `changed_elsewhere`,
    nothing is saved: the press that brought this drawing about was made on an older one.
    """

    def __init__(self, db: Database, record: CompanyRecord) -> None:
        self.db = db
        self._record = record
        self.spec: CompanySpec = company(record.spec)
        drawn = state.drawn_version(record.id)
        self.changed_elsewhere = drawn is not None and drawn != record.version
        self._version = record.version if drawn is None else drawn

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def example(self) -> bool:
        return self._record.example

    @property
    def version(self) -> int:
        """Of what is shown; one more with each change."""
        return self._record.version

    def is_drawn(self) -> None:
        """The page shows this version to its end: from now on what is typed belongs to it."""
        self._version = self._record.version
        state.set_drawn_version(self.id, self._version)

    @property
    def currency(self) -> str:
        return self.spec.company.currency

    def put(self, section: str, value: Any) -> None:
        """Change a section, such as `products`, `ownership.safes` or `products.0.price`, and save the company.

        value: plain values as JSON has them, models of `core.venture`, or lists of them. Raises InvalidInput, and keeps
        what was saved before, when the company as a whole is not in order or was changed elsewhere.
        """
        document = self.document()
        *path, last = section.split(".")
        place: Any = document
        for key in path:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        place[int(last) if isinstance(place, list) else last] = _plain(value)
        self.put_all(document)

    def put_all(self, document: dict[str, Any], *, name: str | None = None) -> None:
        """The whole company at once. Raises InvalidInput as `put`."""
        spec = company(document)
        self._record = CompanyRepository(self.db).save(self.id, spec.to_json(), version=self._version, name=name)
        self.spec = spec
        self.is_drawn()

    def document(self) -> dict[str, Any]:
        """The company as JSON, without what is at its default; a copy of the caller's own."""
        return deepcopy(self.spec.to_json())


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value

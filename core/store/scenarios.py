"""Scenarios: estimates that were saved by name, with what was asked, every figure, and the measurements behind it.

The figures are kept as they were on the day, so that a scenario can be compared and taken away even when prices, tables
or the estimator have changed since; `spec` makes it again with today's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.errors import InvalidInput
from core.store.columns import storable_text, utc_now
from core.store.database import Database
from core.store.records import checked_name, fetch, to_record
from core.store.schema import ScenarioRow

LONGEST_NAME = 80
KINDS = ("train", "memory", "serve", "breakeven")
FIGURE_KEYS = frozenset(
    ("key", "label", "unit", "low", "expected", "high", "formula", "source", "inputs", "drivers", "measurement_ids")
)

JsonObjects = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScenario:
    """An estimate to be saved, in plain values, as JSON has them.

    kind: one of KINDS. spec: the configuration that repeats it. sentence: the answer in words. figures: one object a
    figure, with FIGURE_KEYS; its inputs are name, value, unit and source, its drivers name, low and high. notes: what
    was assumed. measurement_ids: of all figures. form: what the fields of the page held, {} for one from elsewhere.
    """

    name: str
    kind: str
    spec: dict[str, Any]
    sentence: str
    figures: JsonObjects
    notes: list[str]
    measurement_ids: list[str]
    form: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord(NewScenario):
    """A saved one. updated_at: when its figures or its name were last changed."""

    id: str
    created_at: datetime
    updated_at: datetime


# The class has a method called `list`, which hides the built-in type from its annotations.
ScenarioRecords = list[ScenarioRecord]


class ScenarioRepository:
    """Reads and writes scenarios. An unknown id raises NotFound; a failing database raises StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, scenario: NewScenario, *, over: bool = True) -> ScenarioRecord:
        """Keep it under its name. over: in place of what that held, of whatever kind. Raises InvalidInput unless the
        name, trimmed, has 1 to 80 characters and is free or to be saved over, the kind is known and every figure has
        its keys."""
        name = checked_name(scenario.name, "name", LONGEST_NAME)
        _check(scenario)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "scenario names")
            row = tx.scalar(select(ScenarioRow).where(ScenarioRow.name == name))
            if row is None:
                row = ScenarioRow(name=name)
                tx.add(row)
            elif not over:
                raise InvalidInput(
                    f"'{name}' is a saved scenario already.", next_step="Choose another name, or save over it."
                )
            row.kind, row.spec, row.sentence = scenario.kind, scenario.spec, storable_text(scenario.sentence)
            row.figures, row.notes, row.measurement_ids = scenario.figures, scenario.notes, scenario.measurement_ids
            row.form, row.updated_at = scenario.form, utc_now()
            tx.flush()
            return to_record(ScenarioRecord, row)

    def named(self, name: str) -> ScenarioRecord | None:
        """The one of this name, trimmed; None without. Raises InvalidInput for a name out of bounds."""
        name = checked_name(name, "name", LONGEST_NAME)
        with self._db.reading() as tx:
            row = tx.scalar(select(ScenarioRow).where(ScenarioRow.name == name))
            return None if row is None else to_record(ScenarioRecord, row)

    def list(self, kind: str | None = None) -> ScenarioRecords:
        """All of them, or those of a kind, the last changed first."""
        query = select(ScenarioRow).order_by(ScenarioRow.updated_at.desc(), ScenarioRow.id)
        query = query if kind is None else query.where(ScenarioRow.kind == kind)
        with self._db.reading() as tx:
            return [to_record(ScenarioRecord, row) for row in tx.scalars(query)]

    def get(self, scenario_id: str) -> ScenarioRecord:
        with self._db.reading() as tx:
            return to_record(ScenarioRecord, fetch(tx, ScenarioRow, scenario_id, "scenario"))

    def rename(self, scenario_id: str, name: str) -> ScenarioRecord:
        """Raises InvalidInput for a name out of bounds, or one that another scenario has."""
        name = checked_name(name, "name", LONGEST_NAME)
        with self._db.transaction() as tx:
            self._db.serialise(tx, "scenario names")
            row = fetch(tx, ScenarioRow, scenario_id, "scenario")
            taken = tx.scalar(select(ScenarioRow.id).where(ScenarioRow.name == name, ScenarioRow.id != scenario_id))
            if taken is not None:
                raise InvalidInput(
                    f"Another scenario is called '{name}'.", next_step="Choose another name, or delete that one first."
                )
            row.name, row.updated_at = name, utc_now()
            tx.flush()
            return to_record(ScenarioRecord, row)

    def delete(self, scenario_id: str) -> None:
        with self._db.transaction() as tx:
            tx.delete(fetch(tx, ScenarioRow, scenario_id, "scenario"))


def _check(scenario: NewScenario) -> None:
    faults = [] if scenario.kind in KINDS else [f"its kind is '{scenario.kind}' (one of {', '.join(KINDS)})"]
    for figure in scenario.figures:
        if missing := FIGURE_KEYS - figure.keys():
            faults.append(f"figure '{figure.get('key', '?')}' lacks {', '.join(sorted(missing))}")
    if faults:
        raise InvalidInput(f"This estimate cannot be saved: {'; '.join(faults)}.", next_step="Estimate it again.")

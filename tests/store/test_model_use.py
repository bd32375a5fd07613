"""Which models the record knows to be in use."""

from __future__ import annotations

from dataclasses import replace

from core.store.database import Database
from core.store.model_use import models_in_use
from core.store.readings import ReadingRepository
from core.store.runs import NewRun, RunRepository


def test_a_record_without_runs_uses_no_model(db: Database) -> None:
    assert models_in_use(db) == ()


def test_uses_are_counted_over_runs_and_readings_the_last_used_first(db: Database, new_run: NewRun) -> None:
    runs = RunRepository(db)
    for model_id in ("old", "both", "both"):
        runs.start(replace(new_run, model_id=model_id))
    ReadingRepository(db).keep(model_id="both", revision="r", text="Once", token_ids=[1])
    found = models_in_use(db)
    assert [(one.model_id, one.times) for one in found] == [("both", 3), ("old", 1)]
    assert found[0].last > found[1].last

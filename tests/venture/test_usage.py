"""Recorded usage: only complete runs count, the mean run is a task, and a task that was edited stands on no runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import InvalidInput
from core.store.columns import utc_now
from core.store.database import Database
from core.store.runs import RunRepository
from core.store.sessions import SessionRepository
from core.venture import usage
from core.venture.products import MOST_RUN_IDS, TaskSpec
from tests.venture.product_cases import MODEL, recorded_run


def test_the_mean_run_is_of_complete_runs_alone(db: Database) -> None:
    ids = [recorded_run(db, prompt=100, completion=20, cached=50), recorded_run(db, prompt=300, completion=40)]
    for status in ("failed", "cancelled", "interrupted"):
        recorded_run(db, prompt=9_999, completion=9_999, status=status)
    found = usage.recorded(db)
    assert set(found.run_ids) == set(ids)
    assert (found.prompt.mean, found.completion.mean, found.cached.mean) == (200, 30, 25)
    assert found.cached_share == 50 / 400  # of all tokens, not the mean of shares
    assert found.left_out == 3
    assert "3 further runs are left out" in found.notes[0]


def test_a_task_keeps_the_ids_of_its_runs(db: Database) -> None:
    run = recorded_run(db, prompt=120, completion=30, cached=60)
    task = usage.recorded(db).task("Answer", 50)
    assert task == TaskSpec(
        name="Answer", runs_per_user=50, input_tokens=120, output_tokens=30, cached_share=0.5, run_ids=(run,)
    )


def test_runs_are_chosen_by_model_conversation_and_time(db: Database) -> None:
    first, other = recorded_run(db), recorded_run(db, model="other")
    sessions = SessionRepository(db)
    session = sessions.create()
    sessions.add_message(session.id, None, "assistant", "Hi", run_id=other)
    assert usage.recorded(db, model_id=MODEL).run_ids == (first,)
    assert usage.recorded(db, session_id=session.id).run_ids == (other,)
    assert usage.recorded(db, since=utc_now() - timedelta(hours=1)).count == 2
    assert dict(usage.recorded_models(db)) == {MODEL: 1, "other": 1}
    with pytest.raises(InvalidInput, match="Ask the model something in the Playground"):
        usage.recorded(db, since=utc_now() + timedelta(hours=1))


def test_runs_of_several_models_are_told(db: Database) -> None:
    recorded_run(db)
    recorded_run(db, model="other")
    assert any("several models" in note for note in usage.recorded(db).notes)


def test_more_ids_than_a_file_should_hold_are_cut_and_told(db: Database) -> None:
    run = RunRepository(db).get(recorded_run(db))
    found = usage.of_runs([run] * (MOST_RUN_IDS + 5))
    assert len(found.task("A").run_ids) == MOST_RUN_IDS
    assert any("the newest 200 are kept" in note for note in found.notes)


def test_tokens_changed_by_hand_stand_on_no_runs() -> None:
    before = [TaskSpec(name="Answer", input_tokens=100, output_tokens=20, run_ids=("a",))]
    kept = {"name": "Reply", "runs_per_user": 9, "input_tokens": 100.0, "output_tokens": 20.0}
    assert usage.edited(before, [kept])[0]["run_ids"] == ["a"]
    assert usage.edited(before, [kept | {"input_tokens": 101.0}])[0]["run_ids"] == []
    assert (
        usage.edited(before, [kept, {"name": "New", "input_tokens": 100.0, "output_tokens": 20.0}])[1]["run_ids"] == []
    )

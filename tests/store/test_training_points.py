"""What a training says of itself, in order, and forgotten behind the step from which it goes on."""

from __future__ import annotations

import pytest

from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.training_points import TrainingPointRepository


@pytest.fixture
def job(db: Database) -> str:
    return JobRepository(db).create("finetune", "a", {})[0].id


def test_points_come_back_in_the_order_of_writing(db: Database, job: str) -> None:
    points = TrainingPointRepository(db)
    points.add(job, [(1, "train", {"loss": 2.0}), (1, "eval", {"loss": float("nan")})])
    points.add(job, [(2, "train", {"loss": 1.0}), (2, "sample", {"texts": [{"prompt": "p", "text": "t"}]})])
    found = points.list(job)
    assert [(point.ordinal, point.step, point.kind) for point in found] == [
        (1, 1, "train"),
        (2, 1, "eval"),
        (3, 2, "train"),
        (4, 2, "sample"),
    ]
    assert found[1].values == {"loss": None}
    assert [point.step for point in points.list(job, "train", after=1)] == [2]
    assert [point.kind for point in points.curves([job])[job]] == ["train", "eval", "train"]


def test_what_came_after_a_step_is_forgotten_and_written_anew(db: Database, job: str) -> None:
    points = TrainingPointRepository(db)
    points.add(job, [(step, "train", {"loss": 1.0}) for step in (1, 2, 3)])
    points.forget_after(job, 2)
    points.add(job, [(3, "train", {"loss": 0.5})])
    assert [(point.step, point.values["loss"]) for point in points.list(job)] == [(1, 1.0), (2, 1.0), (3, 0.5)]

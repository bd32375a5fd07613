from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.errors import InvalidInput, NotFound
from core.store.columns import utc_now
from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.schema import JobRow
from core.store.training_points import TrainingPointRepository


@pytest.fixture
def jobs(db: Database) -> JobRepository:
    return JobRepository(db)


def test_a_job_from_queue_to_result(jobs: JobRepository) -> None:
    job, is_new = jobs.create("export", "Export SmolLM2", {"model_id": "m"}, key="m int8")
    assert is_new
    assert (job.state, job.progress, job.command, job.pid) == ("queued", 0.0, {"model_id": "m"}, None)
    assert jobs.start(job.id)
    assert not jobs.start(job.id)
    jobs.progress(job.id, 0.5, "Building", {"loss": float("inf")})
    running = jobs.get(job.id)
    assert (running.state, running.progress, running.step, running.pid) == ("running", 0.5, "Building", os.getpid())
    assert running.metrics == {"loss": None}
    jobs.progress(job.id, 7, "Proving")
    assert (jobs.get(job.id).progress, jobs.get(job.id).metrics) == (1.0, {"loss": None})
    done = jobs.finish(job.id, "done", result={"path": "x"})
    assert (done.state, done.result, done.error) == ("done", {"path": "x"}, None)
    jobs.progress(job.id, 0.1, "Late")
    assert jobs.finish(job.id, "failed", error="Late") == done == jobs.get(job.id)
    assert [found.id for found in jobs.list(kind="export", state="done")] == [job.id]


def test_the_same_work_is_not_queued_twice(jobs: JobRepository) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: jobs.create("export", "Export", {}, key="m"), range(16)))
    assert sum(is_new for _, is_new in made) == 1
    assert len({job.id for job, _ in made}) == 1
    first = made[0][0]
    assert jobs.find_active("export", "m") == jobs.get(first.id)
    assert jobs.create("export", "Export", {}, key="other")[1]
    assert jobs.create("fine-tune", "Tune", {}, key="m")[1]
    assert jobs.create("note", "No key", {})[1]
    assert jobs.create("note", "No key", {})[1]
    jobs.start(first.id)
    assert not jobs.create("export", "Export", {}, key="m")[1]
    jobs.finish(first.id, "failed", error="No disk.")
    assert jobs.find_active("export", "m") is None
    assert jobs.create("export", "Export", {}, key="m")[1]


def test_of_two_takers_one_wins(jobs: JobRepository) -> None:
    job, _ = jobs.create("export", "Export", {})
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: jobs.start(job.id), range(8))) == 1


def test_cancelling(jobs: JobRepository) -> None:
    queued, running, done = (jobs.create("export", "Export", {})[0].id for _ in range(3))
    assert jobs.request_cancel(queued).state == "cancelled"
    assert not jobs.start(queued)
    jobs.start(running)
    assert not jobs.is_cancel_requested(running)
    assert jobs.request_cancel(running).state == "running"
    assert jobs.is_cancel_requested(running)
    jobs.start(done)
    jobs.finish(done, "done")
    assert not jobs.request_cancel(done).cancel_requested


def test_a_dead_job_is_marked_and_a_queued_one_waits(jobs: JobRepository, db: Database) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive, queued, silent = (jobs.create("export", "Export", {})[0].id for _ in range(4))
    jobs.start(dead, pid=gone.pid)
    jobs.start(alive)
    jobs.start(silent)
    with db.transaction() as tx:
        old = utc_now() - timedelta(minutes=5)
        tx.execute(update(JobRow).where(JobRow.id == silent).values(host="elsewhere", heartbeat_at=old))
    assert jobs.mark_interrupted() == 2
    assert [jobs.get(job).state for job in (dead, alive, queued, silent)] == [
        "interrupted", "running", "queued", "interrupted"
    ]  # fmt: skip
    assert jobs.finish(silent, "done", result={"late": True}).state == "done"


def test_unknown_jobs_and_wrong_ends(jobs: JobRepository) -> None:
    for call in (
        lambda: jobs.get("nope"),
        lambda: jobs.start("nope"),
        lambda: jobs.progress("nope", 0.1, ""),
        lambda: jobs.touch("nope"),
        lambda: jobs.request_cancel("nope"),
        lambda: jobs.is_cancel_requested("nope"),
        lambda: jobs.finish("nope", "done"),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(InvalidInput, match="done, failed"):
        jobs.finish(jobs.create("export", "Export", {})[0].id, "queued")


def test_a_queue_keeps_its_order_and_lets_it_be_changed(jobs: JobRepository) -> None:
    a, b, c = (jobs.create("finetune", name, {}, queue="here/cpu")[0].id for name in "abc")
    elsewhere = jobs.create("finetune", "d", {}, queue="there/cpu")[0].id

    def order() -> list[str]:
        return [job.id for job in jobs.waiting("here/cpu")]

    assert order() == [a, b, c]
    jobs.move(c, -1)
    assert order() == [a, c, b]
    jobs.move(a, 99)
    assert order() == [c, b, a]
    jobs.move(c, -1)
    assert order() == [c, b, a]
    assert jobs.start(c)
    jobs.move(c, 1)  # it waits no more
    assert order() == [b, a]
    assert [job.id for job in jobs.running_in("here/cpu")] == [c]
    assert [job.id for job in jobs.waiting("there/cpu")] == [elsewhere]


def test_a_job_that_ended_goes_to_the_end_of_its_queue(jobs: JobRepository) -> None:
    first = jobs.create("finetune", "a", {"steps": 1}, queue="here/cpu")[0].id
    second = jobs.create("finetune", "b", {}, queue="here/cpu")[0].id
    with pytest.raises(InvalidInput, match="queued"):
        jobs.requeue(first)
    jobs.start(first)
    jobs.progress(first, 0.5, "Training", {"step": 3})
    jobs.request_stop(first)
    jobs.finish(first, "failed", error="It broke.")
    again = jobs.requeue(first)
    assert (again.state, again.error, again.pid, again.finished_at, again.stop_requested) == (
        "queued",
        None,
        None,
        None,
        False,
    )
    assert (again.metrics, again.progress, again.attempts) == ({"step": 3}, 0.5, 1)
    assert [job.id for job in jobs.waiting("here/cpu")] == [second, first]
    jobs.start(first)
    assert jobs.get(first).attempts == 2
    jobs.finish(first, "done")
    longer = jobs.requeue(first, {"steps": 2})
    assert (longer.command, longer.progress) == ({"steps": 2}, 0.0)


def test_only_a_running_job_is_asked_to_stop(jobs: JobRepository) -> None:
    job = jobs.create("finetune", "a", {})[0].id
    assert not jobs.request_stop(job).stop_requested
    jobs.start(job)
    assert jobs.request_stop(job).stop_requested


def test_a_job_is_forgotten_with_its_points_once_it_has_ended(jobs: JobRepository, db: Database) -> None:
    job = jobs.create("finetune", "a", {})[0].id
    points = TrainingPointRepository(db)
    points.add(job, [(1, "train", {"loss": 1.0})])
    with pytest.raises(InvalidInput, match="Cancel it first"):
        jobs.delete(job)
    jobs.request_cancel(job)
    jobs.delete(job)
    assert points.list(job) == []
    with pytest.raises(NotFound):
        jobs.get(job)

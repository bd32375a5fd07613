"""A fine-tune on a real Ray cluster of two nodes: as good as on one machine, whoever is lost on the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from core.settings import reload_settings
from core.store.database import Database, close_databases, open_database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from core.store.training_points import TrainingPointRepository
from core.training import queue
from core.training.config import parse_config
from core.training.place import RayPlace
from core.training.ray_cluster import environment
from core.training.ray_folder import RayFolder
from core.training.ray_jobs import RayJobs, failure_of
from core.training.run_folder import RunFolder
from tests.training.ray_cluster_fixture import LocalCluster

pytest.importorskip("ray", reason="requirements-ray.txt is not installed")
pytestmark = pytest.mark.slow

STEPS, EVERY, BATCH = 380, 19, 8
"""The first evaluation comes before the end of the first pass, when the last batches are filled up."""


def config(steps: int = STEPS, batch: int = BATCH) -> Any:
    return parse_config(
        {
            "recipe": "regression",
            "layers": [16],
            "data": {"path": "sample:diabetes"},
            "training": {
                "steps": steps,
                "evaluate_every": EVERY,
                "batch_size": batch,
                "schedule": "constant",
                "warmup": 0,
                "threads": 1,
            },
        }
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    started = LocalCluster()
    try:
        started.start()
        yield started
    finally:
        started.stop()


@dataclass(frozen=True, slots=True)
class Ran:
    """train: loss by step. evaluated: root mean squared error by step."""

    job: JobRecord
    train: dict[int, float]
    evaluated: dict[int, float]


@pytest.fixture(scope="module")
def undisturbed(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Two workers, one on each node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDWORK_HOME", str(tmp_path_factory.mktemp("shared")))
        patch.setenv("GROUNDWORK_DATABASE_URL", "")
        reload_settings()
        db = open_database()
        yield ran(db, wait(db, queue.submit(db, config(), where=place(cluster)).id))
    close_databases()
    reload_settings()


def place(cluster: LocalCluster) -> RayPlace:
    return RayPlace(cluster.address, workers=2, device="cpu")


def until(db: Database, job_id: str, is_so: Callable[[], Any], timeout_s: float = 240) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        job = JobRepository(db).get(job_id)
        assert time.monotonic() < deadline, f"{job.state}: {job.step}\n{RunFolder(job_id).log_tail()}"
        assert job.state in ACTIVE or is_so(), f"{job.state}: {job.error}\n{RunFolder(job_id).log_tail()}"
        time.sleep(0.02)


def wait(db: Database, job_id: str) -> JobRecord:
    """The job when it is done."""
    until(db, job_id, lambda: JobRepository(db).get(job_id).state == "done")
    return JobRepository(db).get(job_id)


def ran(db: Database, job: JobRecord) -> Ran:
    points = TrainingPointRepository(db).list(job.id)
    assert len({(point.step, point.kind) for point in points}) == len(points), "a step was told twice"
    return Ran(
        job,
        {point.step: point.values["loss"] for point in points if point.kind == "train"},
        {point.step: point.values["rmse"] for point in points if point.kind == "eval"},
    )


def starts(job_id: str) -> list[list[dict[str, Any]]]:
    """The workers of each start, as they have introduced themselves so far."""
    with contextlib.suppress(FileNotFoundError):
        lines = RayFolder(RunFolder(job_id)).live.read_bytes().rpartition(b"\n")[0].splitlines()
        return [told["workers"] for told in map(json.loads, lines) if "workers" in told]
    return []


def test_two_workers_on_two_nodes_learn_what_one_learns_with_twice_the_batch(undisturbed: Ran, db: Database) -> None:
    result = undisturbed.job.result or {}
    (workers,) = result["where"]["starts"]
    assert [worker["rank"] for worker in workers] == [0, 1]
    assert len({worker["node_id"] for worker in workers}) == 2
    assert (result["step"], result["workers"], result["rows"]["test"]) == (STEPS, 2, 88)
    assert set(undisturbed.evaluated) == {0, *range(EVERY, STEPS + 1, EVERY)}
    assert result["weights_compared"] == STEPS // EVERY
    assert undisturbed.job.metrics["step"] == STEPS
    alone = ran(db, wait(db, queue.submit(db, config(batch=2 * BATCH)).id))
    first_pass = range(1, result["rows"]["train"] // (2 * BATCH) + 1)
    for step in first_pass:
        assert undisturbed.train[step] == pytest.approx(alone.train[step], abs=1e-5)
    assert EVERY in first_pass
    for step in (0, EVERY):
        assert undisturbed.evaluated[step] == pytest.approx(alone.evaluated[step], rel=1e-5)


def test_losing_a_worker_the_submitter_and_a_node_changes_nothing_and_stop_and_keep_ends_all(
    cluster: LocalCluster, undisturbed: Ran, db: Database
) -> None:
    """Five times as long as the undisturbed run, for there is time to lose something in; as far as both go they are
    the same. Starting workers takes longest: one run goes through it all."""
    jobs = JobRepository(db)
    job = queue.submit(db, config(steps=5 * STEPS - 1), where=place(cluster))
    folder = RunFolder(job.id)
    until(db, job.id, lambda: starts(job.id) and len(folder.checkpoints()) > 1)
    os.kill(starts(job.id)[0][1]["pid"], signal.SIGKILL)
    os.killpg(jobs.get(job.id).pid or 0, signal.SIGKILL)
    while jobs.get(job.id).runs_here():
        time.sleep(0.02)
    jobs.mark_interrupted()
    assert jobs.get(job.id).state == "interrupted"
    queue.resume(db, job.id)
    saved = folder.checkpoints()[-1]
    until(db, job.id, lambda: len(starts(job.id)) > 1 and folder.checkpoints()[-1] > saved)
    cluster.kill_last_node()
    cluster.add_node()
    until(db, job.id, lambda: len(starts(job.id)) > 2 and jobs.get(job.id).metrics.get("step", 0) > 2 * STEPS // 3)
    queue.stop(db, job.id, keep=True)
    found = ran(db, wait(db, job.id))
    result = found.job.result or {}
    assert (RayFolder(folder).submission() or {})["count"] == 1, "it was submitted twice"
    assert len(result["where"]["starts"]) == 3, "some did not hear that they were to stop"
    assert result["why"] == "stopped"
    assert 2 * STEPS // 3 < result["step"] < 5 * STEPS - 1
    assert set(found.train) == set(range(1, result["step"] + 1))
    for was, now in ((undisturbed.train, found.train), (undisturbed.evaluated, found.evaluated)):
        both = was.keys() & (now.keys() - {result["step"]})  # where it was stopped it was judged
        assert len(both) >= 2 * len(was) // 3
        assert max(abs(was[step] - now[step]) for step in both) < 1e-4


def test_cancel_stops_the_ray_job(cluster: LocalCluster, db: Database) -> None:
    job = queue.submit(db, config(), where=place(cluster))
    folder = RayFolder(RunFolder(job.id))
    ray_jobs = RayJobs(cluster.address)
    until(db, job.id, lambda: (told := folder.submission()) and ray_jobs.status(told["id"]) == "RUNNING")
    queue.stop(db, job.id, keep=False)
    deadline = time.monotonic() + 30
    submission = (folder.submission() or {})["id"]
    while JobRepository(db).get(job.id).state in ACTIVE or ray_jobs.status(submission) != "STOPPED":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert JobRepository(db).get(job.id).state == "cancelled"


def test_storage_that_the_nodes_do_not_share_is_named(
    cluster: LocalCluster, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the nodes find in the run's folder is not what was written: the same as another disk."""
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:9")  # the address that is given goes first
    run = RunFolder("elsewhere")
    RayFolder(run).set_task({"token": "theirs", "config": {}, "place": {}})
    jobs = RayJobs(cluster.address)
    jobs.submit("apart", "python -m core.training.ray_driver --job elsewhere --token ours", environment(), title="")
    deadline = time.monotonic() + 60
    while jobs.status("apart") != "FAILED":
        assert time.monotonic() < deadline, jobs.logs("apart")
        time.sleep(0.1)
    told = str(failure_of(jobs, "apart", RayFolder(run)))
    assert "GROUNDWORK_HOME on a file system that every node" in told


def test_a_cluster_that_is_not_there_fails_the_job_with_words(db: Database) -> None:
    job = queue.submit(db, config(), where=RayPlace("http://127.0.0.1:9", workers=2))
    deadline = time.monotonic() + 60
    while (ended := JobRepository(db).get(job.id)).state in ACTIVE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ended.state == "failed"
    assert "The Ray cluster at http://127.0.0.1:9" in str(ended.error)
    assert ended.queue != queue.queue_name("cpu"), "it would wait for this machine's device"

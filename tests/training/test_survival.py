"""A fine-tune is neither lost nor done twice, whatever becomes of its process; resumed, it ends as it would have."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from core.store.training_points import TrainingPointRepository
from core.training import queue
from core.training.config import parse_config
from core.training.run_folder import RunFolder

KILLS = 20
pytestmark = pytest.mark.slow


def config(steps: int, **training: Any) -> Any:
    return parse_config(
        {
            "recipe": "regression",
            "layers": [16],
            "data": {"path": "sample:diabetes"},
            "training": {"steps": steps, "evaluate_every": 50, "batch_size": 16, "threads": 1, **training},
        }
    )


def wait(db: Database, job_id: str, timeout_s: float = 180) -> JobRecord:
    jobs, deadline = JobRepository(db), time.monotonic() + timeout_s
    while (job := jobs.get(job_id)).state in ACTIVE:
        assert time.monotonic() < deadline, f"{job.state}: {job.step}\n{RunFolder(job_id).log_tail()}"
        time.sleep(0.05)
        jobs.mark_interrupted()
        queue.start_next(db)
    return job


def losses(db: Database, job_id: str, kind: Any = "train") -> dict[int, float]:
    points = TrainingPointRepository(db).list(job_id, kind)
    assert len({point.step for point in points}) == len(points), "a step was told twice"
    return {point.step: point.values["loss"] for point in points}


def kill(db: Database, job: JobRecord) -> None:
    """kill -9 of its process, and of those it started."""
    if job.state == "running" and job.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        while JobRepository(db).get(job.id).runs_here():
            time.sleep(0.01)


def test_jobs_killed_at_any_moment_are_resumed_to_the_same_end(db: Database) -> None:
    draw, jobs = random.Random(7), JobRepository(db)
    undisturbed = queue.submit(db, config(1_500))
    assert wait(db, undisturbed.id).state == "done"
    killed = [queue.submit(db, config(1_500)), queue.submit(db, config(1_500))]
    saved = []
    while len(saved) < KILLS:
        active = next((job for job in killed if jobs.get(job.id).state in ACTIVE), None)
        if active is None:  # they were quicker than the kills
            killed.append(queue.submit(db, config(1_500)))
            continue
        trained = draw.random() < 0.4  # else it is killed while it starts, reads its rows or builds
        while trained and (now := jobs.get(active.id)).state in ACTIVE and not now.step.startswith("Training"):
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 1.5))
        kill(db, jobs.get(active.id))
        jobs.mark_interrupted()
        assert len(jobs.running_in(active.queue)) <= 1
        if jobs.get(active.id).state == "interrupted":
            saved.append(RunFolder(active.id).checkpoints())
            queue.resume(db, active.id)
        queue.start_next(db)
    assert any(saved), "no kill came after a checkpoint"
    for job in killed:
        assert wait(db, job.id).state == "done"
    assert [len(jobs.list(kind=queue.KIND, state=state)) for state in ("done", "queued", "running")] == [
        1 + len(killed),
        0,
        0,
    ]
    assert sum(jobs.get(job.id).attempts for job in killed) >= KILLS
    for job in killed:
        for kind in ("train", "eval"):
            expected, found = losses(db, undisturbed.id, kind), losses(db, job.id, kind)
            assert expected.keys() == found.keys()
            assert max(abs(expected[step] - found[step]) for step in expected) < 1e-4
        results = [jobs.get(job_id).result or {} for job_id in (undisturbed.id, job.id)]
        assert results[0]["metrics"] == pytest.approx(results[1]["metrics"], rel=1e-4)
        names = [file.name for file in RunFolder(job.id).checkpoints_folder.rglob("*") if file.is_file()]
        assert {Path(name).suffix for name in names} == {".json", ".safetensors"}, "a pickle would be neither"


def test_a_failed_job_lets_the_next_one_run(db: Database, tmp_path: Path) -> None:
    gone = config(50).data.model_copy(update={"path": str(tmp_path / "gone.csv")})
    bad = config(50).model_copy(update={"data": gone})
    first, second = queue.submit(db, bad), queue.submit(db, config(60))
    assert wait(db, second.id).state == "done"
    failed = JobRepository(db).get(first.id)
    assert failed.state == "failed"
    assert "gone.csv" in str(failed.error)


def test_stop_and_keep_cancel_resume_extend_and_delete(db: Database) -> None:
    jobs = JobRepository(db)
    job = queue.submit(db, config(20_000))
    while not RunFolder(job.id).checkpoints():
        assert jobs.get(job.id).state in ACTIVE, RunFolder(job.id).log_tail()
        time.sleep(0.05)
    queue.stop(db, job.id, keep=False)
    cancelled = wait(db, job.id)
    assert cancelled.state == "cancelled"
    saved = RunFolder(job.id).checkpoints()
    queue.resume(db, job.id)
    time.sleep(2.5)  # past the moment when the one that was cancelled would have been killed
    while jobs.get(job.id).metrics.get("checkpoint_step", 0) <= saved[-1]:
        assert jobs.get(job.id).state in ACTIVE
        time.sleep(0.05)
    queue.stop(db, job.id, keep=True)
    kept = wait(db, job.id)
    assert kept.state == "done"
    assert kept.result is not None
    assert kept.result["why"] == "stopped"
    assert saved[-1] < kept.result["step"] < 20_000
    more = kept.result["step"] + 100
    queue.extend(db, job.id, steps=more)
    extended = wait(db, job.id)
    assert extended.result is not None
    assert (extended.result["step"], extended.result["why"]) == (more, "done")
    assert max(losses(db, job.id, "eval")) == more
    queue.delete(db, job.id)
    assert not RunFolder(job.id).path.exists()
    assert jobs.list(kind=queue.KIND) == []


def test_early_stopping_ends_it_with_the_best(db: Database) -> None:
    job = wait(db, queue.submit(db, config(20_000, early_stopping=2, learning_rate=0.1)).id)
    assert job.result is not None
    assert job.result["why"] == "early"
    judged = losses(db, job.id, "eval")
    assert job.result["best_step"] == min((step for step in judged if step), key=lambda step: judged[step])


def test_a_full_disk_fails_it_with_words_and_it_goes_on_when_there_is_room(
    db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wide = parse_config(
        {
            "recipe": "regression",
            "layers": [600, 600],
            "data": {"path": "sample:diabetes"},
            "training": {"steps": 60, "evaluate_every": 20, "threads": 1},
        }
    )
    # The largest file that its process may write: less than the optimizer's state, more than the rows.
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(shim))
    job = wait(db, queue.submit(db, wide).id)
    assert job.state == "failed"
    assert "cannot be written" in str(job.error) or "full" in str(job.error)
    assert "Traceback" not in str(job.error)
    assert RunFolder(job.id).checkpoints() == []
    monkeypatch.delenv("PYTHONPATH")
    queue.resume(db, job.id)
    assert wait(db, job.id).state == "done"


def test_a_loss_that_runs_away_ends_it_at_once(db: Database) -> None:
    away = config(4_000, optimizer="sgd", learning_rate=10, clip_norm=0, schedule="constant", momentum=0.9)
    job = wait(db, queue.submit(db, away).id)
    assert job.state == "failed"
    assert "no number any more" in str(job.error)
    assert job.metrics["step"] < 2_000
    assert None in losses(db, job.id).values()

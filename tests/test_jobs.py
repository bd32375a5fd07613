"""Jobs run in a process of their own and tell how they go through their row."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from core.jobs import JobReporter, cancel, launch
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from tests.conftest import TINY


def export(db: Database, model: str = TINY, precision: str = "int8") -> JobRecord:
    arguments = ["export", "--model", model, "--precision", precision, "--device", "cpu"]
    return launch(db, kind="export", key=f"{model} {precision}", title="Export", arguments=arguments)


def ended(db: Database, job: JobRecord) -> JobRecord:
    deadline = time.monotonic() + 120
    while (now := JobRepository(db).get(job.id)).state in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return now


@pytest.mark.slow
def test_a_job_is_done_once_however_often_it_is_asked_for(tiny_home: Path, db: Database) -> None:
    first, second = export(db), export(db)
    assert first.id == second.id
    done = ended(db, first)
    assert (done.state, done.progress, done.error) == ("done", 1.0, None)
    assert list((tiny_home / "exports" / TINY).glob("*/cpu-int8/export.json"))


@pytest.mark.slow
def test_a_job_that_fails_says_why(tiny_home: Path, db: Database) -> None:
    failed = ended(db, export(db, model="no-such-model"))
    assert failed.state == "failed"
    assert "There is no model 'no-such-model'" in str(failed.error)


@pytest.mark.slow
def test_a_cancelled_job_leaves_nothing(tiny_home: Path, db: Database) -> None:
    job = export(db)
    JobRepository(db).request_cancel(job.id)
    assert ended(db, job).state == "cancelled"
    assert not list((tiny_home / "exports" / TINY).glob("*/cpu-int8/export.json"))


def test_a_step_that_asks_nobody_is_killed(db: Database) -> None:
    jobs = JobRepository(db)
    job, _ = jobs.create(kind="export", title="Export", command={})
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    jobs.start(job.id, process.pid)
    cancel(db, job.id)
    assert jobs.get(job.id).cancel_requested
    assert ended(db, jobs.get(job.id)).state == "cancelled"
    assert process.wait(10) == -9


def test_a_reporter_tells_progress_and_the_end(db: Database) -> None:
    jobs = JobRepository(db)
    job, _ = jobs.create(kind="export", title="Export", command={})
    with JobReporter(db, job.id) as reporter:
        reporter.progress(0.5, "Building")
        assert (jobs.get(job.id).progress, jobs.get(job.id).step) == (0.5, "Building")
    assert jobs.get(job.id).state == "done"


def test_a_reporter_tells_a_fault_that_nobody_foresaw(db: Database) -> None:
    jobs = JobRepository(db)
    job, _ = jobs.create(kind="export", title="Export", command={})
    with pytest.raises(ZeroDivisionError), JobReporter(db, job.id):
        raise ZeroDivisionError("by zero")
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("failed", "ZeroDivisionError: by zero")

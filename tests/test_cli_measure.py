"""`python -m core measure`: a grid becomes rows of the record, printed as a table, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from core.jobs import cancel, launch
from core.measure import run
from core.measure.probe import Limits
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRecord, JobRepository
from core.store.measurements import MeasurementRepository
from tests.conftest import TINY, Call

SMALL = (
    "--model",
    TINY,
    "--prompt-tokens",
    "16",
    "--batch",
    "1",
    "--batch",
    "2",
    "--new-tokens",
    "4",
    "--repeats",
    "2",
)


@pytest.fixture
def measure(tiny_home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """(exit status, stdout, stderr) of the command, with limits that cost no time."""
    monkeypatch.setattr(run, "_probed", lambda *_: Limits(20e9, {"fp32": 200e9, "int8": 800e9}))
    return partial(call, "measure")


@pytest.mark.slow
def test_json_has_the_rows_that_were_recorded(measure: Call, db: Database) -> None:
    status, out, err = measure(*SMALL, "--json")
    rows = json.loads(out)["measurements"]
    assert status == 0
    assert [(row["precision"], row["prompt_tokens"], row["batch"]) for row in rows] == [
        ("fp32", 16, 1),
        ("fp32", 16, 2),
    ]
    assert all(row["share_of_limit"]["decode"] > 0 for row in rows)
    kept = MeasurementRepository(db)
    for row in rows:
        record = kept.get(row["id"])
        assert (record.decode_tokens_per_s, record.job_id) == (row["decode_tokens_per_s"], None)
    assert "Measuring fp32, 16 tokens × 1" in err


@pytest.mark.slow
def test_the_recorded_command_repeats_the_row(measure: Call, db: Database) -> None:
    measure(*SMALL)
    [_, first] = MeasurementRepository(db).list()
    status, out, _ = measure(*first.command["arguments"][1:], "--json")
    assert status == 0
    [again] = json.loads(out)["measurements"]
    for name in ("model_id", "revision", "precision", "prompt_tokens", "batch", "new_tokens", "repeats", "command"):
        assert again[name] == getattr(first, name)


@pytest.mark.slow
def test_a_table_and_csv(measure: Call) -> None:
    status, out, _ = measure(*SMALL)
    assert status == 0
    assert "GB/s out of memory" in out
    assert len([line for line in out.splitlines() if line.startswith("| fp32 | 16 |")]) == 2
    status, out, _ = measure(*SMALL, "--csv")
    assert status == 0
    assert [row["batch"] for row in csv.DictReader(io.StringIO(out.removeprefix("\ufeff")))] == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--prompt-tokens", "9000"], "prompt tokens 9,000 (1 to 224)"),
        (["--batch", "0", "--repeats", "0"], "batch 0 (1 to 32); repeats 0 (1 to 1,000)"),
        (["--precision", "int3"], "precision int3 (int8, fp32, int4 on cpu)"),
        (["--json", "--csv"], "either --json or --csv"),
        (["--device", "tpu"], "Device 'tpu' is unknown"),
    ],
)
def test_bad_input_is_told_in_one_line(measure: Call, arguments: list[str], told: str) -> None:
    status, out, err = measure("--model", TINY, *arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def ended(db: Database, job_id: str) -> JobRecord:
    jobs = JobRepository(db)
    for _ in range(600):
        if jobs.get(job_id).state not in ACTIVE:
            break
        time.sleep(0.1)
    return jobs.get(job_id)


@pytest.mark.slow
def test_a_cancelled_job_keeps_its_rows_and_leaves_no_process(tiny_home: Path, db: Database) -> None:
    long = ("--model", TINY, "--prompt-tokens", "2", "--prompt-tokens", "250", "--new-tokens", "2", "--batch", "32")
    job = launch(db, kind="measure", key=TINY, title="Measure", arguments=["measure", *long, "--repeats", "200"])
    kept = MeasurementRepository(db)
    for _ in range(600):
        if kept.list(job_id=job.id):
            break
        time.sleep(0.1)
    below = psutil.Process(JobRepository(db).get(job.id).pid).children(recursive=True)
    cancel(db, job.id)
    assert ended(db, job.id).state == "cancelled"
    assert len(kept.list(job_id=job.id)) == 1
    assert below
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive


@pytest.mark.slow
def test_a_job_measures_and_its_rows_know_it(tiny_home: Path, db: Database) -> None:
    job = launch(db, kind="measure", key=TINY, title="Measure", arguments=["measure", *SMALL])
    done = ended(db, job.id)
    assert (done.state, done.error) == ("done", None)
    rows = MeasurementRepository(db).list(job_id=job.id)
    assert len(rows) == 2
    assert rows[0].bandwidth_bytes_per_s > 1e8

"""`python -m core finetune` and `python -m core jobs`, as a person in a terminal uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.store.database import Database
from core.store.jobs import JobRepository
from core.training.run_folder import RunFolder
from tests.conftest import Call
from tests.models import tiny
from tests.real_models import ROOT

SHORT = ("--set", "training.steps=40", "--set", "training.threads=1")
REGRESSION = str(ROOT / "core/training/configs/regression.yaml")


@pytest.mark.slow
def test_it_blocks_and_prints_the_report(call: Call, db: Database) -> None:
    status, out, err = call("finetune", REGRESSION, *SHORT, "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["step"] == 40
    assert told["config"]["training"]["batch_size"] == 32
    assert (Path(told["model"]) / "model.safetensors").is_file()
    assert told["report"]["metrics"][0]["baseline"] > told["report"]["metrics"][0]["value"]
    status, out, _ = call("jobs", "list", "--json")
    assert [job["state"] for job in json.loads(out)["jobs"]] == ["done"]
    status, out, _ = call("jobs", "show", told["job_id"][:6], "--json")
    assert json.loads(out)["report"] == told["report"]
    status, _, err = call("jobs", "resume", told["job_id"])
    assert status == 2
    assert "Extend it" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_file_and_its_columns_can_be_given(call: Call, home: Path, tmp_path: Path) -> None:
    from core.models import catalogue

    catalogue.add(str(tiny.save_bert(tmp_path / "base")), model_id="tiny-bert")
    rows = [f"{word} {number},{label}" for number in range(60) for word, label in (("snow", "cold"), ("sun", "warm"))]
    (tmp_path / "mine.csv").write_text("body,kind\n" + "\n".join(rows) + "\n", encoding="utf-8")
    columns = ("--data", str(tmp_path / "mine.csv"), "--text-column", "body", "--label-column", "kind")
    changes = ("--set", "model=tiny-bert", "--set", "data.columns.group=''")
    status, out, err = call(
        "finetune", str(ROOT / "core/training/configs/classification.yaml"), *columns, *changes, *SHORT, "--json"
    )
    assert status == 0, err
    assert json.loads(out)["report"]["labels"] == ["cold", "warm"]


@pytest.mark.slow
def test_a_dry_run_leaves_no_run(call: Call, home: Path) -> None:
    status, out, err = call("finetune", REGRESSION, "--dry-run", "--json")
    assert status == 0, err
    assert json.loads(out)["fits"] is True
    assert not list((home / "finetunes").glob("*"))


@pytest.mark.slow
def test_a_waiting_job_is_cancelled_and_resumed(call: Call, db: Database) -> None:
    from core.training import queue
    from core.training.config import read_config

    first = queue.submit(db, read_config(Path(REGRESSION), ["training.epochs=4000"]))
    second = queue.submit(db, read_config(Path(REGRESSION), ["training.steps=20"]))
    status, out, _ = call("jobs", "cancel", second.id, "--json")
    assert (status, json.loads(out)["state"]) == (0, "cancelled")
    status, out, _ = call("jobs", "cancel", first.id, "--json")
    assert (status, json.loads(out)["state"]) == (0, "cancelled")
    status, out, err = call("jobs", "resume", second.id, "--wait", "--json")
    assert status == 0, err
    assert json.loads(out)["step"] == 20


@pytest.mark.slow
def test_two_processes_of_torchrun_share_the_rows(home: Path, db: Database) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "core", "finetune", REGRESSION, *SHORT, "--here", "--json"]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"GROUNDWORK_DEVICE": "cpu"}, capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    jobs = JobRepository(db).list()
    assert [(job.state, (job.result or {}).get("step")) for job in jobs] == [("done", 40)]
    last = RunFolder(jobs[0].id).checkpoints_folder / "checkpoint-40"
    assert {"random-0.json", "random-1.json"} <= {file.name for file in last.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("finetune",), "No configuration was given"),
        (("finetune", "gone.yaml"), "gone.yaml cannot be read"),
        (("finetune", REGRESSION, "--set", "training.optimizer=lion"), "'lion'"),
        (("finetune", REGRESSION, "--set", "nonsense"), "is no change"),
        (("jobs", "show", "abc"), "abc"),
        (("jobs", "cancel", "abc"), "abc"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(call: Call, arguments: tuple[str, ...], told: str) -> None:
    status, _, err = call(*arguments)
    assert status == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1

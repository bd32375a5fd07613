"""Every run is on record, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core import __version__
from core.errors import ContextOverflow
from core.generation.engine import Engine
from core.generation.record import RecordedRun, recorded_events
from core.generation.request import GenerationRequest, SamplingParameters
from core.store.columns import storable_text
from core.store.database import Database
from core.store.runs import RunRepository
from tests.conftest import TINY
from tests.real_models import ROOT


def ask(prompt: str = "The hello of a fellow", **parameters: object) -> GenerationRequest:
    values = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": 40, "top_logprobs": 3, "banned_tokens": (1, 2)}
    return GenerationRequest(
        TINY,
        raw_prompt=prompt,
        precision="fp32",
        parameters=SamplingParameters(**(values | parameters)),  # type: ignore[arg-type]
    )


@pytest.fixture
def engine(tiny_home: Path) -> Engine:
    return Engine()


def test_a_run_is_on_record_with_everything_needed_to_repeat_it(engine: Engine, db: Database) -> None:
    run = RecordedRun(engine, db, ask())
    events = list(run.events())
    record, done = RunRepository(db).get(run.run_id), run.completion
    assert (record.status, record.finish_reason, record.text) == ("done", "length", storable_text(done.text))
    assert (record.model_id, record.revision) == (TINY, done.revision)
    assert (record.precision, record.backend, record.device) == ("fp32", "onnx", "cpu")
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (done.prompt_tokens, 40, 0)
    assert (record.ttft_s, record.tokens_per_s) == (done.ttft_s, done.tokens_per_s)
    assert record.seed == done.seed == record.parameters["seed"]
    assert record.prompt["raw_prompt"] == "The hello of a fellow"
    assert record.app_version == __version__
    assert record.error is None
    assert recorded_events(db, run.run_id) == tuple(events) == done.events
    assert all(len(event.alternatives) >= 3 for event in events)

    again = GenerationRequest(
        record.model_id,
        raw_prompt=record.prompt["raw_prompt"],
        precision=record.precision,
        parameters=SamplingParameters.from_json(record.parameters),
    )
    assert [e.token_id for e in engine.stream(again)] == [e.token_id for e in events]


def test_cancelled(engine: Engine, db: Database) -> None:
    cancel = threading.Event()
    run = RecordedRun(engine, db, ask(), cancel=cancel)
    for event in run.events():
        if event.index == 4:
            cancel.set()
    record = RunRepository(db).get(run.run_id)
    assert (record.status, record.finish_reason, record.completion_tokens) == ("cancelled", "cancelled", 5)
    assert len(recorded_events(db, run.run_id)) == 5


def test_abandoned_by_its_reader(engine: Engine, db: Database) -> None:
    run = RecordedRun(engine, db, ask())
    events = run.events()
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert RunRepository(db).get(run.run_id).status == "cancelled"


def test_failed_with_its_message(engine: Engine, db: Database) -> None:
    run = RecordedRun(engine, db, ask("x" * 300))
    with pytest.raises(ContextOverflow):
        list(run.events())
    record = RunRepository(db).get(run.run_id)
    assert (record.status, record.finish_reason) == ("failed", "error")
    assert "45 too many" in str(record.error)


def test_a_fault_in_mid_answer_keeps_what_was_written(
    engine: Engine, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RecordedRun(engine, db, ask())

    def fail(self: object, token_ids: object) -> None:
        raise RuntimeError("out of memory")

    events = run.events()
    for _ in range(10):
        next(events)
    with monkeypatch.context() as patch:
        patch.setattr("core.onnx.session.OnnxContext.append", fail)
        with pytest.raises(RuntimeError):
            next(events)
    record = RunRepository(db).get(run.run_id)
    assert (record.status, record.error) == ("failed", "RuntimeError: out of memory")
    assert record.completion_tokens == len(recorded_events(db, run.run_id)) == 10


def test_it_is_there_while_it_streams(engine: Engine, db: Database) -> None:
    run = RecordedRun(engine, db, ask())
    events = run.events()
    for _ in range(20):
        next(events)
    record = RunRepository(db).get(run.run_id)
    assert record.status == "running"
    assert record.completion_tokens >= 16
    assert RunRepository(db).mark_interrupted() == 0  # its process lives
    list(events)


@pytest.mark.slow
def test_kill_9_in_mid_answer_leaves_the_partial_answer_marked_interrupted(real_home: Path, db: Database) -> None:
    command = [sys.executable, "-m", "core", "generate", "--prompt", "Write a long story about a fox and a river."]
    command += ["--max-new-tokens", "1500", "--temperature", "0", "--top-logprobs", "3"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    runs, deadline = RunRepository(db), time.monotonic() + 60
    while not (runs.list() and runs.list()[0].completion_tokens >= 20):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert runs.list()[0].status == "running"
    assert runs.mark_interrupted() == 1
    (record,) = runs.list()
    assert (record.status, record.finish_reason) == ("interrupted", "interrupted")
    events = recorded_events(db, record.id)
    assert len(events) == record.completion_tokens >= 20
    assert record.text.startswith("".join(event.text for event in events)[:20])
    assert all(len(event.alternatives) >= 3 for event in events)
    assert json.dumps(record.parameters)

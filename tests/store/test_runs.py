from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from core.errors import InvalidInput, NotFound, StorageError
from core.store.columns import utc_now
from core.store.database import Database
from core.store.processes import HEARTBEAT_LIMIT_S
from core.store.runs import NewRun, RunRepository
from core.store.schema import RunChunkRow, RunRow
from core.store.sessions import SessionRepository

ROOT = Path(__file__).parents[2]
WRITER = """
import time
from core.store.database import open_database
from core.store.runs import NewRun, RunRepository
runs = RunRepository(open_database())
run = runs.start(NewRun("m", "r", "int8", "onnx", "cpu", {}, {"raw_prompt": "Once"}))
for index in range(3):
    runs.append(run, [{"index": index, "text": f" {index}"}], " 0 1 2"[: 2 * index + 2])
print(run, flush=True)
time.sleep(60)
"""


@pytest.fixture
def runs(db: Database) -> RunRepository:
    return RunRepository(db)


def test_a_run_is_recorded_from_start_to_end(runs: RunRepository, new_run: NewRun) -> None:
    run_id = runs.start(new_run)
    started = runs.get(run_id)
    assert (started.status, started.text, started.completion_tokens, started.seed) == ("running", "", 0, 2**63 - 1)
    assert started.pid == os.getpid()
    tokens = [
        {"index": 0, "text": "Be", "token_text": "Be", "logprob": -0.1, "alternatives": [{"text": "É\0\ud83d"}]},
        {"index": 1, "text": "", "token_text": "c", "logprob": float("-inf"), "alternatives": []},
        {"index": 2, "text": "c", "forced": True},
    ]
    runs.append(run_id, tokens[:2], "Be")
    runs.append(run_id, tokens[2:], "Bec\0")
    runs.append(run_id, [], "Bec\0")
    assert runs.tokens(run_id) == tokens
    assert (runs.get(run_id).text, runs.get(run_id).completion_tokens) == ("Bec\ufffd", 2)
    ended = runs.finish(
        run_id, status="done", finish_reason="stop", prompt_tokens=9, completion_tokens=3, ttft_s=0.25, precision="int4"
    )
    assert ended == runs.get(run_id)
    assert (ended.status, ended.finish_reason, ended.prompt_tokens, ended.completion_tokens) == ("done", "stop", 9, 3)
    assert (ended.text, ended.ttft_s, ended.precision, ended.backend) == ("Bec\ufffd", 0.25, "int4", "onnx")
    assert ended.finished_at is not None
    assert ended.finished_at >= ended.created_at


def test_the_list_is_newest_first_and_filtered(runs: RunRepository, new_run: NewRun, db: Database) -> None:
    sessions = SessionRepository(db)
    first, second = runs.start(new_run), runs.start(replace(new_run, model_id="other"))
    message = sessions.add_message(sessions.create().id, None, "assistant", "Hi")
    sessions.attach_run(message.id, second)
    assert [run.id for run in runs.list()] == [second, first]
    assert [run.id for run in runs.list(limit=1)] == [second]
    assert [run.id for run in runs.list(model_id=new_run.model_id)] == [first]
    assert [run.id for run in runs.list(session_id=message.session_id)] == [second]


def test_unknown_runs_are_not_found(runs: RunRepository, new_run: NewRun) -> None:
    for call in (
        lambda: runs.get("nope"),
        lambda: runs.tokens("nope"),
        lambda: runs.append("nope", [], ""),
        lambda: runs.touch("nope"),
        lambda: runs.finish("nope", status="done", finish_reason="stop"),
        lambda: runs.start(replace(new_run, parent_run_id="nope")),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_run_cannot_end_as_running(runs: RunRepository, new_run: NewRun) -> None:
    with pytest.raises(InvalidInput, match="done, cancelled"):
        runs.finish(runs.start(new_run), status="running", finish_reason=None)


def test_a_damaged_chunk_is_told_and_the_text_stays(runs: RunRepository, new_run: NewRun, db: Database) -> None:
    run_id = runs.start(new_run)
    runs.append(run_id, [{"text": "a"}], "a")
    with db.transaction() as tx:
        tx.execute(update(RunChunkRow).values(payload=b"not zlib"))
    with pytest.raises(StorageError, match="damaged"):
        runs.tokens(run_id)
    assert runs.get(run_id).text == "a"


def test_what_a_killed_process_wrote_stays_and_is_marked(
    runs: RunRepository, new_run: NewRun, database_url: str
) -> None:
    mine = runs.start(new_run)
    environment = os.environ | {"GROUNDWORK_DATABASE_URL": database_url}
    writer = subprocess.Popen([sys.executable, "-c", WRITER], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        theirs = writer.stdout.readline().decode().strip()
        assert runs.mark_interrupted() == 0
        os.kill(writer.pid, signal.SIGKILL)
        os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped: the harder case
        assert runs.mark_interrupted() == 1
    finally:
        writer.kill()
        writer.communicate()
    run = runs.get(theirs)
    assert (run.status, run.finish_reason, run.text, run.completion_tokens) == (
        "interrupted", "interrupted", " 0 1 2", 3
    )  # fmt: skip
    assert run.finished_at == run.heartbeat_at
    assert [token["text"] for token in runs.tokens(theirs)] == [" 0", " 1", " 2"]
    assert runs.get(mine).status == "running"
    assert runs.mark_interrupted() == 0


def test_a_pid_used_again_is_another_process(runs: RunRepository, new_run: NewRun, db: Database) -> None:
    run_id = runs.start(new_run)
    with db.transaction() as tx:
        tx.execute(update(RunRow).values(process_started_at=utc_now() - timedelta(days=1)))
    assert runs.mark_interrupted() == 1
    assert runs.get(run_id).status == "interrupted"


def test_a_run_of_another_host_lives_by_its_heartbeat(runs: RunRepository, new_run: NewRun, db: Database) -> None:
    run_id = runs.start(new_run)
    for age_s, marked in [(HEARTBEAT_LIMIT_S - 10, 0), (HEARTBEAT_LIMIT_S + 10, 1)]:
        with db.transaction() as tx:
            tx.execute(update(RunRow).values(host="elsewhere", heartbeat_at=utc_now() - timedelta(seconds=age_s)))
        assert runs.mark_interrupted() == marked
    assert runs.get(run_id).status == "interrupted"


def test_touch_keeps_a_run_alive(runs: RunRepository, new_run: NewRun, db: Database) -> None:
    run_id = runs.start(new_run)
    with db.transaction() as tx:
        tx.execute(update(RunRow).values(host="elsewhere", heartbeat_at=utc_now() - timedelta(hours=1)))
    runs.touch(run_id)
    assert runs.mark_interrupted() == 0

"""A server's answers in the record and in conversations: like any other, and the key nowhere."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import InvalidInput, RemoteFailed
from core.generation.conversation import Conversations, RunSettings
from core.generation.engine import Engine
from core.generation.live import LiveRun
from core.generation.record import RecordedRun, prefix_from, recorded_events
from core.generation.request import SamplingParameters, TokenEvent
from core.store.database import Database
from core.store.runs import RunRepository
from exports.session_markdown import session_markdown
from tests.conftest import TINY
from tests.generation.openai_server import OpenAIServer, Reply, answering, chunk, token, usage
from tests.generation.remote_asking import ID, KEY, ask


@pytest.fixture
def engine(server: OpenAIServer) -> Engine:
    return Engine()


def test_a_run_is_recorded_like_any_other(engine: Engine, server: OpenAIServer, db: Database) -> None:
    server.replies = [
        answering(chunk("Hello", logprobs=[token("Hel", others=[("Hel", -0.5)]), token("lo")]), usage(3, 2))
    ]
    recorded = RecordedRun(engine, db, ask(top_logprobs=1))
    events = tuple(recorded.events())
    row = RunRepository(db).get(recorded.run_id)
    assert (row.model_id, row.revision, row.precision) == (ID, "", "")
    assert (row.backend, row.device) == ("remote", server.host)
    assert (row.status, row.finish_reason, row.text) == ("done", "stop", "Hello")
    assert (row.prompt_tokens, row.completion_tokens, row.seed) == (3, 2, 7)
    assert (row.ttft_s, row.tokens_per_s) == (recorded.completion.ttft_s, recorded.completion.tokens_per_s)
    assert recorded_events(db, recorded.run_id) == events


def test_the_key_is_sent_and_stays_nowhere(
    engine: Engine, server: OpenAIServer, db: Database, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = replace(ask(), api_key=SecretStr(KEY))
    list(RecordedRun(engine, db, request).events())
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    server.replies = [Reply(400, {"error": {"message": f"Do not shout {KEY} at me"}})]
    failing = RecordedRun(engine, db, request)
    with pytest.raises(RemoteFailed, match="Do not shout … at me"):
        list(failing.events())
    assert "Do not shout … at me" in str(RunRepository(db).get(failing.run_id).error)
    settings = RunSettings(ID, backend="remote", api_key=SecretStr(KEY))
    assert KEY not in repr(request) + repr(engine.plan(request)) + repr(settings) + caplog.text
    files = [file for file in home.rglob("*") if file.is_file()]
    assert {"groundwork.db", "servers.json"} <= {file.name for file in files}
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_a_server_cannot_continue_an_answer(engine: Engine, server: OpenAIServer) -> None:
    event = TokenEvent(0, 5, "a", "a", -0.1, 1.0, (), 0.1)
    with pytest.raises(InvalidInput, match="Regenerate it instead"):
        engine.stream(replace(ask(), answer_prefix=(event,)))
    assert server.asked == []


@pytest.mark.parametrize(("keep", "instead"), [(1, None), (0, -1)])
def test_an_answer_of_a_server_is_no_prefix(engine: Engine, keep: int, instead: int | None) -> None:
    events = list(engine.stream(ask()))
    with pytest.raises(InvalidInput, match="Regenerate it instead"):
        prefix_from(events, keep=keep, instead=instead)


def finished(live: LiveRun) -> LiveRun:
    live.join(20)
    assert live.snapshot().finished
    return live


SETTINGS = RunSettings(ID, backend="remote", system_prompt="Be brief.")
LOCAL = RunSettings(TINY, precision="fp32", parameters=SamplingParameters(max_new_tokens=4, top_logprobs=2))


def test_a_conversation_with_a_server(tiny_home: Path, server: OpenAIServer, db: Database) -> None:
    talk = Conversations(Engine(), db)
    session, live = talk.ask(None, "one", replace(SETTINGS, api_key=SecretStr(KEY)))
    finished(live)
    _, live = talk.ask(session, "two", SETTINGS, drop_oldest=True)
    finished(live)
    assert [turn.text for turn in talk.turns(session)] == ["one", "Hello", "two", "Hello"]
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.asked[1].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "two"},
    ]
    again = finished(talk.regenerate(talk.turns(session)[3].message.id, SETTINGS))
    assert len(talk.turns(session)[3].version_ids) == 2
    assert talk.runs.get(again.run_id).backend == "remote"
    written = session_markdown(db, session).decode()
    assert f"*{ID} · remote on {server.host} · 2 tokens · " in written


@pytest.mark.parametrize("keep", [None, 1])
def test_continuing_is_refused_both_ways_and_nothing_is_written(
    tiny_home: Path, server: OpenAIServer, db: Database, keep: int | None
) -> None:
    talk = Conversations(Engine(), db)
    remote, live = talk.ask(None, "one", SETTINGS)
    finished(live)
    local, live = talk.ask(None, "one", LOCAL)
    finished(live)
    for session, settings in ((remote, LOCAL), (remote, SETTINGS), (local, SETTINGS)):
        with pytest.raises(InvalidInput, match="Regenerate it instead"):
            talk.continue_answer(talk.turns(session)[1].message.id, settings, keep=keep)
        assert len(talk.turns(session)[1].version_ids) == 1
    assert len(server.asked) == 1


def test_a_conversation_is_told_when_it_grew_too_long(server: OpenAIServer, db: Database) -> None:
    server.replies = [Reply(400, {"error": {"message": "This model's maximum context length is 64 tokens."}})]
    talk = Conversations(Engine(), db)
    _, live = talk.ask(None, "one " * 99, SETTINGS)
    told = finished(live).snapshot().error
    assert "found the request too long (400). This model's maximum context length is 64 tokens." in told
    assert "Shorten the text, start a new session, or ask for a shorter answer." in told
    assert talk.runs.get(live.run_id).status == "failed"

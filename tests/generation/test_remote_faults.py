"""A server on a bad day: it refuses, fails, falls silent, breaks off or is none. Nothing here waits for a clock."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import RemoteFailed
from core.generation.engine import Engine, Stream
from core.generation.record import RecordedRun
from core.generation.request import FinishReason, GenerationRequest, Message, SamplingParameters, Stage
from core.models.servers import add_server
from core.settings import reload_settings
from core.store.database import Database
from core.store.runs import RunRepository
from tests.generation.openai_server import MODEL, Break, OpenAIServer, Reply, Silence, answering, chunk
from tests.generation.remote_asking import ID, KEY

pytestmark = pytest.mark.slow  # most of them wait for a server that is gone

AT_ONCE = {"retry-after-ms": "1"}
REQUEST = GenerationRequest(ID, messages=(Message("user", "hi"),), parameters=SamplingParameters(top_logprobs=0))


@pytest.fixture
def engine(server: OpenAIServer) -> Engine:
    return Engine()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_TIMEOUT_S", "2")
    reload_settings()


def fault(engine: Engine, request: GenerationRequest = REQUEST) -> str:
    with pytest.raises(RemoteFailed) as caught:
        list(engine.stream(request))
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, "refused the key (401). Check the key"),
        (403, {"detail": "Forbidden"}, "refused the key (403)"),
        (
            404,
            {"error": {"message": "No such model."}},
            f"knows no model '{MODEL}', or not this address (404). No such",
        ),
        (400, {"error": "no\n such\tthing"}, "refused the request (400). no such thing. Change what it names"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "odd"}]}, "refused the request (422). body.n: odd."),
        (400, {"object": "error", "message": f"{KEY}{KEY}"}, "refused the request (400). ……"),
        (400, b"plain words", "refused the request (400). plain words."),
        (400, b"<html>proxy</html>", "refused the request (400). Change"),
        (400, {"error": {"message": "The prompt is too long"}}, "found the request too long (400)"),
        (413, {"detail": "Payload Too Large"}, "found the request too long (413). Payload Too Large. Shorten"),
        (429, {"error": {"message": "Slow down"}}, "has too many requests (429), after 3 tries. Slow down. Wait"),
        (503, {"error": {"message": "No GPU"}}, "failed (503), after 3 tries. No GPU. Try again later"),
        (500, b"", "failed (500), after 3 tries. Try again later"),
        (418, {"error": []}, "refused the request (418). Change"),
    ],
)
def test_what_it_refuses_is_told_in_our_words(
    engine: Engine, server: OpenAIServer, status: int, body: object, told: str
) -> None:
    server.replies = [Reply(status, body, AT_ONCE)]
    message = fault(engine, replace(REQUEST, api_key=SecretStr(KEY)))
    assert message.startswith(f"{server.host} {told}")
    assert KEY not in message


def test_a_key_that_is_missing_is_called_so(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(401, {"error": {"message": "no key"}})]
    assert fault(engine).startswith(f"{server.host} wants a key (401). Check the key: type it again, or set it in")


def test_a_long_message_is_cut_and_not_in_the_middle_of_the_key(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(400, {"error": {"message": "x" * 290 + KEY + "y" * 500}})]
    message = fault(engine, replace(REQUEST, api_key=SecretStr(KEY)))
    assert (
        message
        == f"{server.host} refused the request (400). {'x' * 290}…{'y' * 8}… Change what it names, and ask again."
    )


@pytest.mark.parametrize(
    "bad", [Reply(429, {}, AT_ONCE), Reply(503, {}, AT_ONCE), Reply(500, b"", {}), Reply(408, {}, AT_ONCE)]
)
def test_a_busy_or_failing_server_is_asked_again(engine: Engine, server: OpenAIServer, bad: Reply) -> None:
    server.replies = [bad, bad, answering("Hello")]
    stream = engine.stream(REQUEST)
    assert [event.text for event in stream] == ["Hello"]
    assert len(server.asked) == 3
    assert server.asked[0].body == server.asked[2].body


def test_how_often_is_a_setting(engine: Engine, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_RETRIES", "0")
    reload_settings()
    server.replies = [Reply(503, {}, AT_ONCE)]
    assert "failed (503), after one try" in fault(engine)
    assert len(server.asked) == 1


@pytest.mark.usefixtures("impatient")
def test_silence_before_an_answer(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(silent=True)]
    assert fault(engine).startswith(f"{server.host} said nothing for 2 s. A longer silence can be allowed with GROUND")
    assert len(server.asked) == 1  # it may be at work: asking twice makes it no faster


@pytest.mark.usefixtures("impatient")
def test_silence_in_an_answer_keeps_what_was_written(engine: Engine, server: OpenAIServer, db: Database) -> None:
    server.replies = [Reply(items=[chunk("Hel"), chunk("lo"), Silence()])]
    message, text = kept(engine, db)
    assert text == "Hello"
    assert message.startswith(f"{server.host} broke off in the middle of its answer: it said nothing for 2 s (GROUND")
    assert "What was written so far is kept." in message
    assert server.gone.wait(10)


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ([Break()], "peer closed connection without sending complete message body"),
        ([], "the connection ended before the answer did"),
        ([b"data: [DONE]\n\n"], "the connection ended before the answer did"),
        ([{"error": {"message": f"CUDA is out of memory, {KEY}", "code": 500}}], "CUDA is out of memory, …"),
        ([{"error": "it fell over"}], "it fell over"),
        ([b"data: {broken\n\n"], "what it sent cannot be read"),
        ([{"error": {"code": 500}}], "what it sent cannot be read"),
        ([chunk(finish="abort")], "it gave the answer up"),
        ([chunk(finish="content_filter")], "its content filter cut it"),
    ],
    ids=[
        "broken",
        "ended",
        "done too early",
        "error",
        "error in a word",
        "no JSON",
        "error without a word",
        "aborted",
        "filtered",
    ],
)
def test_an_answer_that_breaks_off_keeps_what_was_written(
    engine: Engine, server: OpenAIServer, db: Database, end: list[object], why: str
) -> None:
    server.replies = [Reply(items=[chunk("Hel"), chunk("lo STO"), *end])]
    message, text = kept(engine, db)
    assert text == "Hello STO"  # the last three letters were held back for the stop string
    assert f"{server.host} broke off in the middle of its answer: {why}" in message
    assert KEY not in message
    assert len(server.asked) == 1


def kept(engine: Engine, db: Database) -> tuple[str, str]:
    """(the error on record, the text on record) of a run that fails in mid-answer."""
    parameters = replace(REQUEST.parameters, stop=("STOP",))
    run = RecordedRun(engine, db, replace(REQUEST, parameters=parameters, api_key=SecretStr(KEY)))
    with pytest.raises(RemoteFailed) as caught:
        list(run.events())
    row = RunRepository(db).get(run.run_id)
    assert (row.status, row.finish_reason, row.error) == ("failed", "error", str(caught.value))
    return str(row.error), row.text


def test_an_error_in_place_of_an_answer(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(items=[{"error": {"message": "No model is loaded"}}])]
    assert fault(engine).startswith(f"{server.host} failed. No model is loaded. Try again later")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"<html>It works!</html>", headers={"Content-Type": "text/html"}),
        Reply(body={"choices": [{"message": {"content": "a whole answer"}}]}),
        Reply(items=[b"data: {broken\n\n"]),
        Reply(items=[b"data: 5\n\n"]),
        Reply(items=[{"choices": "none"}]),
        Reply(items=[chunk(["no", "text"])]),  # type: ignore[arg-type]
        Reply(items=[]),
    ],
    ids=["a page", "no stream", "no JSON", "a number", "no choices", "no text", "nothing"],
)
def test_what_is_no_openai_compatible_server(engine: Engine, server: OpenAIServer, reply: Reply) -> None:
    server.replies = [reply]
    assert fault(engine).startswith(
        f"What answers at {server.base_url} is no OpenAI-compatible server. Check the address"
    )


@pytest.mark.parametrize(
    "item", [{"choices": []}, {"choices": None}, {"choices": [{"index": 0, "delta": None}]}, b": a comment\n\n"]
)
def test_a_piece_with_nothing_in_it_is_no_fault(engine: Engine, server: OpenAIServer, item: object) -> None:
    server.replies = [answering("Hel", item, "lo")]
    assert "".join(event.text for event in engine.stream(REQUEST)) == "Hello"


def test_nobody_listens(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_RETRIES", "0")
    reload_settings()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    add_server("box", f"http://{host}", [MODEL])
    assert fault(Engine()).startswith(f"{host} cannot be reached, after one try. ")


def read(stream: Stream, cancel: threading.Event, after: int) -> list[str]:
    """The events of a run that is cancelled after so many. It ends though the server says nothing any more."""
    texts = []
    for event in stream:
        texts.append(event.text)
        if len(texts) == after:
            cancel.set()
    return texts


def test_cancel_in_mid_answer_closes_the_connection(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(items=[chunk("Hel"), chunk("lo"), Silence()])]
    cancel = threading.Event()
    stream = engine.stream(REQUEST, cancel=cancel)
    assert read(stream, cancel, after=2) == ["Hel", "lo"]
    assert (stream.completion.text, stream.completion.finish_reason) == ("Hello", FinishReason.CANCELLED)
    assert server.gone.wait(10)


def test_cancel_before_it_began_asks_nobody(engine: Engine, server: OpenAIServer, db: Database) -> None:
    server.replies = [answering("Hello")]
    cancel, told = threading.Event(), []
    cancel.set()
    run = RecordedRun(engine, db, REQUEST, cancel=cancel, on_status=told.append)
    assert list(run.events()) == []
    assert RunRepository(db).get(run.run_id).status == "cancelled"
    assert [status.stage for status in told] == [Stage.DONE]
    assert server.asked == []


def test_cancel_while_the_server_has_not_said_a_word(engine: Engine, server: OpenAIServer) -> None:
    cancel = threading.Event()
    server.replies = [Reply(silent=True, before=cancel.set)]
    stream = engine.stream(REQUEST, cancel=cancel)
    assert list(stream) == []
    assert stream.completion.finish_reason is FinishReason.CANCELLED
    assert server.gone.wait(10)


def test_cancel_while_waiting_to_try_again(engine: Engine, server: OpenAIServer) -> None:
    cancel = threading.Event()
    server.replies = [Reply(429, {}, {"retry-after": "100"}, before=lambda: threading.Timer(0.2, cancel.set).start())]
    assert list(engine.stream(REQUEST, cancel=cancel)) == []
    assert len(server.asked) == 1


def test_a_run_that_is_abandoned_closes_the_connection(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(items=[chunk("Hel"), Silence()])]
    stream = engine.stream(REQUEST)
    assert next(stream).text == "Hel"
    stream.close()
    assert server.gone.wait(10)


def test_no_thread_is_left_behind(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [answering("Hello")]
    list(engine.stream(REQUEST))
    left = [thread for thread in threading.enumerate() if thread.name == f"remote-{server.host}"]
    for thread in left:
        thread.join(10)
    assert not [thread for thread in left if thread.is_alive()]

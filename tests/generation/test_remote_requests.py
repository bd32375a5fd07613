"""What a server is asked, and which one: the request on the wire, against a scripted server on loopback."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import GroundworkError, InvalidInput, ModelNotFound, RemoteFailed
from core.generation.engine import Engine
from core.models import catalogue
from core.settings import reload_settings
from tests.conftest import TINY
from tests.generation.openai_server import MODEL, OpenAIServer, Reply, answering
from tests.generation.remote_asking import ID, KEY, ask
from tests.generation.runs import run


@pytest.fixture
def engine(server: OpenAIServer) -> Engine:
    return Engine()


def test_a_chat_is_asked_for_with_what_is_on_and_nothing_else(engine: Engine, server: OpenAIServer) -> None:
    run(engine, ask(temperature=0.2, top_p=1.0))
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 16,
        "temperature": 0.2,
        "seed": 7,
    }


def test_every_parameter_arrives_under_the_name_that_servers_know(engine: Engine, server: OpenAIServer) -> None:
    run(
        engine,
        ask(
            temperature=0,
            top_k=40,
            top_p=0.5,
            min_p=0.1,
            repetition_penalty=1.2,
            frequency_penalty=0.3,
            presence_penalty=-0.4,
            logit_bias={5: 2.5},
            banned_tokens=(6, 7),
            stop=("END", "\ud83d"),
            top_logprobs=50,
        ),
    )
    body = server.asked[0].body
    assert {name: body[name] for name in body if name not in ("model", "messages", "stream", "stream_options")} == {
        "max_tokens": 16,
        "temperature": 0,
        "top_k": 40,
        "top_p": 0.5,
        "min_p": 0.1,
        "repetition_penalty": 1.2,
        "repeat_penalty": 1.2,
        "frequency_penalty": 0.3,
        "presence_penalty": -0.4,
        "logit_bias": {"5": 2.5, "6": -100.0, "7": -100.0},
        "stop": ["END", "\ufffd"],
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 20,
    }


def test_a_seed_of_its_own_is_sent_and_recorded(engine: Engine, server: OpenAIServer) -> None:
    assert run(engine, ask(seed=None)).seed == server.asked[0].body["seed"]


def test_lone_surrogates_of_a_prompt_are_replaced(engine: Engine, server: OpenAIServer) -> None:
    run(engine, ask("a\ud83d b 🙂"))
    assert server.asked[0].body["messages"][1]["content"] == "a\ufffd b 🙂"


@pytest.mark.parametrize(
    ("refusal", "wishes", "left_out"),
    [
        ({"error": {"message": "logprobs are not supported"}}, {"top_logprobs": 3}, {"logprobs", "top_logprobs"}),
        ({"detail": "Unexpected fields: {'stream_options'}"}, {}, {"stream_options"}),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}, {"top_k": 4}, {"top_k"}),
        ({"error": {"message": "Unknown argument", "param": "min_p"}}, {"min_p": 0.1, "top_k": 4}, {"min_p"}),
        ({"message": "Additional property seed is not allowed"}, {"seed": None}, {"seed"}),
    ],
    ids=["log-probabilities", "usage", "top-k", "min-p", "seed"],
)
@pytest.mark.parametrize("status", [400, 422])
def test_what_a_server_does_not_know_is_left_out_and_it_is_asked_again(
    engine: Engine, server: OpenAIServer, status: int, refusal: object, wishes: dict[str, object], left_out: set[str]
) -> None:
    server.replies = [Reply(status, refusal), answering("Hello")]
    assert run(engine, ask(**wishes)).text == "Hello"
    first, second = (asked.body for asked in server.asked)
    assert first.keys() - second.keys() == left_out
    assert all(second[name] == first[name] for name in second)


def test_two_refusals_are_two_more_tries(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [
        Reply(400, {"error": {"message": f"Unrecognized request argument supplied: {name}"}})
        for name in ("top_k", "min_p")
    ] + [answering("Hello")]
    assert run(engine, ask(top_k=3, min_p=0.2)).text == "Hello"
    assert not {"top_k", "min_p"} & server.asked[2].body.keys()


def test_max_tokens_by_its_newer_name(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [Reply(400, {"error": {"message": "Use 'max_completion_tokens' instead."}}), answering("Hello")]
    run(engine, ask())
    assert "max_tokens" not in server.asked[1].body
    assert server.asked[1].body["max_completion_tokens"] == 16


@pytest.mark.parametrize("told", ["temperature must be below 2", "a seed that was asked for cannot be had"])
def test_a_refusal_of_what_was_asked_for_is_told_and_not_tried_again(
    engine: Engine, server: OpenAIServer, told: str
) -> None:
    server.replies = [Reply(400, {"error": {"message": told}})]
    with pytest.raises(RemoteFailed, match=f"refused the request \\(400\\). {told}"):
        run(engine, ask())
    assert len(server.asked) == 1


def test_the_sessions_key_goes_before_the_one_of_the_settings(
    engine: Engine, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDWORK_SERVER_KEYS", json.dumps({server.host: "sk-settings", "other": "sk-other"}))
    reload_settings()
    run(engine, ask())
    run(engine, replace(ask(), api_key=SecretStr(f" {KEY}\n")))
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer sk-settings", f"Bearer {KEY}"]


def test_a_key_that_no_header_can_carry_is_refused_unseen(engine: Engine, server: OpenAIServer) -> None:
    with pytest.raises(InvalidInput, match="The key has characters") as caught:
        run(engine, replace(ask(), api_key=SecretStr("sk-é\nx")))
    assert "sk-" not in str(caught.value)
    assert server.asked == []


def test_what_the_environment_says_for_openai_is_not_sent(
    engine: Engine, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", "http://127.0.0.1:1/leak")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer leak\nX-Other: leak")
    run(engine, ask())
    assert "leak" not in str(server.asked)


def test_auto_finds_a_servers_model_and_the_catalogue_goes_first(
    tiny_home: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    assert engine.plan(ask()).key.backend == "remote"
    real = catalogue.get
    monkeypatch.setattr(catalogue, "get", lambda model_id: real(TINY))
    local = replace(ask(), precision="fp32")
    assert engine.plan(local).key.model_id == TINY
    assert engine.plan(replace(local, backend="remote")).key.model_id == ID


@pytest.mark.parametrize("backend", ["auto", "remote"])
def test_an_unknown_model_of_a_server_lists_its_models(engine: Engine, backend: str) -> None:
    wrong = replace(ask(), model_id="box/org/modell", backend=backend)  # type: ignore[arg-type]
    with pytest.raises(ModelNotFound, match=f"has a model 'box/org/modell'. Did you mean {ID}. There are: {ID}"):
        engine.stream(wrong)


def test_other_unknown_models_are_the_catalogues_to_refuse(engine: Engine) -> None:
    with pytest.raises(ModelNotFound, match="There is no model 'nobody/model'"):
        engine.stream(replace(ask(), model_id="nobody/model"))
    with pytest.raises(ModelNotFound, match="No server that was added has a model 'smollm2-135m-instruct'"):
        engine.stream(replace(ask(), model_id="smollm2-135m-instruct", backend="remote"))


def test_tokens_are_not_counted_here(engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="cannot be counted here"):
        engine.count_tokens(ask())


def test_errors_of_the_request_are_told_before_anything_is_asked(engine: Engine, server: OpenAIServer) -> None:
    with pytest.raises(GroundworkError, match="The prompt is empty"):
        engine.stream(ask(" "))
    with pytest.raises(GroundworkError, match="temperature is 9"):
        engine.stream(ask(temperature=9))
    assert server.asked == []

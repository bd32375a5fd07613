"""The `remote` backend against a real server: `transformers serve` on loopback, with the built-in model in fp32."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import RemoteFailed
from core.generation.conversation import Conversations, RunSettings
from core.generation.engine import Engine
from core.generation.record import RecordedRun, recorded_events
from core.generation.request import FinishReason, GenerationRequest, Message, SamplingParameters
from core.models.servers import add_server, fetch_models
from core.store.database import Database
from core.store.runs import RunRepository
from tests.generation.runs import run
from tests.real_models import SMOLLM2, prepared_folder
from tests.transformers_serve import serving

pytestmark = pytest.mark.slow

SERVED = f"local/{SMOLLM2}"
ID = f"box/{SERVED}"
KEY = "sk-very-secret-0123456789"
PROMPTS = ("What is the capital of France?", "List three fruits, one a line.", "Écris une phrase sur le café. ☕")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(prepared_folder(), SERVED, tmp_path_factory.mktemp("serve")) as address:
        yield address


@pytest.fixture
def engine(real_home: Path, base_url: str) -> Engine:
    add_server("box", base_url, [SERVED, "nobody/model"])
    return Engine()


def ask(prompt: str, model_id: str = ID, **parameters: object) -> GenerationRequest:
    values = {"temperature": 0.0, "max_new_tokens": 40, "top_logprobs": 0} | parameters
    return GenerationRequest(
        model_id,
        messages=(Message("user", prompt),),
        precision="fp32" if model_id == SMOLLM2 else "auto",
        parameters=SamplingParameters(**values),  # type: ignore[arg-type]
    )


def test_it_lists_its_model(base_url: str) -> None:
    assert fetch_models(base_url, None) == (SERVED,)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_answers_are_those_of_our_own_engine(engine: Engine, prompt: str) -> None:
    ours, theirs = run(engine, ask(prompt, SMOLLM2)), run(engine, ask(prompt))
    assert theirs.text == ours.text
    assert theirs.prompt_tokens == ours.prompt_tokens  # the same template, the same tokens
    assert theirs.completion_tokens == ours.completion_tokens
    assert theirs.finish_reason is ours.finish_reason
    assert len(theirs.events) > 1
    assert theirs.ttft_s is not None
    assert theirs.tokens_per_s is not None
    assert theirs.tokens_per_s > 0


def test_a_completion_is_that_of_our_own_engine(engine: Engine) -> None:
    texts = [
        run(
            engine,
            GenerationRequest(
                model_id,
                raw_prompt="The capital of France is",
                precision=precision,
                parameters=SamplingParameters(temperature=0, max_new_tokens=12, top_logprobs=0),
            ),
        ).text
        for model_id, precision in ((ID, "auto"), (SMOLLM2, "fp32"))
    ]
    assert texts[0] == texts[1] != ""


def test_a_stop_string_that_it_leaves_in_is_left_out(engine: Engine) -> None:
    done = run(engine, ask(PROMPTS[0], stop=("France",)))
    assert (done.text, done.finish_reason) == ("The capital of ", FinishReason.STOP)


def test_what_it_does_not_know_is_left_out(engine: Engine) -> None:
    assert run(engine, ask(PROMPTS[0], top_k=3, min_p=0.1, top_logprobs=4)).text == "The capital of France is Paris."


def test_a_model_that_it_does_not_have(engine: Engine) -> None:
    with pytest.raises(RemoteFailed, match=r"refused the request \(400\).*'nobody/model'"):
        run(engine, ask(PROMPTS[0], "box/nobody/model"))


def test_cancel(engine: Engine) -> None:
    cancel = threading.Event()
    stream = engine.stream(ask("Write a long story about a fox.", max_new_tokens=2000), cancel=cancel)
    events = []
    for event in stream:
        events.append(event)
        if len(events) == 5:
            cancel.set()
    assert len(events) == 5
    assert stream.completion.finish_reason is FinishReason.CANCELLED
    assert run(engine, ask(PROMPTS[0], max_new_tokens=4)).text == "The capital of France"  # it takes the next request


def test_a_run_is_recorded_without_its_key(engine: Engine, db: Database, real_home: Path, base_url: str) -> None:
    talk = Conversations(engine, db)
    settings = RunSettings(ID, backend="remote", parameters=ask("").parameters, api_key=SecretStr(KEY))
    session, live = talk.ask(None, PROMPTS[0], settings)
    live.join(120)
    assert live.snapshot().error == ""
    row = RunRepository(db).get(live.run_id)
    assert (row.status, row.text) == ("done", "The capital of France is Paris.")
    assert (row.model_id, row.backend, row.precision, row.revision) == (ID, "remote", "", "")
    assert row.device == base_url.removeprefix("http://").removesuffix("/v1")
    assert "".join(event.text for event in recorded_events(db, live.run_id)) == row.text
    assert [turn.text for turn in talk.turns(session)] == [PROMPTS[0], row.text]
    failing = RecordedRun(engine, db, ask(PROMPTS[0], "box/nobody/model"))
    with pytest.raises(RemoteFailed):
        list(failing.events())
    assert RunRepository(db).get(failing.run_id).status == "failed"
    kept = [file for file in real_home.glob("*") if file.is_file()]
    assert real_home / "groundwork.db" in kept
    assert not [file for file in kept if KEY.encode() in file.read_bytes()]

"""The engine on a model of random weights, which is enough for all that does not depend on what the model says."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from core.errors import ContextOverflow, GroundworkError, InvalidInput, ModelNotFound
from core.generation.engine import Engine
from core.generation.request import (
    Completion,
    FinishReason,
    GenerationRequest,
    SamplingParameters,
    Stage,
    Status,
    TokenEvent,
)
from core.settings import get_settings
from tests.conftest import TINY
from tests.generation.runs import run

PROMPT = "The hello of a fellow"
BACKENDS = ("onnx", "torch")


@pytest.fixture
def engine(tiny_home: Path) -> Engine:
    return Engine()


def ask(prompt: str = PROMPT, backend: str = "onnx", **parameters: object) -> GenerationRequest:
    values = {"temperature": 0.0, "max_new_tokens": 12, "top_logprobs": 0} | parameters
    return GenerationRequest(
        TINY,
        raw_prompt=prompt,
        backend=backend,  # type: ignore[arg-type]
        precision="fp32",
        parameters=SamplingParameters(**values),  # type: ignore[arg-type]
    )


def ids(done: Completion) -> list[int]:
    return [event.token_id for event in done.events]


def test_both_backends_say_the_same(engine: Engine) -> None:
    onnx, torch = (run(engine, ask(backend=backend, max_new_tokens=40)) for backend in BACKENDS)
    assert ids(onnx) == ids(torch)
    assert [e.logprob for e in onnx.events] == pytest.approx([e.logprob for e in torch.events], abs=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_request_gives_the_same_answer_whatever_came_before(engine: Engine, backend: str) -> None:
    request = ask("hello " * 25, backend, temperature=1.0, top_p=1.0, seed=3, max_new_tokens=30)
    cold = run(engine, request)
    assert cold.cached_tokens == 0
    run(engine, ask("hello " * 12 + "other", backend, temperature=1.0, top_p=1.0))
    warm = run(engine, request)
    assert warm.cached_tokens > 0
    assert ids(warm) == ids(cold)
    assert [e.logprob for e in warm.events] == [e.logprob for e in cold.events]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_follow_up_takes_over_what_was_read(engine: Engine, backend: str) -> None:
    first = run(engine, ask(backend=backend, temperature=0.5))
    again = run(engine, ask(PROMPT + first.text + " and then", backend, temperature=0.5))
    assert again.cached_tokens >= first.prompt_tokens
    assert first.cached_tokens == 0


def test_a_seed_of_its_own_is_told(engine: Engine) -> None:
    first = run(engine, ask(temperature=1.0, top_p=1.0))
    assert ids(run(engine, ask(temperature=1.0, top_p=1.0, seed=first.seed))) == ids(first)


@pytest.mark.parametrize("backend", BACKENDS)
def test_max_new_tokens(engine: Engine, backend: str) -> None:
    done = run(engine, ask(backend=backend, max_new_tokens=5, banned_tokens=(1, 2)))
    assert done.completion_tokens == len(done.events) == 5
    assert done.finish_reason is FinishReason.LENGTH
    assert done.ttft_s is not None
    assert done.tokens_per_s is not None


def test_one_token_has_no_rate(engine: Engine) -> None:
    assert run(engine, ask(max_new_tokens=1)).tokens_per_s is None


def test_banned_tokens_never_come(engine: Engine) -> None:
    free = ids(run(engine, ask()))
    banned = tuple(set(free))
    assert not set(ids(run(engine, ask(banned_tokens=banned)))) & set(banned)


def test_an_end_token_ends_the_answer_and_has_no_text(engine: Engine) -> None:
    done = run(engine, ask(logit_bias={2: 100.0}))
    assert (ids(done), done.text, done.finish_reason) == ([2], "", FinishReason.STOP)


def test_a_stop_string_ends_the_answer_and_is_left_out(engine: Engine) -> None:
    letter = 3 + 64  # any byte token: it is said again and again
    text = run(engine, ask(logit_bias={letter: 100.0})).text
    done = run(engine, ask(logit_bias={letter: 100.0}, stop=(text[:3],)))
    assert (done.text, done.finish_reason, done.completion_tokens) == ("", FinishReason.STOP, 3)


def test_the_context_is_used_to_its_last_token(engine: Engine) -> None:
    done = run(engine, ask(max_new_tokens=1000, banned_tokens=(1, 2)))
    assert done.prompt_tokens + done.completion_tokens == 256
    assert done.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_prompt_that_does_not_fit_says_by_how_much(engine: Engine, backend: str) -> None:
    with pytest.raises(ContextOverflow, match=r"300 tokens, 45 too many.*256 tokens at most") as caught:
        run(engine, ask("x" * 300, backend))
    assert caught.value.over_by == 45
    assert run(engine, ask("x" * 255, backend)).completion_tokens == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancel_takes_effect_within_one_token(engine: Engine, backend: str) -> None:
    cancel = threading.Event()
    events: list[TokenEvent] = []
    stream = engine.stream(ask(backend=backend, max_new_tokens=50, banned_tokens=(1, 2)), cancel=cancel)
    for event in stream:
        events.append(event)
        if len(events) == 4:
            cancel.set()
    assert len(events) == 4
    assert stream.completion.finish_reason is FinishReason.CANCELLED
    assert stream.completion.text == "".join(event.text for event in events)


def test_cancel_before_the_prompt_is_read(engine: Engine) -> None:
    cancel = threading.Event()
    cancel.set()
    stream = engine.stream(ask(), cancel=cancel)
    assert list(stream) == []
    assert stream.completion.finish_reason is FinishReason.CANCELLED


def test_a_run_that_is_abandoned_frees_the_queue(engine: Engine) -> None:
    stream = engine.stream(ask())
    next(stream)
    stream.close()
    assert run(engine, ask()).completion_tokens > 0
    engine.pool.unload_all()
    assert engine.pool.loaded() == ()


def test_who_waits_hears_a_position_and_runs_after(engine: Engine) -> None:
    run(engine, ask())  # loaded
    first = engine.stream(ask(max_new_tokens=30, banned_tokens=(1, 2)))
    next(first)
    told: list[Status] = []
    waiting, done = threading.Event(), []

    def hear(status: Status) -> None:
        told.append(status)
        if status.stage is Stage.QUEUEING:
            waiting.set()

    def work() -> None:
        stream = engine.stream(ask(), on_status=hear)
        done.extend(stream)

    thread = threading.Thread(target=work)
    thread.start()
    assert waiting.wait(5)
    assert done == []
    rest = list(first)
    thread.join(10)
    assert len(rest) == 29
    assert len(done) == 12
    assert [s for s in told if s.stage is Stage.QUEUEING] == [Status(Stage.QUEUEING, 1)]
    assert [s.stage for s in told][-3:] == [Stage.READING, Stage.ANSWERING, Stage.DONE]


def test_the_least_recently_used_model_is_unloaded_within_the_budget(tiny_home: Path) -> None:
    roomy = Engine()
    run(roomy, ask())
    (model,) = roomy.pool._models.values()
    tight = get_settings().model_copy(update={"memory_budget_bytes": model.memory_bytes + 1000})
    engine = Engine(tight)
    run(engine, ask())
    assert [key.backend for key in engine.pool.loaded()] == ["onnx"]
    run(engine, ask(backend="torch"))
    assert [key.backend for key in engine.pool.loaded()] == ["torch"]
    run(engine, ask())
    assert [key.backend for key in engine.pool.loaded()] == ["onnx"]


def test_a_model_larger_than_the_budget_is_refused_and_unloads_nothing(tiny_home: Path) -> None:
    engine = Engine()
    run(engine, ask())
    engine.pool._settings = get_settings().model_copy(update={"memory_budget_bytes": 1000})
    with pytest.raises(GroundworkError, match="GROUNDWORK_MEMORY_BUDGET_BYTES"):
        run(engine, ask(backend="torch"))
    assert [key.backend for key in engine.pool.loaded()] == ["onnx"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_fits_its_schema(engine: Engine, backend: str) -> None:
    done = run(engine, ask(backend=backend, json_schema={"enum": ["yes", "no"]}, max_new_tokens=20))
    assert json.loads(done.text) in ("yes", "no")
    assert done.finish_reason is FinishReason.STOP


def test_a_schema_and_bans_that_leave_nothing_say_so(engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="No token may follow"):
        run(engine, ask(json_schema={"enum": ["yes"]}, banned_tokens=tuple(range(262))))


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (ask(" \n\t"), "The prompt is empty"),
        (ask("x" * 4_000_001), r"4,000,001 characters.*GROUNDWORK_MAX_PROMPT_CHARACTERS"),
        (ask(backend="tpu"), "Backend 'tpu' is unknown"),
        (ask(json_schema={"type": "no such type"}), "This is no JSON schema"),
        (ask(max_new_tokens=None), "max_new_tokens is None"),
        (ask(banned_tokens=(-1,)), "-1 is no token id"),
        (ask(logit_bias={"a": 1.0}), "'a' is no token id"),
        (ask(temperature=99, top_p=-1), "temperature is 99.*top_p is -1"),
    ],
    ids=["empty", "huge", "backend", "schema", "none", "negative id", "word id", "range"],
)
def test_bad_input_is_told_before_anything_runs(engine: Engine, request_: GenerationRequest, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        engine.stream(request_)
    assert engine.pool.loaded() == ()


def test_an_unknown_model_lists_the_known(engine: Engine) -> None:
    with pytest.raises(ModelNotFound, match=r"no model 'tinny'.*Did you mean tiny"):
        engine.plan(GenerationRequest("tinny", raw_prompt="x"))


@pytest.mark.parametrize("prompt", ["\x00\x07\x1b[31m\x7f", "שלום עולם مرحبا", "👩‍👩‍👧‍👦🏳️‍🌈", "a\ud83d lone surrogate"])
def test_control_characters_emoji_and_right_to_left_text_are_read(engine: Engine, prompt: str) -> None:
    assert run(engine, ask(prompt, max_new_tokens=3)).prompt_tokens > 1


def test_text_is_final_and_never_half_a_character(engine: Engine) -> None:
    done = run(engine, ask(temperature=5.0, top_p=1.0, seed=1, max_new_tokens=150))
    assert "".join(event.text for event in done.events) == done.text
    done.text.encode("utf-8")

"""The engine on the real SmolLM2: the backends agree, runs repeat, what it reports is what torch computes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from core.generation.engine import Engine
from core.generation.kv_cache import PREFILL_CHUNK
from core.generation.request import Completion, FinishReason, GenerationRequest, Message, SamplingParameters, TokenEvent
from core.models import catalogue
from core.models.tokenizer import Tokenizer
from tests.generation.runs import run
from tests.real_models import ROOT, SMOLLM2

pytestmark = pytest.mark.slow

PROMPTS = (
    "What is the capital of France?",
    "Write a haiku about the sea.",
    "List three fruits, one a line.",
    "Translate to German: good morning, my friend.",
    'Is this review positive or negative? "The food was cold and the waiter rude."',
    "def fibonacci(n):",
    "Summarise: The quarterly report shows revenue up 12 % and costs up 30 %, which worries the board.",
    "2 + 2 * 3 =",
    "Écris une phrase sur le café. ☕",
    'Return JSON with the keys "name" and "age" for Ada, 36.',
    "Why is the sky blue? Explain to a child.",
    "مرحبا، كيف حالك؟",
)
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
QUESTIONS = ("And then?", "Why?", "Tell me more.", "Give an example.", "Who says so?", "When?", "Where?", "How?", "So?")


@pytest.fixture(scope="module")
def shared() -> Iterator[list[Engine]]:
    """One engine for the module: loading takes longer than most tests."""
    kept: list[Engine] = []
    yield kept
    for engine in kept:
        engine.pool.unload_all()


@pytest.fixture
def engine(real_home: Path, shared: list[Engine]) -> Engine:
    if not shared:
        shared.append(Engine())
    return shared[0]


@pytest.fixture
def tokenizer(real_home: Path) -> Tokenizer:
    return Tokenizer.load(catalogue.folder(SMOLLM2))


def ask(
    *turns: str,
    backend: str = "onnx",
    precision: str = "fp32",
    prefix: tuple[TokenEvent, ...] = (),
    **parameters: object,
) -> GenerationRequest:
    """A conversation: user, assistant, user, …"""
    roles = ("user", "assistant")
    values = {"temperature": 0.0, "max_new_tokens": 24, "top_logprobs": 0} | parameters
    return GenerationRequest(
        SMOLLM2,
        messages=tuple(Message(roles[n % 2], turn) for n, turn in enumerate(turns)),  # type: ignore[arg-type]
        backend=backend,  # type: ignore[arg-type]
        precision=precision,
        answer_prefix=prefix,
        parameters=SamplingParameters(**values),  # type: ignore[arg-type]
    )


def said(done: Completion) -> list[tuple[int, float | None]]:
    return [(event.token_id, event.logprob) for event in done.events]


def given(token_ids: list[int]) -> tuple[TokenEvent, ...]:
    return tuple(TokenEvent(n, t, "", "", None, None, (), 0.0, forced=True) for n, t in enumerate(token_ids))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_answers_of_onnx_fp32_and_torch_are_equal_token_by_token(engine: Engine, prompt: str) -> None:
    onnx, torch = (run(engine, ask(prompt, backend=backend)) for backend in ("onnx", "torch"))
    assert [e.token_id for e in onnx.events] == [e.token_id for e in torch.events]
    assert [e.logprob for e in onnx.events] == pytest.approx([e.logprob for e in torch.events], abs=2e-3)


def test_logprobs_are_the_log_softmax_of_torch(engine: Engine, tokenizer: Tokenizer) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    done = run(engine, ask(PROMPTS[0], temperature=1.0, seed=5, top_logprobs=5, top_p=0.9))
    prompt = tokenizer.encode_chat([("user", PROMPTS[0])])
    answer = [event.token_id for event in done.events]
    model = AutoModelForCausalLM.from_pretrained(str(catalogue.folder(SMOLLM2)), dtype=torch.float32)
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    expected = torch.log_softmax(logits.double(), dim=-1).numpy()
    assert [e.logprob for e in done.events] == pytest.approx(expected[np.arange(len(answer)), answer], abs=2e-3)
    for row, event in zip(expected, done.events, strict=True):
        likeliest = [a.token_id for a in event.alternatives if a.logprob >= np.sort(row)[-5] - 1e-3]
        assert set(np.argsort(-row)[:5]) == set(likeliest[:5])
        assert [a.logprob for a in event.alternatives] == pytest.approx(
            [row[a.token_id] for a in event.alternatives], abs=2e-3
        )


@pytest.mark.parametrize(("backend", "precision"), [("onnx", "int8"), ("onnx", "fp32"), ("torch", "fp32")])
@pytest.mark.parametrize("chosen", [{"temperature": 0.0}, {"temperature": 1.0, "seed": 7}], ids=["greedy", "seeded"])
def test_a_run_repeats_bit_by_bit_on_a_warm_cache_and_an_empty_one(
    engine: Engine, backend: str, precision: str, chosen: dict[str, float]
) -> None:
    def talk(*turns: str) -> GenerationRequest:
        return ask(*turns, backend=backend, precision=precision, max_new_tokens=20, **chosen)

    engine.pool.unload_all()
    first = run(engine, talk(PROMPTS[10]))
    warm = run(engine, talk(PROMPTS[10], first.text, "And why are sunsets red?"))
    run(engine, ask("Something else entirely", backend=backend, precision=precision, temperature=0.8))
    again = run(engine, talk(PROMPTS[10], first.text, "And why are sunsets red?"))
    engine.pool.unload_all()
    cold = run(engine, talk(PROMPTS[10], first.text, "And why are sunsets red?"))
    assert cold.cached_tokens == 0
    assert again.cached_tokens >= PREFILL_CHUNK
    assert said(warm) == said(again) == said(cold)


def test_turn_ten_does_not_pay_for_turns_one_to_nine(engine: Engine) -> None:
    engine.pool.unload_all()
    turns, read = [PROMPTS[0]], []
    for question in (*QUESTIONS, ""):
        done = run(engine, ask(*turns, precision="int8", temperature=0.2, max_new_tokens=12))
        read.append(done.prompt_tokens - done.cached_tokens)
        if len(turns) > 1:
            assert done.cached_tokens > 0
        turns += [done.text, question]
    assert len(read) == 10
    assert done.prompt_tokens > 200
    assert max(read[1:]) < 40  # a question and what the template puts around it, never the turns before


def test_turn_two_of_an_exact_conversation_is_cached_too(engine: Engine) -> None:
    engine.pool.unload_all()
    question = " ".join(PROMPTS[:6])
    first = run(engine, ask(question))
    second = run(engine, ask(question, first.text, "And?"))
    assert second.cached_tokens == first.prompt_tokens - first.prompt_tokens % PREFILL_CHUNK > 0


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_json_schema_output_parses_and_validates(engine: Engine, backend: str) -> None:
    done = run(engine, ask(PROMPTS[9], backend=backend, json_schema=PERSON, max_new_tokens=60))
    jsonschema.validate(json.loads(done.text), PERSON)
    assert done.finish_reason is FinishReason.STOP


def test_an_emoji_comes_out_whole(engine: Engine, tokenizer: Tokenizer) -> None:
    family = tokenizer.encode("A family: 👩‍👩‍👧‍👦 and")
    assert any("⟨0x" in tokenizer.token_text(token) for token in family)  # it is split over tokens
    done = run(engine, ask("Say it.", prefix=given(family), max_new_tokens=4))
    assert done.text.startswith("A family: 👩‍👩‍👧‍👦 and")
    assert "".join(event.text for event in done.events) == done.text
    assert not any("�" in event.text for event in done.events[: len(family)])
    assert len(done.events) == len(family) + done.completion_tokens == len(family) + 4


def test_half_an_emoji_at_the_start_of_an_answer_is_never_shown_alone(engine: Engine, tokenizer: Tokenizer) -> None:
    half = [t for t in tokenizer.encode("😀") if t not in tokenizer.special_ids][:-1]
    assert half
    done = run(engine, ask("Say it.", prefix=given(half), max_new_tokens=6))
    assert [event.text for event in done.events[: len(half)]] == [""] * len(half)
    assert "".join(event.text for event in done.events) == done.text


def test_a_stop_string_of_several_tokens(engine: Engine) -> None:
    whole = run(engine, ask(PROMPTS[2])).text
    stop = whole[8:14]
    done = run(engine, ask(PROMPTS[2], stop=(stop,)))
    assert done.text == whole[: whole.index(stop)]
    assert done.finish_reason is FinishReason.STOP


SERVE = f"""
import sys
from core.generation.engine import Engine
from core.generation.request import GenerationRequest, Message, SamplingParameters
request = GenerationRequest({SMOLLM2!r}, messages=(Message("user", "Hello"),), precision="int8",
    parameters=SamplingParameters(max_new_tokens=4, json_schema={{"type": "string"}}))
print(len(list(Engine().stream(request))), [name for name in ("torch", "transformers") if name in sys.modules])
"""


def test_serving_on_onnx_imports_neither_torch_nor_transformers(real_home: Path) -> None:
    served = subprocess.run([sys.executable, "-c", SERVE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert served.stdout.split(maxsplit=1) == ["4", "[]\n"]

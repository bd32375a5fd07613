from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.interpret import regeneration
from core.interpret.edits import NOTHING, Edits, edited
from core.interpret.open_model import open_model
from core.interpret.regeneration import regenerate
from core.interpret.subject import from_text
from core.interpret.trace import Trace, trace
from tests.interpret.conftest import IDS, Open, subject_of
from tests.interpret.plain import plain_model, zero_head, zero_mlp
from tests.real_models import SMOLLM2

OFF = Edits(frozenset({(0, 0), (0, 1), (1, 2)}), frozenset({0}), frozenset({3}))


def _greedy(model: object, ids: Sequence[int], count: int) -> list[int]:
    """transformers' own generate."""
    given = torch.tensor([list(ids)])
    made = model.generate(  # type: ignore[attr-defined]
        given, attention_mask=torch.ones_like(given), max_new_tokens=count, do_sample=False, pad_token_id=0
    )
    return made[0, len(ids) :].tolist()  # type: ignore[no-any-return]


def _says(monkeypatch: pytest.MonkeyPatch, rows: list[list[int]]) -> None:
    """The model chooses these tokens, whatever it thinks."""
    steps = iter(zip(*rows, strict=True))
    monkeypatch.setattr(regeneration._Writing, "_next", lambda self, given, cache: torch.tensor(next(steps)))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_without_edits_it_is_transformers_greedy_answer(opened: Open, kind: str) -> None:
    torch.manual_seed(0)  # no two tokens are equally likely
    read = trace(opened(kind), subject_of(kind))
    found = regenerate(read, NOTHING, max_new_tokens=12)
    assert list(found.before.ids) == _greedy(plain_model(read), IDS, 12)
    assert found.after == found.before
    assert found.differs_at is None


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_with_edits_it_is_the_greedy_answer_of_a_model_with_zeros(opened: Open, kind: str) -> None:
    torch.manual_seed(0)
    read = trace(opened(kind), subject_of(kind))
    cut = plain_model(read)
    for layer, head in OFF.heads:
        zero_head(cut, layer, head)
    zero_mlp(cut, 0)
    found = regenerate(read, replace(OFF, tokens=frozenset()), max_new_tokens=12)
    assert list(found.after.ids) == _greedy(cut, IDS, 12)
    assert list(found.before.ids) == _greedy(plain_model(read), IDS, 12)


def test_a_hidden_token_stays_hidden_with_the_cache(llama: Trace) -> None:
    written: list[int] = []
    for _ in range(6):
        with torch.inference_mode(), edited(llama.opened, OFF):
            ids = llama.opened.tensor([*IDS, *written])
            written.append(int(llama.opened.forward(input_ids=ids).logits[0, -1].argmax()))
    assert list(regenerate(llama, OFF, max_new_tokens=6).after.ids) == written


def test_where_a_layer_does_not_attend_no_cache_is_used(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = regenerate(llama, OFF, max_new_tokens=6)
    monkeypatch.setattr(regeneration._Writing, "_new_cache", lambda self: None)
    assert regenerate(llama, OFF, max_new_tokens=6) == expected


def test_an_answer_is_written_from_its_prompt(llama: Trace) -> None:
    answered = replace(llama, subject=replace(llama.subject, answer_start=6))
    found = regenerate(answered, NOTHING, max_new_tokens=4)
    assert found.prompt_tokens == 6
    assert list(found.before.ids) == _greedy(plain_model(llama), IDS[:6], 4)


def test_an_end_token_ends_one_answer_and_not_the_other(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    end = llama.opened.tokenizer.eos_ids[0]
    _says(monkeypatch, [[71, end, 80, 81], [71, 72, 73, end]])
    found = regenerate(llama, OFF, max_new_tokens=9)
    assert found.before.ids == (71, end)
    assert found.after.ids == (71, 72, 73, end)
    assert found.before.ended == found.after.ended == "end"
    assert "</s>" not in found.before.text
    assert found.differs_at == 1


def test_an_answer_that_is_longer_differs_where_the_other_ends(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    _says(monkeypatch, [[71, 72, 73], [71, 72, llama.opened.tokenizer.eos_ids[0]]])
    assert regenerate(llama, OFF, max_new_tokens=3).differs_at == 2


def test_text_never_ends_in_half_a_character(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = llama.opened.tokenizer
    snowman = [tokenizer.encode("☃")[place] for place in range(3)]  # three bytes, three tokens
    letter = tokenizer.encode("a")[0]
    _says(monkeypatch, [[letter, *snowman], [letter, letter, *snowman[:2]]])
    found = regenerate(llama, OFF, max_new_tokens=4)
    assert found.before.text == "a☃"
    assert found.after.text == "aa"


def test_a_full_context_ends_it(opened: Open) -> None:
    read = trace(opened("gpt2"), subject_of("gpt2", tuple(range(3, 64))))  # 61 of 64
    found = regenerate(read, NOTHING, max_new_tokens=10)
    assert len(found.before.ids) == 3
    assert found.before.ended == "context"
    assert regenerate(read, NOTHING, max_new_tokens=3).before.ended == "length"
    full = trace(read.opened, subject_of("gpt2", tuple(range(3, 67))))
    with pytest.raises(InvalidInput, match="64 tokens, and gpt2 reads 64 at most"):
        regenerate(full, NOTHING, max_new_tokens=3)


@pytest.mark.parametrize(
    ("edits", "count", "named"),
    [
        (Edits(tokens=frozenset({7})), 4, "Token 7 is part of the answer"),
        (Edits(tokens=frozenset({10})), 4, "no token 10"),
        (Edits(mlps=frozenset({2})), 4, "no layer 2"),
        (NOTHING, 0, "0 new tokens"),
    ],
)
def test_what_cannot_be_is_named(llama: Trace, edits: Edits, count: int, named: str) -> None:
    answered = replace(llama, subject=replace(llama.subject, answer_start=6))
    with pytest.raises(InvalidInput, match=named):
        regenerate(answered, edits, max_new_tokens=count)


def test_an_answer_needs_a_prompt(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="no prompt"):
        regenerate(replace(llama, subject=replace(llama.subject, answer_start=0)), NOTHING)


def test_an_encoder_writes_nothing(opened: Open) -> None:
    with pytest.raises(InvalidInput, match="writes nothing"):
        regenerate(trace(opened("bert"), subject_of("bert")), NOTHING)


@pytest.mark.parametrize("call", [0, 1, 4])
def test_it_can_be_cancelled_and_leaves_nothing(llama: Trace, call: int) -> None:
    calls: list[float] = []

    def stop(fraction: float, words: str) -> None:
        calls.append(fraction)
        if len(calls) > call:
            raise Cancelled

    with pytest.raises(Cancelled):
        regenerate(llama, OFF, max_new_tokens=5, progress=stop)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.opened.model.modules())


def test_progress_goes_from_nothing_to_all(llama: Trace) -> None:
    told: list[float] = []
    watch: Callable[[float, str], None] = lambda fraction, words: told.append(fraction)  # noqa: E731
    regenerate(llama, OFF, max_new_tokens=5, progress=watch)
    assert told == sorted(told)
    assert told[0] == 0.0
    assert 0.8 < told[-1] < 1.0


@pytest.mark.slow
def test_smollm2_without_edits_is_transformers_greedy_answer(real_home: Path) -> None:
    read = trace(open_model(SMOLLM2, device="cpu"), from_text(SMOLLM2, "The capital of France is"))
    found = regenerate(read, NOTHING, max_new_tokens=16)
    assert list(found.before.ids) == _greedy(plain_model(read), read.subject.ids, 16)
    assert found.before.text == read.opened.tokenizer.decode(list(found.before.ids))

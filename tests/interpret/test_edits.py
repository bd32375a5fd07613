from __future__ import annotations

from typing import Any

import pytest
import torch

from core.errors import InvalidInput
from core.interpret.edits import NOTHING, Edits, check_edits, edited, parse_edits
from core.interpret.open_model import OpenModel
from core.interpret.trace import Trace, trace
from tests.interpret.conftest import IDS, Open, subject_of
from tests.interpret.plain import mask_without, plain_logits, plain_model, zero_head, zero_mlp

SIZES = {"layers": 30, "heads": 9, "tokens": 20}
MIXED = Edits(frozenset({(0, 1), (1, 3)}), frozenset({1}), frozenset({2, 5}))


def _logits(opened: OpenModel, ids: Any = IDS, **inputs: Any) -> torch.Tensor:
    with torch.inference_mode():
        return opened.forward(input_ids=opened.tensor(ids), **inputs).logits[0]


def test_words_say_what_is_off() -> None:
    pieces = ["a"] * 17 + [" Paris"]
    edits = Edits(frozenset({(12, 4)}), frozenset({3}), frozenset({17}))
    assert edits.words(pieces) == "without head 4 of layer 12 and the MLP of layer 3; nobody reads ‘ Paris’ (17)"


def test_words_gather_what_belongs_together() -> None:
    edits = Edits(frozenset({(1, 0), (1, 2), (2, 0), (2, 1), (2, 2)}), frozenset({4, 5}), frozenset({0, 1}))
    assert edits.words(heads=3) == (
        "without heads 0 and 2 of layer 1, every head of layer 2 and the MLPs of layers 4 and 5; "
        "nobody reads token 0 and token 1"
    )


def test_words_count_what_is_too_long_to_list() -> None:
    edits = Edits(frozenset((layer, 0) for layer in range(30)), frozenset(range(9)), frozenset(range(12)))
    assert edits.words() == "without 30 heads in 30 layers and the MLPs of 9 layers; nobody reads 12 tokens"


def test_words_of_nothing() -> None:
    assert NOTHING.words() == "nothing switched off"


@pytest.mark.parametrize("text", ["", "12.4", "12.4,12.5,mlp3,token17", "3.*,5.1,mlp0,mlp7", "token0,token19"])
def test_what_is_written_is_read_again(text: str) -> None:
    edits = parse_edits(text, **SIZES)
    assert edits.format(heads=9) == text
    assert parse_edits(edits.format(), **SIZES) == edits


def test_spaces_and_capitals_are_taken() -> None:
    assert parse_edits(" 12.4 ,MLP3  Token17 ", **SIZES) == parse_edits("12.4,mlp3,token17", **SIZES)


def test_every_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as told:
        parse_edits("30.0,2.9,mlp31,token20,head7,1.²,-1.0,12.4", **SIZES)
    for named in ("layer 30", "layer 31", "layer 2 has no head 9", "token 20", "“head7”", "“1.²”", "“-1.0”"):
        assert named in str(told.value)
    assert "Layers 0 to 29, heads 0 to 8, tokens 0 to 19" in told.value.allowed


def test_many_faults_are_counted() -> None:
    with pytest.raises(InvalidInput, match="and 492 more faults"):
        parse_edits(",".join(["nonsense"] * 500), **SIZES)


def test_a_number_of_five_thousand_digits_is_a_fault_like_any_other() -> None:
    with pytest.raises(InvalidInput, match="is no head, MLP or token"):
        parse_edits("mlp" + "9" * 5_000, **SIZES)


def test_edits_from_elsewhere_are_checked_too() -> None:
    with pytest.raises(InvalidInput, match="no layer -1"):
        check_edits(Edits(heads=frozenset({(-1, 0)})), **SIZES)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_a_head_off_is_its_part_of_the_projection_zeroed(opened: Open, kind: str) -> None:
    model = opened(kind)
    heads = [(0, 1), (1, model.heads - 1)]
    plain = plain_model(trace(model, subject_of(kind)))
    for layer, head in heads:
        zero_head(plain, layer, head)
    with edited(model, Edits(heads=frozenset(heads))):
        found = _logits(model)
    torch.testing.assert_close(found, plain_logits(plain, IDS), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_an_mlp_off_is_its_last_matrix_zeroed(opened: Open, kind: str) -> None:
    model = opened(kind)
    plain = plain_model(trace(model, subject_of(kind)))
    zero_mlp(plain, 1)
    with edited(model, Edits(mlps=frozenset({1}))):
        found = _logits(model)
    torch.testing.assert_close(found, plain_logits(plain, IDS), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_a_token_off_is_a_mask(opened: Open, kind: str) -> None:
    model = opened(kind)
    plain = plain_model(trace(model, subject_of(kind)))
    with edited(model, Edits(tokens=frozenset({0, 4}))):
        found = _logits(model)
    mask = mask_without((0, 4), len(IDS), causal=kind != "bert")
    torch.testing.assert_close(found, plain_logits(plain, IDS, attention_mask=mask), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_each_row_has_its_own(opened: Open, kind: str) -> None:
    model = opened(kind)
    rows = [
        NOTHING,
        Edits(heads=frozenset({(1, 0)})),
        Edits(mlps=frozenset({0})),
        Edits(tokens=frozenset({3})),
        MIXED if model.heads > 3 else Edits(tokens=frozenset({2, 5})),
    ]
    common = Edits(tokens=frozenset({1}))
    with torch.inference_mode(), edited(model, common, per_row=rows):
        together = model.forward(input_ids=model.tensor(IDS).expand(len(rows), -1)).logits
    for row, found in zip(rows, together, strict=True):
        with edited(model, common | row):
            alone = _logits(model)
        torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(together[0], together[1])


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_it_is_the_same_with_a_cache(opened: Open, kind: str) -> None:
    from transformers import DynamicCache

    model = opened(kind)
    with torch.inference_mode(), edited(model, MIXED):
        whole = model.forward(input_ids=model.tensor(IDS)).logits[0]
        cache = DynamicCache()
        parts = [
            model.model(input_ids=model.tensor(part), past_key_values=cache, use_cache=True).logits[0]
            for part in (IDS[:4], IDS[4:9], IDS[9:])
        ]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-4)


def test_a_batch_of_another_size_is_a_slip(llama: Trace) -> None:
    with pytest.raises(ValueError, match="2 rows of edits, a batch of 1"), edited(llama.opened, per_row=[MIXED, MIXED]):
        _logits(llama.opened)


def test_the_model_is_left_as_it_was(llama: Trace) -> None:
    before = _logits(llama.opened)
    with pytest.raises(RuntimeError, match="stop"), edited(llama.opened, MIXED):
        raise RuntimeError("stop")
    torch.testing.assert_close(_logits(llama.opened), before, atol=0, rtol=0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.opened.model.modules())


def test_a_head_that_is_not_there_is_refused(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="Layer 1 has no head 4"), edited(llama.opened, Edits(frozenset({(1, 4)}))):
        pass


def test_an_mlp_of_an_unknown_kind_is_refused(llama: Trace) -> None:
    from dataclasses import replace

    layers = (llama.opened.layers[0], replace(llama.opened.layers[1], mlp=None))
    opened = replace(llama.opened, layers=layers)
    with pytest.raises(InvalidInput, match="MLP of layer 1"), edited(opened, Edits(mlps=frozenset({1}))):
        pass

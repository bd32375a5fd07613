from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import Cancelled, CorruptFile, InvalidInput, ModelRefused
from core.interpret.open_model import open_model
from core.interpret.subject import from_text
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import IDS, Open, subject_of
from tests.models import tiny


def reference_attentions(model_id: str, ids: tuple[int, ...]) -> list[np.ndarray]:
    """[head, query, key] by layer, of transformers' own eager attention."""
    import transformers

    kinds = {"llama": "AutoModelForCausalLM", "gpt2": "AutoModelForCausalLM", "bert": "AutoModelForMaskedLM"}
    kind = kinds.get(model_id) or ("AutoModel" if model_id == "minilm-l6" else "AutoModelForCausalLM")
    model = getattr(transformers, kind).from_pretrained(catalogue.folder(model_id), attn_implementation="eager")
    with torch.inference_mode():
        made = model.eval()(input_ids=torch.tensor([ids]), output_attentions=True)
    return [layer[0].numpy() for layer in made.attentions]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_weights_equal_output_attentions(opened: Open, kind: str) -> None:
    found = trace(opened(kind), subject_of(kind))
    for layer, expected in enumerate(reference_attentions(kind, IDS)):
        np.testing.assert_allclose(found.weights(layer), expected, atol=1e-6)
        np.testing.assert_allclose(found.weights(layer).sum(-1), 1.0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("model_id", ["smollm2-135m-instruct", "minilm-l6"])
def test_weights_of_the_real_models_equal_output_attentions(real_home: Path, model_id: str) -> None:
    subject = from_text(model_id, "The trophy didn't fit in the suitcase because it was too big. What was too big?")
    found = trace(open_model(model_id, device="cpu"), subject)
    expected = reference_attentions(model_id, subject.ids)
    assert found.layers == len(expected)
    for layer, weights in enumerate(expected):
        np.testing.assert_allclose(found.weights(layer), weights, atol=1e-5)


def test_blocks_are_the_same_weights(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = llama.weights(1)
    monkeypatch.setattr("core.interpret.watched_attention.BLOCK_BYTES", 4 * 4 * len(IDS) * 3)  # three rows
    blocks = list(llama.blocks(1))
    assert [start for start, _ in blocks] == [0, 3, 6, 9]
    np.testing.assert_allclose(np.concatenate([block for _, block in blocks], axis=1), whole, atol=1e-6)


def test_some_rows_are_rows_of_all(llama: Trace) -> None:
    np.testing.assert_allclose(llama.weights(0, 4, 6), llama.weights(0)[:, 4:6], atol=1e-6)


def test_logits_equal_a_plain_pass(opened: Open) -> None:
    model = opened("gpt2")
    found = trace(model, subject_of("gpt2"))
    with torch.inference_mode():
        expected = model.forward(input_ids=model.tensor(IDS)).logits[0].numpy()
    np.testing.assert_allclose(found.lens([3, 9]), expected[[3, 9]], atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_pass_can_be_entered_at_any_layer(opened: Open, kind: str, layer: int) -> None:
    model = opened(kind)
    found = trace(model, subject_of(kind))
    with torch.inference_mode():
        expected = model.forward(input_ids=model.tensor(IDS)).logits
        entered = model.enter(layer, found.hidden[layer][None].expand(3, -1, -1)).logits
    torch.testing.assert_close(entered, expected.expand(3, -1, -1), atol=1e-5, rtol=1e-4)
    with torch.inference_mode():
        torch.testing.assert_close(model.forward(input_ids=model.tensor(IDS)).logits, expected)


def test_value_norms_are_those_of_the_transformed_values(opened: Open) -> None:
    """‖W_O v‖ from the weights themselves: Llama shares a key-value head among two heads; GPT-2's matrix lies."""
    for kind in ("llama", "gpt2"):
        model = opened(kind)
        found = trace(model, subject_of(kind))
        value = found.attended(1).value[0]
        width = value.shape[-1]
        for head in (0, 3):
            weight = model.layers[1].projection.weight
            part = weight[:, head * width : (head + 1) * width]
            if kind == "gpt2":
                part = weight.T[:, head * width : (head + 1) * width]
            own = value[head * value.shape[0] // 4]
            np.testing.assert_allclose(found.value_norms(1)[head], (own @ part.T).norm(dim=-1).numpy(), rtol=1e-4)


def test_a_single_token_has_nothing_to_read(opened: Open) -> None:
    with pytest.raises(InvalidInput, match="single token"):
        trace(opened("llama"), subject_of("llama", (5,)))


def test_a_layer_that_is_not_there(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match=r"layer 2.*layers 0 to 1"):
        llama.weights(2)


def test_nan_weights_are_told_with_the_tensor(home: Path) -> None:
    folder = tiny.save_llama(home / "sources" / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    catalogue.add(str(folder), model_id="broken")
    with pytest.raises(CorruptFile, match=r"NaN or infinite.*layers\.1\.mlp\.up_proj"):
        open_model("broken", device="cpu")


def test_a_model_whose_numbers_overflow_is_told(home: Path) -> None:
    folder = tiny.save_llama(home / "sources" / "huge")
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.0.self_attn.q_proj.weight"] += 1e38
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    catalogue.add(str(folder), model_id="huge")
    with pytest.raises(InvalidInput, match="computes NaN"):
        trace(open_model("huge", device="cpu"), subject_of("huge"))


def test_attention_that_cannot_be_had_is_refused(home: Path) -> None:
    """Bloom computes its attention in its own way in transformers."""
    from transformers import BloomConfig, BloomForCausalLM

    folder = home / "sources" / "bloom"
    config = BloomConfig(vocab_size=len(tiny.vocabulary()), hidden_size=32, n_layer=2, n_head=4)
    BloomForCausalLM(config).save_pretrained(str(folder))
    tiny.save_tokenizer(folder)
    catalogue.add(str(folder), model_id="bloom")
    with pytest.raises(ModelRefused, match=r"attention of bloom \(bloom\) cannot be had"):
        open_model("bloom", device="cpu")


def test_a_cancelled_reading_leaves_no_hook_behind(opened: Open) -> None:
    model = opened("llama")

    def cancel(fraction: float, text: str) -> None:
        if fraction:
            raise Cancelled("This look inside")

    with pytest.raises(Cancelled):
        trace(model, subject_of("llama"), cancel)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.model.modules())

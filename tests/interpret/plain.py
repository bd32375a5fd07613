"""The same models as plain transformers, without anything of ours: what knock-outs are held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.interpret.trace import Trace
from core.models import catalogue
from core.models.cards import Task


def plain_model(trace: Trace) -> Any:
    """A second copy of the trace's model, with transformers' own eager attention."""
    import transformers

    classes = {
        Task.TEXT_GENERATION: transformers.AutoModelForCausalLM,
        Task.FILL_MASK: transformers.AutoModelForMaskedLM,
        Task.FEATURE_EXTRACTION: transformers.AutoModel,
    }
    folder = catalogue.prepare(trace.opened.card.id)
    made = classes[trace.opened.card.task].from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    return made.eval()


def zero_head(model: Any, layer: int, head: int) -> None:
    """What the output projection makes of one head becomes nothing."""
    heads = model.config.num_attention_heads
    weight = _projection(model, layer).weight
    by_input = weight if type(_projection(model, layer)).__name__ == "Conv1D" else weight.T  # [heads · d_v, hidden]
    size = by_input.shape[0] // heads
    with torch.no_grad():
        by_input[head * size : (head + 1) * size] = 0.0


def zero_mlp(model: Any, layer: int) -> None:
    """The last matrix of an MLP becomes zero, and its bias."""
    with torch.no_grad():
        for parameter in _down(model, layer).parameters():
            parameter.zero_()


def mask_without(tokens: Sequence[int], length: int, *, causal: bool) -> torch.Tensor:
    """[1, 1, query, key], to be added to scores: each token of `tokens` is read by itself alone."""
    mask = torch.zeros(length, length)
    for query in range(length):
        for key in range(length):
            if (causal and key > query) or (key in tokens and key != query):
                mask[query, key] = torch.finfo(torch.float32).min
    return mask[None, None]


def plain_logits(model: Any, ids: Sequence[int], **inputs: Any) -> torch.Tensor:
    """[token, vocabulary]."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(ids)]), **inputs).logits[0]


def plain_vectors(model: Any, ids: Sequence[int], **inputs: Any) -> torch.Tensor:
    """[token, hidden]."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(ids)]), **inputs).last_hidden_state[0]


def _layer(model: Any, layer: int) -> Any:
    for path in ("model.layers", "transformer.h", "bert.encoder.layer", "encoder.layer"):
        try:
            return model.get_submodule(path)[layer]
        except AttributeError:
            continue
    raise LookupError(type(model).__name__)


def _projection(model: Any, layer: int) -> Any:
    return _first(_layer(model, layer), ("self_attn.o_proj", "attn.c_proj", "attention.output.dense"))


def _down(model: Any, layer: int) -> Any:
    return _first(_layer(model, layer), ("mlp.down_proj", "mlp.c_proj", "output.dense"))


def _first(module: Any, paths: Sequence[str]) -> Any:
    for path in paths:
        try:
            return module.get_submodule(path)
        except AttributeError:
            continue
    raise LookupError(type(module).__name__)

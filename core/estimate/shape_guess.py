"""A `ModelShape` from a parameter count alone: layers and width as published dense decoders of that size have them.

Between the published shapes, layers and width are interpolated on logarithms. The count itself stays as given, so 6ND
is exact; what depends on the shape (attention, KV cache) is marked as inferred."""

from __future__ import annotations

import itertools
import math

from core.errors import InvalidInput
from core.estimate.shape import ModelShape

LEAST, MOST = 1e5, 1e14
# Grouped queries: 8 KV heads in most models published since 2024 from 7 billion parameters on (Llama 3, Qwen 3,
# Mistral).
GROUPED_FROM, KV_HEADS = 6e9, 8

# parameters, layers, hidden: GPT-2 (124M, 1.5B: Radford et al. 2019), TinyLlama (arXiv 2401.02385), LLaMA (arXiv
# 2302.13971), GPT-3 (arXiv 2005.14165), Llama 3 (arXiv 2407.21783), Megatron 1T (arXiv 2104.04473).
_PUBLISHED = (
    (124e6, 12, 768),
    (1.1e9, 22, 2048),
    (6.74e9, 32, 4096),
    (13.0e9, 40, 5120),
    (32.5e9, 60, 6656),
    (65.2e9, 80, 8192),
    (174.6e9, 96, 12288),
    (405.9e9, 126, 16384),
    (1008e9, 128, 25600),
)
_HEAD_DIM = 128
_VOCABULARY = 50_257
_EXPERTS = 64  # where only counts are given: half of what a token passes through is taken to be experts


def shape_from_parameters(
    parameters: float, *, active_parameters: float | None = None, name: str = "", context: int = 4_096
) -> ModelShape:
    """active_parameters: of one token, when the model has experts; its layers and width are those of a dense model of
    that size. Raises InvalidInput for a count out of range."""
    active = parameters if active_parameters is None else active_parameters
    if not LEAST <= parameters <= MOST or not 0 < active <= parameters:
        raise InvalidInput(
            f"A model of {parameters:,.0f} parameters, {active:,.0f} of them active, cannot be estimated.",
            allowed=f"From {LEAST:,.0f} to {MOST:,.0f} parameters, and no more active than there are.",
            next_step="Give the number of parameters, not of billions: 7e9 or 7B.",
        )
    layers, hidden = _interpolated(active)
    head_dim = _HEAD_DIM if hidden >= 1024 else 64
    heads = max(1, round(hidden / head_dim))
    shared = active >= GROUPED_FROM
    if shared:
        heads = max(KV_HEADS, KV_HEADS * round(heads / KV_HEADS))
    kv_heads = KV_HEADS if shared else heads
    chosen = max(1, round(_EXPERTS * active / parameters / 2)) if active < parameters else 0
    table = min(_VOCABULARY * hidden, int(active / 4))
    return ModelShape(
        name=name or f"{parameters / 1e9:,.4g} billion parameters",
        kind="decoder",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ffn=4 * hidden,
        vocabulary=_VOCABULARY,
        context=context,
        parameters=round(parameters),
        active_parameters=round(active),
        embedding_parameters=table if parameters > 1e9 else 0,
        head_parameters=table,
        gated=False,
        experts=_EXPERTS if chosen else 0,
        experts_per_token=chosen,
        expert_parameters=round((parameters - active) / (1 - chosen / _EXPERTS)) if chosen else 0,
        kv_elements_per_token=2 * layers * kv_heads * head_dim,
        largest_layer_parameters=max(round(parameters / layers), table),
        exact=False,
        source="layers, width and KV heads inferred from the parameter count",
    )


def _interpolated(parameters: float) -> tuple[int, int]:
    """Layers and width; beyond the ends the nearest pair goes on."""
    x = math.log(parameters)
    for (n0, l0, h0), (n1, l1, h1) in itertools.pairwise(_PUBLISHED):
        if parameters <= n1 or n1 == _PUBLISHED[-1][0]:
            share = (x - math.log(n0)) / math.log(n1 / n0)
            hidden = h0 * (h1 / h0) ** share
            unit = 128 if hidden >= 1024 else 64
            return max(1, round(l0 * (l1 / l0) ** share)), max(unit, unit * round(hidden / unit))
    raise AssertionError("the last pair takes every larger count")

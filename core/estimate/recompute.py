"""Activation recomputation: what it costs in operations, and which kind published runs used where nothing is said.

full recomputes every layer's forward pass in the backward pass, selective the attention's core alone (Korthikanti et
al. 2022, arXiv 2205.05198, § 5). Counted exactly: selective repeats the two attention products once; that paper's
table 5 counts them twice, so its HFU is up to 2 % higher than ours for the same run."""

from __future__ import annotations

from typing import Literal

from core.estimate.flops import attention_flop_per_token, forward_flop_per_token
from core.estimate.hardware import Accelerator
from core.estimate.shape import ModelShape

Recompute = Literal["none", "selective", "full"]

LARGE = 100e9  # parameters of a token
MODERN_FLOPS_PER_S = 500e12  # Hopper and later: sequence parallelism and 80 GB or more were there from the start


def default_recompute(shape: ModelShape, gpu: Accelerator) -> Recompute:
    """What to assume when the reader does not say. Published runs of more than 100 billion parameters on A100 and
    older recomputed everything (Megatron-LM 2021, MT-NLG, OPT, BLOOM, GLM: `tables/training_runs.csv`); smaller ones,
    and all on H100, little or nothing."""
    return "full" if shape.active_parameters > LARGE and gpu.fp16_flops_per_s < MODERN_FLOPS_PER_S else "selective"


def recomputed_flop_per_token(shape: ModelShape, sequence_length: int, recompute: Recompute, *, causal: bool) -> float:
    """Operations of the forward pass that are done again, for one token."""
    if recompute == "none":
        return 0.0
    if recompute == "selective":
        return 0.0 if shape.kind == "other" else attention_flop_per_token(shape, sequence_length, causal=causal)
    return forward_flop_per_token(shape, sequence_length, causal=causal) - 2 * shape.head_parameters

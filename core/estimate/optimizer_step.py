"""The update of the weights in a training step: bound by memory bandwidth, and the same for any batch.

Mixed-precision Adam reads gradient, master weight and two moments (16 bytes a parameter) and writes master weight,
moments and the 16-bit copy (14 bytes), each parameter once in the cluster (arXiv 1910.02054, § 3.1), at 80 % of the
bandwidth."""

from __future__ import annotations

from core.estimate.hardware import Accelerator

BYTES_PER_PARAMETER = 30
SHARE_OF_BANDWIDTH = 0.8
BATCH_TOKENS = 4e6  # of a step, where nobody says: LLaMA's and most others' since (arXiv 2302.13971, § 2.3)
FINE_TUNE_TOKENS = (
    131_072  # 64 sequences of 2,048 tokens, as the QLoRA paper's larger batches (arXiv 2305.14314, table 9)
)
STEPS = 1_000  # that a run has at least, where its batch is assumed
SMALL_BATCH_TOKENS = 1e6  # below a billion parameters (arXiv 2005.14165, table 2.1: 0.5M)


def optimizer_s(trainable_parameters: float, gpu: Accelerator, gpus: int) -> float:
    """Seconds of one update, spread over all GPUs."""
    return trainable_parameters / gpus * BYTES_PER_PARAMETER / (gpu.memory_bandwidth_bytes_per_s * SHARE_OF_BANDWIDTH)


def default_batch_tokens(parameters: float, tokens: float = float("inf")) -> float:
    """Tokens of one step: of pre-training, or of a fine-tune where there are too few of them for that."""
    usual = BATCH_TOKENS if parameters >= 1e9 else SMALL_BATCH_TOKENS
    return min(usual, max(FINE_TUNE_TOKENS, tokens / STEPS))

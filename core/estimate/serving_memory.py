"""Bytes that a serving replica holds and that its passes read: weights by precision, KV cache by layers and window.

Notable: quantised weights carry scales; on a GPU the head and the embeddings stay in 16 bits, as AWQ, GPTQ and FP8
checkpoints have them (arXiv 2306.00978, arXiv 2210.17323), on a CPU the head is quantised too, as in this project's own
exports. Of a mixture of experts a pass reads those that its tokens chose: E(1 − (1 − k/E)^tokens).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator
from core.estimate.inference_memory import CACHE_BYTES, InferencePlan, cache_bytes, inference_parts
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape

# int8: a 16-bit scale for 64 weights. int4: a 16-bit scale and a 4-bit zero point for 128 (AWQ's default group).
BYTES_PER_WEIGHT: Mapping[str, float] = MappingProxyType(
    {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1 + 2 / 64, "int4": 0.5 + 2.5 / 128}
)
_QUANTISED = ("fp8", "int8", "int4")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingMemory:
    """Of one GPU, in bytes. weights_bytes: its part of the model. bytes_per_request: its part of the keys and values of
    one request at its full length; without a cache, what a layer works on."""

    weights_bytes: float
    bytes_per_request: float

    def largest_batch(self, usable_bytes: float) -> int:
        """Requests at once; 0 when not even one fits."""
        free = usable_bytes - self.weights_bytes
        if free <= 0:
            return 0
        return int(min(MOST_BATCH, free // self.bytes_per_request)) if self.bytes_per_request else MOST_BATCH


MOST_BATCH = 1_000_000


def default_cache(precision: str, gpu: Accelerator) -> str:
    """16 bits on an accelerator; on a CPU, whose arithmetic is fp32, that."""
    return "fp32" if precision == "fp32" or gpu.kind == "cpu" else "fp16"


def serving_memory(
    shape: ModelShape, gpu: Accelerator, *, precision: str, cache_precision: str, tokens: int, tensor_parallel: int = 1
) -> ServingMemory:
    """tokens: of one request, prompt and output."""
    held = cache_bytes(shape, tokens, cache_precision) / cache_split(shape, tensor_parallel)
    return ServingMemory(
        weights_bytes=resident_weights_bytes(shape, precision, gpu) / tensor_parallel,
        bytes_per_request=held or working_bytes(shape, tokens, precision),
    )


def resident_weights_bytes(shape: ModelShape, precision: str, gpu: Accelerator) -> float:
    """All weights, tables included."""
    body = shape.parameters - shape.embedding_parameters - shape.head_parameters
    table, head = _table_bytes(precision), head_bytes_per_weight(precision, gpu)
    return body * BYTES_PER_WEIGHT[precision] + shape.embedding_parameters * table + shape.head_parameters * head


def streamed_weights_bytes(shape: ModelShape, precision: str, gpu: Accelerator, *, tokens: float) -> float:
    """What a pass over so many tokens reads: every matrix once, of the experts those that were chosen."""
    always = shape.parameters - shape.embedding_parameters - shape.head_parameters - shape.expert_parameters
    chosen = shape.expert_parameters * touched_experts_share(shape, tokens)
    last = shape.head_parameters * head_bytes_per_weight(precision, gpu)
    return (always + chosen) * BYTES_PER_WEIGHT[precision] + last


def touched_experts_share(shape: ModelShape, tokens: float) -> float:
    """Of a layer's experts, expected, when each token draws k of E without preference: 1 − (1 − k/E)^tokens."""
    if not shape.is_moe:
        return 0.0
    return float(1 - (1 - shape.experts_per_token / shape.experts) ** tokens)


def working_bytes(shape: ModelShape, tokens: float, precision: str) -> float:
    """Of a model without a cache: input, queries, keys, values, output and FFN of one layer; of an "other" network what
    one sample holds at once, expected."""
    if shape.kind == "other":
        return activation_bytes(shape, precision).expected
    width = 4.0 if precision == "fp32" else 2.0
    return width * tokens * (6 * shape.hidden + (2 if shape.gated else 1) * shape.ffn)


def activation_bytes(shape: ModelShape, precision: str) -> Range:
    """Of one sample, as the memory estimate has it, so that both allow the same batch."""
    return inference_parts(shape, InferencePlan(precision=precision))["activations_bytes"]


def cache_split(shape: ModelShape, tensor_parallel: int) -> int:
    """Over how many GPUs the cache divides: one head of keys is the smallest part, and a latent cache (MLA, arXiv
    2405.04434) is held whole by each."""
    plain = shape.kv_elements_per_token == 2 * shape.layers * shape.kv_heads * shape.head_dim
    return max(1, min(tensor_parallel, shape.kv_heads)) if plain else 1


def head_bytes_per_weight(precision: str, gpu: Accelerator) -> float:
    return BYTES_PER_WEIGHT[precision] if gpu.kind == "cpu" else _table_bytes(precision)


def check_precision(precision: str, cache_precision: str | None) -> list[str]:
    """Faults, for the caller's list."""
    known = ", ".join(BYTES_PER_WEIGHT)
    faults = [] if precision in BYTES_PER_WEIGHT else [f"precision is {precision!r} ({known})"]
    if cache_precision is not None and cache_precision not in CACHE_BYTES:
        faults.append(f"cache precision is {cache_precision!r} ({known})")
    return faults


def refuse_if_too_large(
    shape: ModelShape,
    gpu: Accelerator,
    *,
    precision: str,
    cache_precision: str,
    tokens: int,
    batch: int,
    tensor_parallel: int,
    usable_share: float,
) -> None:
    """Raises InvalidInput, which says what would make it fit."""

    def most(precision: str, cache: str, gpus: int) -> int:
        need = serving_memory(
            shape, gpu, precision=precision, cache_precision=cache, tokens=tokens, tensor_parallel=gpus
        )
        return need.largest_batch(gpu.memory_bytes * usable_share)

    fits = most(precision, cache_precision, tensor_parallel)
    if fits >= batch:
        return
    ways = [f"{fits:,} at once"] if fits else []
    for gpus in (2, 4, 8, 16, 32, 64):
        if gpus > tensor_parallel and gpu.kind != "cpu" and most(precision, cache_precision, gpus) >= batch:
            ways.append(f"{gpus} GPUs together (tensor_parallel: {gpus})")
            break
    for smaller in ("fp8", "int8", "int4"):
        offered = smaller != "fp8" or bool(gpu.fp8_flops_per_s)
        lighter = BYTES_PER_WEIGHT[smaller] < BYTES_PER_WEIGHT[precision]
        if offered and lighter and most(smaller, cache_precision, tensor_parallel) >= batch:
            ways.append(f"weights in {smaller}")
            break
    if CACHE_BYTES[cache_precision] > 1 and most(precision, "fp8", tensor_parallel) >= batch:
        ways.append("a KV cache in fp8")
    weights = resident_weights_bytes(shape, precision, gpu) / 1e9
    requests = f"{batch:,} request{'' if batch == 1 else 's'}"
    raise InvalidInput(
        f"{shape.name} in {precision} ({weights:,.1f} GB of weights) with {requests} of {tokens:,} tokens does "
        f"not fit into {tensor_parallel} × {gpu.memory_bytes / 1e9:,.0f} GB.",
        allowed=f"It would fit: {'; '.join(ways)}." if ways else "",
        next_step="Choose one of these." if ways else "Choose a GPU with more memory, or a shorter context.",
    )


def _table_bytes(precision: str) -> float:
    return 2.0 if precision in _QUANTISED else BYTES_PER_WEIGHT[precision]

"""Seconds of one pass: prefill or a decode step, by the roofline of Williams, Waterman and Patterson 2009.

(Communications of the ACM 52(4), doi 10.1145/1498765.1498785.) Matrices and attention are kernels apart, so their times
add; within each, an accelerator loads while it multiplies and the longer of both counts, where a CPU's cores do one
after the other and the sum does. To it come two all-reduces a layer under tensor parallelism (arXiv 1909.08053, § 3)
and what launching costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from core.estimate.flops import attended_tokens
from core.estimate.hardware import Accelerator
from core.estimate.inference_memory import cache_bytes
from core.estimate.serving_memory import cache_split, default_cache, streamed_weights_bytes
from core.estimate.shape import ModelShape

Bound = Literal["memory", "compute"]
ACTIVATION_BYTES = 2  # of one number that is all-reduced


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """How near the limits a pass comes; one value each. compute, bandwidth: shares of the peaks. layer_overhead_s: of
    launching a layer. step_overhead_s: of the host, a pass. request_overhead_s: of the host, a request and step
    (scheduling, sampling, detokenising). all_reduce_latency_s: of one, however small."""

    compute: float
    bandwidth: float
    layer_overhead_s: float = 0.0
    step_overhead_s: float = 0.0
    request_overhead_s: float = 0.0
    all_reduce_latency_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where and how a model runs. piece_tokens: a prompt that is read alone is read in pieces of
    so many; 0: as a whole."""

    shape: ModelShape
    gpu: Accelerator
    precision: str
    cache_precision: str = ""
    tensor_parallel: int = 1
    piece_tokens: int = 0

    @property
    def cache(self) -> str:
        return self.cache_precision or default_cache(self.precision, self.gpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Of one pass, over all GPUs together. tokens: that pass through the layers. passes: over the weights."""

    matrix_flop: float
    matrix_bytes: float
    attention_flop: float
    attention_bytes: float
    tokens: float
    requests: float
    passes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTime:
    """Seconds, by part. bound: what the matrices and the attention wait for most."""

    matrices_s: float
    attention_s: float
    all_reduce_s: float
    overhead_s: float
    bound: Bound

    @property
    def seconds(self) -> float:
        return self.matrices_s + self.attention_s + self.all_reduce_s + self.overhead_s


def prefill_work(where: Placement, *, tokens: float, held: float = 0.0, batch: float = 1) -> Work:
    """A prompt's new tokens behind `held` ones whose keys and values are there. Logits of the last position alone."""
    shape = where.shape
    in_pieces = where.piece_tokens and batch == 1 and shape.kind == "decoder"
    passes = math.ceil(tokens / where.piece_tokens) if in_pieces else 1
    matrices = batch * (2 * (shape.matrix_parameters - shape.head_parameters) * tokens + 2 * shape.head_parameters)
    read = streamed_weights_bytes(shape, where.precision, where.gpu, tokens=batch * tokens / passes)
    return Work(
        matrix_flop=matrices if shape.kind != "other" else batch * shape.flop_per_sample * tokens,
        matrix_bytes=passes * read,
        attention_flop=batch * _attention_flop(shape, tokens, held),
        attention_bytes=batch * cache_bytes(shape, held + tokens, where.cache),
        tokens=batch * tokens,
        requests=batch,
        passes=passes,
    )


def decode_work(where: Placement, *, batch: float, held: float) -> Work:
    """One token for each of `batch` requests, which hold so many tokens each on the mean."""
    shape = where.shape
    return Work(
        matrix_flop=2 * shape.matrix_parameters * batch,
        matrix_bytes=streamed_weights_bytes(shape, where.precision, where.gpu, tokens=batch),
        attention_flop=batch * _attention_flop(shape, 1, held),
        attention_bytes=batch * cache_bytes(shape, held + 1, where.cache),
        tokens=batch,
        requests=batch,
    )


def pass_time(where: Placement, work: Work, factors: Factors) -> PassTime:
    gpu, parts = where.gpu, where.tensor_parallel
    bandwidth = gpu.memory_bandwidth_bytes_per_s * factors.bandwidth
    matrix_peak = gpu.flops_per_s(where.precision) * factors.compute * parts
    # Attention multiplies activations, which weight quantisation leaves in 16 bits, and an fp8 cache makes fp8.
    narrow = where.precision == "fp8" and where.cache != "fp8" and bool(gpu.fp16_flops_per_s)
    attention_peak = gpu.flops_per_s("fp16") * factors.compute * parts if narrow else matrix_peak
    matrices = (work.matrix_flop / matrix_peak, work.matrix_bytes / parts / bandwidth)
    split = cache_split(where.shape, parts)
    attention = (work.attention_flop / attention_peak, work.attention_bytes / split / bandwidth)
    layers = max(where.shape.layers, 1)
    overhead = work.passes * (layers * factors.layer_overhead_s + factors.step_overhead_s)
    return PassTime(
        matrices_s=_overlapped(gpu, *matrices),
        attention_s=_overlapped(gpu, *attention),
        all_reduce_s=all_reduce_s(where, work.tokens, factors.all_reduce_latency_s, passes=work.passes),
        overhead_s=overhead + work.requests * factors.request_overhead_s,
        bound="compute" if matrices[0] + attention[0] > matrices[1] + attention[1] else "memory",
    )


def prefill_time(where: Placement, factors: Factors, *, tokens: float, held: float = 0.0, batch: float = 1) -> PassTime:
    return pass_time(where, prefill_work(where, tokens=tokens, held=held, batch=batch), factors)


def decode_time(where: Placement, factors: Factors, *, batch: float, held: float) -> PassTime:
    return pass_time(where, decode_work(where, batch=batch, held=held), factors)


def all_reduce_s(where: Placement, tokens: float, latency_s: float, *, passes: int = 1) -> float:
    """Of all layers: 2 a layer (arXiv 1909.08053, § 3), each of tokens · hidden numbers around a ring, 2(n − 1)/n of
    the bytes over every link (Patarasuk and Yuan 2009, doi 10.1016/j.jpdc.2008.09.002)."""
    parts, shape = where.tensor_parallel, where.shape
    if parts == 1 or not shape.layers:
        return 0.0
    inside = parts <= where.gpu.node_gpus
    link = where.gpu.intra_node_bytes_per_s / 2 if inside else where.gpu.network_bytes_per_s
    moved = 2 * (parts - 1) / parts * tokens * shape.hidden * ACTIVATION_BYTES
    return 2 * shape.layers * (moved / link + passes * latency_s)


def _attention_flop(shape: ModelShape, tokens: float, held: float) -> float:
    """4 · heads · head_dim for every pair of a token and one that it attends to; windows and causality counted."""
    causal = shape.kind == "decoder"

    def pairs(window: int) -> float:
        if not causal:
            return tokens * attended_tokens(max(int(tokens), 1), window, causal=False)
        return _pairs_up_to(held + tokens, window) - _pairs_up_to(held, window)

    windowed = shape.window_layers * pairs(shape.window) if shape.window_layers else 0.0
    return 4 * shape.heads * shape.head_dim * ((shape.layers - shape.window_layers) * pairs(0) + windowed)


def _pairs_up_to(length: float, window: int) -> float:
    """Pairs in a causal sequence of this length from its start."""
    near = min(length, window or length)
    return near * (near + 1) / 2 + (length - near) * near


def _overlapped(gpu: Accelerator, compute_s: float, memory_s: float) -> float:
    return compute_s + memory_s if gpu.kind == "cpu" else max(compute_s, memory_s)

"""Bytes of stored weights, by format: plain floats, scaled integers and floats, 4-bit NormalFloat, GGUF's blocks.

A format says what a matrix's weight costs with its scales and zero points, and which tensors are kept wider: GPTQ, AWQ,
bitsandbytes and FP8 checkpoints leave embeddings and head in 16 bits, GGUF gives each kind of tensor its own block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import InvalidInput
from core.estimate.shape import ModelShape

PLAIN: Mapping[str, float] = MappingProxyType({"fp32": 4.0, "fp16": 2.0, "bf16": 2.0})
_SCALE_BYTES = 2.0

# ggml's blocks: bytes and weights of one (ggml-common.h; a Q4_1 block is two 16-bit scales and 32 half bytes).
BLOCKS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "q4_0": (18, 32),
        "q4_1": (20, 32),
        "q4_k": (144, 256),
        "q5_0": (22, 32),
        "q5_1": (24, 32),
        "q5_k": (176, 256),
        "q6_k": (210, 256),
        "q8_0": (34, 32),
    }
)
_MIXED = {"q4_k_m": "q4_k", "q5_k_m": "q5_k"}  # more bits for the value and down projections of half the layers
_SHORT_ROWS = {"q4_k": "q5_0", "q5_k": "q5_1", "q6_k": "q8_0"}  # rows not of 256

FORMATS = (*PLAIN, "fp8", "int8", "int4", "nf4", *BLOCKS, *_MIXED)

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "int4": "GPTQ, arXiv 2210.17323, and AWQ, arXiv 2306.00978: a 16-bit scale and a 4-bit zero point a group",
        "int8": "a 16-bit scale a group",
        "fp8": "DeepSeek-V3, arXiv 2412.19437, § 3.3: one 32-bit scale for 128 × 128 weights",
        "nf4": "QLoRA, arXiv 2305.14314, § 3: 4 bits, 8-bit scales for 64 weights, theirs in 32 bits for 256 of them",
    }
)
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4.127 bits


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """Bytes of all weights: of the layers' matrices, of embeddings and head, of norms and biases."""

    matrices_bytes: float
    tables_bytes: float
    vectors_bytes: float

    @property
    def total_bytes(self) -> float:
        return self.matrices_bytes + self.tables_bytes + self.vectors_bytes


def check_format(precision: str) -> list[str]:
    """Faults, for the caller's list."""
    return [] if precision in FORMATS else [f"precision is {precision!r} (one of {', '.join(FORMATS)})"]


def bytes_per_weight(precision: str, *, block: int = 0) -> float:
    """Of one weight of a matrix, its share of the scales in it. block: weights a scale, 0 for the format's usual."""
    if precision in PLAIN:
        return PLAIN[precision]
    if precision in BLOCKS:
        return BLOCKS[precision][0] / BLOCKS[precision][1]
    if precision == "int4":
        return 0.5 + (_SCALE_BYTES + 0.5) / (block or 128)
    if precision == "int8":
        return 1.0 + _SCALE_BYTES / (block or 64)
    if precision == "fp8":
        return 1.0 + 4 / 128**2
    if precision == "nf4":
        return NF4_BYTES
    raise InvalidInput(f"There is no format {precision!r} of weights.", allowed=f"{', '.join(FORMATS)}.")


def stored_weights(shape: ModelShape, precision: str, *, block: int = 0, wide_tables: bool = True) -> StoredWeights:
    """wide_tables: embeddings and head stay in 16 bits beside quantised matrices (GGUF decides for itself)."""
    tables = shape.embedding_parameters + shape.head_parameters
    vectors = min(vector_parameters(shape), shape.parameters - tables)
    matrices = shape.parameters - tables - vectors
    if precision in BLOCKS or precision in _MIXED:
        return _gguf(shape, precision, matrices, vectors)
    each = bytes_per_weight(precision, block=block)
    beside = each if precision in PLAIN else PLAIN["bf16"]
    return StoredWeights(matrices * each, tables * (beside if wide_tables else each), vectors * beside)


def vector_parameters(shape: ModelShape) -> int:
    """Norms: two a layer and a last one. Biases are left among the matrices: under 0.1 % of any model."""
    return (2 * shape.layers + 1) * shape.hidden


def _gguf(shape: ModelShape, precision: str, matrices: int, vectors: int) -> StoredWeights:
    """As llama.cpp chooses: the head in Q6_K or better, a tied table as the head; norms in 32 bits
    (llama-quant.cpp, `llama_tensor_get_type`)."""
    base = _MIXED.get(precision, precision)
    head = "q8_0" if base == "q8_0" else "q6_k"
    each, wide = _block_bytes(base, shape.hidden), _block_bytes("q6_k", shape.hidden)
    better = 0.0
    if precision in _MIXED and shape.layers:
        values = shape.layers * shape.hidden * shape.kv_heads * shape.head_dim
        dense = shape.layers * shape.hidden * shape.ffn
        down = shape.expert_parameters / (3 if shape.gated else 2) if shape.is_moe else dense
        better = min((values + down) * _more_bits_layers(shape.layers) / shape.layers, matrices)
    matrices_bytes = better * wide + (matrices - better) * each
    tables_bytes = shape.head_parameters * _block_bytes(head, shape.hidden) + shape.embedding_parameters * each
    return StoredWeights(matrices_bytes, tables_bytes, vectors * 4.0)


def _block_bytes(block: str, row: int) -> float:
    """Rows that 256 does not divide get a block of 32."""
    size, weights = BLOCKS[_SHORT_ROWS.get(block, block) if row % 256 else block]
    return size / weights


def _more_bits_layers(layers: int) -> int:
    """The first and last eighth, and every third between (llama-quant.cpp, `use_more_bits`)."""
    eighth = layers // 8
    return sum(i < eighth or i >= 7 * layers // 8 or (i - eighth) % 3 == 2 for i in range(layers))

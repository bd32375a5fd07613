"""How much work a pass is at least: floating-point operations and bytes moved, from the export's own graph.

A weight that takes part in a matrix product costs 2 operations a token (Kaplan et al. 2020, arXiv 2001.08361, § 2.1),
and attention 4 · layers · heads · head_dim · context a token (queries times keys, and probabilities times values).
Moved are the weights, once a pass, and the KV cache. A table that is only looked up is not streamed, nor is what stays
in a cache of the processor; norms, biases and activations are left out (under 1 % of a decode step).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.cards import Architecture

# Operators that multiply by a matrix, and the place of that matrix among their inputs.
_PRODUCTS = {
    **dict.fromkeys(("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulInteger", "MatMulNBits", "Attention"), 1),
    **dict.fromkeys(("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), 1),
    **dict.fromkeys(("QLinearMatMul", "QGemm"), 3),
}
_SAME_VALUES = ("Transpose", "Reshape", "Cast", "DequantizeLinear", "Identity")  # a weight on its way to a product
_FEW_BITS = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2}


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one export. matrix: weights in matrix products, one that is used twice counting twice. head: those of them
    that make a decoder's logits; head_once: for the last position alone. stream_bytes: of the matrices with their
    scales. cache_item_bytes: of one number of the KV cache, 0 without a cache."""

    matrix: int
    head: int
    head_once: bool
    stream_bytes: int
    cache_item_bytes: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a pass, or several, need at least."""

    flop: float
    bytes_moved: float

    def __add__(self, other: Work) -> Work:
        return Work(self.flop + other.flop, self.bytes_moved + other.bytes_moved)


def read_weights(export: Path) -> Weights:
    """From model.onnx alone; its external data is not opened."""
    import onnx

    graph = onnx.load(str(export / "model.onnx"), load_external_data=False).graph
    tensors = {one.name: one for one in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    matrices = [(node, matrix) for node in graph.node if (matrix := _matrix(node, tensors, makers))]
    streamed = [name for node, matrix in matrices for name in {matrix, *node.input} if name in tensors]
    past = [one.type.tensor_type.elem_type for one in graph.input if "past_key_values" in one.name]
    logits = [one.type.tensor_type.shape.dim for one in graph.output if one.name == "logits" and past]
    return Weights(
        matrix=sum(_count(node, tensors[matrix]) for node, matrix in matrices),
        head=_head(tensors, makers) if past else 0,
        head_once=any(shape[1].dim_value == 1 for shape in logits),
        stream_bytes=sum(math.ceil(math.prod(tensors[n].dims) * _bits(tensors[n].data_type) / 8) for n in streamed),
        cache_item_bytes=_bits(past[0]) // 8 if past else 0,
    )


def pass_work(
    weights: Weights, architecture: Architecture, *, batch: int, held: float, tokens: int, causal: bool = True
) -> Work:
    """One pass over `tokens` new tokens in each of `batch` rows, behind `held` tokens that are in the cache.

    causal: a token attends to those up to and including itself, else to all. The cache is read up to `held`, and
    written for the new tokens.
    """
    attended = tokens * held + (tokens * (tokens + 1) / 2 if causal else tokens * tokens)
    products = 2 * ((weights.matrix - weights.head) * tokens + weights.head * (1 if weights.head_once else tokens))
    attention = 4 * architecture.layers * architecture.heads * architecture.head_dim * attended
    numbers = 2 * architecture.layers * architecture.kv_heads * architecture.head_dim * (held + tokens)
    return Work(batch * (products + attention), weights.stream_bytes + batch * numbers * weights.cache_item_bytes)


def prefill_work(weights: Weights, architecture: Architecture, *, batch: int, pieces: Sequence[int]) -> Work:
    """A decoder's prompt, read in pieces of so many tokens. Each piece streams all weights."""
    total, held = Work(0.0, 0.0), 0
    for tokens in pieces:
        total += pass_work(weights, architecture, batch=batch, held=held, tokens=tokens)
        held += tokens
    return total


def decode_work(
    weights: Weights, architecture: Architecture, *, batch: int, prompt_tokens: int, new_tokens: int
) -> Work:
    """The mean of the new_tokens - 1 steps after a prompt; the first has the prompt's tokens behind it."""
    held = prompt_tokens + (new_tokens - 2) / 2
    return pass_work(weights, architecture, batch=batch, held=held, tokens=1)


def _matrix(node: Any, tensors: dict[str, Any], makers: dict[str, Any]) -> str:
    """Name of the constant matrix that a node multiplies by; "" when it does not."""
    place = _PRODUCTS.get(node.op_type)
    if place is None or len(node.input) <= place:
        return ""
    name: str = node.input[place]
    while name not in tensors and name in makers and makers[name].op_type in _SAME_VALUES:
        name = makers[name].input[0]
    return name if name in tensors else ""


def _head(tensors: dict[str, Any], makers: dict[str, Any]) -> int:
    """Weights of the first matrix on the way back from the logits."""
    waiting = ["logits"]
    for name in waiting:
        if name in makers:
            if matrix := _matrix(makers[name], tensors, makers):
                return _count(makers[name], tensors[matrix])
            waiting += makers[name].input
    return 0


def _count(node: Any, tensor: Any) -> int:
    """Weights of a matrix. MatMulNBits packs several into a byte, and tells their number apart."""
    facts = {one.name: one.i for one in node.attribute}
    return int(facts["K"] * facts["N"]) if node.op_type == "MatMulNBits" else math.prod(tensor.dims)


def _bits(kind: int) -> int:
    """Of one number of this ONNX type."""
    from onnx import TensorProto, helper

    few = _FEW_BITS.get(TensorProto.DataType.Name(kind))
    return few or int(helper.tensor_dtype_to_np_dtype(kind).itemsize) * 8

"""What a training step keeps for its backward pass: activations, by layer, recomputation and parallelism.

Counted as Korthikanti et al. 2022 (arXiv 2205.05198, § 4, table 2) count them, and told apart by width so that gated
FFNs, fewer key-value heads, experts and flash attention are counted too; with their network (plain FFN of 4 · hidden,
a KV head for each head, dropout, 16 bits) the table's formulas come out: s·b·h·(34 + 5·a·s/h) and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.estimate.ranges import Range
from core.estimate.shape import ModelShape

Recompute = Literal["none", "selective", "full"]

SOURCE = "Korthikanti et al. 2022, arXiv 2205.05198, table 2"

# How far a real implementation strays from the count. Measured with saved_tensors_hooks on transformers' networks
# (tests/estimate/test_activations.py): BERT 1.00, Mixtral 1.13, Llama in bf16 1.23, which keeps 32-bit copies of what
# its norms take in, Qwen 3 1.45, GPT-2 1.75, whose GELU is made of seven operations. Fused kernels keep less than the
# count: a SwiGLU three of four tensors (judgement: 0.8). Attention written out keeps its softmax in 32 bits besides.
STORED = Range(0.8, 1.0, 1.75)
STORED_WRITTEN_OUT = Range(0.8, 1.0, 2.0)
STORED_FULL = Range(0.95, 1.0, 1.1)  # one tensor a layer: there is little to do differently


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One micro-batch on one GPU. element_bytes: of an activation, 2 with mixed precision. dropout: masks of one byte
    are kept too. tensor_parallel, sequence_parallel: as in Megatron."""

    micro_batch: int
    sequence_length: int
    element_bytes: float = 2.0
    recompute: Recompute = "none"
    tensor_parallel: int = 1
    sequence_parallel: bool = False
    flash_attention: bool = True
    dropout: bool = False

    @property
    def tokens(self) -> int:
        return self.micro_batch * self.sequence_length

    @property
    def shared_by(self) -> int:
        """GPUs that share what tensor parallelism alone leaves whole: norms, and the inputs of both blocks."""
        return self.tensor_parallel if self.sequence_parallel else 1


def ffn_width_per_token(shape: ModelShape) -> float:
    """Hidden units of the FFN that one token passes, mean over the layers: of its k experts, and of what is shared."""
    if not shape.is_moe:
        return float(shape.ffn)
    matrices = (3 if shape.gated else 2) * shape.hidden
    routed = shape.expert_parameters * shape.experts_per_token / shape.experts
    heads = shape.heads * shape.head_dim
    attention = shape.layers * shape.hidden * 2 * (heads + shape.kv_heads * shape.head_dim)
    router = shape.layers * shape.hidden * shape.experts
    always = shape.matrix_parameters - shape.head_parameters - routed - attention - router
    return (routed + max(always, 0.0)) / (matrices * shape.layers)


def layer_bytes(shape: ModelShape, step: Step) -> float:
    """Kept of one layer until its backward pass. Full recomputation keeps the layer's input alone."""
    if step.recompute == "full":
        return step.tokens * shape.hidden * step.element_bytes / step.shared_by
    core = 0.0 if step.recompute == "selective" else attention_core_bytes(shape, step)
    return _around_blocks_bytes(shape, step) + _inside_blocks_bytes(shape, step) + core


def attention_core_bytes(shape: ModelShape, step: Step) -> float:
    """Softmax, its dropout mask and its output, [batch, head, query, key]: 5·a·s² bytes a sample with dropout.

    Flash attention keeps one 32-bit sum for each head and query instead (arXiv 2205.14135, algorithm 1).
    """
    heads = step.tokens * shape.heads / step.tensor_parallel
    if step.flash_attention:
        return heads * 4
    masks = (1 + step.element_bytes) if step.dropout else 0.0
    return heads * step.sequence_length * (step.element_bytes + masks)


def recomputed_bytes(shape: ModelShape, step: Step) -> float:
    """Of the layer that is being recomputed in the backward pass; on top of what is kept. 0 without recomputation."""
    if step.recompute == "none" or shape.kind == "other":
        return 0.0
    core = attention_core_bytes(shape, step)
    if step.recompute == "selective":
        return core
    return _around_blocks_bytes(shape, step) + _inside_blocks_bytes(shape, step) + core


def ends_bytes(shape: ModelShape, step: Step) -> float:
    """Kept outside the layers: the embeddings' dropout mask, the last norm's input and the head's (§ 4.3)."""
    kept = 2 * step.element_bytes + (1 if step.dropout else 0)
    return step.tokens * shape.hidden * kept / step.shared_by


def logits_bytes(shape: ModelShape, step: Step) -> Range:
    """[batch, sequence, vocabulary] around the loss, split by tensor parallelism.

    Low: one 32-bit copy, turned into its gradient in place (Megatron's cross entropy, § 4.3). Expected: 32-bit logits
    and their gradient. High: PyTorch's own loss on 16-bit logits, which holds 2 + 4 + 4 + 4 + 2 bytes at its peak.
    """
    if not shape.head_parameters or not shape.vocabulary:
        return Range.exactly(0.0)
    numbers = step.tokens * shape.vocabulary / step.tensor_parallel
    return Range(4 * numbers, 8 * numbers, 16 * numbers)


def saved_bytes(shape: ModelShape, step: Step, layers: float) -> float:
    """Kept of `layers` layers; of an "other" network, of the whole of it, layers ignored."""
    if shape.kind == "other":
        return shape.activation_elements_per_sample * step.element_bytes * step.micro_batch
    return layers * layer_bytes(shape, step)


def _around_blocks_bytes(shape: ModelShape, step: Step) -> float:
    """Both norms' inputs, both blocks' inputs, and the masks of the dropout after each. Experts' inputs and outputs are
    copies, one for each of a token's k experts."""
    copies = 2 * shape.experts_per_token if shape.is_moe else 0
    numbers = (4 + copies) * shape.hidden * step.element_bytes
    masks = 2 * shape.hidden if step.dropout else 0
    return step.tokens * (numbers + masks) / step.shared_by


def _inside_blocks_bytes(shape: ModelShape, step: Step) -> float:
    """Queries, keys, values, the attention's result; the FFN's hidden units before and after their function: two of
    them when plain, four when gated (gate, its function, up, their product)."""
    queries = 2 * shape.heads * shape.head_dim / step.tensor_parallel
    keys = 2 * shape.kv_heads * shape.head_dim / min(step.tensor_parallel, max(shape.kv_heads, 1))
    hidden_units = (4 if shape.gated else 2) * ffn_width_per_token(shape) / step.tensor_parallel
    return step.tokens * (queries + keys + hidden_units) * step.element_bytes

"""`TrainingPlan`: what of a training run decides its memory, and its check with every fault found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from core.errors import InvalidInput
from core.estimate.activations import Recompute, Step
from core.estimate.parallel import Split, split_faults
from core.estimate.shape import ModelShape

Method = Literal["full", "lora", "qlora"]
Optimizer = Literal["adam", "adam8bit", "sgd", "sgd_momentum", "adafactor"]

METHODS = ("full", "lora", "qlora")
PRECISIONS: Mapping[str, float] = MappingProxyType({"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 2.0})
OPTIMIZERS = ("adam", "adam8bit", "sgd", "sgd_momentum", "adafactor")
RECOMPUTE = ("none", "selective", "full")
ATTENTION_TARGETS = ("q", "k", "v", "o")
FFN_TARGETS = ("gate", "up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """precision: of weights and arithmetic (fp8: Transformer Engine's, which keeps 16-bit weights). micro_batch:
    samples of one GPU at once. gradient_bytes: 4 as Megatron and DeepSpeed accumulate them, 2 as 16-bit gradients are
    left. master_weights: a 32-bit copy that the optimizer changes; default in full training with 16-bit weights.
    dropout: default in networks without a gated FFN, those of its time. microbatches: of a step and pipeline; default
    enough to fill it. lora_targets: of q, k, v, o, gate, up, down. offload_optimizer: states and gradients live in
    the host's memory.
    """

    precision: str = "bf16"
    method: Method = "full"
    optimizer: Optimizer = "adam"
    micro_batch: int = 1
    sequence_length: int = 2_048
    recompute: Recompute = "none"
    flash_attention: bool = True
    dropout: bool | None = None
    gradient_bytes: int = 4
    master_weights: bool | None = None
    lora_rank: int = 16
    lora_targets: tuple[str, ...] = (*ATTENTION_TARGETS, *FFN_TARGETS)
    offload_optimizer: bool = False
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    data_parallel: int = 1
    sequence_parallel: bool = False
    zero: int = 0
    microbatches: int = 0

    @property
    def split(self) -> Split:
        return Split(
            tensor_parallel=self.tensor_parallel,
            pipeline_parallel=self.pipeline_parallel,
            data_parallel=self.data_parallel,
            zero=self.zero,
        )

    @property
    def weight_bytes(self) -> float:
        return PRECISIONS[self.precision]

    @property
    def has_master_weights(self) -> bool:
        if self.master_weights is not None:
            return self.master_weights
        return self.precision != "fp32" and self.method == "full"

    @property
    def adapter_bytes(self) -> float:
        """Of an adapter's weight: 32 bits, as PEFT casts them (`autocast_adapter_dtype`), unless a master copy has
        those."""
        return self.weight_bytes if self.has_master_weights else 4.0

    @property
    def in_flight(self) -> int:
        """Micro-batches whose activations the first pipeline stage holds under 1F1B (arXiv 2104.04473, § 2.2)."""
        return min(self.pipeline_parallel, self.microbatches or self.pipeline_parallel)

    def step(self, shape: ModelShape) -> Step:
        return Step(
            micro_batch=self.micro_batch,
            sequence_length=self.sequence_length,
            element_bytes=self.weight_bytes,
            recompute=self.recompute,
            tensor_parallel=self.tensor_parallel,
            sequence_parallel=self.sequence_parallel,
            flash_attention=self.flash_attention,
            dropout=not shape.gated if self.dropout is None else self.dropout,
        )


def check_plan(shape: ModelShape, plan: TrainingPlan) -> None:
    """Raises InvalidInput with every fault of the plan for this network."""
    faults = split_faults(shape, plan.split)
    faults += [
        f"{name} is {value!r} (one of {', '.join(known)})"
        for name, value, known in (
            ("precision", plan.precision, tuple(PRECISIONS)),
            ("method", plan.method, METHODS),
            ("optimizer", plan.optimizer, OPTIMIZERS),
            ("recompute", plan.recompute, RECOMPUTE),
        )
        if value not in known
    ]
    faults += [
        f"{name} is {value:,} (from {least:,} to {most:,})"
        for name, value, least, most in (
            ("micro_batch", plan.micro_batch, 1, 10_000_000),
            ("sequence_length", plan.sequence_length, 1, 100_000_000),
            ("lora_rank", plan.lora_rank, 1, max(shape.hidden, 1)),
            ("microbatches", plan.microbatches, 0, 10_000_000),
        )
        if not least <= value <= most and (name != "lora_rank" or plan.method != "full")
    ]
    if plan.gradient_bytes not in (2, 4):
        faults.append(f"gradient_bytes is {plan.gradient_bytes} (2 or 4)")
    unknown = [one for one in plan.lora_targets if one not in (*ATTENTION_TARGETS, *FFN_TARGETS)]
    if plan.method != "full" and (unknown or not plan.lora_targets):
        faults.append(f"lora_targets is {plan.lora_targets!r} (some of q, k, v, o, gate, up, down)")
    if shape.kind == "other":
        faults += _faults_of_other(plan)
    if faults:
        raise InvalidInput(f"Not a way to train {shape.name}: {'; '.join(faults)}.", next_step="Change these values.")


def _faults_of_other(plan: TrainingPlan) -> list[str]:
    """Of a network without layers that are known, what cannot be told."""
    return [
        f"{what} needs a transformer's layers, which {why}"
        for what, asked, why in (
            (f"method {plan.method!r}", plan.method != "full", "this network does not have"),
            (f"recompute {plan.recompute!r}", plan.recompute != "none", "this network does not have"),
            ("parallelism within the network", plan.tensor_parallel * plan.pipeline_parallel > 1, "this one has not"),
        )
        if asked
    ]


def lora_parameters(shape: ModelShape, rank: int, targets: tuple[str, ...]) -> float:
    """rank · (in + out) for each target matrix, of every expert too (Hu et al. 2021, arXiv 2106.09685, § 4.1)."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    outputs = {"q": queries, "k": keys, "v": keys, "o": queries}
    attention = sum(shape.hidden + outputs[one] for one in targets if one in outputs)
    matrices = 3 if shape.gated else 2
    ffns, width = 1, float(shape.ffn)
    if shape.is_moe and shape.layers:
        ffns, width = shape.experts, shape.expert_parameters / (shape.layers * shape.experts * matrices * shape.hidden)
    wanted = [one for one in targets if one in FFN_TARGETS and (shape.gated or one != "gate")]
    return shape.layers * rank * (attention + len(wanted) * ffns * (shape.hidden + width))

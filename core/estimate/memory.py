"""Memory of one GPU: training by parts that are stacked in a picture (`training_memory`), and running a model
(`inference_memory`).

Model states are counted exactly: bytes a parameter by precision and optimizer, shared by ZeRO (Rajbhandari et al. 2020,
arXiv 1910.02054, § 3.1: 16 bytes with mixed-precision Adam, 18 with 32-bit gradients). Activations follow Korthikanti
et al. 2022. Of the first and the last pipeline stage the fuller one is given. A framework's own share has a range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.estimate import activations
from core.estimate.figures import Driver, Figure, Input
from core.estimate.inference_memory import InferenceMemory, InferencePlan, inference_memory
from core.estimate.memory_parts import SOURCE_JUDGEMENT, total_figure
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.training_parts import fullest_stage
from core.estimate.training_plan import TrainingPlan, check_plan
from core.estimate.weight_formats import NF4_BYTES

__all__ = ["InferenceMemory", "InferencePlan", "TrainingMemory", "TrainingPlan", "inference_memory", "training_memory"]

_ZERO = "Rajbhandari et al. 2020 (ZeRO), arXiv 1910.02054, § 3 and 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """Bytes of one GPU, the fullest one. parts: in stacking order, keys as in `_part_figures`. states_bytes: weights,
    gradients, optimizer and master weights, with ZeRO-3's gathered layer: what DeepSpeed's estimator gives.
    offloaded_bytes: of one GPU's share, in the host's memory. trainable_parameters: of the whole model."""

    plan: TrainingPlan
    parts: tuple[Figure, ...]
    total: Figure
    states_bytes: float
    offloaded_bytes: float
    trainable_parameters: float

    def part(self, key: str) -> Figure:
        return next(part for part in self.parts if part.key == key)


def training_memory(shape: ModelShape, plan: TrainingPlan | None = None, **changes: Any) -> TrainingMemory:
    """plan: default, bf16 with Adam on one GPU. changes: fields of the plan. Raises InvalidInput with every fault."""
    plan = replace(plan or TrainingPlan(), **changes)
    check_plan(shape, plan)
    states, found = fullest_stage(shape, plan)
    parts = tuple(_part_figures(shape, plan, found))
    return TrainingMemory(
        plan=plan,
        parts=parts,
        total=total_figure(parts, "memory_per_gpu_bytes", "Memory of one GPU"),
        states_bytes=states.total_bytes,
        offloaded_bytes=states.offloaded_bytes,
        trainable_parameters=states.trainable,
    )


def _part_figures(shape: ModelShape, plan: TrainingPlan, found: dict[str, Range]) -> list[Figure]:
    inputs = _inputs(shape, plan)
    states = {"weights_bytes", "gradients_bytes", "optimizer_bytes", "master_weights_bytes"}
    return [
        Figure(
            key=key,
            label=_LABELS[key][0],
            unit="bytes",
            value=value,
            formula=_LABELS[key][1],
            source=_LABELS[key][2],
            inputs=inputs if key in states or "activations" in key else (),
            drivers=(Driver(_LABELS[key][3], value.low, value.high),) if value.low < value.high else (),
        )
        for key, value in found.items()
    ]


def _inputs(shape: ModelShape, plan: TrainingPlan) -> tuple[Input, ...]:
    return (
        Input("parameters", shape.parameters, "", shape.source),
        Input("precision", plan.precision),
        Input("method", plan.method),
        Input("optimizer", plan.optimizer),
        Input("micro-batch", plan.micro_batch, "samples"),
        Input("sequence", plan.sequence_length, "tokens"),
        Input("recomputation", plan.recompute),
        Input(
            "tensor, pipeline, data parallel", f"{plan.tensor_parallel}, {plan.pipeline_parallel}, {plan.data_parallel}"
        ),
        Input("ZeRO stage", plan.zero),
    )


# key → label, formula, source, what its range comes from
_LABELS: dict[str, tuple[str, str, str, str]] = {
    "weights_bytes": (
        "Weights",
        r"\frac{P_\text{stage}\, b_w + P_\text{LoRA}\, b_a}{N_\text{ZeRO-3}}",
        f"{_ZERO}; for QLoRA arXiv 2305.14314, § 3: b_w = {NF4_BYTES:.4f} for matrices",
        "8-bit copies of the weights",
    ),
    "gradients_bytes": ("Gradients", r"P_\text{trained}\, b_g / N_\text{ZeRO-2}", _ZERO, ""),
    "optimizer_bytes": (
        "Optimizer states",
        r"P_\text{trained}\, b_o / N_\text{ZeRO-1}",
        f"{_ZERO}; 8-bit: Dettmers et al. 2021, arXiv 2110.02861",
        "",
    ),
    "master_weights_bytes": ("Master weights", r"4\, P_\text{trained} / N_\text{ZeRO-1}", _ZERO, ""),
    "activations_bytes": (
        "Activations",
        r"n_\text{in flight}\, L_\text{stage}\, s b h \left(10 + \tfrac{24}{t} + \tfrac{5 a s}{h t}\right)",
        f"{activations.SOURCE}, by the network's own widths",
        "how a framework fuses its operations",
    ),
    "recomputed_layer_bytes": (
        "Layer being recomputed",
        r"\max\left(0, A_\text{layer} - A_\text{logits}\right)",
        f"{activations.SOURCE}; it comes after the logits are gone, so only what is more than they counts",
        "how a framework fuses its operations",
    ),
    "logits_bytes": (
        "Logits and loss",
        r"8\, s b V / t",
        "Korthikanti et al. 2022, arXiv 2205.05198, § 4.3, with the gradient",
        "copies that the loss makes of the logits",
    ),
    "buffers_bytes": (
        "Buffers for communication",
        r"(b_w + b_g)\, P_\text{largest layer} / t",
        "DeepSpeed's ZeRO-3 estimator; its default buckets for ZeRO 1 and 2",
        "sizes of buckets, and whether communication overlaps",
    ),
    "overhead_bytes": (
        "Framework",
        r"C_\text{context} + C_\text{NCCL} + 0.03\,(A + A_\text{logits})",
        SOURCE_JUDGEMENT,
        "driver, libraries and unused ends of memory",
    ),
}

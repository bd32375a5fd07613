"""The numbers of a training run's memory, part by part, without the figures that explain them (those are `memory`'s).

A search asks for thousands of these, so nothing here is made for show.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.estimate import activations
from core.estimate.memory_parts import GPU_CONTEXT
from core.estimate.parallel import stage_layers, stage_parameters
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.training_plan import TrainingPlan, lora_parameters
from core.estimate.weight_formats import stored_weights

_BUCKET = 5e8  # numbers; DeepSpeed's reduce_bucket_size and allgather_bucket_size unless said otherwise
_LIVE = 1e9  # parameters; its stage3_max_live_parameters
_BLOCK_8BIT = 2_048  # numbers a scale, in 8-bit optimizers (Dettmers et al. 2021, arXiv 2110.02861, § 2.1)
_NCCL = Range(0.2e9, 0.6e9, 2e9)  # channels and buffers for each group of GPUs
_FRAGMENTED = Range(1.0, 1.03, 1.1)  # of what comes and goes; judgement: the caching allocator's unused ends


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Bytes of one GPU, but for the counts. weights: one value, but for fp8's copies. gathered_bytes: ZeRO-3's largest
    layer. held: parameters of this stage before ZeRO. trainable: of the whole model."""

    weights: Range
    gradients_bytes: float
    optimizer_bytes: float
    master_bytes: float
    gathered_bytes: float
    offloaded_bytes: float
    held: float
    trainable: float

    @property
    def total_bytes(self) -> float:
        on_gpu = self.gradients_bytes + self.optimizer_bytes + self.master_bytes
        return self.weights.expected + on_gpu + self.gathered_bytes


def fullest_stage(shape: ModelShape, plan: TrainingPlan) -> tuple[States, dict[str, Range]]:
    """States and parts of the GPU that holds most: of the first pipeline stage, or of the last with its logits."""
    states = _states(shape, plan, last=False)
    found = _on_stage(shape, plan, states, last=False)
    if plan.pipeline_parallel > 1:
        end = _states(shape, plan, last=True)
        other = _on_stage(shape, plan, end, last=True)
        if expected_bytes(other) > expected_bytes(found):
            return end, other
    return states, found


def expected_bytes(found: dict[str, Range]) -> float:
    return sum(one.expected for one in found.values())


def _states(shape: ModelShape, plan: TrainingPlan, *, last: bool) -> States:
    split = plan.split
    held = stage_parameters(shape, split, last=last)
    whole = float(shape.parameters)
    adapters = 0.0 if plan.method == "full" else lora_parameters(shape, plan.lora_rank, plan.lora_targets)
    trained = held if plan.method == "full" else adapters * held / whole
    frozen = _frozen_weight_bytes(shape, plan)
    weights = (held * frozen + (trained if adapters else 0.0) * plan.adapter_bytes) / split.share(3)
    gradients = trained * (plan.gradient_bytes if plan.precision != "fp32" else 4) / split.share(2)
    optimizer = trained * _optimizer_bytes(shape, plan) / split.share(1)
    master = trained * (4 if plan.has_master_weights else 0) / split.share(1)
    moved = gradients + optimizer + master if plan.offload_optimizer else 0.0
    here = 0.0 if plan.offload_optimizer else 1.0
    return States(
        weights=_fp8_copies(weights) if plan.precision == "fp8" else Range.exactly(weights),
        gradients_bytes=gradients * here,
        optimizer_bytes=optimizer * here,
        master_bytes=master * here,
        gathered_bytes=_gathered_bytes(shape, plan, frozen),
        offloaded_bytes=moved,
        held=held,
        trainable=whole if plan.method == "full" else adapters,
    )


def _frozen_weight_bytes(shape: ModelShape, plan: TrainingPlan) -> float:
    """Of one weight, mean: QLoRA keeps matrices as 4-bit NormalFloats, and tables and norms in 16 bits."""
    if plan.method != "qlora":
        return plan.weight_bytes
    return stored_weights(shape, "nf4").total_bytes / shape.parameters


def _optimizer_bytes(shape: ModelShape, plan: TrainingPlan) -> float:
    """Of one trained parameter. Adam: two 32-bit moments; 8-bit Adam: two bytes and their scales; Adafactor: a row and
    a column in place of a matrix (Shazeer and Stern 2018, arXiv 1804.04235, § 3)."""
    if plan.optimizer == "adafactor":
        width = max(shape.hidden, 1) if plan.method == "full" else plan.lora_rank
        return 4 * min(1.0, 2 / width) if shape.kind != "other" else 4.0
    return {"adam": 8.0, "adam8bit": 2 * (1 + 4 / _BLOCK_8BIT), "sgd": 0.0, "sgd_momentum": 4.0}[plan.optimizer]


def _fp8_copies(weights_bytes: float) -> Range:
    """16-bit weights with an 8-bit copy kept for the products, and its transpose at most (Transformer Engine)."""
    return Range(weights_bytes, weights_bytes * 1.5, weights_bytes * 2)


def _gathered_bytes(shape: ModelShape, plan: TrainingPlan, weight_bytes: float) -> float:
    """ZeRO-3 holds its largest layer whole, weights and gradients in the weights' precision: 4 · parameters in 16 bits
    (DeepSpeed, `estimate_zero3_model_states_mem_needs`)."""
    if plan.zero < 3 or plan.data_parallel == 1:
        return 0.0
    gradients = plan.weight_bytes if plan.method == "full" else 0.0
    return (weight_bytes + gradients) * shape.largest_layer_parameters / plan.tensor_parallel


def _on_stage(shape: ModelShape, plan: TrainingPlan, states: States, *, last: bool) -> dict[str, Range]:
    step, layers = plan.step(shape), stage_layers(shape, plan.split)
    flights = 1 if last else plan.in_flight
    stored = _stored(plan)
    kept = activations.saved_bytes(shape, step, layers) * flights
    if shape.kind != "other":
        kept += activations.ends_bytes(shape, step) if plan.pipeline_parallel == 1 or last else 0.0
    at_end = plan.pipeline_parallel == 1 or last
    logits = activations.logits_bytes(shape, step) if at_end else Range.exactly(0.0)
    again = activations.recomputed_bytes(shape, step) * activations.STORED
    beyond = Range(*sorted(max(0.0, a - b) for a, b in zip(_ends(again), _ends(logits), strict=True)))
    found = {
        "weights_bytes": states.weights,
        "gradients_bytes": Range.exactly(states.gradients_bytes),
        "optimizer_bytes": Range.exactly(states.optimizer_bytes),
        "master_weights_bytes": Range.exactly(states.master_bytes),
        "activations_bytes": stored * kept,
        "recomputed_layer_bytes": beyond,
        "logits_bytes": logits,
        "buffers_bytes": _buffers(shape, plan, states),
    }
    found["overhead_bytes"] = _overhead(plan, (stored * kept).expected + logits.expected + beyond.expected)
    return found


def _stored(plan: TrainingPlan) -> Range:
    if plan.recompute == "full":
        return activations.STORED_FULL
    written_out = not plan.flash_attention and plan.recompute == "none"
    return activations.STORED_WRITTEN_OUT if written_out else activations.STORED


def _ends(one: Range) -> tuple[float, float, float]:
    return one.low, one.expected, one.high


def _buffers(shape: ModelShape, plan: TrainingPlan, states: States) -> Range:
    """Where gradients and gathered weights are put together for sending; and QLoRA's one unpacked matrix."""
    held, unpacked = states.held, 0.0
    if plan.method == "qlora":
        unpacked = 2.0 * shape.hidden * max(shape.ffn, shape.heads * shape.head_dim) / plan.tensor_parallel
    if plan.data_parallel == 1:
        return Range.exactly(unpacked)
    if plan.zero == 3:
        live = plan.weight_bytes * min(_LIVE, held)
        return Range(states.gathered_bytes, states.gathered_bytes, states.gathered_bytes + live) + unpacked
    trained = held if plan.method == "full" else states.trainable * held / shape.parameters
    if plan.zero:
        bucket = plan.weight_bytes * min(_BUCKET, trained)
        return Range(0.0, bucket, 4.5 * bucket) + unpacked  # 4.5: with communication overlapped (DeepSpeed's docs)
    return Range(0.0, min(50e6, trained), 4 * trained) + unpacked  # DDP's buckets: views of the gradients, or copies


def _overhead(plan: TrainingPlan, moving_bytes: float) -> Range:
    groups = _NCCL if plan.split.gpus > 1 else Range.exactly(0.0)
    ends = Range(*(moving_bytes * (one - 1.0) for one in _ends(_FRAGMENTED)))
    return GPU_CONTEXT + groups + ends

"""How long a training run takes, and what it costs: operations, over what the GPUs reach of their peak.

The efficiency comes from a model fitted to published runs (`efficiency`); update, slow links and restarts are added.
What the reader does not say (batch, sequence, recomputation) is taken as published runs of that size had it, and said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.estimate.communication import Communication, communication, default_tensor_parallel
from core.estimate.efficiency import Efficiency, efficiency
from core.estimate.flops import forward_flop_per_token, six_nd, training_flop_per_token
from core.estimate.hardware import Accelerator
from core.estimate.interruptions import share_lost
from core.estimate.optimizer_step import FINE_TUNE_TOKENS, default_batch_tokens, optimizer_s
from core.estimate.ranges import Range
from core.estimate.recompute import Recompute, default_recompute, recomputed_flop_per_token
from core.estimate.shape import ModelShape
from core.estimate.training_plan import ATTENTION_TARGETS, FFN_TARGETS, METHODS, PRECISIONS, lora_parameters

SEQUENCE_LENGTH = 2_048  # tokens, where the reader does not say: as the runs that the efficiency was fitted to
QLORA_SLOWER = Range(
    1.1, 1.3, 1.6
)  # dequantising: torchtune's Llama 3.1 8B on one RTX 4090, 3,083 against 2,413 tokens/s
# Convolutions and small images keep tensor cores less busy than language models do: judgement, from ResNet-50's 2,500
# to 2,900 images/s in mixed precision on one A100 (NVIDIA's own examples), which is a fifth of its peak.
OTHER_NETWORKS = Range(0.35, 0.5, 0.9)
DAYS = 30  # where the reader names no number of GPUs
BATCH_SAMPLES = 1_024  # of a step of an "other" network; image classifiers: 256 to 8,192 (arXiv 1706.02677)
MOST_GPUS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSetup:
    """One run. tokens: in all; samples of an "other" network. global_batch: sequences of one step. hfu: measured
    share of the peak, in place of the fitted one; measurement_ids says by what. None: as published runs had it."""

    shape: ModelShape
    gpu: Accelerator
    tokens: float
    gpus: int | None = None
    recompute: Recompute | None = None
    sequence_length: int | None = None
    global_batch: int | None = None
    precision: str = "bf16"
    method: str = "full"
    lora_rank: int = 16
    tensor_parallel: int | None = None
    hfu: Range | None = None
    measurement_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The run with nothing left open. assumed: what was not said, in words."""

    setup: TrainSetup
    gpus: int
    recompute: Recompute
    sequence_length: int
    batch_tokens: float
    tensor_parallel: int
    assumed: tuple[str, ...]

    @property
    def steps(self) -> float:
        return self.setup.tokens / self.batch_tokens

    @property
    def trainable_parameters(self) -> float:
        """LoRA's adapters on the attention's and the FFN's matrices: rank · (in + out) of each (arXiv 2106.09685)."""
        return self._adapters(self.setup.shape) if self.setup.method != "full" else self.setup.shape.parameters

    @property
    def adapters_per_token(self) -> float:
        """Adapter parameters that one token passes through: those of its experts alone."""
        shape = self.setup.shape
        if not shape.is_moe:
            return self._adapters(shape)
        routed = shape.expert_parameters * shape.experts_per_token // shape.experts
        return self._adapters(replace(shape, experts=shape.experts_per_token, expert_parameters=routed))

    def _adapters(self, shape: ModelShape) -> float:
        return lora_parameters(shape, self.setup.lora_rank, (*ATTENTION_TARGETS, *FFN_TARGETS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Everything derived, as ranges; `train_figures` says where each is from. peak_flops_per_s: of one GPU in this
    precision. base_peak: its 16-bit peak, which hfu is a share of; fp32's where the model runs in fp32.
    usd_per_gpu_hour: where the estimate has a price."""

    plan: Plan
    efficiency: Efficiency
    peak_flops_per_s: float
    base_peak: float
    total_flops: float
    exact_flops: float
    hardware_flops: float
    communication: Communication
    optimizer_s: float
    lost: Range
    step_s: Range
    days: Range
    gpu_hours: Range
    tflops_per_gpu: Range
    mfu: Range
    hfu: Range
    tokens_per_s: Range
    usd_per_gpu_hour: Range | None = None


def train(setup: TrainSetup) -> Training:
    """Raises InvalidInput with every fault found."""
    check(setup)
    if setup.gpus is None:
        one = train(replace(setup, gpus=max(setup.gpu.node_gpus, setup.tensor_parallel or 1)))
        wanted = one.gpu_hours.expected / 24 / DAYS
        if wanted > MOST_GPUS:
            raise InvalidInput(
                f"In {DAYS} days this takes {wanted:,.0f} GPUs.",
                allowed=f"Up to {MOST_GPUS:,}.",
                next_step="Say how many GPUs there are, or take a smaller model or fewer tokens.",
            )
        node = min(setup.gpu.node_gpus, 1 << max(0, math.ceil(math.log2(wanted))))
        gpus = max(node * math.ceil(wanted / node), setup.tensor_parallel or 1)
        return _estimate(
            replace(setup, gpus=gpus), f"{gpus:,} GPUs, enough to finish in {DAYS} days at the speed of one node"
        )
    return _estimate(setup, "")


def _estimate(setup: TrainSetup, said: str) -> Training:
    plan = resolve(setup, said)
    known = efficiency(setup.shape, setup.gpu, plan.gpus, plan.recompute, fp8=setup.precision == "fp8")
    hfu = setup.hfu or (known.hfu * OTHER_NETWORKS if setup.shape.kind == "other" else known.hfu)
    base = setup.gpu.flops_per_s("fp32" if setup.precision == "fp32" else "bf16")
    model, hardware = flop_per_token(plan, causal=False)
    compute = hardware * plan.batch_tokens / (plan.gpus * base)
    slower = QLORA_SLOWER if setup.method == "qlora" else Range.exactly(1.0)
    update = optimizer_s(plan.trainable_parameters, setup.gpu, plan.gpus)
    links = communication(
        setup.shape,
        setup.gpu,
        plan.gpus,
        tensor_parallel=plan.tensor_parallel,
        batch_tokens=plan.batch_tokens,
        trainable_parameters=plan.trainable_parameters,
        compute_s=compute / hfu.expected,
    )
    lost = share_lost(plan.gpus)
    step = slower * compute / hfu + (update + links.extra_s)
    hours = step * (plan.steps * plan.gpus / 3600) * Range(*(1 / (1 - x) for x in (lost.low, lost.expected, lost.high)))
    peak = setup.gpu.flops_per_s(setup.precision if setup.precision in ("fp32", "fp8") else "bf16")
    rate = step.inverse() * (plan.batch_tokens / plan.gpus)
    return Training(
        plan=plan,
        efficiency=known,
        peak_flops_per_s=peak,
        base_peak=base,
        total_flops=six_nd(setup.shape, setup.tokens) * (1.0 if setup.method == "full" else 2 / 3),
        exact_flops=flop_per_token(plan, causal=None)[0] * setup.tokens,
        hardware_flops=hardware * setup.tokens,
        communication=links,
        optimizer_s=update,
        lost=lost,
        step_s=step,
        days=hours * (1 / (24 * plan.gpus)),
        gpu_hours=hours,
        tflops_per_gpu=rate * (hardware / 1e12),
        mfu=rate * (model / peak),
        hfu=hfu,
        tokens_per_s=rate * plan.gpus,
    )


def flop_per_token(plan: Plan, *, causal: bool | None) -> tuple[float, float]:
    """Of one trained token: what the model needs, and with what is recomputed. LoRA leaves out the gradients of the
    frozen weights, a third of the matrices' operations (arXiv 2106.09685; NeMo's tables: 1.39 to 1.47 times as fast).
    causal: None for what is attended to, False for the whole square."""
    shape, sequence = plan.setup.shape, plan.sequence_length
    model = training_flop_per_token(shape, sequence, causal=causal)
    if plan.setup.method != "full":
        frozen = forward_flop_per_token(shape, sequence) if shape.kind == "other" else 2 * shape.matrix_parameters
        model += 6 * plan.adapters_per_token - frozen
    whole = shape.kind == "decoder" if causal is None else causal
    return model, model + recomputed_flop_per_token(shape, sequence, plan.recompute, causal=whole)


def resolve(setup: TrainSetup, said: str = "") -> Plan:
    """Fill in what was not said."""
    gpus = setup.gpus or 1
    sequence = setup.sequence_length or min(SEQUENCE_LENGTH, setup.shape.context)
    recompute = setup.recompute or default_recompute(setup.shape, setup.gpu)
    samples = setup.shape.kind == "other"
    usual = FINE_TUNE_TOKENS if setup.method != "full" else default_batch_tokens(setup.shape.parameters, setup.tokens)
    most = min(BATCH_SAMPLES if samples else usual, setup.tokens)
    batch = setup.global_batch * sequence if setup.global_batch else max(sequence, most)
    tensor = setup.tensor_parallel or default_tensor_parallel(setup.shape, setup.gpu, gpus)
    assumed = [
        words
        for given, words in (
            (setup.gpus if not said else None, said),
            (setup.sequence_length, "" if samples else f"sequences of {sequence:,} tokens"),
            (setup.global_batch, f"{batch:,.0f} {'samples' if samples else 'tokens'} a step"),
            (setup.recompute, f"recomputation: {recompute}, as published runs of this size had it"),
            (setup.tensor_parallel, f"tensor parallel over {tensor}"),
        )
        if given is None and words
    ]
    return Plan(
        setup=setup,
        gpus=gpus,
        recompute=recompute,
        sequence_length=sequence,
        batch_tokens=min(batch, setup.tokens) if setup.global_batch is None else batch,
        tensor_parallel=tensor,
        assumed=tuple(assumed),
    )


def check(setup: TrainSetup) -> None:
    """Raises InvalidInput with every fault."""
    limits = (
        ("tokens", setup.tokens, 1, 1e18),
        ("gpus", setup.gpus, 1, MOST_GPUS),
        ("sequence_length", setup.sequence_length, 1, 100_000_000),
        ("global_batch", setup.global_batch, 1, 100_000_000),
        ("lora_rank", setup.lora_rank, 1, 8_192),
        ("tensor_parallel", setup.tensor_parallel, 1, setup.gpus or MOST_GPUS),
    )
    faults = [
        f"{name} is {value:,} (from {least:,} to {most:,.0f})"
        for name, value, least, most in limits
        if value is not None and not least <= value <= most
    ]
    faults += [
        f"{name} is '{value}' (one of {', '.join(known)})"
        for name, value, known in (("method", setup.method, METHODS), ("precision", setup.precision, tuple(PRECISIONS)))
        if value not in known
    ]
    if setup.method != "full" and setup.shape.kind == "other":
        faults.append(f"method is '{setup.method}', and adapters need a transformer's layers")
    if setup.hfu is not None and not 0 < setup.hfu.low <= setup.hfu.high <= 1.2:
        faults.append(f"hfu is {setup.hfu.expected:g} (more than 0, at most 1.2)")
    if faults:
        raise InvalidInput(f"This run cannot be estimated: {'; '.join(faults)}.", next_step="Correct these values.")

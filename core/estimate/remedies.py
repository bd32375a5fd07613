"""Where something does not fit: the changes that would make it, each with the memory that it would take then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.estimate.fitting import (
    MOST_GPUS,
    USABLE,
    Plan,
    best_plan,
    gpu_bytes,
    largest_context,
    memory_of,
    usable_bytes,
    ways,
    with_context,
)
from core.estimate.hardware import Accelerator
from core.estimate.inference_memory import InferencePlan
from core.estimate.parallel import node_counts
from core.estimate.shape import ModelShape
from core.estimate.training_plan import TrainingPlan

_STEPS = 6  # changes on top of one another, at most
_TOKENS = 128  # a context is offered in steps of so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to do otherwise. what: in words. gpu_bytes: expected, of one GPU after it."""

    what: str
    plan: Plan
    gpus: int
    gpu_bytes: float


def what_would_fit(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int = 1, usable_share: float = USABLE
) -> tuple[Change, ...]:
    """Changes, the mildest first, each of which makes it fit by itself; where none does on the same GPUs, several of
    them together that do. Empty when it fits as it is, or nothing helps."""
    memory_of(shape, plan)  # for its check
    usable = usable_bytes(accelerator, usable_share)
    if best_plan(shape, plan, accelerator, gpus, usable_share) is not None:
        return ()
    mild = list(_milder(shape, plan, accelerator, gpus))
    changes = [Change(what=what, plan=one, gpus=gpus, gpu_bytes=gpu_bytes(shape, one)) for what, one in mild]
    changes += _shorter(shape, plan, accelerator, gpus, usable_share)
    changes += _more_gpus(shape, plan, accelerator, gpus, usable_share)
    helping = tuple(change for change in changes if change.gpu_bytes <= usable)
    if any(change.gpus == gpus for change in helping):
        return helping
    return (*_together(shape, plan, accelerator, gpus, usable_share), *helping)


def _milder(shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int) -> Iterator[tuple[str, Plan]]:
    """Each change on the GPUs there are, in the split that leaves least on one."""
    for what, changed in _options(shape, plan):
        if (best := _least(shape, changed, accelerator, gpus)) is not None:
            yield what, best[0]


def _options(shape: ModelShape, plan: Plan) -> Iterator[tuple[str, Plan]]:
    if isinstance(plan, InferencePlan):
        if plan.cache_precision not in ("fp8", "int8", "int4"):
            yield "KV cache in fp8", replace(plan, cache_precision="fp8")
        yield from _lighter_weights(plan)
        if plan.batch > 1:
            yield "one request at a time", replace(plan, batch=1)
        return
    layered = shape.kind != "other"
    if layered and plan.recompute == "none" and not plan.flash_attention:
        yield "flash attention", replace(plan, flash_attention=True)
    if layered and plan.recompute != "full":
        yield "full recomputation", replace(plan, recompute="full")
    if plan.micro_batch > 1:
        yield "micro-batch of 1", replace(plan, micro_batch=1)
    if plan.optimizer == "adam":
        yield "8-bit Adam", replace(plan, optimizer="adam8bit")
    if not plan.offload_optimizer:
        yield "optimizer states in the host's memory", replace(plan, offload_optimizer=True)
    if layered and plan.method == "full":
        yield "LoRA", replace(plan, method="lora")
    if layered and plan.method != "qlora":
        yield "QLoRA", replace(plan, method="qlora")


def _lighter_weights(plan: InferencePlan) -> Iterator[tuple[str, Plan]]:
    order = ("fp32", "bf16", "fp8", "int8", "int4")
    now = order.index(plan.precision) if plan.precision in order else 1 if plan.precision == "fp16" else len(order)
    for lighter in order[max(now + 1, 2) :]:
        yield f"weights in {lighter}", replace(plan, precision=lighter)


def _shorter(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int, usable_share: float
) -> Iterable[Change]:
    """The longest context that fits, in steps of 128 tokens."""
    if shape.kind == "other":
        return
    best = _least(shape, plan, accelerator, gpus)
    tokens = largest_context(shape, best[0], accelerator, usable_share) // _TOKENS * _TOKENS if best else 0
    if best and tokens:
        shorter = with_context(best[0], tokens)
        yield Change(
            what=f"a context of {tokens:,} tokens", plan=shorter, gpus=gpus, gpu_bytes=gpu_bytes(shape, shorter)
        )


def _more_gpus(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int, usable_share: float
) -> Iterable[Change]:
    for more in node_counts(accelerator.node_gpus, 1 if accelerator.kind == "cpu" else MOST_GPUS):
        if more > gpus and (found := best_plan(shape, plan, accelerator, more, usable_share)) is not None:
            yield Change(what=f"{more:,} GPUs ({_ways(found[0])})", plan=found[0], gpus=more, gpu_bytes=found[1])
            return


def _ways(plan: Plan) -> str:
    named = [f"tensor parallel {plan.tensor_parallel}"] if plan.tensor_parallel > 1 else []
    named += [f"pipeline of {plan.pipeline_parallel}"] if plan.pipeline_parallel > 1 else []
    if isinstance(plan, TrainingPlan):
        named += [f"data parallel {plan.data_parallel}"] if plan.data_parallel > 1 else []
        named += [f"ZeRO-{plan.zero}"] if plan.zero else []
    return ", ".join(named) or "one by one"


def _together(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int, usable_share: float
) -> tuple[Change, ...]:
    """One change on top of another, the strongest left at each turn, until it fits."""
    done: list[str] = []
    now = plan
    for _ in range(_STEPS):
        options = [
            (best, what, changed)
            for what, changed in _options(shape, now)
            if (best := _least(shape, changed, accelerator, gpus)) is not None
        ]
        if not options:
            return ()
        (split, needed), what, now = min(options, key=lambda option: option[0][1])
        done.append(what)
        if needed <= usable_bytes(accelerator, usable_share):
            return (Change(what=" and ".join(done), plan=split, gpus=gpus, gpu_bytes=needed),)
        if shorter := list(_shorter(shape, now, accelerator, gpus, usable_share)):
            return tuple(replace(one, what=" and ".join([*done, one.what])) for one in shorter)
    return ()


def _least(shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int) -> tuple[Plan, float] | None:
    """The split over these GPUs that leaves least on one, and its bytes."""
    return min(ways(shape, plan, gpus, accelerator.node_gpus), key=lambda way: way[1], default=None)

"""What fits: the largest micro-batch, context or model on given GPUs, and the smallest machine for a model.

Memory only grows with batch, context and parameters, so each answer is found by doubling and bisection, against USABLE
of a device's memory. By the expected total, unless an `End` says otherwise: what fits at the high total surely fits.
Where nothing fits, `remedies` says what would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator, in_use
from core.estimate.inference_memory import InferenceMemory, InferencePlan, inference_memory, inference_parts
from core.estimate.memory import TrainingMemory, training_memory
from core.estimate.parallel import Split, node_counts, split_faults, splits
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.shape_guess import shape_from_parameters
from core.estimate.training_parts import expected_bytes, fullest_stage
from core.estimate.training_plan import TrainingPlan

Plan = TrainingPlan | InferencePlan
End = Literal["low", "expected", "high"]

USABLE = 0.92
"""Of a device's memory: the driver and the display keep some, and no allocator fills the last of it (vLLM's default is
0.9 and, of late, 0.92)."""

MOST_BATCH = 2**20
MOST_CONTEXT = 2**24
MOST_PARAMETERS = 1e14
MOST_GPUS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """So many of one accelerator, and the plan by which it fits. gpu_bytes: expected, of one; usable_bytes: of one."""

    accelerator: Accelerator
    gpus: int
    plan: Plan
    gpu_bytes: float
    usable_bytes: float
    usd_per_hour: float | None = None

    @property
    def memory_bytes(self) -> float:
        return self.accelerator.memory_bytes * self.gpus


def memory_of(shape: ModelShape, plan: Plan) -> TrainingMemory | InferenceMemory:
    """The whole estimate, with its figures. Raises InvalidInput with every fault of the plan."""
    return training_memory(shape, plan) if isinstance(plan, TrainingPlan) else inference_memory(shape, plan)


def parts_of(shape: ModelShape, plan: Plan) -> dict[str, Range]:
    """The parts of one GPU's memory, of a plan without faults."""
    return fullest_stage(shape, plan)[1] if isinstance(plan, TrainingPlan) else inference_parts(shape, plan)


def gpu_bytes(shape: ModelShape, plan: Plan, end: End = "expected", part: str = "") -> float:
    """The total alone, of a plan without faults. end: of all parts, or of this part with the others as expected."""
    parts = parts_of(shape, plan)
    if end == "expected":
        return expected_bytes(parts)
    return sum(getattr(value, end) if part in ("", key) else value.expected for key, value in parts.items())


def fits(
    shape: ModelShape,
    plan: Plan,
    accelerator: Accelerator,
    usable_share: float = USABLE,
    end: End = "expected",
    part: str = "",
) -> bool:
    """end, part: as of `gpu_bytes`. Raises InvalidInput for a share that is not between 0 and 1."""
    return gpu_bytes(shape, plan, end, part) <= usable_bytes(accelerator, usable_share)


def usable_bytes(accelerator: Accelerator, usable_share: float = USABLE) -> float:
    if not 0 < usable_share <= 1:
        raise InvalidInput(f"A usable share of {usable_share:g} is none.", allowed="More than 0, up to 1.")
    return accelerator.memory_bytes * usable_share


def largest_batch(
    shape: ModelShape,
    plan: Plan,
    accelerator: Accelerator,
    usable_share: float = USABLE,
    end: End = "expected",
    part: str = "",
) -> int:
    """Samples of one GPU at once in training, requests at once in serving; 0 when not even one fits."""
    memory_of(shape, plan)  # for its check
    return _largest(lambda n: fits(shape, with_batch(plan, n), accelerator, usable_share, end, part), MOST_BATCH)


def largest_context(
    shape: ModelShape,
    plan: Plan,
    accelerator: Accelerator,
    usable_share: float = USABLE,
    end: End = "expected",
    part: str = "",
) -> int:
    """Tokens of a sequence that memory allows, whatever the model was trained for; 0 when not even one fits."""
    memory_of(shape, plan)
    if shape.kind == "other":
        raise InvalidInput(f"{shape.name} has no context.", next_step="Ask for its largest batch.")
    return _largest(lambda n: fits(shape, with_context(plan, n), accelerator, usable_share, end, part), MOST_CONTEXT)


def largest_model(
    plan: Plan, accelerator: Accelerator, usable_share: float = USABLE, end: End = "expected"
) -> ModelShape | None:
    """The largest dense decoder, of the layers and width usual for its size, to 0.05 %; None when not even 1 million
    parameters fit."""

    def possible(millions: int) -> bool:
        return fits(shape_from_parameters(millions * 1e6), plan, accelerator, usable_share, end)

    most = _largest(possible, round(MOST_PARAMETERS / 1e6), exact_below=2_000)
    return shape_from_parameters(most * 1e6) if most else None


def with_batch(plan: Plan, batch: int) -> Plan:
    return replace(plan, micro_batch=batch) if isinstance(plan, TrainingPlan) else replace(plan, batch=batch)


def with_context(plan: Plan, tokens: int) -> Plan:
    return replace(plan, sequence_length=tokens) if isinstance(plan, TrainingPlan) else replace(plan, context=tokens)


def best_plan(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, gpus: int, usable_share: float = USABLE
) -> tuple[Plan, float] | None:
    """The least entangled way to put it on so many GPUs, and its bytes on one; None when none fits."""
    usable = usable_bytes(accelerator, usable_share)
    for candidate, needed in ways(shape, plan, gpus, accelerator.node_gpus):
        if needed <= usable:
            return candidate, needed
    return None


def smallest_machine(
    shape: ModelShape,
    plan: Plan,
    *,
    table: Sequence[Accelerator] | None = None,
    usd_per_gpu_hour: Mapping[str, float] | None = None,
    most_gpus: int = MOST_GPUS,
    usable_share: float = USABLE,
) -> tuple[Machine, ...]:
    """Of each accelerator the fewest that fit, with the plan: the cheapest an hour first where prices are given (those
    without a price last), else the least memory in all. Empty when nothing fits. plan's own degrees are not used."""
    memory_of(shape, _alone(plan))
    found = [
        machine
        for accelerator in (in_use() if table is None else table)
        if (machine := _fewest(shape, plan, accelerator, most_gpus, usable_share)) is not None
    ]
    prices = usd_per_gpu_hour or {}
    priced = [
        replace(machine, usd_per_hour=prices[machine.accelerator.id] * machine.gpus)
        if machine.accelerator.id in prices
        else machine
        for machine in found
    ]
    return tuple(sorted(priced, key=_cheapness))


def _cheapness(machine: Machine) -> tuple[float, float, int]:
    usd_per_hour = math.inf if machine.usd_per_hour is None else machine.usd_per_hour
    return usd_per_hour, machine.memory_bytes, machine.gpus


def _largest(possible: Callable[[int], bool], most: int, exact_below: int = 0) -> int:
    """The largest n up to `most`; 0 when not even 1. exact_below: above it, to one part in so many."""
    if not possible(1):
        return 0
    low, high = 1, 2
    while high <= most and possible(high):
        low, high = high, high * 2
    high = min(high, most + 1)
    while high - low > (max(1, low // exact_below) if exact_below else 1):
        middle = (low + high) // 2
        low, high = (middle, high) if possible(middle) else (low, middle)
    return low


def _alone(plan: Plan) -> Plan:
    if isinstance(plan, TrainingPlan):
        return replace(plan, tensor_parallel=1, pipeline_parallel=1, data_parallel=1, zero=0, sequence_parallel=False)
    return replace(plan, tensor_parallel=1, pipeline_parallel=1)


@lru_cache(maxsize=4_096)
def ways(shape: ModelShape, plan: Plan, gpus: int, node_gpus: int) -> tuple[tuple[Plan, float], ...]:
    """How to put it on so many GPUs, the least entangled first, each with its bytes; the plan's own degrees are not
    used. Kept, because every accelerator asks for the same."""
    base = _alone(plan)
    return tuple((one, gpu_bytes(shape, one)) for one in _spread(shape, base, gpus, node_gpus))


def _spread(shape: ModelShape, plan: Plan, gpus: int, node_gpus: int) -> Iterator[Plan]:
    if isinstance(plan, TrainingPlan):
        for split in splits(shape, gpus, node_gpus):
            yield _with(plan, split)
        return
    tensor = min(gpus, node_gpus)
    while tensor >= 1:
        stages = gpus // tensor
        split = Split(tensor_parallel=tensor, pipeline_parallel=stages)
        if stages * tensor == gpus and not split_faults(shape, split):
            yield replace(plan, tensor_parallel=tensor, pipeline_parallel=stages)
            return
        tensor //= 2


def _with(plan: TrainingPlan, split: Split) -> TrainingPlan:
    return replace(
        plan,
        tensor_parallel=split.tensor_parallel,
        pipeline_parallel=split.pipeline_parallel,
        data_parallel=split.data_parallel,
        zero=split.zero,
        sequence_parallel=split.tensor_parallel > 1,  # never worse, and Megatron's own advice
    )


def _fewest(
    shape: ModelShape, plan: Plan, accelerator: Accelerator, most_gpus: int, usable_share: float
) -> Machine | None:
    most = 1 if accelerator.kind == "cpu" else most_gpus
    for gpus in node_counts(accelerator.node_gpus, most):
        if (found := best_plan(shape, plan, accelerator, gpus, usable_share)) is not None:
            return Machine(
                accelerator=accelerator,
                gpus=gpus,
                plan=found[0],
                gpu_bytes=found[1],
                usable_bytes=usable_bytes(accelerator, usable_share),
            )
    return None

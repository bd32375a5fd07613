"""`estimate memory`: a configuration becomes the bytes of one GPU, part by part, and what fits where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from core.errors import InvalidInput
from core.estimate.choose_model import choose_model
from core.estimate.config import parse
from core.estimate.figures import Driver, Figure, Input
from core.estimate.fitting import (
    End,
    Machine,
    Plan,
    fits,
    largest_batch,
    largest_context,
    largest_model,
    memory_of,
    smallest_machine,
    usable_bytes,
    with_context,
)
from core.estimate.hardware import Accelerator
from core.estimate.hardware import find as find_gpu
from core.estimate.hardware import in_use as hardware_in_use
from core.estimate.hour_price import hour_price
from core.estimate.memory import InferenceMemory, InferencePlan, TrainingMemory, TrainingPlan
from core.estimate.prices import PriceRow
from core.estimate.prices import in_use as prices_in_use
from core.estimate.ranges import Range
from core.estimate.remedies import Change, what_would_fit
from core.estimate.report import Report
from core.estimate.shape import ModelShape
from core.estimate.specs import MemorySpec
from core.estimate.words import large, said, said_range

Search = Callable[[End, str], float]
"""What fits at an end of all parts ("" for the part), or of one of them."""

FITS = "the largest that the memory formula fits, by bisection; 92 % of the memory is taken to be usable"
MOST = r"\max\{n : M(n) \le M_{usable}\}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAnswer:
    """memory: the parts. fits: None without a GPU. machines: the cheapest or smallest that fit. changes: what would
    make it fit where it does not."""

    shape: ModelShape
    memory: TrainingMemory | InferenceMemory
    gpu: Accelerator | None
    fits: bool | None
    machines: tuple[Machine, ...]
    changes: tuple[Change, ...]

    @property
    def verdict(self) -> str:
        """In words: a total whose range goes over what can be used fits, or does not, most likely; "" without a GPU."""
        if self.gpu is None:
            return ""
        total, usable = self.memory.total.value, usable_bytes(self.gpu)
        if self.fits:
            return "fits" if total.high <= usable else "most likely fits"
        return "does not fit" if total.low > usable else "most likely does not fit"


def estimate_memory(given: dict[str, Any], gpu: Accelerator | None = None) -> tuple[Report, MemoryAnswer]:
    """given: as `MemorySpec`. Raises InvalidInput with every fault."""
    spec = parse(MemorySpec, given)
    shape, plan = choose_model(spec), _plan(spec)
    if spec.largest_layer_parameters is not None:
        shape = replace(shape, largest_layer_parameters=round(spec.largest_layer_parameters))
    known = _own_context(spec, shape)
    plan = _within(spec, shape, plan, known)
    memory = memory_of(shape, plan)
    device = gpu or (find_gpu(spec.gpu) if spec.gpu else None)
    fitting = None if device is None else fits(shape, plan, device)
    machines = smallest_machine(shape, plan, usd_per_gpu_hour=_prices(prices_in_use(), hardware_in_use()))
    changes = what_would_fit(shape, plan, device, spec.gpus) if device is not None and not fitting else ()
    answer = MemoryAnswer(shape=shape, memory=memory, gpu=device, fits=fitting, machines=machines, changes=changes)
    figures = (*memory.parts, memory.total, *_states(memory), *_limits(answer, plan, known))
    report = Report(
        kind="memory", spec=given, sentence=_sentence(answer), figures=figures, notes=_notes(answer, plan, known)
    )
    return report, answer


def _plan(spec: MemorySpec) -> Plan:
    if spec.purpose == "inference":
        precision = spec.precision or "bf16"
        return InferencePlan(
            precision=precision,
            cache_precision=spec.cache_precision or ("fp32" if precision == "fp32" else "bf16"),
            batch=spec.batch,
            context=spec.context or InferencePlan().context,
            block=spec.block,
            wide_tables=spec.wide_tables,
            tensor_parallel=spec.tensor_parallel,
            pipeline_parallel=spec.pipeline_parallel,
        )
    return TrainingPlan(
        precision=spec.precision or "bf16",
        method=spec.method,
        optimizer=spec.optimizer,
        micro_batch=spec.micro_batch,
        sequence_length=spec.sequence_length,
        recompute=spec.recompute,
        flash_attention=spec.flash_attention,
        gradient_bytes=spec.gradient_bytes,
        master_weights=spec.master_weights,
        lora_rank=spec.lora_rank,
        offload_optimizer=spec.offload_optimizer,
        tensor_parallel=spec.tensor_parallel,
        pipeline_parallel=spec.pipeline_parallel,
        data_parallel=spec.data_parallel,
        sequence_parallel=spec.sequence_parallel,
        zero=spec.zero,
    )


def _own_context(spec: MemorySpec, shape: ModelShape) -> int:
    """Tokens that the model was made for; 0 where nobody said."""
    guessed = spec.architecture is not None and "context" not in spec.architecture.model_fields_set
    return 0 if guessed or not shape.exact or shape.kind == "other" else shape.context


def _tokens(plan: Plan) -> int:
    return plan.sequence_length if isinstance(plan, TrainingPlan) else plan.context


def _within(spec: MemorySpec, shape: ModelShape, plan: Plan, known: int) -> Plan:
    """A length that was not said is no longer than the model's own. Raises InvalidInput for a longer one of an encoder,
    which has no positions for it; a decoder's may be stretched."""
    said_it = (
        spec.context is not None if isinstance(plan, InferencePlan) else "sequence_length" in spec.model_fields_set
    )
    if not said_it:
        return with_context(plan, min(shape.context or _tokens(plan), _tokens(plan)))
    if shape.kind == "encoder" and known and _tokens(plan) > known:
        raise InvalidInput(
            f"A context of {_tokens(plan):,} tokens is more than {shape.name} reads.",
            allowed=f"Up to {known:,} tokens.",
            next_step="Shorten the context.",
        )
    return plan


def _states(memory: TrainingMemory | InferenceMemory) -> tuple[Figure, ...]:
    """What DeepSpeed's estimator gives: everything but activations, logits and the framework."""
    if not isinstance(memory, TrainingMemory):
        return ()
    states = Figure(
        key="states_bytes",
        label="Model states alone",
        unit="bytes",
        value=Range.exactly(memory.states_bytes),
        formula=r"b_w P + b_g P + b_o P + b_m P + 4\, P_\text{largest layer}",
        source="Rajbhandari et al. 2020 (ZeRO), arXiv 1910.02054, § 3 and 5; DeepSpeed's ZeRO-3 estimator",
    )
    return (states,)


def _limits(answer: MemoryAnswer, plan: Plan, known: int) -> list[Figure]:
    """The largest batch, context and model on the chosen GPU. The range of the total is theirs too."""
    gpu, shape = answer.gpu, answer.shape
    if gpu is None:
        return []

    def batch(end: End, part: str) -> float:
        return largest_batch(shape, plan, gpu, end=end, part=part)

    def context(end: End, part: str) -> float:
        found = largest_context(shape, plan, gpu, end=end, part=part)
        return min(found, known) if known else found

    def model(end: End, part: str) -> float:
        found = largest_model(plan, gpu, end=end)
        return 0.0 if found is None else found.parameters

    found = [_limit(answer, "largest_batch", "Largest batch that fits", "", batch)]
    if shape.kind != "other":
        label = "Longest context that fits"
        limit = _limit(answer, "largest_context_tokens", label, "tokens", context)
        if known and limit.value.expected == known:
            own = Input("the model's own context", known, "tokens", shape.source)
            limit = replace(limit, formula=rf"\min({known},\, {MOST})", inputs=(*limit.inputs, own))
        found.append(limit)
    if shape.kind == "decoder":
        dense = "Largest dense model that fits, at this batch and context"
        found.append(_limit(answer, "largest_model_parameters", dense, "parameters", model, parts=False))
    return found


def _limit(answer: MemoryAnswer, key: str, label: str, unit: str, search: Search, *, parts: bool = True) -> Figure:
    """low: what fits even at the high total. Drivers: with one part at its ends."""
    assert answer.gpu is not None  # the caller has looked
    drivers = []
    for part in answer.memory.parts if parts else ():
        if part.value.low < part.value.high:
            low, high = search("high", part.key), search("low", part.key)
            drivers += [Driver(part.label, low, high)] if low < high else []
    return Figure(
        key=key,
        label=label,
        unit=unit,
        value=Range(search("high", ""), search("expected", ""), search("low", "")),
        formula=MOST,
        source=FITS,
        inputs=(Input("usable memory of one GPU", usable_bytes(answer.gpu), "bytes", answer.gpu.source),),
        drivers=tuple(sorted(drivers, key=lambda one: one.low - one.high)),
    )


@lru_cache(maxsize=4)
def _prices(table: tuple[PriceRow, ...], hardware: tuple[Accelerator, ...]) -> Mapping[str, float]:
    """Expected on-demand prices, as every other estimate has them, of the GPUs that have one. Kept for the two tables
    in use."""
    priced = {row.gpu for row in table if row.term == "on_demand"}
    prices = {gpu.id: hour_price(gpu).usd_per_gpu_hour for gpu in hardware if gpu.id in priced}
    return MappingProxyType({id: price.expected for id, price in prices.items() if price is not None})


def _notes(answer: MemoryAnswer, plan: Plan, known: int) -> tuple[str, ...]:
    notes = []
    if not answer.shape.exact:
        notes.append("Layers and width were inferred from the parameter count.")
    if known and _tokens(plan) > known:
        notes.append(
            f"{answer.shape.name} was made for {known:,} tokens: {_tokens(plan):,} are more, and memory is all that"
            " is reckoned here."
        )
    elif known and answer.gpu is not None and largest_context(answer.shape, plan, answer.gpu) > known:
        notes.append(f"The longest context is the model's own, {known:,} tokens: memory would hold more.")
    if answer.changes:
        ways = "; ".join(f"{one.what} ({said(one.gpu_bytes, 'bytes')})" for one in answer.changes)
        notes.append(f"What would make it fit: {ways}.")
    if answer.machines:
        best = answer.machines[0]
        price = "" if best.usd_per_hour is None else f", about ${best.usd_per_hour:,.2f} an hour"
        notes.append(f"The cheapest machine of the table that fits: {best.gpus} × {best.accelerator.name}{price}.")
    else:
        notes.append("Nothing in the hardware table fits it.")
    return tuple(notes)


def _sentence(answer: MemoryAnswer) -> str:
    memory, shape = answer.memory, answer.shape
    total = memory.total.value
    what = "Training" if isinstance(memory, TrainingMemory) else "Running"
    size = f"{large(shape.parameters)} parameters"
    name = f"{shape.name} ({size})" if shape.exact else shape.name
    needs = f"{what} {name} takes {said(total.expected, 'bytes')} a GPU ({said_range(total, 'bytes')})"
    if answer.gpu is None:
        return f"{needs}."
    usable = said(usable_bytes(answer.gpu), "bytes")
    if answer.verdict.startswith("most likely"):
        alone = needs.removesuffix(f" ({said_range(total, 'bytes')})")
        return f"{alone}: it {answer.verdict} one {answer.gpu.name} ({said_range(total, 'bytes')} of {usable})."
    return f"{needs}: it {answer.verdict} one {answer.gpu.name}, of which {usable} can be used."

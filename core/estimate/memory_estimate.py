"""`estimate memory`: a configuration becomes the bytes of one GPU, part by part, and what fits where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.errors import InvalidInput
from core.estimate.choose_model import choose_model
from core.estimate.config import parse
from core.estimate.figures import Figure, Input
from core.estimate.fitting import (
    Machine,
    Plan,
    fits,
    largest_batch,
    largest_context,
    largest_model,
    memory_of,
    smallest_machine,
    usable_bytes,
)
from core.estimate.hardware import Accelerator
from core.estimate.hardware import find as find_gpu
from core.estimate.memory import InferenceMemory, InferencePlan, TrainingMemory, TrainingPlan
from core.estimate.prices import in_use, rental_price
from core.estimate.ranges import Range
from core.estimate.remedies import Change, what_would_fit
from core.estimate.report import Report
from core.estimate.shape import ModelShape
from core.estimate.specs import MemorySpec
from core.estimate.words import large, said, said_range

FITS = "the largest that the memory formula fits, by bisection; 92 % of the memory is taken to be usable"


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


def estimate_memory(given: dict[str, Any], gpu: Accelerator | None = None) -> tuple[Report, MemoryAnswer]:
    """given: as `MemorySpec`. Raises InvalidInput with every fault."""
    spec = parse(MemorySpec, given)
    shape, plan = choose_model(spec), _plan(spec)
    if spec.largest_layer_parameters is not None:
        shape = replace(shape, largest_layer_parameters=round(spec.largest_layer_parameters))
    if isinstance(plan, InferencePlan) and spec.context is None:
        plan = replace(plan, context=min(shape.context or plan.context, plan.context))
    memory = memory_of(shape, plan)
    device = gpu or (find_gpu(spec.gpu) if spec.gpu else None)
    fitting = None if device is None else fits(shape, plan, device)
    machines = smallest_machine(shape, plan, usd_per_gpu_hour=_prices())
    changes = what_would_fit(shape, plan, device, spec.gpus) if device is not None and not fitting else ()
    answer = MemoryAnswer(shape=shape, memory=memory, gpu=device, fits=fitting, machines=machines, changes=changes)
    figures = (*memory.parts, memory.total, *_states(memory), *_limits(answer, plan))
    report = Report(kind="memory", spec=given, sentence=_sentence(answer), figures=figures, notes=_notes(answer))
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


def _limits(answer: MemoryAnswer, plan: Plan) -> list[Figure]:
    """The largest batch, context and model on the chosen GPU."""
    gpu, shape = answer.gpu, answer.shape
    if gpu is None:
        return []
    inputs = (Input("usable memory of one GPU", usable_bytes(gpu), "bytes", gpu.source),)

    def figure(key: str, label: str, unit: str, value: float) -> Figure:
        exact = Range.exactly(value)
        return Figure(
            key=key, label=label, unit=unit, value=exact, formula=r"\max\{n : M(n) \le M_{usable}\}", source=FITS,
            inputs=inputs,
        )  # fmt: skip

    found = [figure("largest_batch", "Largest batch that fits", "", largest_batch(shape, plan, gpu))]
    if shape.kind != "other":
        context = largest_context(shape, plan, gpu)
        found.append(figure("largest_context_tokens", "Longest context that fits", "tokens", context))
    model = largest_model(plan, gpu)
    most = 0.0 if model is None else model.parameters
    found.append(figure("largest_model_parameters", "Largest model that fits", "parameters", most))
    return found


def _prices() -> dict[str, float]:
    """Expected on-demand prices, of the GPUs that have one."""
    found = {}
    for gpu in dict.fromkeys(row.gpu for row in in_use() if row.term == "on_demand"):
        try:
            found[gpu] = rental_price(gpu).usd_per_gpu_hour.value.expected
        except InvalidInput:
            continue
    return found


def _notes(answer: MemoryAnswer) -> tuple[str, ...]:
    notes = []
    if not answer.shape.exact:
        notes.append("Layers and width were inferred from the parameter count.")
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
    verdict = "fits" if answer.fits else "does not fit"
    return f"{needs}: it {verdict} one {answer.gpu.name}, of which {usable} can be used."

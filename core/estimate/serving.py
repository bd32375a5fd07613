"""Serving: time to first token, time per token, throughput and $ per million tokens of a model on given GPUs.

One replica under continuous batching (`serving_point`), whose passes are timed by rooflines (`roofline_time`) at
efficiencies that are published or measured (`serving_factors`, `calibration`). Every figure is evaluated at each
factor's ends, which gives its range and what drives it. Encoders answer in one pass and cost by the token read, other
networks by the sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from core.estimate.calibration import Calibration
from core.estimate.figures import Figure
from core.estimate.hardware import Accelerator
from core.estimate.propagation import propagate
from core.estimate.ranges import Range
from core.estimate.roofline_time import Bound, PassTime
from core.estimate.serve_setup import ACTIVATIONS, FACTOR_NAMES, ServeSetup, check, largest_batch, setup_inputs
from core.estimate.serving_figures import COST_SPLIT, figure, worded
from core.estimate.serving_point import Load, Point, operating_point
from core.estimate.shape import ModelShape

SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a decode step (of an encoder's pass, of another network's answer), at the expected factors."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeEstimate:
    """None: a figure that this kind of model has not, or whose facts are missing (tokens_per_joule: a rated power).

    Of an encoder, ttft_s and request_s are its pass, and tokens are those read. step_parts: where a step's time goes.
    prefill_bound, decode_bound: what each waits for. notes: said beside the figures.
    """

    request_s: Figure
    requests_per_s: Figure
    largest_batch: Figure
    ttft_s: Figure | None = None
    prefill_s: Figure | None = None
    step_s: Figure | None = None
    time_per_token_s: Figure | None = None
    tokens_per_s_per_gpu: Figure | None = None
    prefill_tokens_per_s: Figure | None = None
    usd_per_million_input_tokens: Figure | None = None
    usd_per_million_output_tokens: Figure | None = None
    usd_per_million_tokens_blended: Figure | None = None
    tokens_per_joule: Figure | None = None
    samples_per_s_per_gpu: Figure | None = None
    usd_per_million_samples: Figure | None = None
    step_parts: tuple[Part, ...] = ()
    prefill_bound: Bound = "compute"
    decode_bound: Bound | None = None
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Figure))


def serve(
    shape: ModelShape,
    gpu: Accelerator,
    *,
    precision: str,
    prompt_tokens: int,
    output_tokens: int,
    concurrency: int,
    usd_per_gpu_hour: Range,
    utilisation: Range,
    cache_precision: str | None = None,
    tensor_parallel: int = 1,
    calibration: Calibration | None = None,
    cached_share: float = 0.0,
) -> ServeEstimate:
    """Raises InvalidInput with every fault, and for what does not fit into the memory: what would."""
    return estimate(
        ServeSetup(
            shape=shape,
            gpu=gpu,
            precision=precision,
            cache_precision=cache_precision,
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
            concurrency=concurrency,
            tensor_parallel=tensor_parallel,
            calibration=calibration,
            usd_per_gpu_hour=usd_per_gpu_hour,
            utilisation=utilisation,
            cached_share=cached_share,
        )
    )


def estimate(setup: ServeSetup) -> ServeEstimate:
    check(setup)
    factors = setup.factors
    spreads = propagate(lambda values: figures_at(setup, values), factors, names=FACTOR_NAMES)
    given = setup_inputs(setup, factors)
    ids = setup.calibration.measurement_ids if setup.calibration else ()
    made = {
        key: figure(
            key,
            one,
            inputs=given,
            measurement_ids=ids,
            wording=worded(key, kind=setup.shape.kind, on_gpu=setup.counts_in_gpus),
        )
        for key, one in spreads.items()
    }
    expected = operating_point(setup.placement, setup.load, {name: one.expected for name, one in factors.items()})
    # The one time of another network that is a figure is its answer's, which starting the request is a part of.
    begun = (Part("starting the request", factors["start_s"].expected),) if setup.shape.kind == "other" else ()
    return ServeEstimate(
        **made,
        step_parts=(*_parts(expected.step or expected.prefill), *begun),
        prefill_bound=expected.prefill.bound,
        decode_bound=expected.step.bound if expected.step else None,
        notes=_notes(setup),
    )


def figures_at(setup: ServeSetup, values: Mapping[str, float]) -> dict[str, float]:
    """Every figure at one value of each factor."""
    load, point = setup.load, operating_point(setup.placement, setup.load, values)
    gpus, rate = setup.tensor_parallel, point.requests_per_s
    usd_per_s = values["usd_per_gpu_hour"] * gpus / SECONDS_PER_HOUR / values["utilisation"]
    found = {
        "request_s": point.request_s,
        "requests_per_s": rate,
        "largest_batch": float(largest_batch(setup, values["usable_memory"], values.get(ACTIVATIONS))),
    }
    if setup.shape.kind == "other":
        return found | {
            "samples_per_s_per_gpu": rate / gpus,
            "usd_per_million_samples": 1e6 * usd_per_s / rate,
        }
    counted = load.output_tokens or load.prompt_tokens
    if setup.gpu.tdp_watts:
        watts = values["power_share"] * setup.gpu.tdp_watts
        found["tokens_per_joule"] = rate * counted / gpus / watts
    return (
        found
        | {
            "ttft_s": point.ttft_s,
            "prefill_s": point.prefill.seconds,
            "tokens_per_s_per_gpu": rate * counted / gpus,
            "prefill_tokens_per_s": load.prompt_tokens / point.shared_prefill_s,
            "usd_per_million_input_tokens": 1e6 * usd_per_s * point.shared_prefill_s / load.prompt_tokens,
            "usd_per_million_tokens_blended": 1e6 * usd_per_s / (rate * (load.prompt_tokens + load.output_tokens)),
        }
        | _decode_figures(load, point, usd_per_s)
    )


def _decode_figures(load: Load, point: Point, usd_per_s: float) -> dict[str, float]:
    if point.step is None:
        return {}
    return {
        "step_s": point.step.seconds,
        "time_per_token_s": point.time_per_token_s,
        "usd_per_million_output_tokens": 1e6 * usd_per_s * point.step.seconds / load.batch,
    }


def _parts(one: PassTime) -> tuple[Part, ...]:
    return (
        Part("weights and their products", one.matrices_s),
        Part("attention and the KV cache", one.attention_s),
        Part("all-reduces between GPUs", one.all_reduce_s),
        Part("launching and host", one.overhead_s),
    )


def _notes(setup: ServeSetup) -> tuple[str, ...]:
    notes = [COST_SPLIT] if setup.decodes else []
    if setup.calibration:
        notes.append(f"Efficiencies are measured: {setup.calibration.name}.")
        notes += setup.calibration.notes
    if setup.shape.is_moe:
        notes.append("Experts are taken to be chosen evenly and to divide over the GPUs without an all-to-all.")
    if setup.shape.kind == "other":
        notes.append("Only totals of this network are known: activations that pass through memory are not counted.")
    if setup.tensor_parallel > setup.gpu.node_gpus:
        notes.append(f"{setup.tensor_parallel} GPUs are more than a node's {setup.gpu.node_gpus}: the network is used.")
    return tuple(notes)

"""`ServeSetup`: what a serving estimate is asked, checked before anything is computed.

All faults are told at once; what does not fit into the memory is told with what would make it fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.errors import InvalidInput
from core.estimate.calibration import Calibration
from core.estimate.figures import Input
from core.estimate.hardware import Accelerator
from core.estimate.ranges import Range
from core.estimate.roofline_time import Placement
from core.estimate.serving_factors import JUDGEMENT, NAMES, PUBLISHED, serving_factors, usable_memory
from core.estimate.serving_memory import (
    MOST_BATCH,
    activation_bytes,
    check_precision,
    default_cache,
    refuse_if_too_large,
    serving_memory,
)
from core.estimate.serving_point import Load
from core.estimate.shape import ModelShape

MOST_TOKENS = 100_000_000
MOST_GPUS = 4_096
ALWAYS = Range.exactly(1.0)
ACTIVATIONS = "activation_bytes"  # a factor of "other" networks: what one sample holds at once
FACTOR_NAMES: Mapping[str, str] = MappingProxyType(
    {**NAMES, ACTIVATIONS: "activations of a sample held at once, bytes"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSetup:
    """What is asked. prompt_tokens, output_tokens: of each request; of an "other" network neither counts. concurrency:
    requests that run at once on one replica of tensor_parallel GPUs. utilisation: share of the capacity that is used
    over the paid hours. cached_share: of the prompt's tokens that the prefix cache serves."""

    shape: ModelShape
    gpu: Accelerator
    precision: str
    prompt_tokens: int
    output_tokens: int
    usd_per_gpu_hour: Range
    utilisation: Range = ALWAYS
    concurrency: int = 1
    cache_precision: str | None = None
    tensor_parallel: int = 1
    cached_share: float = 0.0
    calibration: Calibration | None = None

    @property
    def decodes(self) -> bool:
        return self.shape.kind == "decoder"

    @property
    def counts_in_gpus(self) -> bool:
        """Not on a CPU, nor on this machine, which is one and whole."""
        return self.gpu.kind != "cpu" and self.calibration is None

    @property
    def cache(self) -> str:
        return self.cache_precision or default_cache(self.precision, self.gpu)

    @property
    def placement(self) -> Placement:
        return Placement(
            shape=self.shape,
            gpu=self.gpu,
            precision=self.precision,
            cache_precision=self.cache,
            tensor_parallel=self.tensor_parallel,
            piece_tokens=self.calibration.piece_tokens if self.calibration else 0,
        )

    @property
    def load(self) -> Load:
        return Load(
            prompt_tokens=1 if self.shape.kind == "other" else self.prompt_tokens,
            output_tokens=self.output_tokens if self.decodes else 0,
            batch=self.concurrency,
            cached_share=self.cached_share if self.decodes else 0.0,
        )

    def at_batch(self, batch: int) -> ServeSetup:
        return replace(self, concurrency=batch)

    @property
    def factors(self) -> dict[str, Range]:
        physical = serving_factors(self.shape, self.gpu, self.precision, self.tensor_parallel, self.calibration)
        if self.shape.kind == "other":
            physical[ACTIVATIONS] = activation_bytes(self.shape, self.precision)
        return physical | {"usd_per_gpu_hour": self.usd_per_gpu_hour, "utilisation": self.utilisation}


def check(setup: ServeSetup) -> None:
    """Raises InvalidInput as `serve` does."""
    if faults := [*_faults(setup), *check_precision(setup.precision, setup.cache_precision)]:
        raise InvalidInput(f"This cannot be served: {'; '.join(faults)}.", next_step="Change these.")
    setup.gpu.flops_per_s(setup.precision)
    refuse_if_too_large(
        setup.shape,
        setup.gpu,
        precision=setup.precision,
        cache_precision=setup.cache,
        tokens=setup.load.prompt_tokens + setup.load.output_tokens,
        batch=setup.concurrency,
        tensor_parallel=setup.tensor_parallel,
        usable_share=usable_memory(setup.gpu).high,
    )


def largest_batch(setup: ServeSetup, usable_share: float, activations: float | None = None) -> int:
    """activations: bytes of a sample of an "other" network; default, expected."""
    load = setup.load
    need = serving_memory(
        setup.shape,
        setup.gpu,
        precision=setup.precision,
        cache_precision=setup.cache,
        tokens=load.prompt_tokens + load.output_tokens,
        tensor_parallel=setup.tensor_parallel,
    )
    if activations is not None:
        need = replace(need, bytes_per_request=activations)
    return need.largest_batch(setup.gpu.memory_bytes * usable_share)


def setup_inputs(setup: ServeSetup, factors: Mapping[str, Range]) -> tuple[Input, ...]:
    """What went in, for each figure."""
    shares = setup.calibration.name if setup.calibration else PUBLISHED
    gpu = setup.gpu
    found = (
        Input("model", setup.shape.name, source=setup.shape.source),
        Input("parameters", setup.shape.parameters, source=setup.shape.source),
        Input("GPU", gpu.name, source=gpu.source),
        Input("GPUs of a replica, n", setup.tensor_parallel),
        Input("peak, P", gpu.flops_per_s(setup.precision), "FLOP/s", gpu.source),
        Input("memory bandwidth, W", gpu.memory_bandwidth_bytes_per_s, "bytes/s", gpu.source),
        Input("memory, M", gpu.memory_bytes, "bytes", gpu.source),
        Input("precision", setup.precision),
        Input("KV cache precision", setup.cache),
        Input("prompt tokens", setup.load.prompt_tokens),
        Input("output tokens", setup.load.output_tokens),
        Input("requests at once, b", setup.concurrency),
        Input("prompt tokens from the prefix cache", setup.cached_share, "share"),
        Input("share of the peak, e_c", factors["compute"].expected, "", shares),
        Input("share of the bandwidth, e_b", factors["bandwidth"].expected, "", shares),
        Input("overhead of a layer, o", factors["layer_overhead_s"].expected, "s", shares),
        Input("latency of an all-reduce", factors["all_reduce_latency_s"].expected, "s", JUDGEMENT),
        Input("price of a GPU-hour, c", setup.usd_per_gpu_hour.expected, "USD"),
        Input("utilisation, u", setup.utilisation.expected, "share"),
    )
    unsaid = {"decoder": (), "encoder": _OF_DECODING, "other": (*_OF_DECODING, "prompt tokens")}[setup.shape.kind]
    return tuple(one for one in found if one.name not in unsaid)


_OF_DECODING = ("output tokens", "KV cache precision", "prompt tokens from the prefix cache")


def _faults(setup: ServeSetup) -> list[str]:
    shape, use = setup.shape, setup.utilisation
    least = 1 if setup.decodes else 0
    faults = [
        f"{name} is {value:,} (from {low:,} to {high:,})"
        for name, value, low, high in (
            ("prompt tokens", setup.prompt_tokens, 0 if shape.kind == "other" else 1, MOST_TOKENS),
            ("output tokens", setup.output_tokens, least, MOST_TOKENS),
            ("requests at once", setup.concurrency, 1, MOST_BATCH),
            ("tensor_parallel", setup.tensor_parallel, 1, MOST_GPUS if shape.kind == "decoder" else 1),
        )
        if not low <= value <= high
    ]
    length = setup.load.prompt_tokens + setup.load.output_tokens
    if shape.kind != "other" and shape.context and length > shape.context:
        faults.append(f"a request has {length:,} tokens, and {shape.name} reads {shape.context:,}")
    if shape.heads and setup.tensor_parallel >= 1 and shape.heads % setup.tensor_parallel:
        faults.append(f"tensor_parallel is {setup.tensor_parallel}, which does not divide its {shape.heads} heads")
    if not 0 <= setup.cached_share < 1:
        faults.append(f"cached share is {setup.cached_share:g} (from 0 to below 1)")
    if not 0 < use.low <= use.high <= 1:
        faults.append(f"utilisation is {use.low:g} to {use.high:g} (above 0, at most 1)")
    return faults + _calibration_faults(setup)


def _calibration_faults(setup: ServeSetup) -> list[str]:
    found = setup.calibration
    if found is None:
        return []
    faults = [f"the calibration is of {found.precision}, not {setup.precision}"] * (found.precision != setup.precision)
    if found.machine.id != setup.gpu.id:
        faults.append(f"the calibration is of {found.machine.name}, not {setup.gpu.name}")
    return faults

"""How near a served model comes to its machine's limits, as ranges, and where each comes from.

Expected values reproduce kipply's 13B on an A100 (prefill 63.17 ms, decode 22.0 ms), Llama 3.1 8B under vLLM (75
tokens/s) and, not fitted one by one, TensorRT-LLM's published throughputs (`tables/serving.csv`). The ends are what
those rows spread over, widened where the note says judgement. A calibration replaces the shares by measured ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.estimate.calibration import Calibration
from core.estimate.hardware import Accelerator
from core.estimate.ranges import Range
from core.estimate.roofline_time import Factors
from core.estimate.shape import ModelShape

PUBLISHED = "published rows of tables/serving.csv: kipply, vLLM, TensorRT-LLM"
JUDGEMENT = "judgement"

# 16-bit prefills reach 0.60 to 0.72 of the peak (13B, 7B, 6B, 70B on A100), through plainer engines half.
_COMPUTE_16 = Range(0.50, 0.67, 0.80)
# FP8 prefills and decodes in large batches, H100 and H200, 6B to 405B: 0.41 to 0.59.
_COMPUTE_8 = Range(0.38, 0.50, 0.62)
# Decode steps: 0.72 to 0.83 of the bandwidth once launching is taken off; older engines less.
_BANDWIDTH = Range(0.60, 0.79, 0.90)
# No published rows are kept for CPUs; measured ones went from 0.24 to 0.79 and 0.34 to 0.65 (README, core measure).
_CPU_COMPUTE, _CPU_BANDWIDTH = Range(0.20, 0.45, 0.85), Range(0.35, 0.60, 0.95)
# Convolutions and networks of which only totals are known: judgement, no published rows are kept.
_OTHER_COMPUTE = Range(0.10, 0.33, 0.60)
# Experts make many small products, and their loads differ (Qwen3-235B, tables/serving.csv); the ends are judgement.
_MOE = Range(0.45, 0.65, 0.90)

_LAYER = Range(8e-6, 25e-6, 60e-6)  # what the three rows at batch 1 leave over; CUDA graphs below, eager above
_REQUEST = Range(0.0, 2e-6, 30e-6)  # a C++ host to a Python one; judgement
_ALL_REDUCE = Range(6e-6, 12e-6, 40e-6)  # one small all-reduce in a node: NVLink one-shot to PCIe; judgement
_ACROSS_NODES = Range(20e-6, 40e-6, 120e-6)
_START = Range(0.5e-3, 4e-3, 15e-3)  # tokenising and scheduling a request: TensorRT-LLM's 128-token prompts
_WAIT = Range(0.5, 1.0, 4.0)  # of the queue's mean wait: even arrivals to bursts; judgement
# Engines take 0.9 to 0.95 (vLLM's gpu_memory_utilization, TensorRT-LLM's cache), and a card sold as 80 GB has up to
# 85.9e9 bytes (80 GiB): published batches fill 1.04 of the printed size.
_MEMORY = Range(0.85, 0.93, 1.04)
_CPU_MEMORY = Range(0.60, 0.80, 0.95)  # beside the system and other programs; judgement
_POWER = Range(0.5, 0.75, 1.0)  # of the rated power; decode draws less than prefill (arXiv 2308.12908)

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "compute": "share of the peak FLOP/s reached",
        "bandwidth": "share of the memory bandwidth reached",
        "layer_overhead_s": "launching a layer",
        "step_overhead_s": "host time of a step",
        "request_overhead_s": "host time of a request in a step",
        "all_reduce_latency_s": "latency of an all-reduce",
        "start_s": "starting a request",
        "wait": "burstiness of arrivals",
        "usable_memory": "share of the memory that is usable",
        "power_share": "power drawn, of the rated",
        "usd_per_gpu_hour": "price of a GPU-hour",
        "utilisation": "utilisation",
    }
)


def serving_factors(
    shape: ModelShape, gpu: Accelerator, precision: str, tensor_parallel: int, calibration: Calibration | None
) -> dict[str, Range]:
    """Every physical factor by name; prices and utilisation are the caller's."""
    cpu = gpu.kind == "cpu"
    nothing = Range.exactly(0.0)
    if calibration is not None:
        compute, bandwidth, step = calibration.prefill, calibration.decode, calibration.step_overhead_s
    else:
        compute, bandwidth, step = _compute(shape, gpu, precision), _CPU_BANDWIDTH if cpu else _BANDWIDTH, nothing
    launched = not cpu and calibration is None
    return {
        "compute": compute,
        "bandwidth": bandwidth,
        "layer_overhead_s": _LAYER if launched else nothing,
        "step_overhead_s": step,
        "request_overhead_s": _REQUEST if launched else nothing,
        "all_reduce_latency_s": _all_reduce(gpu, tensor_parallel),
        "start_s": _START if launched else nothing,
        "wait": _WAIT,
        "usable_memory": usable_memory(gpu),
        "power_share": _POWER,
    }


def usable_memory(gpu: Accelerator) -> Range:
    """Share of the printed memory that weights and cache may fill."""
    return _CPU_MEMORY if gpu.kind == "cpu" else _MEMORY


def at(values: Mapping[str, float]) -> Factors:
    """The factors of a pass out of a point of all factors."""
    return Factors(**{name: values[name] for name in Factors.__slots__})


def _compute(shape: ModelShape, gpu: Accelerator, precision: str) -> Range:
    if shape.kind == "other":
        return _OTHER_COMPUTE
    found = _CPU_COMPUTE if gpu.kind == "cpu" else _COMPUTE_8 if precision == "fp8" else _COMPUTE_16
    return found * _MOE if shape.is_moe else found


def _all_reduce(gpu: Accelerator, tensor_parallel: int) -> Range:
    if tensor_parallel == 1:
        return Range.exactly(0.0)
    return _ALL_REDUCE if tensor_parallel <= gpu.node_gpus else _ACROSS_NODES

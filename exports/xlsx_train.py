"""The workbook of a training run: `core.estimate.training` and its figures as formulas, from layers to dollars.

The efficiency follows the number of GPUs, the model's size and the recomputation as the fit to published runs does;
typing a number over it puts a measured one in its place.
"""

from __future__ import annotations

import math
from dataclasses import replace

from core.estimate import communication, interruptions, optimizer_step
from core.estimate.config import parse
from core.estimate.efficiency import COUNT_MIDDLE, FEW_GPUS, LEAST, MOST, MOST_GPUS, SIZE_BEND, SMALLEST, the_fit
from core.estimate.energy import GRID_FACTOR, HOST, LOAD, PUE, find_region
from core.estimate.hour_price import HourPrice, hour_price
from core.estimate.ranges import Range
from core.estimate.recompute import Recompute
from core.estimate.report import Report
from core.estimate.specs import TrainSpec
from core.estimate.training import QLORA_SLOWER, Training
from core.estimate.training_plan import METHODS
from exports.formulas import Formula
from exports.xlsx_book import Book, Row, Section
from exports.xlsx_rows import device_section, given, model_section
from exports.xlsx_train_steps import RESULTS, energy, run_time, step_time, work

_FIT = "fitted to published runs (core.estimate.efficiency)"


def train_book(report: Report, training: Training) -> Book:
    """report: for the prices and the region of its configuration."""
    spec = parse(TrainSpec, report.spec)
    gpu = training.plan.setup.gpu
    price = hour_price(
        gpu,
        given=None if spec.usd_per_gpu_hour is None else spec.usd_per_gpu_hour.range(),
        own=None if spec.own is None else spec.own.ownership(),
        tier=spec.tier,
        term=spec.term,
        discount=spec.discount,
    )
    priced = price.usd_per_gpu_hour is not None
    powered, region = gpu.tdp_watts > 0, spec.region if gpu.tdp_watts > 0 else None
    inputs = [_run(training), model_section(training.plan.setup.shape), _hardware(training), _efficiency(training)]
    inputs.append(_beside())
    inputs += [_money(price)] if priced else []
    inputs += [_power(spec.pue, region)] if powered else []
    steps = [*work(training.plan.setup.shape), step_time(), run_time(priced=priced)]
    steps += [energy(with_grid=region is not None)] if powered else []
    return Book(inputs=tuple(inputs), steps=tuple(steps), results=RESULTS)


def _run(training: Training) -> Section:
    plan, setup = training.plan, training.plan.setup
    counted = "samples" if setup.shape.kind == "other" else "tokens"
    return Section(
        "The run",
        (
            Row(name="tokens", label=f"{counted.capitalize()} to train on", expected=setup.tokens, unit=counted),
            Row(name="gpus", label="GPUs", expected=plan.gpus),
            Row(name="sequence_tokens", label="Length of a sequence", expected=plan.sequence_length, unit="tokens"),
            Row(name="batch_tokens", label="Of a step", expected=plan.batch_tokens, unit=counted),
            Row(
                name="recompute",
                label="Activations recomputed",
                expected=plan.recompute,
                choices=("none", "selective", "full"),
            ),
            Row(name="method", label="What is trained", expected=setup.method, choices=METHODS),
            Row(name="lora_rank", label="Rank of LoRA's adapters", expected=setup.lora_rank),
            Row(name="tensor_parallel", label="Tensor parallel over GPUs", expected=plan.tensor_parallel),
        ),
    )


def _hardware(training: Training) -> Section:
    """The peak that the efficiency is a share of, and the one that MFU is."""
    setup = training.plan.setup
    section = device_section(setup.gpu, peak=training.base_peak, peak_words="that the efficiency is a share of")
    own = Row(
        name="mfu_peak_flops_per_s",
        label=f"Peak in {setup.precision}, which MFU is a share of",
        expected=training.peak_flops_per_s,
        unit="FLOP/s",
        source=setup.gpu.source,
    )
    return Section(section.title, (*section.rows, own))


def _efficiency(training: Training) -> Section:
    if training.plan.setup.hfu is not None:
        return Section("Efficiency", (given("hfu", "Share of the peak reached (HFU)", training.hfu, "", "measured"),))
    constant, gpus, above, below, full = _slopes(training)
    spread = math.sqrt(training.hfu.high / training.hfu.low)
    count = f"LOG(MIN(MAX(gpus,{FEW_GPUS}),{MOST_GPUS})/{COUNT_MIDDLE},2)"
    size = f"LOG(MAX(active_parameters,{SMALLEST:.0f})/{SIZE_BEND:.0f},2)"
    logarithm = (
        f"hfu_constant+hfu_gpus*{count}+hfu_above*MAX(0,{size})+hfu_below*MIN(0,{size})"
        '+IF(recompute="full",hfu_recomputed,0)'
    )
    fitted = (
        ("hfu_constant", "ln HFU on this GPU, with 512 of them and 30 billion parameters", constant),
        ("hfu_gpus", "Change of ln HFU for each doubling of the GPUs", gpus),
        ("hfu_above", "… of the parameters, above 30 billion", above),
        ("hfu_below", "… of the parameters, below 30 billion", below),
        ("hfu_recomputed", "Change of ln HFU with full recomputation", full),
        ("hfu_spread", "High ÷ expected", spread),
    )
    efficiency = Row(
        name="hfu",
        label="Share of the peak reached (HFU)",
        low=Formula("hfu/hfu_spread"),
        expected=Formula(f"MIN({MOST},MAX({LEAST},EXP({logarithm})))"),
        high=Formula("hfu*hfu_spread"),
        source=_FIT,
    )
    return Section(
        "Efficiency: type over its last row what you have measured",
        (*(Row(name=name, label=label, expected=value, source=_FIT) for name, label, value in fitted), efficiency),
    )


def _slopes(training: Training) -> tuple[float, float, float, float, float]:
    """The fit around this run, read off it: ln HFU at its bend, for a doubling of GPUs, of a larger and of a smaller
    model, and for full recomputation."""
    setup, fit = training.plan.setup, the_fit()

    def at(gpus: int = COUNT_MIDDLE, size: float = 1.0, recompute: Recompute = "selective") -> float:
        shape = replace(setup.shape, active_parameters=int(SIZE_BEND * size))
        return math.log(fit.hfu(shape, setup.gpu, gpus, recompute, fp8=setup.precision == "fp8"))

    middle = at()
    return (
        middle,
        at(gpus=2 * COUNT_MIDDLE) - middle,
        at(size=2.0) - middle,
        middle - at(size=0.5),
        at(recompute="full") - middle,
    )


def _beside() -> Section:
    """What an efficiency leaves out, as the engine's modules say it."""
    zero, megatron, llama = "arXiv 1910.02054, § 3.1 and 7", "arXiv 1909.08053, § 3", "arXiv 2407.21783, § 3.3.4"
    fixed = (
        ("update_bytes", "Moved for each parameter's update", optimizer_step.BYTES_PER_PARAMETER, "bytes", zero),
        ("update_bandwidth_share", "… at this share of the bandwidth", optimizer_step.SHARE_OF_BANDWIDTH, "", ""),
        ("reference_intra", "Link in a node of the fitted runs", communication.REFERENCE_INTRA, "bytes/s", megatron),
        ("reference_network", "Network of the fitted runs", communication.REFERENCE_NETWORK, "bytes/s", zero),
        ("hidden_share", "Arithmetic that an exchange can run beside", communication.HIDDEN, "", "judgement"),
        ("failure_hours", "Between failures of one GPU", interruptions.HOURS_BETWEEN_FAILURES, "h", llama),
    )
    return Section(
        "Beside the arithmetic",
        (
            *(Row(name=n, label=label, expected=v, unit=unit, source=source) for n, label, v, unit, source in fixed),
            given("hours_lost", "Lost at each failure", interruptions.HOURS_LOST, "h", f"{llama}; judgement"),
            given("qlora_slower", "Arithmetic of QLoRA, which dequantises, times", QLORA_SLOWER, "", "torchtune"),
        ),
    )


def _money(price: HourPrice) -> Section:
    assert price.usd_per_gpu_hour is not None  # the caller has looked
    row = given("usd_per_gpu_hour", "Price of a GPU-hour", price.usd_per_gpu_hour, "USD/h", price.source)
    return Section("Money", (row,))


def _power(pue: float | None, region: str | None) -> Section:
    rows = [
        given("load_share", "Power drawn, of the rated", LOAD, "", "arXiv 2506.14551; arXiv 2412.08602"),
        given("host_factor", "Watts of the server for each watt of its GPUs", HOST, "", "arXiv 2211.02001; DGX H100"),
        given("pue", "Power usage effectiveness", _pue(pue), "", "Uptime Institute 2025; judgement"),
    ]
    if region is not None:
        grid = find_region(region)
        intensity = Range.around(grid.grams_co2e_per_kwh, GRID_FACTOR)
        rows.append(given("grid_g_per_kwh", f"Grid: {grid.name}", intensity, "g/kWh", grid.source))
    return Section("Power", tuple(rows))


def _pue(given_pue: float | None) -> Range:
    return PUE if given_pue is None else Range.exactly(given_pue)

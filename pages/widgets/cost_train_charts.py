"""Pictures of a training run: its time and cost by the number of GPUs, and where the time goes."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go

from core.errors import InvalidInput
from core.estimate.ranges import Range
from core.estimate.training import QLORA_SLOWER, Training, flop_per_token, train
from core.estimate.words import said
from pages.widgets.chart_parts import (
    Picture,
    Row,
    Sketch,
    dollars,
    even_axis,
    hover,
    log_axis,
    range_row,
    scale_of,
    short,
    told_range,
)
from pages.widgets.part_bars import Part, parts_figure

TIMES = (0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16)  # of the planned GPUs
TICKS, FEW_TICKS = (0.5, 1, 2, 4, 8, 16), (1, 4, 16)
LONG_NUMBER = 6  # characters: six of these have no room on a narrow screen
SECONDS = 86_400


def pictures(training: Training) -> tuple[Picture, ...]:
    """The time, with the cost below it where there is a price; and where the time goes."""
    price = training.usd_per_gpu_hour
    return (
        ("time-by-gpus", gpus_figure(training, price), gpus_rows(training, price)),
        ("where-the-time-goes", time_figure(training), time_rows(training)),
    )


def gpus_figure(training: Training, usd_per_gpu_hour: Range | None = None) -> go.Figure:
    """From half of the planned GPUs to 16 times as many, both axes logarithmic: twice the GPUs, half the time, less
    what they lose to one another. With a price, the cost stands below, from 0."""
    runs, plan = _runs(training), training.plan.gpus
    sketch = Sketch(log_x=True, log_y=True)
    x = [run.plan.gpus for run in runs]
    scale, unit = scale_of("s", training.days.expected * SECONDS)
    times = [run.days * SECONDS for run in runs]
    texts = [_told(run, usd_per_gpu_hour) for run in runs]
    sizes = [12.0 if gpus == plan else 5.0 for gpus in x]
    sketch.band(x, times, sketch.colours[0], scale=scale)
    sketch.line(x, [one.expected / scale for one in times], sketch.colours[0], texts, sizes=sizes)
    sketch.label(
        plan,
        training.days.high * SECONDS / scale,
        f"<b>{said(training.days.expected * SECONDS, 's')}</b> with {plan:,} GPU{'s' if plan != 1 else ''}, as planned",
        xanchor="left",
        yanchor="bottom",
    )
    low, high = min(one.low for one in times) / scale, max(one.high for one in times) / scale
    wide = len(f"{x[-1]:,}") > LONG_NUMBER
    ticks = sorted({max(1, round(plan * times)) for times in (FEW_TICKS if wide else TICKS)} & set(x))
    numbers = [f"{tick:,}" for tick in ticks]
    across = {"type": "log", "tickvals": ticks, "ticktext": numbers, "tickangle": 0, "title": "GPUs"}
    below = log_axis(low, high, short, title=unit)
    told = "line: expected · shaded: low to high"
    if usd_per_gpu_hour is None:
        return sketch.figure("Time by number of GPUs", told=told, xaxis=across, yaxis=below)
    costs = [run.gpu_hours * usd_per_gpu_hour for run in runs]
    sketch.band(x, costs, sketch.colours[1], panel="y2")
    sketch.line(x, [one.expected for one in costs], sketch.colours[1], texts, sizes=sizes, panel="y2")
    most = 1.05 * max(one.high for one in costs)
    return sketch.figure(
        "Time and cost by number of GPUs",
        told=told,
        height=520,
        xaxis=across | {"anchor": "y2"},
        yaxis=below | {"domain": [0.42, 1]},
        yaxis2=even_axis(0, most, dollars, most=3, title="USD", domain=[0, 0.34]),
    )


def gpus_rows(training: Training, usd_per_gpu_hour: Range | None = None) -> list[Row]:
    rows = []
    for run in _runs(training):
        row: Row = {"gpus": run.plan.gpus, "planned": run.plan.gpus == training.plan.gpus}
        row |= range_row("days", run.days) | range_row("gpu_hours", run.gpu_hours)
        if usd_per_gpu_hour is not None:
            row |= range_row("cost_usd", run.gpu_hours * usd_per_gpu_hour)
        rows.append(row | {"sequences_per_replica": _sequences(run)})
    return rows


def time_figure(training: Training) -> go.Figure:
    """The whole run as one bar, and its parts at their expected values."""
    return parts_figure(
        "Where the time goes",
        "The whole run",
        training.days * SECONDS,
        [Part(name=name, value=Range.exactly(seconds)) for name, seconds in time_parts(training)],
        "s",
    )


def time_rows(training: Training) -> list[Row]:
    parts = time_parts(training)
    whole = sum(seconds for _, seconds in parts)
    return [{"part": name, "days": seconds / SECONDS, "share": seconds / whole} for name, seconds in parts]


def time_parts(training: Training) -> tuple[tuple[str, float], ...]:
    """(name, seconds) at the expected values, which add up to the run. What the GPUs would need at the peak that HFU
    is a share of, and what comes on top."""
    plan, tokens = training.plan, training.plan.setup.tokens
    model, hardware = (flop * tokens / (plan.gpus * training.base_peak) for flop in flop_per_token(plan, causal=False))
    reached = min(1.0, training.hfu.expected)  # measured shares of fp8 may pass the 16-bit peak
    computing = hardware / training.hfu.expected
    slower = QLORA_SLOWER.expected if plan.setup.method == "qlora" else 1.0
    update, links = (seconds * plan.steps for seconds in (training.optimizer_s, training.communication.extra_s))
    working = slower * computing + update + links
    return (
        ("The model's operations, at the peak", computing * reached * model / hardware),
        ("What is recomputed, at the peak", computing * reached * (1 - model / hardware)),
        ("Short of the peak: memory, kernels, links", computing * (1 - reached)),
        ("Reading 4-bit weights (QLoRA)", (slower - 1) * computing),
        ("The optimizer's update", update),
        ("Links slower than in published runs", links),
        ("Failures and restarts", working / (1 - training.lost.expected) - working),
    )


def _runs(training: Training) -> list[Training]:
    """The same run on other numbers of GPUs; those that its tensor parallelism leaves no room for are left out."""
    plan = training.plan.gpus
    setup = replace(training.plan.setup, recompute=training.plan.recompute)  # what was assumed stays
    found = {plan: training}
    for gpus in sorted({max(1, round(plan * times)) for times in TIMES} - {plan}):
        try:
            found[gpus] = train(replace(setup, gpus=gpus))
        except InvalidInput:
            continue
    return [found[gpus] for gpus in sorted(found)]


def _told(run: Training, usd_per_gpu_hour: Range | None) -> str:
    few = _sequences(run) < 1
    return hover(
        f"{run.plan.gpus:,} GPU{'s' if run.plan.gpus != 1 else ''}",
        told_range(run.days * SECONDS, "s"),
        told_range(run.gpu_hours, "GPU-hours"),
        "" if usd_per_gpu_hour is None else told_range(run.gpu_hours * usd_per_gpu_hour, "USD"),
        "more GPUs than a step has sequences: it takes a larger batch" if few else "",
    )


def _sequences(run: Training) -> float:
    """Of a step (samples, where there are no sequences), for each group of GPUs that tensor parallelism makes one."""
    plan = run.plan
    return plan.batch_tokens / (plan.sequence_length or 1) / (plan.gpus / plan.tensor_parallel)

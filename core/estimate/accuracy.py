"""The estimator held against what others published: whole training runs, timed steps, and serving rows.

Each gets what a planner has before the run (model, tokens, GPU type and count; of a step also its batch and
recomputation). Beside our estimate stands what the same model says when it was fitted without that publication, and the
rule of thumb: 6ND at 40 % of the peak. `benchmarks/estimate_accuracy.py` prints the same figures with a public peer.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from core.estimate.efficiency import Fit, fit, usable_rows
from core.estimate.flops import six_nd
from core.estimate.published_runs import PublishedRun, runs, steps
from core.estimate.published_serving import ServingRow, predicted, published_serving
from core.estimate.ranges import Range
from core.estimate.tables_csv import number
from core.estimate.training import Training, TrainSetup, train

RULE = 0.4
STEPS = 10_000  # of a run made of one published step: its number does not count
_UNITS = {"days": "days", "gpu_hours": "GPU-hours", "tflops_per_gpu": "TFLOP/s", "mfu": "share"}

Kind = Literal["reference run", "further run", "step", "serving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One published figure and what was estimated of it, in its unit. place: where it lies in a picture, the model's
    parameters or the batch. row: of a training table. left_out: by a fit without this publication; rule: 6ND at 40 %.
    None: not of its kind."""

    kind: Kind
    name: str
    where: str
    measure: str
    unit: str
    place: float
    published: float
    estimated: Range
    left_out: float | None
    rule: float | None
    source: str
    row: PublishedRun | None = None

    @property
    def error(self) -> float:
        """Estimated over published, less 1."""
        return self.estimated.expected / self.published - 1

    @property
    def inside(self) -> bool:
        return self.estimated.low <= self.published <= self.estimated.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """median, worst: of absolute errors, as shares. inside: share of truths in their ranges; None without ranges."""

    count: int
    median: float
    worst: float
    inside: float | None = None


def held_runs() -> tuple[Held, ...]:
    """Whole runs: the rows of the reference table first, then the further ones that can be relied on."""
    usable = [row for row in runs() if row.gpu is not None and (row.used or _is_reference(row))]
    ordered = sorted(usable, key=lambda row: not _is_reference(row))
    without = _left_out_fits(ordered)
    return tuple(held for row in ordered for held in _of_run(row, without[row.group]))


def held_totals() -> tuple[Held, ...]:
    """Operations of the reference runs whose total is published; no efficiency has a part in them."""
    rows = [row for row in runs() if _is_reference(row) and row.row["total_flops"]]
    return tuple(_of_total(row) for row in rows)


def held_steps() -> tuple[Held, ...]:
    """Steps that somebody's run took, with their architecture, batch and recomputation."""
    timed = [row for row in steps() if number(row.row["step_s"]) and not row.tuned and row.gpu is not None]
    without = _left_out_fits(timed)
    return tuple(_of_step(row, without[row.group]) for row in timed)


def held_serving() -> tuple[Held, ...]:
    """Published throughputs and latencies of serving engines."""
    return tuple(_of_serving(row) for row in published_serving())


def errors(rows: Iterable[Held]) -> Errors:
    """Of our estimates."""
    found = list(rows)
    return _errors([row.error for row in found], [row.inside for row in found])


def errors_left_out(rows: Iterable[Held]) -> Errors:
    """Of what a fit without the publication says."""
    return _errors([row.left_out / row.published - 1 for row in rows if row.left_out is not None])


def errors_of_rule(rows: Iterable[Held]) -> Errors:
    """Of 6ND at 40 % of the peak."""
    return _errors([row.rule / row.published - 1 for row in rows if row.rule is not None])


def _errors(found: list[float], inside: list[bool] | None = None) -> Errors:
    sizes = [abs(one) for one in found]
    return Errors(
        count=len(sizes),
        median=statistics.median(sizes) if sizes else 0.0,
        worst=max(sizes, default=0.0),
        inside=statistics.fmean(inside) if inside else None,
    )


def _is_reference(row: PublishedRun) -> bool:
    """Of the nine rows that every estimator of this kind is held against."""
    return not row.row["note"] and not row.row["precision"]


def _left_out_fits(rows: Iterable[PublishedRun]) -> dict[str, Fit]:
    groups = dict.fromkeys(row.group for row in rows)
    return {group: fit([one for one in usable_rows() if one.group != group]) for group in groups}


def _of_run(row: PublishedRun, others: Fit) -> Iterator[Held]:
    """Each figure that the row gives: time, GPU-hours, speed, share of the peak."""
    assert row.gpu is not None
    gpus = int(number(row.row["gpus"]) or row.gpus)
    tokens = float(row.row["tokens"])
    ours = train(TrainSetup(shape=row.shape, gpu=row.gpu, tokens=tokens, gpus=gpus, precision=row.precision))
    ratio = _ratio(ours, others)
    rule_days = six_nd(row.shape, tokens) / (RULE * ours.base_peak * gpus * 86_400)
    times = {"days": 1, "gpu_hours": gpus * 24}
    speeds = {"tflops_per_gpu": (ours.tflops_per_gpu, ours.base_peak / 1e12), "mfu": (ours.mfu, 1.0)}
    for measure in _UNITS:
        truth = number(row.row[measure])
        if truth is None:
            continue
        if measure in times:
            value = ours.days * times[measure]
            left_out, rule = value.expected * ratio, rule_days * times[measure]
        else:
            value, peak = speeds[measure]
            left_out, rule = value.expected / ratio, RULE * peak
        kind: Kind = "reference run" if _is_reference(row) else "further run"
        where = f"{row.row['gpus'] or '?'} × {row.gpu.name}"
        yield _held(row, kind, measure, _UNITS[measure], where, truth, value, left_out, rule)


def _of_total(row: PublishedRun) -> Held:
    total = six_nd(row.shape, float(row.row["tokens"]))
    where = "" if row.gpu is None else f"{row.row['gpus'] or '?'} × {row.gpu.name}"
    truth = float(row.row["total_flops"])
    return _held(row, "reference run", "total_flops", "FLOP", where, truth, Range.exactly(total), total, total)


def _of_step(row: PublishedRun, others: Fit) -> Held:
    assert row.gpu is not None
    ours = train(
        TrainSetup(
            shape=row.shape,
            gpu=row.gpu,
            tokens=row.batch_tokens * STEPS,
            gpus=row.gpus,
            recompute=row.recompute,
            sequence_length=row.sequence_length,
            global_batch=round(row.batch_tokens / row.sequence_length),
            precision=row.precision,
        )
    )
    truth = float(row.row["step_s"])
    rule = six_nd(row.shape, row.batch_tokens) / (RULE * ours.base_peak * row.gpus)
    where = f"{row.gpus:,} × {row.gpu.name}"
    left_out = ours.step_s.expected * _ratio(ours, others)
    return _held(row, "step", "step", "s", where, truth, ours.step_s, left_out, rule)


def _held(
    row: PublishedRun,
    kind: Kind,
    measure: str,
    unit: str,
    where: str,
    truth: float,
    value: Range,
    left_out: float,
    rule: float,
) -> Held:
    return Held(
        kind=kind,
        name=row.name,
        where=where,
        measure=measure.replace("_", " "),
        unit=unit,
        place=row.shape.parameters,
        published=truth,
        estimated=value,
        left_out=left_out,
        rule=rule,
        source=row.source,
        row=row,
    )


def _ratio(ours: Training, others: Fit) -> float:
    """Of the times: by the other fit over by ours."""
    plan = ours.plan
    fp8 = plan.setup.precision == "fp8"
    return ours.hfu.expected / others.hfu(plan.setup.shape, plan.setup.gpu, plan.gpus, plan.recompute, fp8=fp8)


def _of_serving(row: ServingRow) -> Held:
    setup = row.setup
    return Held(
        kind="serving",
        name=row.name,
        where=f"{setup.tensor_parallel} × {setup.gpu.name}, {row.engine}",
        measure=row.measure,
        unit=row.unit,
        place=setup.concurrency,
        published=row.value,
        estimated=predicted(row),
        left_out=None,
        rule=None,
        source=row.source,
    )

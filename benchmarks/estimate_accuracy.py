"""The training estimator against published runs, beside a rule of thumb and a public estimator.

    .venv/bin/python -m benchmarks.estimate_accuracy

Ours gets what a planner has before the run: model, tokens, GPU type and count. "left out" is our own model fitted
without any row of that publication. The rule is 6ND at 40 % of the peak. The peer is llm-analysis 0.2.2 (Apache-2.0),
at the efficiency of 0.5 that it names for training, installed into a folder that is thrown away."""

from __future__ import annotations

import contextlib
import io
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estimate_tables import print_serving, print_sizes
from core.estimate.efficiency import Fit, fit, usable_rows
from core.estimate.flops import six_nd
from core.estimate.published_runs import PublishedRun, runs, steps
from core.estimate.ranges import Range
from core.estimate.tables_csv import number
from core.estimate.training import Training, TrainSetup, train

PEER = "llm-analysis==0.2.2"
PEER_NEEDS = ("fire==0.5.0", "six==1.17.0", "termcolor==3.1.0")
PEER_EFFICIENCY = 0.5
RULE = 0.4
MEASURES = ("days", "gpu_hours", "tflops_per_gpu", "mfu", "total_flops")


@dataclass(frozen=True, slots=True)
class Miss:
    """One published figure. The values are estimates of it; None where an estimator has none."""

    row: PublishedRun
    measure: str
    truth: float
    ours: Range
    without: float | None
    rule: float | None
    peer: float | None

    @property
    def inside(self) -> bool:
        return self.ours.low <= self.truth <= self.ours.high


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = _peer(Path(folder))
        for title, rows in _tables():
            _print(title, [miss for row in rows for miss in _misses(row, peer)])
    _print_steps()
    print_sizes()
    print_serving()


def _tables() -> list[tuple[str, list[PublishedRun]]]:
    """The rows that every estimator of this kind is held against, then all the others that can be relied on."""
    first = [row for row in runs() if row.row["note"] == "" and row.row["precision"] == ""]
    others = [row for row in runs() if row not in first and row.used and row.gpu]
    return [("Whole runs: the nine rows of the reference table", first), ("Whole runs: further published rows", others)]


def _misses(row: PublishedRun, peer: Callable[[PublishedRun], float | None] | None) -> list[Miss]:
    if row.gpu is None:
        exact = Range.exactly(six_nd(row.shape, float(row.row["tokens"])))
        return [Miss(row, "total_flops", float(row.row["total_flops"]), exact, None, exact.expected, None)]
    ours = _planned(row)
    others = fit([one for one in usable_rows() if one.group != row.group])
    ratio = _ratio(ours, others)  # of times: what the left-out fit would have said
    rule_days = six_nd(row.shape, ours.plan.setup.tokens) / (RULE * ours.base_peak * ours.plan.gpus * 86_400)
    days = None if peer is None else peer(row)
    found = []
    for measure in MEASURES:
        truth = number(row.row[measure])
        if truth is None:
            continue
        found.append(_miss(row, measure, truth, ours, ratio, rule_days, days))
    return found


def _miss(
    row: PublishedRun,
    measure: str,
    truth: float,
    ours: Training,
    ratio: float,
    rule_days: float,
    peer_days: float | None,
) -> Miss:
    gpus = ours.plan.gpus
    if measure == "total_flops":
        return Miss(row, measure, truth, Range.exactly(ours.total_flops), ours.total_flops, ours.total_flops, None)
    speed = {"tflops_per_gpu": ours.base_peak / 1e12, "mfu": 1.0}.get(measure)
    if speed is not None:
        value = ours.tflops_per_gpu if measure == "tflops_per_gpu" else ours.mfu
        peer = None if peer_days is None else _useful_share(ours, peer_days) * speed
        return Miss(row, measure, truth, value, value.expected / ratio, RULE * speed, peer)
    scale = gpus * 24 if measure == "gpu_hours" else 1
    peer = None if peer_days is None else peer_days * scale
    return Miss(row, measure, truth, ours.days * scale, ours.days.expected * scale * ratio, rule_days * scale, peer)


def _planned(row: PublishedRun) -> Training:
    """With what is known before the run; the row's precision is a choice, so it counts as known."""
    assert row.gpu is not None
    return train(
        TrainSetup(
            shape=row.shape,
            gpu=row.gpu,
            tokens=float(row.row["tokens"]),
            gpus=int(number(row.row["gpus"]) or row.gpus),
            precision=row.precision,
        )
    )


def _ratio(ours: Training, others: Fit) -> float:
    plan = ours.plan
    fp8 = plan.setup.precision == "fp8"
    return ours.hfu.expected / others.hfu(plan.setup.shape, plan.setup.gpu, plan.gpus, plan.recompute, fp8=fp8)


def _useful_share(ours: Training, days: float) -> float:
    return ours.total_flops / (days * 86_400 * ours.plan.gpus * ours.base_peak)


def _peer(folder: Path) -> Callable[[PublishedRun], float | None] | None:
    """Days of a run by the peer; None where it cannot be installed."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), PEER, *PEER_NEEDS],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"(Without {PEER}: it could not be installed.)")
        return None
    sys.path.insert(0, str(folder))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        from llm_analysis import analysis, config, logger  # type: ignore[import-not-found]
    logger.logger.setLevel("ERROR")
    known = {json.loads(file.read_text())["name"] for file in folder.glob("llm_analysis/gpu_configs/*.json")}

    def days(row: PublishedRun) -> float | None:
        assert row.gpu is not None
        if row.gpu.id not in known:
            return None
        return _peer_days(analysis, config, row)

    return days


def _peer_days(analysis: Any, config: Any, row: PublishedRun) -> float | None:
    shape = row.shape
    assert row.gpu is not None
    tensor = min(8, row.gpus) if shape.parameters > 20e9 else 1
    recompute = analysis.ActivationRecomputation
    for pipeline, kind in ((1, recompute.NONE), (1, recompute.FULL), (8, recompute.FULL), (16, recompute.FULL)):
        if row.gpus % (tensor * pipeline) or shape.layers % pipeline:
            continue
        peer = analysis.LLMAnalysis(
            config.ModelConfig(shape.name, shape.layers, shape.heads, shape.hidden, shape.vocabulary, max_seq_len=8192),
            config.get_gpu_config_by_name(row.gpu.id),
            parallelism_config=config.ParallelismConfig(
                tp_size=tensor, pp_size=pipeline, dp_size=row.gpus // tensor // pipeline
            ),
            flops_efficiency=PEER_EFFICIENCY,
        )
        # It refuses, by an assertion, what it thinks does not fit.
        with contextlib.suppress(AssertionError, ZeroDivisionError), contextlib.redirect_stdout(io.StringIO()):
            found = peer.training(
                batch_size_per_gpu=1,
                seq_len=row.sequence_length,
                total_num_tokens=int(float(row.row["tokens"])),
                activation_recomputation=kind,
                ds_zero=analysis.DSZeRO.STAGE_3 if tensor == 1 else analysis.DSZeRO.STAGE_1,
            )
            return float(found["total_training_latency"]) / 86_400
    return None


def _print(title: str, misses: Sequence[Miss]) -> None:
    print(f"\n{title}\n")
    print("| run | GPUs | figure | published | ours (range) | error | left out | 6ND at 40 % | llm-analysis |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for miss in misses:
        gpus = f"{miss.row.row['gpus'] or '?'} × {miss.row.gpu.id}" if miss.row.gpu else ""
        cells = [miss.row.name, gpus, miss.measure, f"{miss.truth:.4g}"]
        cells.append(f"{miss.ours.expected:.4g} ({miss.ours.low:.3g}–{miss.ours.high:.3g})")
        cells += [_percent(value, miss.truth) for value in (miss.ours.expected, miss.without, miss.rule, miss.peer)]
        print(f"| {' | '.join(cells)} |")
    print()
    rows = [miss for miss in misses if miss.measure != "total_flops"]
    for name, values in (
        ("ours", [(miss.ours.expected, miss.truth) for miss in rows]),
        ("ours, publication left out", [(miss.without, miss.truth) for miss in rows]),
        ("6ND at 40 %", [(miss.rule, miss.truth) for miss in rows]),
        ("llm-analysis", [(miss.peer, miss.truth) for miss in rows]),
    ):
        errors = [abs(value / truth - 1) for value, truth in values if value]
        if errors:
            print(f"{name}: median {statistics.median(errors):.1%}, worst {max(errors):.1%}, {len(errors)} figures")
    inside = sum(miss.inside for miss in rows)
    widest = max(miss.ours.spread for miss in rows)
    print(f"inside the range: {inside} of {len(rows)} ({inside / len(rows):.0%}); high ÷ low at most {widest:.2f}")


def _percent(value: float | None, truth: float) -> str:
    return "" if value is None else f"{value / truth - 1:+.1%}"


def _print_steps() -> None:
    """Steps of a stated architecture, batch and recomputation, timed by their publishers."""
    print("\nSteps\n")
    print("| step | GPUs | recomputation | published s | ours | error | inside |")
    print("| --- | --- | --- | ---: | ---: | ---: | --- |")
    errors, inside = [], 0
    for row in steps():
        seconds = number(row.row["step_s"])
        if not seconds or row.tuned or row.gpu is None:
            continue
        batch = round(row.batch_tokens / row.sequence_length)
        ours = train(
            TrainSetup(
                shape=row.shape,
                gpu=row.gpu,
                tokens=row.batch_tokens * 1e4,
                gpus=row.gpus,
                recompute=row.recompute,
                sequence_length=row.sequence_length,
                global_batch=batch,
                precision=row.precision,
            )
        ).step_s
        held = ours.low <= seconds <= ours.high
        errors.append(abs(ours.expected / seconds - 1))
        inside += held
        error = _percent(ours.expected, seconds)
        print(
            f"| {row.name} | {row.gpus} × {row.gpu.id} | {row.recompute} | {seconds:g} "
            f"| {ours.expected:.2f} | {error} | {'yes' if held else 'no'} |"
        )
    print(f"\nmedian {statistics.median(errors):.1%}, worst {max(errors):.1%}; inside {inside} of {len(errors)}")
    print(f"The fit has {len(usable_rows())} rows; scatter of its residuals (ln) {_scatter():.3f}.")


def _scatter() -> float:
    whole = fit(usable_rows())
    misses = [math.log((row.hfu or 1.0) / whole.of(row)) for row in usable_rows() if not row.tuned]
    return statistics.pstdev(misses)


if __name__ == "__main__":
    main()

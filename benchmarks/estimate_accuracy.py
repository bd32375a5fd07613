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
from pathlib import Path
from typing import Any

from benchmarks.estimate_tables import print_serving, print_sizes
from core.estimate.accuracy import (
    Held,
    errors,
    errors_left_out,
    errors_of_rule,
    held_runs,
    held_steps,
    held_totals,
)
from core.estimate.efficiency import the_fit, usable_rows
from core.estimate.flops import six_nd
from core.estimate.published_runs import PublishedRun

PEER = "llm-analysis==0.2.2"
PEER_NEEDS = ("fire==0.5.0", "six==1.17.0", "termcolor==3.1.0")
PEER_EFFICIENCY = 0.5

Peer = Callable[[PublishedRun], float | None]


def main() -> None:
    held = held_runs()
    reference = [one for one in held if one.kind == "reference run"]
    further = [one for one in held if one.kind == "further run"]
    with tempfile.TemporaryDirectory() as folder:
        peer = _peer(Path(folder))
        _print("Whole runs: the nine rows of the reference table", [*reference, *held_totals()], peer)
        _print("Whole runs: further published rows", further, peer)
    _print_steps()
    print_sizes()
    print_serving()


def _peer_value(one: Held, peer: Peer | None) -> float | None:
    """The peer's, in the figure's unit: of its days, the useful share of the peak."""
    row = one.row
    days = None if row is None or row.gpu is None or peer is None or one.unit == "FLOP" else peer(row)
    if days is None or row is None or row.gpu is None:
        return None
    if one.unit in ("days", "GPU-hours"):
        return days * (1 if one.unit == "days" else row.gpus * 24)
    peak = row.gpu.flops_per_s("bf16")
    share = six_nd(row.shape, float(row.row["tokens"])) / (days * 86_400 * row.gpus * peak)
    return share * (1 if one.unit == "share" else peak / 1e12)


def _peer(folder: Path) -> Peer | None:
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


def _print(title: str, held: Sequence[Held], peer: Peer | None) -> None:
    print(f"\n{title}\n")
    print("| run | GPUs | figure | published | ours (range) | error | left out | 6ND at 40 % | llm-analysis |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    peers: list[float] = []
    for one in held:
        theirs = _peer_value(one, peer)
        peers += [] if theirs is None else [abs(theirs / one.published - 1)]
        ours = f"{one.estimated.expected:.4g} ({one.estimated.low:.3g}–{one.estimated.high:.3g})"
        shown = [_percent(value, one.published) for value in (one.estimated.expected, one.left_out, one.rule, theirs)]
        print(f"| {' | '.join([one.name, one.where, one.measure, f'{one.published:.4g}', ours, *shown])} |")
    print()
    rows = [one for one in held if one.unit != "FLOP"]
    for name, found in (
        ("ours", errors(rows)),
        ("ours, publication left out", errors_left_out(rows)),
        ("6ND at 40 %", errors_of_rule(rows)),
    ):
        print(f"{name}: median {found.median:.1%}, worst {found.worst:.1%}, {found.count} figures")
    if peers:
        print(f"llm-analysis: median {statistics.median(peers):.1%}, worst {max(peers):.1%}, {len(peers)} figures")
    _print_inside(rows)


def _print_inside(rows: Sequence[Held]) -> None:
    inside = sum(one.inside for one in rows)
    widest = max(one.estimated.spread for one in rows)
    print(f"inside the range: {inside} of {len(rows)} ({inside / len(rows):.0%}); high ÷ low at most {widest:.2f}")


def _percent(value: float | None, truth: float) -> str:
    return "" if value is None else f"{value / truth - 1:+.1%}"


def _print_steps() -> None:
    """Steps of a stated architecture, batch and recomputation, timed by their publishers."""
    print("\nSteps\n")
    print("| step | GPUs | recomputation | published s | ours | error | inside |")
    print("| --- | --- | --- | ---: | ---: | ---: | --- |")
    held = held_steps()
    for one in held:
        recompute = one.row.recompute if one.row else ""
        print(
            f"| {one.name} | {one.where} | {recompute} | {one.published:g} | {one.estimated.expected:.2f} "
            f"| {one.error:+.1%} | {'yes' if one.inside else 'no'} |"
        )
    found = errors(held)
    inside = sum(one.inside for one in held)
    print(f"\nmedian {found.median:.1%}, worst {found.worst:.1%}; inside {inside} of {found.count}")
    print(f"The fit has {len(usable_rows())} rows; scatter of its residuals (ln) {_scatter():.3f}.")


def _scatter() -> float:
    whole = the_fit()
    misses = [math.log((row.hfu or 1.0) / whole.of(row)) for row in usable_rows() if not row.tuned]
    return statistics.pstdev(misses)


if __name__ == "__main__":
    main()

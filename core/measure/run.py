"""Measures a grid on this machine, cell by cell.

Exports are made and the machine is probed first. Then each precision runs in a fresh process, smaller cells before
larger ones, since a process does not give back what it has taken. A cell is handed out as soon as it is measured, so
that a grid that is cancelled keeps what it has.
"""

from __future__ import annotations

import socket
import statistics
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.artefacts import Progress, no_progress, part_of
from core.measure.child import Tell, in_a_process
from core.measure.environment import device_name, environment
from core.measure.grid import Grid
from core.measure.probe import Limits, probe
from core.measure.rounds import Loaded, Measured, Wish, measure_export, pieces
from core.measure.work import Weights, Work, decode_work, pass_work, prefill_work, read_weights
from core.models import catalogue
from core.models.cards import Architecture, Task
from core.onnx.devices import resolve_device
from core.onnx.exports import Export, ensure_export, list_exports
from core.settings import get_settings
from core.store.measurements import NewMeasurement
from core.store.schema import new_id

_EXPORTED, _PROBED = 0.15, 0.2  # of the progress


@dataclass(frozen=True, slots=True)
class _Run:
    """What all cells of one run share. batch_id: its own."""

    batch_id: str
    job_id: str | None
    grid: Grid
    architecture: Architecture
    device: str
    threads: int
    limits: Limits


def measure(
    model_id: str, grid: Grid, *, device: str = "auto", progress: Progress = no_progress, job_id: str | None = None
) -> Iterator[NewMeasurement]:
    """The cells, as they are measured. Exports that are not there are made.

    Raises InvalidInput for a grid out of bounds, whatever `ensure_export` raises, Cancelled when `progress` does, and
    GroundworkError when a process dies.
    """
    where = resolve_device(device)
    grid.validate(catalogue.get(model_id), where)
    precisions = tuple(dict.fromkeys(grid.precisions))
    share = _EXPORTED / len(precisions)
    exports = [
        _exported(model_id, precision, where, part_of(progress, place * share, (place + 1) * share))
        for place, precision in enumerate(precisions)
    ]
    threads = get_settings().threads
    run = _Run(
        batch_id=new_id(),
        job_id=job_id,
        grid=grid,
        architecture=catalogue.get(model_id).architecture,
        device=where,
        threads=threads,
        limits=_probed(where, threads, part_of(progress, _EXPORTED, _PROBED)),
    )
    share = (1 - _PROBED) / len(exports)
    for place, export in enumerate(exports):
        start = _PROBED + place * share
        yield from _measured(run, export, part_of(progress, start, start + share))
    progress(1.0, "Measured")


def _exported(model_id: str, precision: str, device: str, progress: Progress) -> Export:
    """Made in a process of its own if it is not there: building runs torch."""

    def found() -> Export | None:
        made = list_exports(catalogue.get(model_id), device)
        return next((export for export in made if export.precision == precision and export.usable), None)

    export = found()
    while export is None:
        _listen(_export, model_id, precision, device, what=f"the {precision} export", progress=progress)
        export = found()
    return export


def _export(tell: Tell, model_id: str, precision: str, device: str) -> None:
    ensure_export(model_id, precision=precision, device=device, progress=lambda *said: tell(said))


def _probed(device: str, threads: int, progress: Progress) -> Limits:
    """In a process of its own, which takes what it filled with it."""
    limits = _listen(_probe, device, threads, what="probing the machine", progress=progress)
    assert isinstance(limits, Limits)
    return limits


def _probe(tell: Tell, device: str, threads: int) -> None:
    tell(probe(device, threads, lambda *said: tell(said)))


def _listen(work: Any, *arguments: Any, what: str, progress: Progress) -> Any:
    """Run it in a process that tells its progress; the last other thing that it told."""
    said, result = (0.0, f"Starting {what}"), None
    with closing(in_a_process(work, *arguments, what=what, watch=lambda: progress(*said))) as everything:
        for told in everything:
            if isinstance(told, tuple):
                said = told
                progress(*said)
            else:
                result = told
    return result


def _measured(run: _Run, export: Export, progress: Progress) -> Iterator[NewMeasurement]:
    cells = run.grid.cells
    task = Task(export.task)
    wish = Wish(export.path, task, run.device, run.threads, cells, run.grid.new_tokens, run.grid.repeats)
    weights = read_weights(export.path)
    done, load_s = 0, 0.0

    def watch() -> None:
        if done < len(cells):
            tokens, batch = cells[done]
            progress(done / len(cells), f"Measuring {export.precision}, {tokens:,} tokens × {batch}")

    what = f"measuring {export.precision}"
    with closing(in_a_process(measure_export, wish, what=what, watch=watch)) as everything:
        for told in everything:
            if isinstance(told, Loaded):
                load_s = told.load_s
            elif isinstance(told, Measured):
                yield _row(run, export, weights, told, load_s)
                done += 1
            watch()


def _row(run: _Run, export: Export, weights: Weights, cell: Measured, load_s: float) -> NewMeasurement:
    encoder = export.task != Task.TEXT_GENERATION
    new_tokens = 0 if encoder else run.grid.new_tokens
    read, made = cell.batch * cell.prompt_tokens, cell.batch * (new_tokens - 1)
    ttft = [one.ttft_s for one in cell.rounds]
    prefill, decode = _work(run.architecture, weights, cell, new_tokens)
    tokens_per_joule, power_source = _efficiency(cell, read if encoder else made, encoder)
    return NewMeasurement(
        batch_id=run.batch_id,
        job_id=run.job_id,
        model_id=export.model_id,
        revision=export.revision,
        precision=export.precision,
        backend="onnx",
        device=run.device,
        device_name=device_name(run.device),
        host=socket.gethostname(),
        threads=run.threads,
        task=export.task,
        prompt_tokens=cell.prompt_tokens,
        batch=cell.batch,
        new_tokens=new_tokens,
        repeats=len(cell.rounds),
        prefill_tokens_per_s=statistics.median(read / one.prefill_s for one in cell.rounds),
        decode_tokens_per_s=None if encoder else statistics.median(made / one.decode_s for one in cell.rounds),
        ttft_p50_s=float(np.percentile(ttft, 50)),
        ttft_p95_s=float(np.percentile(ttft, 95)),
        peak_memory_bytes=cell.peak_memory_bytes,
        load_s=load_s,
        tokens_per_joule=tokens_per_joule,
        power_source=power_source,
        flop_per_s_limit=run.limits.for_precision(export.precision),
        bandwidth_bytes_per_s=run.limits.bandwidth_bytes_per_s,
        prefill_flop=prefill.flop,
        prefill_bytes=prefill.bytes_moved,
        decode_flop=decode.flop if decode else None,
        decode_bytes=decode.bytes_moved if decode else None,
        samples={name: [getattr(one, name) for one in cell.rounds] for name in cell.rounds[0].__slots__},
        environment=environment() | {"other_work": cell.other_work, "export": _origin(export)},
        command=_command(run, export, cell),
    )


def _work(architecture: Architecture, weights: Weights, cell: Measured, new_tokens: int) -> tuple[Work, Work | None]:
    """(of reading the prompt, of a mean decode step)."""
    prompt, batch = cell.prompt_tokens, cell.batch
    if not new_tokens:
        return pass_work(weights, architecture, batch=batch, held=0, tokens=prompt, causal=False), None
    return (
        prefill_work(weights, architecture, batch=batch, pieces=pieces(prompt, batch)),
        decode_work(weights, architecture, batch=batch, prompt_tokens=prompt, new_tokens=new_tokens),
    )


def _efficiency(cell: Measured, tokens: int, encoder: bool) -> tuple[float | None, str]:
    """(tokens per joule over all rounds, what it was read from or why there is none). tokens: of one round."""
    told = [one.prefill_joules if encoder else one.decode_joules for one in cell.rounds]
    joules = [one for one in told if one is not None]
    if len(joules) < len(told):
        return None, cell.power_source
    if not sum(joules):
        return None, f"none: too short for {cell.power_source}"
    return tokens * len(joules) / sum(joules), cell.power_source


def _origin(export: Export) -> dict[str, Any]:
    """Which export it was, to be told from one that was made anew."""
    names = ("sha256", "block_size", "weights_bytes", "created_at", "app_version")
    return {name: getattr(export, name) for name in names}


def _command(run: _Run, export: Export, cell: Measured) -> dict[str, Any]:
    """The command line that measures this one cell again, after `python -m core`."""
    words = {
        "--model": export.model_id,
        "--precision": export.precision,
        "--prompt-tokens": cell.prompt_tokens,
        "--batch": cell.batch,
        "--new-tokens": run.grid.new_tokens,
        "--repeats": run.grid.repeats,
        "--device": run.device,
    }
    arguments = ["measure", *(str(word) for pair in words.items() for word in pair)]
    return {"arguments": arguments, "environment": {"GROUNDWORK_THREADS": str(run.threads)}}

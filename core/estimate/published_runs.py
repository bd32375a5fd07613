"""Published training runs and steps, each as the share of the peak that its hardware reached (HFU).

HFU counts what was recomputed, and the whole square of the attention, as the papers do (arXiv 2204.02311, appendix
B); so runs with and without recomputation, and with short and long sequences, can be compared. The time of the
optimizer's update, known from the bandwidth, and restarts are taken off first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from core.estimate.flops import training_flop_per_token
from core.estimate.hardware import Accelerator, find, published
from core.estimate.interruptions import share_lost
from core.estimate.optimizer_step import default_batch_tokens, optimizer_s
from core.estimate.recompute import Recompute, default_recompute, recomputed_flop_per_token
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_guess import shape_from_parameters
from core.estimate.tables_csv import number, rows

SEQUENCE_LENGTH = 2_048  # where a table does not say; most runs up to 2023
_PARAMETERS_PER_GPU = 20e6  # where a run does not say how many GPUs it had: about as others of its size


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """One row. group: rows of one publication, which are left out together when the fit is tested. gpus: assumed when
    the row does not say. hfu: share of the 16-bit peak (fp8 runs too), None where the row gives no speed. tuned: a
    framework's own benchmark, not somebody's run. weight: 2 for logged GPU hours and timed steps, 1 for calendar
    days."""

    name: str
    group: str
    shape: ModelShape
    gpu: Accelerator | None
    gpus: int
    sequence_length: int
    batch_tokens: float
    recompute: Recompute
    precision: str
    hfu: float | None
    tuned: bool
    weight: float
    used: bool
    row: dict[str, str]
    source: str


@lru_cache(maxsize=1)
def runs() -> tuple[PublishedRun, ...]:
    """`tables/training_runs.csv`: whole runs, by model, tokens, GPU type and count."""
    return tuple(_published(row, _run_shape(row), _run_hours(row)) for row in rows("training_runs"))


@lru_cache(maxsize=1)
def steps() -> tuple[PublishedRun, ...]:
    """`tables/training_steps.csv`: single steps, by architecture, batch and recomputation."""
    return tuple(_published(row, _step_shape(row), None) for row in rows("training_steps"))


def _published(row: dict[str, str], shape: ModelShape, hours: float | None) -> PublishedRun:
    gpu = find(row["gpu"], published()) if row["gpu"] else None
    gpus = int(number(row["gpus"]) or max(8, min(2048, round(shape.active_parameters / _PARAMETERS_PER_GPU))))
    sequence = int(number(row["sequence_length"]) or SEQUENCE_LENGTH)
    sequences = number(row.get("global_batch", ""))
    batch = sequences * sequence if sequences else default_batch_tokens(shape.parameters)
    said = row["recompute"]
    recompute = cast(Recompute, said) if said else default_recompute(shape, gpu) if gpu else "none"
    found = None if gpu is None else _hfu(row, shape, gpu, gpus, sequence, batch, recompute, hours)
    return PublishedRun(
        name=row["name"],
        group=row["group"] or row["source"],
        shape=shape,
        gpu=gpu,
        gpus=gpus,
        sequence_length=sequence,
        batch_tokens=batch,
        recompute=recompute,
        precision=row.get("precision") or "bf16",
        hfu=found,
        tuned=row["tuned"] == "yes",
        weight=2.0 if row.get("gpu_hours") or row.get("step_s") else 1.0,
        used=row["fit"] != "no",
        row=row,
        source=row["source"],
    )


def _hfu(
    row: dict[str, str],
    shape: ModelShape,
    gpu: Accelerator,
    gpus: int,
    sequence: int,
    batch: float,
    recompute: Recompute,
    hours: float | None,
) -> float | None:
    """From whatever the row gives, the most direct first."""
    model = training_flop_per_token(shape, sequence, causal=False)
    hardware = model + recomputed_flop_per_token(shape, sequence, recompute, causal=False)
    full = gpu.flops_per_s("bf16")
    seconds, speed = number(row.get("step_s", "")), number(row.get("tokens_per_s_per_gpu", ""))
    reached, share, utilisation = (number(row.get(name, "")) for name in ("tflops_per_gpu", "hfu", "mfu"))
    if seconds and row["gpus"]:
        found = hardware * batch / (seconds * gpus * full)
    elif speed:
        found = hardware * speed / full
    elif reached:
        found = reached * 1e12 / full
    elif share or utilisation:
        found = share or (utilisation or 0.0) * hardware / model
    elif hours:
        lost = share_lost(gpus).expected
        found = hardware * float(row["tokens"]) / (hours * (1 - lost) * 3600 * full)
    else:
        return None
    step = hardware * batch / (gpus * full * found)
    return found / (1 - min(0.3, optimizer_s(shape.parameters, gpu, gpus) / step))


def _run_shape(row: dict[str, str]) -> ModelShape:
    parameters, active = float(row["parameters"]), number(row["active_parameters"])
    return shape_from_parameters(parameters, active_parameters=active, name=row["name"])


def _run_hours(row: dict[str, str]) -> float | None:
    """GPU hours; None without tokens or time."""
    gpus, days, hours = (number(row[name]) for name in ("gpus", "days", "gpu_hours"))
    if hours is None and days is not None and gpus is not None:
        hours = days * 24 * gpus
    return hours if row["tokens"] else None


def _step_shape(row: dict[str, str]) -> ModelShape:
    if not row["layers"]:
        return _run_shape(row)

    def count(name: str) -> int | None:
        value = number(row[name])
        return None if value is None else int(value)

    ffn, hidden = count("ffn"), int(row["hidden"])
    return shape_by_hand(
        name=row["name"],
        layers=int(row["layers"]),
        hidden=hidden,
        heads=int(row["heads"]),
        kv_heads=count("kv_heads"),
        ffn=ffn,
        vocabulary=int(row["vocabulary"]),
        tied=not ffn or ffn == 4 * hidden,
    )

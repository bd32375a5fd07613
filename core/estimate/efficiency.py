"""How much of the peak a training run reaches (HFU), from a model fitted to published runs rather than one constant.

ln HFU is linear in: the device's balance of operations to bandwidth, the size of the model (with a bend at 30 billion
parameters, and steeper for small models on devices of high balance), the number of GPUs, full recomputation, experts,
fp8, whether it is a framework's own benchmark, and a term for each kind of GPU that a ridge holds near zero. Huber's
loss keeps one odd run from bending the rest. The range is as wide as what the fit missed by on publications that were
left out of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator
from core.estimate.published_runs import PublishedRun, runs, steps
from core.estimate.ranges import Range
from core.estimate.recompute import Recompute
from core.estimate.shape import ModelShape

Vector = npt.NDArray[np.float64]

A100_BALANCE = 153  # operations for each byte
LEAST_BALANCE, MOST_BALANCE = 139, 313  # V100 and GB200: no device beyond them has published runs
SIZE_BEND = 30e9  # parameters
SMALLEST, LARGEST = 1e8, 1.2e12  # parameters of a token: beyond, nothing is extrapolated (the largest run has 1.16e12)
COUNT_MIDDLE = 512  # GPUs
FEW_GPUS, MOST_GPUS = 64, 32_768  # fewer gain nothing more; more were never published
HUBER = 0.05  # in ln: a residual beyond 5 % counts linearly
RIDGE = 0.05  # of the slopes
RIDGE_GPU = 1.5  # of one kind of GPU: three runs move it by two thirds of what they say
TUNED_WEIGHT = 0.5  # a framework's benchmark tells of the device more than of a run
GROUP_ROWS = 3  # a publication of more rows counts as much as this many and the root of the rest
WIDEST = 1.78  # high ÷ low; holds 9 of 10 rows of the fit that were left out of it, of whole runs 8 of 10
UNSEEN = 1.35  # for a kind of GPU without published runs, the range is wider by this factor on either side (judgement)
LEAST, MOST = 0.02, 0.95  # of the 16-bit peak; fp8 reached 0.9


@dataclass(frozen=True, slots=True)
class Efficiency:
    """hfu: share of the 16-bit peak, recomputation counted; in fp8 it may pass the one of bf16. rows: published runs
    in the fit. nearest: name, HFU and source of those most like this one. seen: whether there are any on this kind of
    GPU."""

    hfu: Range
    rows: int
    nearest: tuple[tuple[str, float, str], ...]
    seen: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of one fit, and the kinds of GPU it has a term for."""

    coefficients: Vector
    kinds: tuple[str, ...]

    def hfu(
        self,
        shape: ModelShape,
        gpu: Accelerator,
        gpus: int,
        recompute: Recompute,
        *,
        fp8: bool = False,
        tuned: bool = False,
    ) -> float:
        """Within what was ever published."""
        features = _features(self.kinds, shape, gpu, gpus, recompute, fp8=fp8, tuned=tuned)
        return min(MOST, max(LEAST, math.exp(float(features @ self.coefficients))))

    def of(self, row: PublishedRun) -> float:
        """HFU that a published row should have."""
        assert row.gpu is not None
        fp8 = row.precision == "fp8"
        return self.hfu(row.shape, row.gpu, row.gpus, row.recompute, fp8=fp8, tuned=row.tuned)


def efficiency(
    shape: ModelShape, gpu: Accelerator, gpus: int, recompute: Recompute, *, fp8: bool = False
) -> Efficiency:
    """For somebody's own run. Raises InvalidInput for fewer than one GPU."""
    if gpus < 1:
        raise InvalidInput(f"{gpus} GPUs cannot train.", allowed="At least 1.")
    fit = the_fit()
    seen = _kind(gpu) in fit.kinds
    expected = fit.hfu(shape, gpu, gpus, recompute, fp8=fp8)
    factor = math.sqrt(WIDEST) * (1.0 if seen else UNSEEN)
    most = gpu.fp8_flops_per_s / gpu.fp16_flops_per_s if fp8 and gpu.fp8_flops_per_s else 1.0
    return Efficiency(
        hfu=Range(expected / factor, expected, max(expected, min(most, expected * factor))),
        rows=len(usable_rows()),
        nearest=_nearest(shape, gpu, gpus),
        seen=seen,
    )


@lru_cache(maxsize=1)
def usable_rows() -> tuple[PublishedRun, ...]:
    """Published rows with a speed that can be relied on."""
    return tuple(row for row in (*runs(), *steps()) if row.hfu and row.gpu and row.used)


@lru_cache(maxsize=1)
def the_fit() -> Fit:
    """To all usable rows."""
    return fit(usable_rows())


def fit(rows: Sequence[PublishedRun]) -> Fit:
    """Iteratively reweighted least squares for Huber's loss (Huber 1964, doi 10.1214/aoms/1177703732), with a ridge."""
    kinds = tuple(sorted({_kind(row.gpu) for row in rows if row.gpu}))
    x = np.array([_row_features(kinds, row) for row in rows])
    y = np.log([row.hfu or 1.0 for row in rows])
    many = Counter(row.group for row in rows)
    known = np.array(
        [
            row.weight * (TUNED_WEIGHT if row.tuned else 1.0) * math.sqrt(GROUP_ROWS / max(GROUP_ROWS, many[row.group]))
            for row in rows
        ]
    )
    ridge = np.diag([0.0, *[RIDGE] * (x.shape[1] - 1 - len(kinds)), *[RIDGE_GPU] * len(kinds)])
    solution, robust = np.zeros(x.shape[1]), np.ones(len(y))
    for _ in range(80):
        weights = known * robust
        solution = np.linalg.solve(x.T @ (weights[:, None] * x) + ridge, x.T @ (weights * y))
        robust = np.minimum(1.0, HUBER / np.maximum(np.abs(y - x @ solution), 1e-9))
    return Fit(solution, kinds)


@lru_cache(maxsize=1)
def left_out() -> tuple[tuple[PublishedRun, float], ...]:
    """Each usable row, and its HFU by a fit to the other publications."""
    found: list[tuple[PublishedRun, float]] = []
    for group in dict.fromkeys(row.group for row in usable_rows()):
        others = fit([row for row in usable_rows() if row.group != group])
        found += [(row, others.of(row)) for row in usable_rows() if row.group == group]
    return tuple(found)


def _features(
    kinds: Sequence[str],
    shape: ModelShape,
    gpu: Accelerator,
    gpus: int,
    recompute: Recompute,
    *,
    fp8: bool,
    tuned: bool,
) -> Vector:
    balance = gpu.fp16_flops_per_s / gpu.memory_bandwidth_bytes_per_s
    balance = math.log2(min(max(balance, LEAST_BALANCE), MOST_BALANCE) / A100_BALANCE)
    size = math.log2(min(max(shape.active_parameters, SMALLEST), LARGEST) / SIZE_BEND)
    small, full = min(0.0, size), recompute == "full"
    values = [
        1.0,
        balance,
        float(full and not tuned),
        math.log2(min(max(gpus, FEW_GPUS), MOST_GPUS) / COUNT_MIDDLE),
        max(0.0, size),
        small,
        balance * small,
        float(shape.is_moe),
        float(tuned),
        float(tuned) * small,
        float(full and tuned),
        float(fp8),
    ]
    return np.array([*values, *(float(_kind(gpu) == kind) for kind in kinds)])


def _row_features(kinds: Sequence[str], row: PublishedRun) -> Vector:
    assert row.gpu is not None
    fp8 = row.precision == "fp8"
    return _features(kinds, row.shape, row.gpu, row.gpus, row.recompute, fp8=fp8, tuned=row.tuned)


def _kind(gpu: Accelerator) -> str:
    """a100-sxm-40gb and a100-sxm-80gb are one kind."""
    return gpu.id.split("-")[0]


def _nearest(shape: ModelShape, gpu: Accelerator, gpus: int) -> tuple[tuple[str, float, str], ...]:
    """Four published rows: by kind of GPU, size, and number of GPUs."""

    def distance(row: PublishedRun) -> float:
        assert row.gpu is not None
        return (
            abs(math.log2(row.shape.active_parameters / shape.active_parameters))
            + 0.3 * abs(math.log2(row.gpus / gpus))
            + 4.0 * (_kind(row.gpu) != _kind(gpu))
            + 1.0 * row.tuned
        )

    nearest = sorted(usable_rows(), key=distance)[:4]
    return tuple((row.name, row.hfu or 0.0, row.source) for row in nearest)

"""Predicted against measured: every recorded cell by this estimator, with default and with calibrated efficiencies.

A cell is predicted from its model's shape and its machine's probed limits. Calibrated, it is predicted from the other
cells of its machine and precision alone (leave one out), so that no figure is held against itself. Runs of the
playground are no part of a calibration and are predicted from all cells.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import InvalidInput
from core.estimate.calibration import Calibration, calibrations, group_of
from core.estimate.hardware import Accelerator
from core.estimate.propagation import propagate
from core.estimate.ranges import Range
from core.estimate.roofline_time import Placement, decode_time, prefill_time
from core.estimate.serving_factors import at, serving_factors
from core.estimate.serving_memory import BYTES_PER_WEIGHT
from core.estimate.shape import ModelShape
from core.store.measurements import MeasurementRecord
from core.store.runs import RunRecord

Quantity = Literal["prefill tokens/s", "decode tokens/s", "first token s"]
LEAST_READ, LEAST_MADE = 16, 8  # tokens of a run; what is shorter is mostly overhead
NOTHING_MEASURED = "python -m core measure, or Measure on the Models page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One figure of one cell. origin, id: the row it is from. calibrated: None where no other cell tells of it."""

    id: str
    origin: Literal["measurement", "run"]
    model_id: str
    precision: str
    device_name: str
    host: str
    prompt_tokens: int
    batch: int
    new_tokens: int
    quantity: Quantity
    measured: float
    default: Range
    calibrated: Range | None

    @property
    def default_error(self) -> float:
        """Predicted over measured, less 1."""
        return self.default.expected / self.measured - 1

    @property
    def calibrated_error(self) -> float | None:
        return None if self.calibrated is None else self.calibrated.expected / self.measured - 1

    @property
    def default_inside(self) -> bool:
        return self.default.low <= self.measured <= self.default.high

    @property
    def calibrated_inside(self) -> bool | None:
        return None if self.calibrated is None else self.calibrated.low <= self.measured <= self.calibrated.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """median_error, worst_error: absolute, as shares; 0 of none. share_inside: of the truths in their ranges."""

    count: int
    median_error: float
    worst_error: float
    share_inside: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCheck:
    """left_out: rows that could not be predicted, and why."""

    predictions: tuple[Prediction, ...]
    default: Summary
    calibrated: Summary
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What was asked of the machine, and what it did. held: tokens that were in the cache already."""

    shape: ModelShape
    precision: str
    prompt_tokens: int
    held: int
    batch: int
    new_tokens: int
    measured: tuple[tuple[Quantity, float], ...]


def predicted_against_measured(
    records: Sequence[MeasurementRecord], *, shapes: Mapping[str, ModelShape], runs: Sequence[RunRecord] = ()
) -> CalibrationCheck:
    """shapes: by model id. Raises InvalidInput when nothing was measured at all."""
    if not records:
        raise InvalidInput(
            "Nothing was measured on this machine yet.", next_step=f"Measure it first: {NOTHING_MEASURED}."
        )
    left_out: list[str] = []
    found = [*_of_records(records, shapes, left_out), *_of_runs(runs, records, shapes, left_out)]
    default = [(one.default_error, one.default_inside) for one in found]
    calibrated = [
        (one.calibrated_error, bool(one.calibrated_inside)) for one in found if one.calibrated_error is not None
    ]
    return CalibrationCheck(
        predictions=tuple(found),
        default=_summary(default),
        calibrated=_summary(calibrated),
        left_out=tuple(left_out),
    )


def _of_records(
    records: Sequence[MeasurementRecord], shapes: Mapping[str, ModelShape], left_out: list[str]
) -> Iterator[Prediction]:
    whole = {(one.device_name, one.host, one.machine.kind, one.precision): one for one in calibrations(records)}
    for record in records:
        shape = shapes.get(record.model_id)
        if shape is None or record.precision not in BYTES_PER_WEIGHT:
            left_out.append(_why(f"measurement {record.id}", record.model_id, record.precision, shape))
            continue
        others = [one for one in records if one.id != record.id and group_of(one) == group_of(record)]
        machine = whole[(record.device_name, record.host, "cpu" if record.device == "cpu" else "gpu", record.precision)]
        told: list[tuple[Quantity, float]] = [("prefill tokens/s", record.prefill_tokens_per_s)]
        if record.decode_tokens_per_s:
            told.append(("decode tokens/s", record.decode_tokens_per_s))
        cell = _Cell(shape, record.precision, record.prompt_tokens, 0, record.batch, record.new_tokens, tuple(told))
        without = calibrations(others)[0] if others else None
        for quantity, measured, default, calibrated in _predict(cell, machine, without):
            yield Prediction(
                id=record.id,
                origin="measurement",
                model_id=record.model_id,
                precision=record.precision,
                device_name=record.device_name,
                host=record.host,
                prompt_tokens=record.prompt_tokens,
                batch=record.batch,
                new_tokens=record.new_tokens,
                quantity=quantity,
                measured=measured,
                default=default,
                calibrated=calibrated,
            )


def _of_runs(
    runs: Sequence[RunRecord],
    records: Sequence[MeasurementRecord],
    shapes: Mapping[str, ModelShape],
    left_out: list[str],
) -> Iterator[Prediction]:
    for run in runs:
        told = _told_by(run)
        if not told:
            continue  # stopped, too short, or of another machine's server: no measurement
        shape = shapes.get(run.model_id)
        alike = [
            one
            for one in records
            if (one.host, one.device, one.precision, one.backend) == (run.host, run.device, run.precision, run.backend)
        ]
        if shape is None or not alike or run.precision not in BYTES_PER_WEIGHT:
            left_out.append(_why(f"run {run.id}", run.model_id, run.precision, shape))
            continue
        known = calibrations(alike)[-1]
        read, held = run.prompt_tokens or 0, run.cached_tokens or 0
        cell = _Cell(shape, run.precision, read - held, held, 1, run.completion_tokens, told)
        for quantity, measured, default, calibrated in _predict(cell, known, known):
            yield Prediction(
                id=run.id,
                origin="run",
                model_id=run.model_id,
                precision=run.precision,
                device_name=known.device_name,
                host=run.host,
                prompt_tokens=read,
                batch=1,
                new_tokens=run.completion_tokens,
                quantity=quantity,
                measured=measured,
                default=default,
                calibrated=calibrated,
            )


def _told_by(run: RunRecord) -> tuple[tuple[Quantity, float], ...]:
    """What a run measured; nothing when it did not end by itself or was too short to tell."""
    if run.status != "done" or not run.prompt_tokens:
        return ()
    told: list[tuple[Quantity, float]] = []
    if run.ttft_s and run.prompt_tokens - (run.cached_tokens or 0) >= LEAST_READ:
        told.append(("first token s", run.ttft_s))
    if run.tokens_per_s and run.completion_tokens >= LEAST_MADE:
        told.append(("decode tokens/s", run.tokens_per_s))
    return tuple(told)


def _predict(
    cell: _Cell, machine: Calibration, calibration: Calibration | None
) -> Iterator[tuple[Quantity, float, Range, Range | None]]:
    """(quantity, measured, by default efficiencies, by calibrated ones). machine: where its limits and way of reading
    are from."""
    for quantity, measured in cell.measured:
        default = _range(cell, quantity, machine.machine, machine.piece_tokens, None)
        calibrated = None
        if calibration is not None:
            calibrated = _range(cell, quantity, calibration.machine, calibration.piece_tokens, calibration)
        yield quantity, measured, default, calibrated


def _range(
    cell: _Cell, quantity: Quantity, machine: Accelerator, piece_tokens: int, calibration: Calibration | None
) -> Range:
    where = Placement(shape=cell.shape, gpu=machine, precision=cell.precision, piece_tokens=piece_tokens)
    factors = serving_factors(cell.shape, machine, cell.precision, 1, calibration)

    def model(values: Mapping[str, float]) -> dict[str, float]:
        if quantity == "decode tokens/s":
            behind = cell.held + cell.prompt_tokens + cell.new_tokens / 2
            return {quantity: cell.batch / decode_time(where, at(values), batch=cell.batch, held=behind).seconds}
        read = prefill_time(where, at(values), tokens=cell.prompt_tokens, held=cell.held, batch=cell.batch).seconds
        return {quantity: read if quantity == "first token s" else cell.batch * cell.prompt_tokens / read}

    return propagate(model, factors)[quantity].value


def _summary(cells: Sequence[tuple[float, bool]]) -> Summary:
    errors = [abs(error) for error, _ in cells]
    return Summary(
        count=len(cells),
        median_error=statistics.median(errors) if errors else 0.0,
        worst_error=max(errors, default=0.0),
        share_inside=sum(inside for _, inside in cells) / len(cells) if cells else 0.0,
    )


def _why(row: str, model_id: str, precision: str, shape: ModelShape | None) -> str:
    if shape is None:
        return f"{row}: the shape of {model_id} is not known."
    if precision not in BYTES_PER_WEIGHT:
        return f"{row}: {precision or 'its precision'} is none that is estimated."
    return f"{row}: its machine was not measured in {precision}; measure it first: {NOTHING_MEASURED}."

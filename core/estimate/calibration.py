"""`Calibration`: what a machine really reaches in one precision, out of recorded measurements of it.

Each cell of `core.measure` holds its time, its floating-point operations, its bytes and the machine's probed limits.
From those the shares of both limits follow: prefill from the cells that wait for arithmetic, decode from those that
wait for memory, each the median, in turns until they agree (on a CPU a step also multiplies, so one needs the other).
Cells that were measured while other programs kept the processor busy are left out where quieter ones exist.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.estimate.hardware import Accelerator, find
from core.estimate.ranges import Range
from core.measure.roofline import PHASES, Phase
from core.store.measurements import MeasurementRecord

# Before any cell is seen, shares are taken to differ by a quarter from cell to cell, an opinion worth three cells.
_PRIOR_LOG_SPREAD, _PRIOR_CELLS = math.log(1.25), 3
_SIGMAS = 2.0  # low and high of a further cell: 95 % of a normal distribution
_DEFAULT_COMPUTE, _DEFAULT_BANDWIDTH = (
    0.5,
    0.7,
)  # where the turns begin, and what one phase without cells is taken to be
BUSY_SHARE = 0.15  # of the cores, by other programs; above it a cell tells more of the neighbours than of the model
_UNKNOWN = 2.0  # low and high of such a phase
_LEAST_LEFT = 0.2  # of a cell's time, that remains for the resource it waits for
_FEWEST_FOR_OVERHEAD = 4  # decode cells, whose work differs by twofold
ONNX_PIECE_TOKENS = 64  # core.generation.kv_cache.PREFILL_CHUNK: how this project's engine reads a prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One machine and precision. machine: its probed limits as an accelerator; those of this precision stand for 16
    bits too. prefill, decode: shares of its FLOP/s and its bandwidth, of a further cell. step_overhead_s: of each pass,
    exactly 0 unless the cells show one. piece_tokens: its engine reads prompts in pieces of so many, 0: as a whole.
    notes: what is to be said of its cells."""

    machine: Accelerator
    device_name: str
    host: str
    precision: str
    prefill: Range
    decode: Range
    step_overhead_s: Range
    measurement_ids: tuple[str, ...]
    piece_tokens: int = 0
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        count = len(self.measurement_ids)
        return f"{self.device_name} ({self.host}), {self.precision}, {count} measured cell{'s' * (count != 1)}"


@dataclass(frozen=True, slots=True)
class _Phase:
    """One phase of a cell: seconds it took, and at the limits the seconds of its arithmetic and of its memory.
    passes: in how many pieces it was done."""

    phase: Phase
    seconds: float
    compute_s: float
    memory_s: float
    passes: int = 1


def calibrations(records: Sequence[MeasurementRecord]) -> tuple[Calibration, ...]:
    """One for every machine and precision among the records, in order of their names."""
    groups: dict[tuple[str, str, str, str], list[MeasurementRecord]] = defaultdict(list)
    for record in records:
        groups[group_of(record)].append(record)
    return tuple(_calibration(group, records) for _, group in sorted(groups.items()))


def group_of(record: MeasurementRecord) -> tuple[str, str, str, str]:
    """(device name, host, device, precision): cells that share a calibration."""
    return (record.device_name, record.host, record.device, record.precision)


def is_busy(record: MeasurementRecord) -> bool:
    """Other programs took more than BUSY_SHARE of the processor; a record that does not say counts as quiet."""
    return float(record.environment.get("other_work") or 0.0) > BUSY_SHARE


def pieces_of(record: MeasurementRecord) -> int:
    """In how many pieces a prompt was read (`core.measure.rounds.pieces`): an encoder's and a batch's as a whole."""
    apart = record.batch == 1 and record.new_tokens > 0 and record.backend == "onnx"
    return math.ceil(record.prompt_tokens / ONNX_PIECE_TOKENS) if apart else 1


def this_machine(records: Sequence[MeasurementRecord], *, host: str, precision: str, device: str = "") -> Calibration:
    """Of this host in this precision. device: cpu or cuda; "" for either. Raises InvalidInput, which says what to do
    first, when nothing of the kind was measured."""
    here = [record for record in records if record.host == host and device in ("", record.device)]
    found = [one for one in calibrations(here) if one.precision == precision]
    if found:
        return found[-1]
    measured = ", ".join(sorted({record.precision for record in here}))
    raise InvalidInput(
        f"This machine ({host}) was not measured in {precision}.",
        allowed=f"Measured here: {measured}." if measured else "",
        next_step=f"Measure it first: `python -m core measure --precision {precision}`, or Measure on the Models page.",
    )


def _calibration(everything: Sequence[MeasurementRecord], records: Sequence[MeasurementRecord]) -> Calibration:
    group = _quiet(everything)
    newest = max(group, key=lambda record: record.created_at)
    cpu = newest.device == "cpu"
    phases = [phase for record in group for phase in _phases(record)]
    prefill, decode = _shares(phases, cpu)
    overhead = _overhead(phases, cpu)
    if overhead:
        prefill, decode = _shares([_less(one, overhead) for one in phases], cpu)
    return Calibration(
        machine=_machine(newest, records),
        device_name=newest.device_name,
        host=newest.host,
        precision=newest.precision,
        prefill=prefill,
        decode=decode,
        step_overhead_s=Range.around(overhead, 1.5) if overhead else Range.exactly(0.0),
        measurement_ids=tuple(record.id for record in group),
        piece_tokens=ONNX_PIECE_TOKENS if newest.backend == "onnx" else 0,
        notes=_notes(everything, group),
    )


def _quiet(records: Sequence[MeasurementRecord]) -> list[MeasurementRecord]:
    """Those that no other program disturbed; all when there are none."""
    return [record for record in records if not is_busy(record)] or list(records)


def _notes(everything: Sequence[MeasurementRecord], used: Sequence[MeasurementRecord]) -> tuple[str, ...]:
    if left_out := len(everything) - len(used):
        cells = f"{left_out} measured cells are" if left_out > 1 else "1 measured cell is"
        return (f"{cells} left out: other programs took more than {BUSY_SHARE:.0%} of the processor meanwhile.",)
    if is_busy(used[0]):  # all of them are, or none
        return (
            f"Other programs took more than {BUSY_SHARE:.0%} of the processor while all of this was measured: measure "
            "again when the machine is idle.",
        )
    return ()


def _machine(newest: MeasurementRecord, records: Sequence[MeasurementRecord]) -> Accelerator:
    """Limits are of the newest cells: a machine may have been busy in an earlier run."""
    same = [one for one in records if (one.device_name, one.host) == (newest.device_name, newest.host)]
    plain = _quiet([one for one in same if one.precision == "fp32"])
    fp32 = max(plain, key=lambda one: one.created_at).flop_per_s_limit if plain else 0.0
    cpu = newest.device == "cpu"
    known = None if cpu else _published(newest.device_name)
    memory = newest.environment.get("memory_bytes") if cpu else known and known.memory_bytes
    return Accelerator(
        id=f"measured:{newest.host}:{newest.device}:{newest.precision}",
        name=f"{newest.device_name} (measured)",
        # A record that does not say its memory shows at least what its model took.
        memory_bytes=float(memory or max(one.peak_memory_bytes for one in same)),
        memory_bandwidth_bytes_per_s=newest.bandwidth_bytes_per_s,
        fp16_flops_per_s=newest.flop_per_s_limit,
        fp32_flops_per_s=fp32,
        tdp_watts=known.tdp_watts if known else 0.0,
        node_gpus=1,
        kind="cpu" if cpu else "gpu",
        source=f"probed in the run of measurement {newest.id}",
    )


def _published(device_name: str) -> Accelerator | None:
    """Memory and rated power come from the datasheet where the device's name leads to one."""
    try:
        return find(device_name)
    except InvalidInput:
        return None


def _phases(record: MeasurementRecord) -> Iterator[_Phase]:
    for phase in PHASES:
        passes = 1
        if phase == "prefill":
            passes = pieces_of(record)
            tokens, rate = record.batch * record.prompt_tokens, record.prefill_tokens_per_s
            flop, moved = record.prefill_flop, record.prefill_bytes
        elif record.decode_tokens_per_s and record.decode_flop and record.decode_bytes:
            tokens, rate = record.batch, record.decode_tokens_per_s
            flop, moved = record.decode_flop, record.decode_bytes
        else:
            continue
        if rate > 0 and record.flop_per_s_limit > 0 and record.bandwidth_bytes_per_s > 0:
            times = (flop / record.flop_per_s_limit, moved / record.bandwidth_bytes_per_s)
            yield _Phase(phase, tokens / rate, *times, passes)


def _shares(phases: Sequence[_Phase], cpu: bool) -> tuple[Range, Range]:
    """(of the FLOP/s, of the bandwidth)."""
    arithmetic = [one for one in phases if one.phase == "prefill" and one.compute_s >= one.memory_s]
    memory = [one for one in phases if one.compute_s < one.memory_s]
    compute, bandwidth = _DEFAULT_COMPUTE, _DEFAULT_BANDWIDTH
    reached, streamed = [compute], [bandwidth]
    for _ in range(8):
        reached = [_share(one.compute_s, one, one.memory_s / bandwidth if cpu else 0.0) for one in arithmetic]
        compute = statistics.median(reached) if reached else compute
        streamed = [_share(one.memory_s, one, one.compute_s / compute if cpu else 0.0) for one in memory]
        bandwidth = statistics.median(streamed) if streamed else bandwidth
    return _further(reached, compute), _further(streamed, bandwidth)


def _share(ideal_s: float, cell: _Phase, other_s: float) -> float:
    return ideal_s / max(cell.seconds - other_s, _LEAST_LEFT * cell.seconds)


def _further(shares: Sequence[float], middle: float) -> Range:
    """Where the share of one more cell will lie: the spread of these, tempered by the prior, and of their median."""
    if not shares:
        return Range.around(middle, _UNKNOWN)
    apart = sum(math.log(share / middle) ** 2 for share in shares)
    prior = _PRIOR_CELLS * _PRIOR_LOG_SPREAD**2
    variance = (prior + apart) / (_PRIOR_CELLS + len(shares) - 1)
    return Range.around(middle, math.exp(_SIGMAS * math.sqrt(variance * (1 + 1 / len(shares)))))


def _overhead(phases: Sequence[_Phase], cpu: bool) -> float:
    """Seconds that every decode step takes whatever its work, where a straight line through the cells shows it: its
    intercept is positive by more than two standard errors. 0 otherwise."""
    cells = [one for one in phases if one.phase == "decode"]
    work = [one.compute_s + one.memory_s if cpu else max(one.compute_s, one.memory_s) for one in cells]
    if len(cells) < _FEWEST_FOR_OVERHEAD or max(work) < 2 * min(work):
        return 0.0
    times = [one.seconds for one in cells]
    slope, intercept = statistics.linear_regression(work, times)
    left = sum((t - slope * w - intercept) ** 2 for t, w in zip(times, work, strict=True))
    centre, count = statistics.fmean(work), len(work)
    spread = sum((w - centre) ** 2 for w in work)
    error = math.sqrt(left / (count - 2) * (1 / count + centre**2 / spread))
    return intercept if intercept > 2 * error and slope > 0 and intercept < min(times) else 0.0


def _less(phase: _Phase, overhead_s: float) -> _Phase:
    left = max(phase.seconds - phase.passes * overhead_s, _LEAST_LEFT * phase.seconds)
    return replace(phase, seconds=left)

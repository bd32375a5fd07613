"""How far from the machine's limit a measurement is: the roofline of Williams, Waterman and Patterson 2009.

(Communications of the ACM 52(4), doi 10.1145/1498765.1498785.) A pass with few operations for each byte waits for the
memory, one with many for the arithmetic: attainable = min(operations/s, intensity · bytes/s). A share above 1 means
that less was moved than `core.measure.work` counts, since a small model stays in the processor's caches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.store.measurements import NewMeasurement

Phase = Literal["prefill", "decode"]
PHASES: tuple[Phase, ...] = ("prefill", "decode")


@dataclass(frozen=True, slots=True)
class Point:
    """One phase of a measurement. intensity: operations per byte moved. flop_per_s: reached; limit_flop_per_s:
    attainable at that intensity. tokens_per_s, limit_tokens_per_s: the same in tokens of the whole batch."""

    intensity: float
    flop_per_s: float
    limit_flop_per_s: float
    tokens_per_s: float
    limit_tokens_per_s: float

    @property
    def share(self) -> float:
        """Of the limit; 1 is the limit."""
        return self.flop_per_s / self.limit_flop_per_s


def attainable(intensity: float, flop_per_s: float, bandwidth_bytes_per_s: float) -> float:
    """FLOP/s at so many operations per byte."""
    return min(flop_per_s, intensity * bandwidth_bytes_per_s)


def point(record: NewMeasurement, phase: Phase) -> Point | None:
    """Where a phase stands; None for an encoder's decode."""
    if phase == "prefill":
        rate, flop, moved = record.prefill_tokens_per_s, record.prefill_flop, record.prefill_bytes
        tokens = record.batch * record.prompt_tokens
    else:
        if record.decode_tokens_per_s is None or record.decode_flop is None or record.decode_bytes is None:
            return None
        rate, flop, moved = record.decode_tokens_per_s, record.decode_flop, record.decode_bytes
        tokens = record.batch
    flop_per_token = flop / tokens
    limit = attainable(flop / moved, record.flop_per_s_limit, record.bandwidth_bytes_per_s)
    return Point(
        intensity=flop / moved,
        flop_per_s=flop_per_token * rate,
        limit_flop_per_s=limit,
        tokens_per_s=rate,
        limit_tokens_per_s=limit / flop_per_token,
    )


def share_of_limit(record: NewMeasurement, phase: Phase) -> float | None:
    """Reached over attainable, from 0 on; None for an encoder's decode."""
    found = point(record, phase)
    return None if found is None else found.share

"""What training and inference memory have in common: the framework's own share, and the total with what drives it."""

from __future__ import annotations

from collections.abc import Sequence

from core.estimate.figures import Driver, Figure
from core.estimate.ranges import Range, total

GPU_CONTEXT = Range(0.4e9, 0.8e9, 1.6e9)
"""CUDA context (0.3 to 0.6 GB by generation and driver), cuBLAS workspaces, kernels loaded on first use."""

SOURCE_JUDGEMENT = (
    "stated judgement: CUDA contexts of 0.3 to 0.6 GB, libraries' workspaces, NCCL's buffers, fragmentation"
)


def total_figure(parts: Sequence[Figure], key: str, label: str) -> Figure:
    """The sum. Its drivers: it with one part at its ends, the widest first."""
    whole = total(part.value for part in parts)
    drivers = [
        Driver(
            part.label,
            whole.expected - part.value.expected + part.value.low,
            whole.expected - part.value.expected + part.value.high,
        )
        for part in parts
        if part.value.low < part.value.high
    ]
    return Figure(
        key=key,
        label=label,
        unit="bytes",
        value=whole,
        formula=r"\textstyle\sum_i M_i",
        source="sum of the parts",
        drivers=tuple(sorted(drivers, key=lambda one: one.low - one.high)),
    )

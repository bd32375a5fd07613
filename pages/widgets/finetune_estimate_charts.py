"""Pictures of what a run will take: its time and its memory as ranges, beside what is there."""

from __future__ import annotations

import plotly.graph_objects as go

from core.estimate.ranges import Range
from core.estimate.words import digits, said, said_range
from pages.widgets.chart_parts import Sketch, even_axis, hover, scale_of

HEIGHT = 190


def time_figure(seconds: Range) -> go.Figure:
    """From the quickest to the slowest that is to be expected."""
    return _figure("How long", seconds, "seconds", None)


def memory_figure(memory: Range, there: float) -> go.Figure:
    """Beside the memory of the device."""
    return _figure("How much memory", memory, "bytes", there)


def _figure(title: str, value: Range, unit: str, there: float | None) -> go.Figure:
    sketch = Sketch()
    scale, name = scale_of(unit, max(value.expected, there or 1e-9))
    top = max(value.high, there or 0.0) / scale * 1.08
    colour = sketch.colours[1 if there is not None and value.expected > there else 0]
    ends = [value.low / scale, value.high / scale]
    sketch.add("scatter", x=ends, y=[0, 0], mode="lines", line={"color": colour, "width": 16}, opacity=0.35)
    told = hover(said(value.expected, unit), f"from {said_range(value, unit)}")
    marker = {"color": colour, "size": 16, "symbol": "line-ns", "line": {"width": 4, "color": colour}}
    sketch.add("scatter", [told], x=[value.expected / scale], y=[0], mode="markers", marker=marker)
    near_end = value.expected / scale > 0.6 * top
    sketch.label(
        value.expected / scale, 0, f"<b>{said(value.expected, unit)}</b>", yshift=24,
        xanchor="right" if near_end else "left" if value.expected / scale < 0.15 * top else "center",
    )  # fmt: skip
    if there is not None:
        sketch.upright(there / scale, dash="dot")
        sketch.label(there / scale, 0, f"{said(there, unit)} are there", yshift=-24, xanchor="right", xshift=-4)
    return sketch.figure(
        title,
        told=f"{said_range(value, unit)}",
        height=HEIGHT,
        margin={"l": 20},
        xaxis=even_axis(0, top, digits, title=name),
        yaxis={"visible": False, "range": [-1, 1]},
    )

"""Pictures of fine-tunes side by side: evaluation losses with their names at the end, one figure with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from core.store.training_points import TrainingPoint
from core.training.compare import MetricRow
from core.training.evaluation.comparing import figure
from pages.widgets.chart_parts import Row, Sketch, hover
from pages.widgets.finetune_watch_charts import series
from pages.widgets.words import cut

HEIGHT = 420
ROW_PIXELS = 44
LABEL_CHARACTERS = 22
ENDS_EARLY = 0.55  # of the axis: a name has room to the right of the line
_BESIDE: Row = {"xanchor": "left", "xshift": 12, "yanchor": "middle"}
_ABOVE: Row = {"xanchor": "right", "yanchor": "bottom", "yshift": 7}
APART = 0.055  # of the axis: labels closer than that would lie on one another


def losses_figure(
    names: Sequence[str], points: Sequence[Sequence[TrainingPoint]], best: Sequence[int | None]
) -> go.Figure:
    """The evaluation loss of each run by step; a ring marks the checkpoint that was kept."""
    sketch = Sketch()
    ends: list[tuple[float, float, str, str]] = []
    for place, (name, mine) in enumerate(zip(names, points, strict=True)):
        found, colour = series(mine, "eval", "loss"), sketch.colours[place]
        end = found.end()
        if end is None:
            continue
        texts = [
            hover(name, f"step {x:,.0f}", f"evaluation loss {figure(y)}") for x, y in zip(found.x, found.y, strict=True)
        ]
        sketch.line(found.x, found.y, colour, texts, sizes=[7.0] * len(found.x))
        kept = [(x, y) for x, y in zip(found.x, found.y, strict=True) if x == best[place] and math.isfinite(y)]
        if kept:
            ring = {"size": 15, "symbol": "circle-open", "color": colour, "line": {"width": 3}}
            told = hover(name, f"kept: step {kept[-1][0]:,.0f}")
            sketch.add("scatter", [told], x=[kept[-1][0]], y=[kept[-1][1]], mode="markers", marker=ring)
        ends.append((found.x[end], found.y[end], name, colour))
    _name(sketch, ends)
    last = max((x for x, *_ in ends), default=1.0)
    if not ends:
        sketch.note("None of them has been evaluated yet.", x=0.5, y=0.5, xref="paper", yref="paper")
        sketch.traces.append({"type": "scatter", "x": [], "y": []})
    return sketch.figure(
        "Evaluation loss",
        told="ring: the checkpoint that was kept",
        height=HEIGHT,
        xaxis={"title": "step", "range": [0, 1.04 * last], "zeroline": False, "tickformat": "~s"},
        yaxis={"title": "loss", "zeroline": False, "nticks": 6},
        margin={"l": 60, "r": 16, "b": 48},
    )


def _name(sketch: Sketch, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """A name at the end of each line, pushed apart where they would lie on one another."""
    values = [float(y) for trace in sketch.traces for y in trace["y"] if math.isfinite(y)]
    tall = (max(values) - min(values) if values else 0.0) or 1.0
    last = max((x for x, *_ in ends), default=1.0)
    before: float | None = None
    for x, y, name, colour in sorted(ends, key=lambda one: one[1]):
        at = y if before is None else max(y, before + APART * tall)
        before = at
        sketch.label(
            x,
            at,
            f"{escape(cut(name, LABEL_CHARACTERS), quote=False)} <b>{figure(y)}</b>",
            font={"color": colour},
            **(_BESIDE if x < ENDS_EARLY * last else _ABOVE),
        )


def metric_figure(row: MetricRow, names: Sequence[str]) -> go.Figure:
    """One figure of all runs, a row each, with its interval."""
    sketch = Sketch()
    for place, (name, one) in enumerate(zip(names, row.values, strict=True)):
        words = escape(cut(name, 2 * LABEL_CHARACTERS), quote=False)
        text = f"<b>{words}</b> {figure(one.value)}" if one else f"<b>{words}</b> has none"
        sketch.note(text, x=0, xref="paper", y=-place, yref="y", xanchor="left", yanchor="bottom", yshift=6)
        if one is None:
            continue
        colour = sketch.colours[place]
        if one.low is not None and one.high is not None:
            line = {"color": colour, "width": 4}
            sketch.add("scatter", x=[one.low, one.high], y=[-place] * 2, mode="lines", line=line, opacity=0.5)
        span = "" if one.low is None or one.high is None else f"95 % interval {figure(one.low)} to {figure(one.high)}"
        told = hover(name, f"{row.title} {figure(one.value)}", span)
        sketch.add("scatter", [told], x=[one.value], y=[-place], mode="markers", marker={"size": 13, "color": colour})
    better = "more is better" if row.higher_is_better else "less is better"
    return sketch.figure(
        f"{row.title} of each run",
        told=f"dot: its value · line: 95 % interval · {better}",
        height=130 + ROW_PIXELS * len(names),
        xaxis={"title": row.title + (f", {row.unit}" if row.unit else ""), "zeroline": False, "nticks": 6},
        yaxis={"range": [0.7 - len(names), 0.85], "visible": False, "fixedrange": True},
        margin={"l": 12, "r": 24, "b": 44},
    )

"""How far each method can be trusted: the probability of the token while words are taken away, or given back."""

from __future__ import annotations

import plotly.graph_objects as go

from core.interpret.attribution import METHODS
from core.interpret.faithfulness import SEEDS, Faithfulness, Kind
from pages.widgets.chart_parts import BAND, GREY, Sketch, even_axis, hover
from pages.widgets.words import share

TITLES: dict[Kind, str] = {"deletion": "Words taken away", "insertion": "Words given back"}
READING: dict[Kind, str] = {
    "deletion": "those a method ranks first go first: lower is better",
    "insertion": "those a method ranks first come first: higher is better",
}


def curves_figure(found: Faithfulness, kind: Kind) -> go.Figure:
    """A line a method; the mean of random orders is grey, in a band that single ones reach by luck."""
    sketch = Sketch()
    curves = [curve for curve in found.curves if curve.kind == kind]
    low, high = found.by_luck(kind)
    _add_band(sketch, [100 * one for one in curves[0].shares], low.tolist(), high.tolist())
    colours = iter(sketch.colours)
    for curve in curves:
        control = curve.method == "random"
        colour = GREY if control else next(colours)
        x = [100 * one for one in curve.shares]
        y = [float(value) for value in curve.probabilities]
        name = f"mean of {2 * SEEDS} random orders" if control else METHODS[curve.method].title
        told = [hover(f"{name}: {share(p)} with {s:.0f} % {TITLES[kind].lower()}") for s, p in zip(x, y, strict=True)]
        sketch.line(x, y, colour, told, sizes=[5] * len(x))
        sketch.traces[-1].update({"name": name, "showlegend": True})
        if control:
            sketch.traces[-1]["line"]["dash"] = "dot"
    most = max(float(high.max()), *(float(curve.probabilities.max()) for curve in curves))
    least = min(float(low.min()), *(float(curve.probabilities.min()) for curve in curves))
    return sketch.figure(
        TITLES[kind],
        told=READING[kind],
        height=400,
        showlegend=True,
        legend={"orientation": "h", "y": -0.22, "x": 0},
        margin={"b": 96},
        xaxis=even_axis(0, 100, lambda value: f"{value:g} %", title="of the tokens"),
        yaxis=even_axis(min(least, 0.0), max(most * 1.05, 1e-6), lambda value: f"{value:.3g}", title=_measure(found)),
    )


def _add_band(sketch: Sketch, x: list[float], low: list[float], high: list[float]) -> None:
    sketch.add(
        "scatter",
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=GREY,
        opacity=BAND,
        name="by luck",
        showlegend=True,
    )


def _measure(found: Faithfulness) -> str:
    if found.target.kind == "embedding":
        return "cosine to the embedding"
    return "probability of the token" if found.target.against is None else "probability, of the two"

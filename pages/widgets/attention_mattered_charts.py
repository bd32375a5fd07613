"""How far each method can be trusted: the probability of the token while words are taken away, or given back."""

from __future__ import annotations

import plotly.graph_objects as go

from core.interpret.attribution import METHODS
from core.interpret.faithfulness import Faithfulness, Kind
from pages.widgets.attention_knockout_charts import share
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover

TITLES: dict[Kind, str] = {"deletion": "Words taken away", "insertion": "Words given back"}
READING: dict[Kind, str] = {
    "deletion": "those a method ranks first go first: lower is better",
    "insertion": "those a method ranks first come first: higher is better",
}


def curves_figure(found: Faithfulness, kind: Kind) -> go.Figure:
    """A line a method; the random order is grey."""
    sketch = Sketch()
    curves = [curve for curve in found.curves if curve.kind == kind]
    colours = iter(sketch.colours)
    for curve in curves:
        control = curve.method == "random"
        colour = GREY if control else next(colours)
        x = [100 * one for one in curve.shares]
        y = [float(value) for value in curve.probabilities]
        name = METHODS[curve.method].title
        told = [hover(f"{name}: {share(p)} with {s:.0f} % {TITLES[kind].lower()}") for s, p in zip(x, y, strict=True)]
        sketch.line(x, y, colour, told, sizes=[5] * len(x))
        sketch.traces[-1].update({"name": name, "showlegend": True})
        if control:
            sketch.traces[-1]["line"]["dash"] = "dot"
    most = max((float(curve.probabilities.max()) for curve in curves), default=1.0)
    least = min((float(curve.probabilities.min()) for curve in curves), default=0.0)
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


def _measure(found: Faithfulness) -> str:
    return "cosine to the embedding" if found.target.kind == "embedding" else "probability of the token"

"""The picture of one query of a head: the tokens that it reads most, and all others together."""

from __future__ import annotations

import plotly.graph_objects as go

from core.interpret.steps import QuerySteps
from pages.widgets.attention_formulas import figure
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover
from pages.widgets.words import count_of, cut

MOST_KEYS = 10
LONGEST = 14  # characters of a piece
_SIGNS = {"\n": "↵", "\t": "⇥", " ": "\u00a0"}  # a piece does not part at the end of a line
ROW_PIXELS = 30


def piece_label(piece: str, longest: int = LONGEST) -> str:
    """‘ Paris’: with its leading space, on one line."""
    shown = "".join(_SIGNS.get(sign, sign if sign.isprintable() else "·") for sign in piece)
    return f"‘{cut(shown, longest)}’"


def weights_figure(steps: QuerySteps) -> go.Figure:
    """A bar a key, the most read first. Where the formula is not all of it, a mark is the model's own weight."""
    sketch = Sketch()
    order = [int(place) for place in steps.order() if steps.allowed[place]]
    shown, others = order[:MOST_KEYS], order[MOST_KEYS:]
    names = [f"{piece_label(steps.pieces[place])} {place}" for place in shown]
    weights = [float(steps.weights[place]) for place in shown]
    own = [float(steps.model_weights[place]) for place in shown]
    if others:
        names.append(f"{count_of(len(others), 'other')}")
        weights.append(float(steps.weights[others].sum()))
        own.append(float(steps.model_weights[others].sum()))
    rows = list(range(len(names)))
    sketch.add(
        "bar",
        [hover(f"{name}: {weight:.4f}") for name, weight in zip(names, weights, strict=True)],
        orientation="h",
        x=weights,
        y=rows,
        marker={"color": [GREY if others and row == rows[-1] else sketch.colours[0] for row in rows]},
        text=[_share(weight) for weight in weights] if steps.textbook else None,  # diamonds would lie on it
        textposition="outside",
        cliponaxis=False,
    )
    if not steps.textbook:
        told = [hover(f"{name}: {weight:.4f}", "the model's own") for name, weight in zip(names, own, strict=True)]
        marker = {"symbol": "diamond", "size": 10, "color": sketch.colours[1]}
        sketch.add("scatter", told, x=own, y=rows, mode="markers", marker=marker)
    most = max(*weights, *own) if not steps.textbook else max(weights)
    return sketch.figure(
        f"What {hover(piece_label(steps.pieces[steps.position]))} reads",
        told="" if steps.textbook else "bars: by the formula; diamonds: the model's own weights",
        height=110 + ROW_PIXELS * max(3, len(rows)),
        margin={"l": 150},
        bargap=0.25,
        xaxis=even_axis(0, 1.2 * most, figure, title="weight"),
        yaxis={
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": rows,
            "ticktext": [hover(name) for name in names],
            "showgrid": False,
            "zeroline": False,
        },
    )


def _share(weight: float) -> str:
    return f"{weight:.0%}" if weight >= 0.1 else f"{weight:.1%}" if weight >= 0.001 else "< 0.1%"

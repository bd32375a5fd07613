"""The two pictures of the five-word example: who reads whom, and what reading does to a word's numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.interpret.worked_example import Floats, Steps
from pages.widgets.attention_formulas import figure
from pages.widgets.chart_parts import GREY, Sketch, hover
from pages.widgets.words import cut

HEIGHT = 380
LABEL_CHARACTERS = 14
BLACK, WHITE = "#000000", "#FFFFFF"
# Figures on a weight below the limit, the limit, and on the others: 4.5 : 1 on every colour of the theme's scale.
FIGURES = {"light": (BLACK, 0.645, WHITE), "dark": (WHITE, 0.525, BLACK)}


def weights_figure(steps: Steps, query: int, labels: Sequence[str]) -> go.Figure:
    """All weights as a map, a row a word that reads; the row of the chosen word is outlined."""
    sketch, allowed = Sketch(), steps.allowed
    places = list(range(len(labels)))
    told = [
        [
            hover(
                f"{reader} reads {read}: {steps.weights[row, column]:.3f}"
                if allowed[row, column]
                else f"{reader} may not read {read}: it comes later"
            )
            for column, read in enumerate(labels)
        ]
        for row, reader in enumerate(labels)
    ]
    sketch.add(
        "heatmap",
        told,  # type: ignore[arg-type]
        x=places,
        y=places,
        z=np.where(allowed, steps.weights, np.nan),
        zmin=0,
        zmax=1,
        showscale=False,  # the figures say it
        xgap=2,
        ygap=2,
    )
    _write_figures(sketch, steps)
    line = {"color": sketch.ink or GREY, "width": 2}
    ends = {"x0": -0.5, "x1": len(labels) - 0.5, "y0": query - 0.5, "y1": query + 0.5}
    sketch.shapes.append({"type": "rect", "line": line, **ends})
    ticks = {"tickvals": places, "ticktext": [hover(cut(one, LABEL_CHARACTERS)) for one in labels], "showgrid": False}
    return sketch.figure(
        "Who reads whom",
        told="a row reads, a column is read; each row sums to 1",
        height=HEIGHT,
        margin={"l": 96, "t": 104, "b": 16},
        xaxis={"side": "top", "zeroline": False, **ticks},
        yaxis={"range": [len(labels) - 0.5, -0.5], "zeroline": False, **ticks},
    )


def change_figure(steps: Steps, query: int, labels: Sequence[str]) -> go.Figure:
    """Each number of the word's own value, and what it is after reading."""
    sketch = Sketch()
    before, after = steps.values[query], steps.outputs[query]
    places = list(range(len(before)))
    for name, numbers, colour in (("before", before, GREY), ("after", after, sketch.colours[0])):
        sketch.add(
            "bar",
            [hover(f"{one}, {name}: {figure(value)}") for one, value in zip(steps.value_names, numbers, strict=True)],
            orientation="h",
            x=list(numbers),
            y=places,
            marker={"color": colour},
            text=[f"{name} {figure(value)}" for value in numbers],
            textposition="outside",
            cliponaxis=False,
        )
    names = [hover(cut(one, LABEL_CHARACTERS)) for one in steps.value_names]
    return sketch.figure(
        f"What reading does to “{hover(cut(labels[query], LABEL_CHARACTERS))}”",
        height=130 + 52 * len(names),
        margin={"l": 96},
        barmode="group",
        bargap=0.3,
        xaxis={"range": _room(np.concatenate([before, after])), "zeroline": True, "title": "value of the number"},
        yaxis={"range": [len(names) - 0.5, -0.5], "tickvals": places, "ticktext": names, "zeroline": False},
    )


def _write_figures(sketch: Sketch, steps: Steps) -> None:
    """Into the cells, each in what can be read on it: Plotly's own choice is too pale on the middle of the scale."""
    cells = [(int(row), int(column)) for row, column in np.argwhere(steps.allowed)]
    below, limit, above = FIGURES["dark" if st.context.theme.type == "dark" else "light"]
    colours = [below if steps.weights[cell] < limit else above for cell in cells]
    sketch.add(
        "scatter",
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        mode="text",
        text=[f"{steps.weights[cell]:.2f}" for cell in cells],
        textfont={"color": colours, "size": 13},
    )


def _room(numbers: Floats) -> list[float]:
    """An axis with room for words beyond the longest bars."""
    low, high = min(0.0, float(numbers.min())), max(0.0, float(numbers.max()))
    width = (high - low) or 1.0
    return [low - 0.25 * width if low else 0.0, high + 0.25 * width]

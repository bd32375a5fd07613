"""Pictures of the logit lens: what each layer would say at each place, and how one token makes its way."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.interpret.lens import Lens, LensGrid
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_worked_charts import FIGURES
from pages.widgets.chart_parts import Sketch, hover
from pages.widgets.words import share

CELL_PIXELS = 26
CELL_CHARACTERS = 6


def row_name(row: int) -> str:
    """Row 0 is what goes into layer 0."""
    return "embeddings" if row == 0 else f"layer {row - 1}"


def grid_figure(grid: LensGrid, labels: list[str]) -> go.Figure:
    """A cell: the likeliest token after a layer at a place, tinted by its probability. labels: of the places."""
    sketch = Sketch()
    rows, columns = grid.probabilities.shape
    told = [
        [
            hover(
                f"After {row_name(row)}, for {labels[column]}",
                f"{piece_label(grid.pieces[row][column])}: {share(float(grid.probabilities[row, column]))}",
                f"the final choice is number {int(grid.ranks[row, column]):,} here",
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    sketch.add(
        "heatmap",
        told,  # type: ignore[arg-type]
        x=list(range(columns)),
        y=list(range(rows)),
        z=grid.probabilities,
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=1,
        showscale=False,
    )
    below, limit, above = FIGURES["dark" if st.context.theme.type == "dark" else "light"]
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    sketch.add(
        "scatter",
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        mode="text",
        text=[hover(_short(grid.pieces[row][column])) for row, column in cells],
        textfont={"size": 10, "color": [below if grid.probabilities[cell] < limit else above for cell in cells]},
    )
    return sketch.figure(
        "What each layer would say",
        told="the likeliest token after each layer, the surer the stronger;<br>the last row is the model's own answer",
        height=168 + CELL_PIXELS * rows,
        margin={"l": 84, "r": 8, "t": 158, "b": 16},
        xaxis={
            "side": "top",
            "tickvals": list(range(columns)),
            "ticktext": [hover(label) for label in labels],
            "tickangle": -60,
            "automargin": False,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "tickvals": list(range(0, rows, 3)),
            "ticktext": [row_name(row) for row in range(0, rows, 3)],
            "range": [rows - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def rank_figure(lens: Lens) -> go.Figure:
    """The rank of the token after each layer: 1 is the layer's first choice."""
    sketch = Sketch(log_y=True)
    rows = list(range(len(lens.ranks)))
    told = [
        hover(f"After {row_name(row)}: number {int(lens.ranks[row]):,}", share(float(lens.probabilities[row])))
        for row in rows
    ]
    sketch.line(rows, [float(rank) for rank in lens.ranks], sketch.colours[0], told, sizes=[7] * len(rows))
    most = int(np.max(lens.ranks))
    ticks = [rank for rank in (1, 10, 100, 1_000, 10_000, 100_000) if rank <= max(most, 10)]
    return sketch.figure(
        f"The rank of {hover(piece_label(lens.piece))} after each layer",
        told="1 is the layer's first choice",
        height=340,
        xaxis={
            "tickvals": rows[:: max(1, len(rows) // 8)],
            "ticktext": [row_name(row) for row in rows[:: max(1, len(rows) // 8)]],
            "zeroline": False,
        },
        yaxis={
            "type": "log",
            "title": "rank",
            "tickvals": ticks,
            "ticktext": [f"{tick:,}" for tick in ticks],
            "range": [np.log10(max(most, 10)) + 0.1, -0.1],
            "zeroline": False,
        },
    )


def _short(piece: str) -> str:
    shown = "".join(sign if sign.isprintable() else "↵" if sign == "\n" else "·" for sign in piece.strip(" ") or "␣")
    return shown if len(shown) <= CELL_CHARACTERS else shown[: CELL_CHARACTERS - 1] + "…"

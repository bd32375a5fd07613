"""A gradient descent: the surface of the loss with the path on it, and the arithmetic of every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.training.evaluation.comparing import figure
from exports.cells import rows_csv
from pages.widgets.chart_parts import TAKEN, Row, Sketch, hover
from pages.widgets.take_away import csv_button
from pages.widgets.words import cut

HEIGHT = 520
MOST_MARKED = 40  # steps with a dot


def draw(descent: Any, owner: str) -> None:
    """descent: `extra["descent"]` of the regression recipe; anything else draws nothing."""
    if not isinstance(descent, Mapping) or not descent.get("path"):
        return
    st.subheader("The descent")
    st.caption(
        "Features and target are brought to mean 0 and spread 1 first, so a mean squared error of 1 is what the mean "
        "alone gets."
        + (
            f" The network has {descent['parameters']:,} parameters; the picture is the plane through the two "
            f"directions in which its path is widest. They hold {descent['held']:.0%} of it."
            if descent.get("kind") == "directions"
            else ""
        )
        + (
            f" The lowest point there is, least squares, has {figure(descent['least_squares']['mse'])} (green cross)."
            if descent.get("least_squares")
            else ""
        )
    )
    st.plotly_chart(surface_figure(descent), key=f"r_descent_{owner}", config=TAKEN)
    if descent.get("steps"):
        _draw_steps(descent)


def surface_figure(descent: Mapping[str, Any]) -> go.Figure:
    """Lines of equal loss, spaced by its logarithm, so that the bottom of the valley shows."""
    sketch = Sketch()
    x, y = descent["x"], descent["y"]
    logs = [[math.log10(max(float(cell), 1e-9)) for cell in row] for row in descent["mse"]]
    told = [
        [
            hover(f"{x['name']} {figure(at)}", f"{y['name']} {figure(up)}", f"MSE {figure(float(cell))}")
            for at, cell in zip(x["values"], row, strict=True)
        ]
        for up, row in zip(y["values"], descent["mse"], strict=True)
    ]
    sketch.add(
        "contour",
        z=logs,
        x=x["values"],
        y=y["values"],
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        hoverinfo="text",
        ncontours=18,
        contours={"coloring": "fill"},
        line={"width": 0.5, "smoothing": 0.8},
        showscale=False,
        opacity=0.75,
    )
    _draw_path(sketch, descent)
    plain: Row = {"zeroline": False, "nticks": 6, "showgrid": False}
    return sketch.figure(
        "Surface of the loss, and the way down",
        told="thin lines: equal error · orange: the path, a dot a step",
        height=HEIGHT,
        xaxis={"title": escape(cut(str(x["name"]), 40)), "range": _ends(x)} | plain,
        yaxis={"title": escape(cut(str(y["name"]), 40)), "range": _ends(y)} | plain,
        margin={"l": 64, "r": 12, "b": 56},
    )


def _draw_path(sketch: Sketch, descent: Mapping[str, Any]) -> None:
    path = descent["path"]
    colour = sketch.colours[1]
    x, y = [one["x"] for one in path], [one["y"] for one in path]
    texts = [hover(f"step {one['step']:,}", f"MSE {figure(one['mse'])}") for one in path]
    every = max(1, math.ceil(len(path) / MOST_MARKED))
    sizes = [6.0 if place % every == 0 else 0.0 for place in range(len(path))]
    sketch.line(x, y, colour, texts, sizes=sizes)
    sketch.label(x[0], y[0], f"start, MSE <b>{figure(path[0]['mse'])}</b>", yanchor="bottom", yshift=8)
    kept = descent["kept"]
    ring = {"size": 14, "symbol": "circle-open", "color": colour, "line": {"width": 3}}
    sketch.add(
        "scatter",
        [hover("kept", f"MSE {figure(kept['mse'])}")],
        x=[kept["x"]],
        y=[kept["y"]],
        mode="markers",
        marker=ring,
    )
    sketch.label(kept["x"], kept["y"], f"kept, MSE <b>{figure(kept['mse'])}</b>", yanchor="top", yshift=-10)
    best = descent.get("least_squares")
    if best and _inside(best["x"], descent["x"]) and _inside(best["y"], descent["y"]):
        told = hover("least squares, the lowest point there is", f"MSE {figure(best['mse'])}")
        cross = {"size": 12, "symbol": "x", "color": sketch.colours[2]}
        sketch.add("scatter", [told], x=[best["x"]], y=[best["y"]], mode="markers", marker=cross)


def _ends(axis: Mapping[str, Any]) -> list[float]:
    return [min(axis["values"]), max(axis["values"])]


def _inside(value: float, axis: Mapping[str, Any]) -> bool:
    low, high = _ends(axis)
    return low <= value <= high


def _draw_steps(descent: Mapping[str, Any]) -> None:
    st.markdown("**Step by step.** With all parameters $w$ and a column of ones in $X$:")
    st.latex(r"\mathrm{MSE} = \frac{1}{n}\,\lVert Xw - y \rVert^2 \qquad \nabla = \frac{2}{n}\,X^\top (Xw - y)")
    rows = step_rows(descent["names"], descent["steps"])
    numbers = [name for name in rows[0] if name != "Step"]
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_config={name: st.column_config.NumberColumn(format="%.4g") for name in numbers},
        alt="Error, parameters and gradient at every step of the descent",
    )
    csv_button("descent", rows_csv(rows), label="Steps of the descent (CSV)")


def step_rows(names: Sequence[str], steps: Sequence[Mapping[str, Any]]) -> list[dict[str, float | int]]:
    """A row a step: error, length of the gradient, each parameter and its slope."""
    return [
        {
            "Step": int(one["step"]),
            "MSE": float(one["mse"]),
            "Gradient, length": float(one["gradient_norm"]),
            **{str(name): float(value) for name, value in zip(names, one.get("weights", ()), strict=False)},
            **{f"slope of {name}": float(value) for name, value in zip(names, one.get("gradient", ()), strict=False)},
        }
        for one in steps
    ]

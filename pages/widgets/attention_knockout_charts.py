"""Pictures of a knock-out: what the model would say before and after, and the effect of every head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.interpret.candidates import Candidate
from core.interpret.ranking import HeadEffects
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover

MOST_ROWS = 10
ROW_PIXELS = 44


def share(probability: float) -> str:
    """43 %, 4.3 %, < 0.1 %."""
    percent = 100 * probability
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %"


def choices_figure(candidates: Sequence[Candidate]) -> go.Figure:
    """A pair of bars a token: its probability whole, and with the edits."""
    shown = list(candidates[:MOST_ROWS])
    sketch, rows = Sketch(), list(range(len(shown)))
    for name, colour, values in (
        ("before", GREY, [one.before for one in shown]),
        ("after", sketch.colours[0], [one.after for one in shown]),
    ):
        sketch.add(
            "bar",
            [hover(f"{piece_label(one.piece)} {name}: {share(v)}") for one, v in zip(shown, values, strict=True)],
            orientation="h",
            x=[100 * value for value in values],
            y=rows,
            marker={"color": colour},
            text=[f"{name} {share(value)}" for value in values],
            textposition="outside",
            cliponaxis=False,
        )
    most = 100 * max((max(one.before, one.after) for one in shown), default=1.0)
    return sketch.figure(
        "What the model would say",
        told="the likeliest tokens, whole (grey) and with what is switched off (blue)",
        height=120 + ROW_PIXELS * max(3, len(rows)),
        margin={"l": 110},
        barmode="group",
        bargap=0.25,
        xaxis=even_axis(0, 1.3 * most, lambda value: f"{value:g} %", title="probability"),
        yaxis={
            "tickvals": rows,
            "ticktext": [hover(piece_label(one.piece, 10)) for one in shown],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def effects_figure(effects: HeadEffects) -> go.Figure:
    """Every head of every layer, and the MLPs in a column of their own; blue helped, orange stood in the way."""
    layers, heads = effects.heads.shape
    sketch = Sketch()
    helped = np.concatenate([-effects.heads, np.full((layers, 1), np.nan), -effects.mlps[:, None]], axis=1)
    names = [*(f"head {head}" for head in range(heads)), "", "the MLP"]
    told = [
        [
            hover(f"Layer {layer}, {names[column]}", f"{_change(-helped[layer, column], effects)}")
            if np.isfinite(helped[layer, column])
            else ""
            for column in range(heads + 2)
        ]
        for layer in range(layers)
    ]
    most = float(np.nanpercentile(np.abs(effects.heads), 99)) or 1e-6
    sketch.add(
        "heatmap",
        told,  # type: ignore[arg-type]
        x=list(range(heads + 2)),
        y=list(range(layers)),
        z=helped,
        zmin=-most,
        zmax=most,
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": "helped", "side": "right"}, "thickness": 12},
    )
    return sketch.figure(
        f"How much each head helped: {effects.asked.measure}",
        told="blue: without it the token is less likely; orange: more likely",
        height=140 + max(12 * layers, 160),
        margin={"l": 56},
        xaxis={
            "title": "head",
            "tickvals": [*range(0, heads, max(1, heads // 12)), heads + 1],
            "ticktext": [*map(str, range(0, heads, max(1, heads // 12))), "MLP"],
            "zeroline": False,
            "showgrid": False,
        },
        yaxis={"title": "layer", "range": [layers - 0.5, -0.5], "zeroline": False, "showgrid": False},
    )


def _change(value: float, effects: HeadEffects) -> str:
    unit = {"log probability": "log probability", "logit difference": "logit difference", "cosine": "cosine"}
    return f"without it: {value:+.3g} {unit[effects.asked.measure]}"

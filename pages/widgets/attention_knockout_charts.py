"""Pictures of a knock-out: what the model would say before and after, and the effect of every head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from core.interpret.candidates import Candidate
from core.interpret.knockout import EmbeddingEffect
from core.interpret.ranking import HeadEffects
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover
from pages.widgets.words import share

MOST_ROWS = 10
ROW_PIXELS = 44
BAR_PIXELS = 30
UNITS = {"log probability": "log p", "logit difference": "logit difference", "cosine": "cosine"}
_TELLS = {
    "log probability": "blue: without it the token is less likely; orange: more likely",
    "logit difference": "blue: without it the token falls behind the other; orange: it gains on it",
    "cosine": "blue: without it the text's embedding turns away from what it was; grey: it stays as it was",
}


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
    """Every head of every layer, and the MLPs in a column of their own: the change without each, blue below zero."""
    layers, heads = effects.heads.shape
    sketch = Sketch()
    changes = np.concatenate([effects.heads, np.full((layers, 1), np.nan), effects.mlps[:, None]], axis=1)
    unit = UNITS[effects.asked.measure]
    names = [*(f"head {head}" for head in range(heads)), "", "the MLP"]
    told = [
        [
            hover(f"Layer {layer}, {names[column]}", f"without it {change_words(changes[layer, column], unit)}")
            if np.isfinite(changes[layer, column])
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
        z=changes,
        zmin=-most,
        zmax=most,
        xgap=1,
        ygap=1,
        colorscale=_diverging(),
        reversescale=True,  # the theme's begins with orange
        colorbar={"title": {"text": f"change without it, {unit}", "side": "right"}, "thickness": 12},
    )
    return sketch.figure(
        "What changes without each head",
        told=_TELLS[effects.asked.measure],
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


def cosines_figure(found: EmbeddingEffect, pieces: Sequence[str]) -> go.Figure:
    """The tokens whose vectors changed most: how far the cosine to what each was fell below one."""
    sketch = Sketch()
    shown = [int(place) for place in np.argsort(found.tokens, kind="stable")[:MOST_ROWS]]
    lost = [1 - float(found.tokens[place]) for place in shown]
    rows = list(range(len(shown)))
    names = [f"{piece_label(pieces[place], 10)} {place}" for place in shown]
    sketch.add(
        "bar",
        [hover(f"{name}: cosine {1 - value:.3f} to what it was") for name, value in zip(names, lost, strict=True)],
        orientation="h",
        x=lost,
        y=rows,
        marker={"color": sketch.colours[0]},
        text=[change_words(-value, "") for value in lost],
        textposition="outside",
        cliponaxis=False,
    )
    return sketch.figure(
        "Which tokens' vectors change most",
        told="the cosine to what each was, less 1: 0 is no change",
        height=120 + BAR_PIXELS * max(3, len(rows)),
        margin={"l": 120},
        bargap=0.25,
        xaxis=even_axis(0, 1.25 * max(*lost, 1e-6), lambda value: f"−{value:.3g}" if value else "0", title="change"),
        yaxis={
            "tickvals": rows,
            "ticktext": [hover(name) for name in names],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def change_words(value: float, unit: str) -> str:
    """−0.34 log p."""
    figure = "0" if value == 0 else f"{value:+.2f}" if abs(value) >= 0.1 else f"{value:+.2g}"
    return f"{figure} {unit}".strip().replace("-", "−")


def _diverging() -> Any:
    """The theme's, as Streamlit fills it in; a heat map left alone takes the sequential one."""
    template = pio.templates[pio.templates.default] if pio.templates.default else None
    return (template and template.layout.colorscale.diverging) or "RdBu"

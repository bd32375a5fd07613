"""Pictures of what encoders say. Plotly figures; colours come from the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import plotly.graph_objects as go

from core.onnx.encoder import ClassScore, MaskChoice
from pages.widgets.words import cut

CONFIG = {"displayModeBar": False}
LABEL_CHARACTERS = 24
FIGURES_UP_TO = 12  # sentences: a map of more has no room for figures in its squares
CLASSES_SHOWN = 8
ROW_PIXELS = 30
BAR_PIXELS = 24


def similarity_figure(texts: Sequence[str], cosines: npt.NDArray[Any]) -> go.Figure:
    """Cosine similarities [text, text] as a map, each with its figure while there is room."""
    names = [f"{place + 1} · {shortened(text)}" for place, text in enumerate(texts)]
    numbers = [str(place + 1) for place in range(len(texts))]
    figure = go.Figure(
        go.Heatmap(
            z=cosines,
            x=numbers,
            y=names,
            zmin=min(0.0, float(cosines.min())),
            zmax=1.0,
            text=[[f"{value:.2f}" for value in row] for row in cosines] if len(texts) <= FIGURES_UP_TO else None,
            texttemplate="%{text}" if len(texts) <= FIGURES_UP_TO else None,
            customdata=[[(escaped(a), escaped(b)) for b in texts] for a in texts],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>cosine %{z:.3f}<extra></extra>",
            colorbar={"title": "cosine", "thickness": 10},
            showscale=len(texts) > FIGURES_UP_TO,  # the figures say it
        )
    )
    figure.update_yaxes(autorange="reversed", title=None)
    figure.update_xaxes(side="top", title=None, type="category")
    figure.update_layout(title="How alike the sentences are", height=140 + ROW_PIXELS * max(4, len(texts)))
    return figure


def classes_figure(texts: Sequence[str], found: Sequence[Sequence[ClassScore]], order: Sequence[str]) -> go.Figure:
    """A bar for each text and class. order: the model's own of its classes, so that a class keeps its colour."""
    figure = go.Figure()
    likely = {score.label for scores in found for score in scores[:CLASSES_SHOWN]}
    labels = [label for label in order if label in likely]
    names = [f"{place + 1} · {shortened(text)}" for place, text in enumerate(texts)]
    for label in labels:
        values = [next((s.probability for s in scores if s.label == label), None) for scores in found]
        figure.add_bar(
            y=names,
            x=values,
            name=label,
            orientation="h",
            text=[None if value is None else f"{value:.0%}" for value in values],
            hovertemplate="%{x:.1%} " + escaped(label) + "<extra></extra>",
        )
    figure.update_xaxes(title="probability", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(autorange="reversed", title=None)
    figure.update_layout(
        title="Which class each text is in",
        barmode="group",
        bargap=0.25,
        height=170 + BAR_PIXELS * len(texts) * (len(labels) + 1),
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    return figure


def mask_figure(choices: Sequence[MaskChoice]) -> go.Figure:
    """A bar for each word that could stand for a mask."""
    several = len({choice.position for choice in choices}) > 1
    figure = go.Figure()
    for position in sorted({choice.position for choice in choices}):
        mine = [choice for choice in choices if choice.position == position]
        figure.add_bar(
            y=[f"{escaped(choice.token)}{f' ({position + 1})' if several else ''}" for choice in mine],
            x=[choice.probability for choice in mine],
            name=f"mask {position + 1}",
            orientation="h",
            text=[f"{choice.probability:.1%}" for choice in mine],
            customdata=[escaped(choice.text) for choice in mine],
            hovertemplate="%{customdata}<br>%{x:.1%}<extra></extra>",
        )
    figure.update_xaxes(title="probability", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", title=None, type="category")
    figure.update_layout(
        title="Words for the mask" + ("s" if several else ""),
        height=140 + ROW_PIXELS * max(3, len(choices)),
        showlegend=several,
    )
    return figure


def shortened(text: str) -> str:
    """The beginning of a text, safe as a label: Plotly reads some HTML."""
    return escaped(cut(text, LABEL_CHARACTERS))


def escaped(text: str) -> str:
    """Text with the signs that Plotly would read as markup made plain."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

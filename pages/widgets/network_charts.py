"""Pictures of what small networks say. Plotly figures; colours come from the theme."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.onnx.encoder import ClassScore
from pages.widgets.encoder_charts import escaped, shortened

CLASSES_SHOWN = 10
BAR_PIXELS = 28


def classes_of_one(scores: Sequence[ClassScore]) -> go.Figure:
    """A bar for each class of one picture, likeliest on top."""
    shown = scores[:CLASSES_SHOWN]
    figure = go.Figure(
        go.Bar(
            y=[shortened(score.label) for score in shown],
            x=[score.probability for score in shown],
            orientation="h",
            text=[f"{score.probability:.1%}" for score in shown],
            textposition="auto",
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="probability", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(autorange="reversed", title=None, type="category")
    figure.update_layout(
        title="How sure it is of each class", height=130 + BAR_PIXELS * max(3, len(shown)), showlegend=False
    )
    return figure


def along_feature(
    feature: str, values: Sequence[float], predicted: Sequence[float], target: str, here: tuple[float, float]
) -> go.Figure:
    """The prediction while one feature goes from the lowest to the highest that was learned from. here: (value,
    prediction) of the row that was asked for."""
    figure = go.Figure(
        go.Scatter(
            x=list(values),
            y=list(predicted),
            mode="lines",
            hovertemplate=f"{escaped(feature)} %{{x:.4g}}<br>{escaped(target)} %{{y:.4g}}<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[here[0]],
        y=[here[1]],
        mode="markers+text",
        text=["your row"],
        textposition="top center",
        marker={"size": 11},
        cliponaxis=False,
        hovertemplate="your row: %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(title=escaped(feature))
    figure.update_yaxes(title=escaped(target))
    figure.update_layout(
        title=f"{escaped(target)} along {escaped(feature)}, the rest as you set it", height=360, showlegend=False
    )
    return figure

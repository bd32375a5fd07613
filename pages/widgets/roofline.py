"""Pictures of measurements: how far each is from the machine's limits, and speed against the length of the prompt.

A colour is a precision, in the order of the theme's palette, in both pictures. What the machine could do is drawn in a
grey that shows on light and dark pages, and is named where it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import plotly.graph_objects as go
from plotly.colors import qualitative
from plotly.subplots import make_subplots

from core.measure.roofline import PHASES, Phase, attainable, point
from core.store.measurements import MeasurementRecord

LIMIT_COLOUR = "#808080"  # 3.9 : 1 on white, 4.7 : 1 on the dark page
SYMBOLS = {"prefill": "diamond", "decode": "circle"}
BATCH_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
HEIGHT = 460  # pixels
_PANELS: tuple[Phase, ...] = ("decode", "prefill")
_LEGEND = {"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0, "title": {"text": ""}}


def roofline_figure(records: Sequence[MeasurementRecord]) -> go.Figure:
    """Every record's prefill and decode as GFLOP/s reached at so many operations per byte moved, both on log axes,
    under the roof of Williams, Waterman and Patterson (2009): the memory's slope and the arithmetic's ceilings."""
    figure = go.Figure()
    colours = _colours(figure, records)
    for precision, colour in colours.items():
        for phase in PHASES:
            _add_points(figure, [r for r in records if r.precision == precision], phase, f"{precision} {phase}", colour)
    devices = list(dict.fromkeys(record.device_name for record in records))
    for device in devices:
        mine = [record for record in records if record.device_name == device]
        _add_roofs(figure, mine, f"{escape(device)}: " if len(devices) > 1 else "")
    figure.update_xaxes(title="operations per byte moved (FLOP/byte)", type="log", dtick=1, showgrid=True)
    figure.update_yaxes(title="GFLOP/s", type="log", dtick=1)
    figure.update_layout(title="Speed against the machine's limits", height=HEIGHT, legend=_LEGEND, margin=_MARGIN)
    return figure


def speed_figure(records: Sequence[MeasurementRecord]) -> go.Figure:
    """Tokens/s against the tokens of the prompt, decode beside prefill, a line for each precision and batch. The
    newest record of a cell counts. Dashed: what the limits leave to decode."""
    phases: list[Phase] = [phase for phase in _PANELS if any(_rate(record, phase) for record in records)]
    figure = make_subplots(
        rows=1,
        cols=max(1, len(phases)),
        subplot_titles=[phase.capitalize() for phase in phases],
        horizontal_spacing=0.14,
    )
    colours = _colours(figure, records)
    lengths = sorted({record.prompt_tokens for record in records})
    for column, phase in enumerate(phases, start=1):
        for place, batch in enumerate(sorted({record.batch for record in records})):
            for precision, colour in colours.items():
                line = _newest(r for r in records if (r.precision, r.batch) == (precision, batch))
                if not line:
                    continue
                name = f"{precision} × {batch}"
                marker = {"symbol": BATCH_SYMBOLS[place % len(BATCH_SYMBOLS)], "size": 8}
                figure.add_scatter(
                    x=[record.prompt_tokens for record in line],
                    y=[_rate(record, phase) for record in line],
                    name=name,
                    legendgroup=name,
                    showlegend=column == 1,
                    mode="lines+markers",
                    line={"color": colour},
                    marker=marker,
                    customdata=[_said(record, phase) for record in line],
                    hovertemplate=_HOVER,
                    row=1,
                    col=column,
                )
                if phase == "decode":
                    _add_decode_limit(figure, line, colour, column, name)
    if "decode" in phases:
        figure.add_scatter(x=[None], y=[None], name="limit", mode="lines", line={"color": LIMIT_COLOUR, "dash": "dash"})
    figure.update_xaxes(title="prompt, tokens", type="log", tickvals=lengths, ticktext=[f"{n:,}" for n in lengths])
    figure.update_yaxes(rangemode="tozero", tickformat="~s")
    figure.update_yaxes(title="tokens/s", col=1)
    figure.update_layout(title="Speed by length of the prompt", height=HEIGHT, legend=_LEGEND, margin=_MARGIN)
    return figure


_MARGIN = {"l": 60, "r": 16, "t": 72, "b": 60}
_HOVER = (
    "%{customdata[0]}<br>prompt %{customdata[1]:,} tokens × %{customdata[2]}<br>"
    "%{customdata[3]:,.1f} tokens/s, %{customdata[4]:.0%} of the limit<br>measurement %{customdata[5]}<extra></extra>"
)


def _said(record: MeasurementRecord, phase: Phase) -> tuple[str, int, int, float, float, str]:
    """What a point tells when it is pointed at, in the order of _HOVER."""
    found = point(record, phase)
    rate, share = (found.tokens_per_s, found.share) if found else (math.nan, math.nan)
    what = f"{escape(record.model_id)}, {record.precision}, {phase}"
    return what, record.prompt_tokens, record.batch, rate, share, record.id[:8]


def _add_points(figure: go.Figure, records: Iterable[MeasurementRecord], phase: Phase, name: str, colour: str) -> None:
    found = [(record, at) for record in records if (at := point(record, phase))]
    if found:
        figure.add_scatter(
            x=[at.intensity for _, at in found],
            y=[at.flop_per_s / 1e9 for _, at in found],
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": SYMBOLS[phase], "size": 10},
            customdata=[_said(record, phase) for record, _ in found],
            hovertemplate=_HOVER,
        )


def _add_roofs(figure: go.Figure, records: Sequence[MeasurementRecord], whose: str) -> None:
    """One device's limits, as its newest run found them. whose: goes before each label."""
    newest = max(records, key=lambda record: record.created_at)
    bandwidth = newest.bandwidth_bytes_per_s
    roofs: dict[float, list[str]] = {}
    for precision in dict.fromkeys(record.precision for record in records):
        mine = [record for record in records if record.precision == precision]
        limit = max(mine, key=lambda record: record.created_at).flop_per_s_limit
        roofs.setdefault(limit, []).append(precision)
    points = [at.intensity for record in records for phase in PHASES if (at := point(record, phase))]
    highest = max(roofs)
    start = min(points) / 3
    end = max([*points, *(roof / bandwidth for roof in roofs)]) * 8  # the labels stand beyond the points
    _add_limit(figure, [start, highest / bandwidth], bandwidth, highest)
    _label(figure, highest / bandwidth, highest, f"{whose}memory {bandwidth / 1e9:,.0f} GB/s", xshift=-12)
    for roof, precisions in roofs.items():
        _add_limit(figure, [roof / bandwidth, end], bandwidth, roof)
        _label(figure, end, roof, f"{whose}{', '.join(precisions)} {roof / 1e9:,.0f}")  # in the axis's unit


def _add_limit(figure: go.Figure, across: Sequence[float], bandwidth: float, roof: float) -> None:
    figure.add_scatter(
        x=list(across),
        y=[attainable(intensity, roof, bandwidth) / 1e9 for intensity in across],
        mode="lines",
        line={"color": LIMIT_COLOUR, "width": 2},
        showlegend=False,
        hoverinfo="skip",
    )


def _label(figure: go.Figure, x: float, y: float, text: str, *, xshift: int = 0) -> None:
    """On the line itself: above the point and left of it. Annotations stand at the logarithm on such axes."""
    figure.add_annotation(
        x=math.log10(x),
        y=math.log10(y / 1e9),
        text=text,
        showarrow=False,
        xanchor="right",
        yanchor="bottom",
        xshift=xshift,
    )


def _add_decode_limit(
    figure: go.Figure, line: Sequence[MeasurementRecord], colour: str, column: int, name: str
) -> None:
    limits = [found.limit_tokens_per_s for record in line if (found := point(record, "decode"))]
    figure.add_scatter(
        x=[record.prompt_tokens for record in line],
        y=limits,
        name=f"limit of {name}",
        legendgroup=name,
        showlegend=False,
        mode="lines",
        line={"color": colour, "dash": "dash", "width": 1},
        hovertemplate="limit of " + name + ": %{y:,.0f} tokens/s<extra></extra>",
        row=1,
        col=column,
    )


def _colours(figure: go.Figure, records: Iterable[MeasurementRecord]) -> dict[str, str]:
    """Each precision's, by name, from the palette of the figure's template: the theme's, once Streamlit draws it."""
    palette = figure.layout.template.layout.colorway or qualitative.Plotly
    precisions = sorted({record.precision for record in records})
    return {precision: palette[place % len(palette)] for place, precision in enumerate(precisions)}


def _newest(records: Iterable[MeasurementRecord]) -> list[MeasurementRecord]:
    """The newest of each prompt length, in the order of length."""
    by_length: dict[int, MeasurementRecord] = {}
    for record in sorted(records, key=lambda record: record.created_at):
        by_length[record.prompt_tokens] = record
    return [by_length[length] for length in sorted(by_length)]


def _rate(record: MeasurementRecord, phase: Phase) -> float | None:
    return record.decode_tokens_per_s if phase == "decode" else record.prefill_tokens_per_s

"""What the dashboard's pictures by month are made of: an axis of months, one of money, and stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.errors import InvalidInput
from core.venture import months as calendar
from core.venture.money import major, short, shown
from core.venture.plan import Plan, plan
from exports.cells import rows_csv
from pages.widgets.chart_parts import CONFIG, Row, Sketch, even_axis, hover
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button

MOST_TICKS = 5
_STEPS = (1, 2, 3, 6, 12, 24)


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of a stack. values: minor units, a month. colour: None takes the next of the palette."""

    name: str
    values: Sequence[int]
    colour: str | None = None


def show(name: str, figure: go.Figure, rows: Sequence[Row], *, alt: str, key: str = "") -> None:
    """The picture, and the numbers behind it. name: of the file."""
    st.plotly_chart(figure, key=f"d_picture_{key or name}", config=CONFIG, alt=alt)
    csv_button(name, rows_csv(rows), label="Numbers of this picture (CSV)")


def planned(desk: Desk) -> Plan | None:
    """The plan; None, with why, for one that cannot be counted, so that the inputs that make it so stay on the page."""
    try:
        return plan(desk.spec)
    except InvalidInput as error:
        st.error(str(error), icon=":material/error:")
        return None


def month_axis(names: Sequence[str], **axis: Any) -> Row:
    """x is the place of a month in the plan; few enough ticks for a narrow screen, on round months."""
    step = next((one for one in _STEPS if len(names) / one <= MOST_TICKS + 1), _STEPS[-1])
    places = [place for place, name in enumerate(names) if calendar.number(name) % step == 0] or [0]
    words = [calendar.said(names[place]) for place in places]
    return {
        "tickvals": places,
        "ticktext": [one.replace(" ", "<br>") for one in words],
        "range": [-0.6, len(names) - 0.4],
        "showgrid": False,
        "zeroline": False,
    } | axis


def money_axis(values: Sequence[int], currency: str, **axis: Any) -> Row:
    """values: minor units that must be in sight; 0 always is."""
    least, most = min(0, *values, 0), max(0, *values, 0)
    room = (most - least or 100) * 0.08
    low, high = (least - room if least < 0 else 0.0), (most + room if most > 0 else room)
    return even_axis(low / 100, high / 100, lambda one: short(Decimal(repr(one)), currency), most=4, **axis) | {
        "zeroline": low < 0,
        "zerolinecolor": "#808080",
    }


def stack_figure(
    title: str,
    names: Sequence[str],
    layers: Sequence[Layer],
    currency: str,
    *,
    told: str = "",
    height: int = 340,
    axis: str = "",
) -> go.Figure:
    """Bars of a month on top of each other; values below 0 hang below."""
    sketch = Sketch()
    for place, layer in enumerate(layers):
        _bars(sketch, names, layer, layer.colour or sketch.colours[place % len(sketch.colours)], currency)
    tops = [sum(max(one.values[place], 0) for one in layers) for place in range(len(names))]
    lows = [sum(min(one.values[place], 0) for one in layers) for place in range(len(names))]
    return sketch.figure(
        title,
        told=told,
        barmode="relative",
        bargap=0.15,
        xaxis=month_axis(names),
        yaxis=money_axis([*tops, *lows], currency, title=axis or f"{currency} a month"),
        **legend(len(layers), height),
    )


def _bars(sketch: Sketch, names: Sequence[str], layer: Layer, colour: str, currency: str) -> None:
    texts = [
        hover(calendar.said(name), f"{layer.name}: {shown(major(value), currency)}")
        for name, value in zip(names, layer.values, strict=True)
    ]
    sketch.add(
        "bar",
        texts,
        x=list(range(len(names))),
        y=[value / 100 for value in layer.values],
        name=hover(layer.name),
        marker={"color": colour, "line": {"width": 0}},
    )


def legend(series: int, height: int) -> Row:
    """At the foot of a picture of this height, which grows by it; none for one series."""
    if series < 2:
        return {"height": height}
    room = 20 * ((series + 1) // 2)
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom"}
    return {
        "showlegend": True,
        "legend": place | {"traceorder": "normal"},
        "height": height + room,
        "margin": {"b": 56 + room},
    }

"""A day of the demand as a picture: the requests of each hour, and the replicas that they take."""

from __future__ import annotations

import plotly.graph_objects as go

from core.estimate.demand import HOURS
from core.estimate.serve_estimate import ServeAnswer
from core.estimate.words import digits, said
from pages.widgets.chart_parts import Row, Sketch, even_axis, hover, range_row, short


def day_figure(answer: ServeAnswer) -> go.Figure:
    """Requests of each hour, and the replicas that they take when they follow it."""
    demand, fleet = answer.demand, answer.fleet
    assert demand is not None  # pictures sees to it
    assert fleet is not None
    sketch, hours = Sketch(), list(range(HOURS))
    rates, needed, fixed = demand.hourly_requests_per_s, fleet.hourly_replicas, fleet.replicas.value
    texts = [
        hover(f"{hour}:00 to {hour + 1}:00", said(rate, "requests/s"), f"replicas: {count:,}")
        for hour, rate, count in zip(hours, rates, needed, strict=True)
    ]
    for panel, values, colour in (("y", rates, sketch.colours[0]), ("y2", needed, sketch.colours[1])):
        middles = [hour + 0.5 for hour in hours]
        sketch.add(
            "bar", texts, x=middles, y=values, width=0.86, marker={"color": colour, "line": {"width": 0}}, yaxis=panel
        )
    sketch.level(fixed.expected, dash="dash", panel="y2")
    low, high = round(fixed.low), round(fixed.high)
    spread = f" ({low:,} to {high:,})" if low < high else ""
    all_day = f"running all day: <b>{fixed.expected:,.0f}</b>{spread}"
    sketch.label(0, fixed.expected, all_day, panel="y2", xanchor="left", yanchor="bottom")
    most, top = max(rates), max(fixed.expected, *needed)
    sketch.label(rates.index(most) + 0.5, most, f"busiest hour: {digits(most)}", yanchor="bottom")
    return sketch.figure(
        "A day of the demand",
        told="below: replicas that follow it",
        height=460,
        xaxis={"range": [0, HOURS], "tickvals": [0, 6, 12, 18, 24], "title": "hour of the day", "anchor": "y2"},
        yaxis=even_axis(0, 1.22 * most, short, most=4, title="requests/s", domain=[0.56, 1]),
        yaxis2=even_axis(0, 1.35 * top, short, most=min(4, int(1.35 * top)), title="replicas", domain=[0, 0.44]),
    )


def day_rows(answer: ServeAnswer) -> list[Row]:
    demand, fleet = answer.demand, answer.fleet
    assert demand is not None
    assert fleet is not None
    rates = zip(demand.hourly_requests_per_s, fleet.hourly_replicas, strict=True)
    return [
        {
            "hour": hour,
            "requests_per_s": rate,
            "replicas_autoscaled": count,
            **range_row("replicas", fleet.replicas.value),
        }
        for hour, (rate, count) in enumerate(rates)
    ]

"""The picture of the overview: cash at the end of each month, and below it what comes in and goes out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.venture import months as calendar
from core.venture.money import major, short, shown
from core.venture.overview import outlook
from core.venture.plan import Plan
from pages.widgets.chart_parts import BAND, Row, Sketch, hover
from pages.widgets.dashboard_months_charts import money_axis, month_axis


def cash_figure(plan: Plan, *, height: int = 470) -> go.Figure:
    """Above the cash with the months in which money comes in; below revenue and everything that is spent."""
    sketch = Sketch()
    names, cash = plan.months, [int(one) for one in plan.cash[0]]
    revenue, spent = [int(one) for one in plan.revenue[0]], [int(one) for one in plan.payments[0]]
    _cash(sketch, plan, cash)
    for label, values, colour in (("revenue", revenue, sketch.colours[2]), ("spent", spent, sketch.colours[1])):
        sketch.line(
            list(range(len(names))), [one / 100 for one in values], colour, _texts(plan, label, values), panel="y2"
        )
    _ends(sketch, plan, revenue, spent)
    return sketch.figure(
        "Cash at the end of each month",
        told="below: revenue and spending a month",
        height=height,
        margin={"r": 70},
        xaxis=month_axis(names, anchor="y2"),
        yaxis=money_axis(cash, plan.currency, title=f"{plan.currency}", domain=[0.5, 1]),
        yaxis2=money_axis([*revenue, *spent], plan.currency, title=f"{plan.currency} a month", domain=[0, 0.4]),
    )


def _cash(sketch: Sketch, plan: Plan, cash: Sequence[int]) -> None:
    places = list(range(len(cash)))
    for sign, colour in ((1, sketch.colours[0]), (-1, sketch.colours[1])):
        part = [max(sign * one, 0) * sign / 100 for one in cash]
        sketch.add(
            "scatter",
            x=[*places, *reversed(places)],
            y=[*part, *(0 for _ in places)],
            mode="lines",
            line={"width": 0},
            fill="toself",  # Plotly fills to an axis without regard to the opacity
            fillcolor=colour,
            opacity=BAND,
        )
    sketch.line(places, [one / 100 for one in cash], sketch.colours[0], _texts(plan, "cash", cash))
    came = [place for place in places if plan.funding_in[0, place]]
    sketch.add(
        "scatter",
        [_funded(plan, place) for place in came],
        x=came,
        y=[cash[place] / 100 for place in came],
        mode="markers",
        marker={"symbol": "triangle-up", "size": 11, "color": sketch.colours[0]},
    )
    empty = outlook(plan).empty
    if empty is not None:
        sketch.add(
            "scatter",
            [hover(calendar.said(plan.months[empty]), "the cash is below 0")],
            x=[empty],
            y=[cash[empty] / 100],
            mode="markers",
            marker={"symbol": "x", "size": 11, "color": sketch.colours[1]},
        )
        sketch.label(
            empty,
            max(*cash, 0) / 250,
            f"<b>out of cash</b><br>{calendar.said(plan.months[empty])}",
            xanchor="right" if empty > 0.9 * len(cash) else "left",
            yanchor="bottom",
        )


def _ends(sketch: Sketch, plan: Plan, revenue: Sequence[int], spent: Sequence[int]) -> None:
    """Names at the ends of the lines, the higher one above."""
    last = len(plan.months) - 1
    upper = revenue[-1] >= spent[-1]
    for text, value, above in (("revenue", revenue[-1], upper), ("spent", spent[-1], not upper)):
        sketch.label(
            last, value / 100, text, panel="y2", xanchor="left", xshift=4, yanchor="bottom" if above else "top"
        )


def _texts(plan: Plan, label: str, values: Sequence[int]) -> list[str]:
    return [
        hover(calendar.said(name), f"{label}: {shown(major(value), plan.currency)}")
        for name, value in zip(plan.months, values, strict=True)
    ]


def _funded(plan: Plan, place: int) -> str:
    came = [
        f"{name}: {short(major(line[0, place]), plan.currency)}"
        for name, line in plan.funding.items()
        if line[0, place]
    ]
    return hover(calendar.said(plan.months[place]), *came)


def cash_rows(plan: Plan) -> list[Row]:
    """In the company's currency."""
    lines = {
        "cash_at_month_end": plan.cash,
        "revenue": plan.revenue,
        "of_it_recurring": plan.recurring,
        "receipts": plan.receipts,
        "payments": plan.payments,
        "funding": plan.funding_in,
        "repayments": plan.repayments,
        "net_burn": plan.net_burn,
    }
    return [
        {"month": name, "currency": plan.currency} | {key: float(major(line[0, place])) for key, line in lines.items()}
        for place, name in enumerate(plan.months)
    ]

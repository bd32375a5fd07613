"""Pictures of what matters: the tornado of a target, what the spread comes from, and the plan against what came."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

import plotly.graph_objects as go

from core.venture import months
from core.venture.beside_plan import LINES, Variance
from core.venture.drivers import DRIVERS
from core.venture.metrics import said
from core.venture.money import short
from core.venture.monte_carlo import Influence
from core.venture.plan import Plan
from core.venture.sensitivity import Bar, Tornado
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover, side
from pages.widgets.dashboard_months_charts import money_axis, month_axis
from pages.widgets.part_bars import Bars

AHEAD, LEAST_MONTHS = 7, 12  # months of the plan that are drawn after the last that was counted, and at least
LEAST_SWING = 0.004  # of the widest bar: a shorter one would not be seen


def tornado_figure(found: Tornado, currency: str) -> go.Figure:
    """Each driver alone, from its low to its high; the longest bar first. Of every target more is better."""
    bars = Bars()
    base = _scaled(found, found.base or 0.0)
    low = high = base
    for one in _drawn(found):
        at_low, at_high = (_scaled(found, value) for value in (one.at_low or 0.0, one.at_high or 0.0))
        row = bars.words(f"{escape(one.label)} <b>{driver(one, one.low)} → {driver(one, one.high)}</b>")
        text = _told(found, one, currency)
        for name, end in (("low", at_low), ("high", at_high)):
            bars.bar(row, base, end - base, bars.sketch.colours[0 if end > base else 1], text)
            if end != base:
                _end(bars, row, end, name, "left" if end > base else "right")
        low, high = min(low, at_low, at_high), max(high, at_low, at_high)
    wide = (high - low) or abs(base) or 1.0
    bars.sketch.upright(base)
    place = side((base - low) / wide)
    words = in_words(found, found.base, currency)
    bars.sketch.note(f"as planned: {words}", x=base, y=1, yref="paper", yanchor="bottom", xanchor=place)
    axis = even_axis(
        low - 0.14 * wide, high + 0.14 * wide, lambda value: _tick(found, value, currency), most=4, title=found.label
    )
    return bars.figure(f"What moves it: {found.label}", axis, told="blue: better · orange: worse", top=22)


def _end(bars: Bars, row: int, x: float, text: str, xanchor: str) -> None:
    """What stands at the end of a bar: low or high of its driver."""
    shift = 3 if xanchor == "left" else -3
    bars.sketch.note(text, x=x, y=-row, yref="y", xanchor=xanchor, yanchor="middle", xshift=shift)


def _drawn(found: Tornado) -> list[Bar]:
    widest = max((one.swing for one in found.bars), default=0.0)
    return [one for one in found.bars if one.swing > LEAST_SWING * widest]


def driver(one: Bar, value: float) -> str:
    """70%; 4 months."""
    return f"{value:g} months" if one.name == "hiring_delay" else f"{value:.0%}"


def in_words(found: Tornado, value: float | None, currency: str) -> str:
    """A value of the target."""
    if value is None:
        return "no value"
    if found.unit == "money":
        return short(Decimal(repr(value)) / 100, currency)
    if found.unit == "months" and value >= found.most:
        return f"over {found.most} months"
    return said(value, found.unit, currency)


def _told(found: Tornado, one: Bar, currency: str) -> str:
    return hover(
        one.label,
        f"at {driver(one, one.low)}: {in_words(found, one.at_low, currency)}",
        f"at {driver(one, one.high)}: {in_words(found, one.at_high, currency)}",
        DRIVERS[one.name].help,
    )


def _scaled(found: Tornado, value: float) -> float:
    return value / 100 if found.unit == "money" else value


def _tick(found: Tornado, value: float, currency: str) -> str:
    if found.unit == "money":
        return short(Decimal(repr(value)), currency)
    return f"{value:.0%}" if found.unit == "share" else f"{value:g}"


def influence_figure(found: Sequence[Influence]) -> go.Figure:
    """How much of the spread goes with each driver."""
    bars = Bars()
    blue, orange = bars.sketch.colours[0], bars.sketch.colours[1]
    for one in found:
        row = bars.words(f"{escape(DRIVERS[one.name].label)} <b>{one.share:.0%}</b>")
        way = "more cash at the end" if one.correlation > 0 else "less cash at the end"
        text = hover(DRIVERS[one.name].label, f"more of it: {way}", f"rank correlation {one.correlation:.2f}")
        bars.bar(row, 0.0, one.share * 100, blue if one.correlation > 0 else orange, text)
    top = max((one.share for one in found), default=0.01) * 108
    axis = even_axis(0, top, lambda value: f"{value:g}%", most=4, title="share of the spread of cash at the end")
    return bars.figure("What the spread comes from", axis, told="blue: more is better · orange: more is worse")


def beside_figure(plan: Plan, rows: Sequence[Variance], key: str) -> go.Figure:
    """One figure: as planned, as a line; as counted, as points; what lies between, as bars."""
    sketch = Sketch()
    line, money = LINES[key], key in ("revenue", "cogs", "operating_costs", "cash", "mrr")
    at = [plan.months.index(one.month) for one in rows]
    count = min(max(*at, LEAST_MONTHS - AHEAD) + AHEAD, len(plan.months))
    names, places = plan.months[:count], list(range(count))
    planned = [float(one) / (100 if money else 1) for one in line.of(plan, 0)[:count]]
    texts = [
        hover(
            months.said(one.month),
            f"planned {_amount(one.planned, plan.currency)}, actual {_amount(one.actual, plan.currency)}",
            f"off by {_amount(one.off, plan.currency)}" + (f" ({one.share:+.0%})" if one.share is not None else ""),
        )
        for one in rows
    ]
    for place, one in zip(at, rows, strict=True):
        colour = GREY if one.better is None else sketch.colours[0 if one.better else 1]
        ends = [float(one.planned), float(one.actual)]
        sketch.add("scatter", x=[place, place], y=ends, mode="lines", line={"color": colour, "width": 5}, opacity=0.6)
    sketch.line(
        places,
        planned,
        GREY,
        [hover(months.said(name), f"planned {p:,.0f}") for name, p in zip(names, planned, strict=True)],
    )
    colours = [GREY if one.better is None else sketch.colours[0 if one.better else 1] for one in rows]
    sketch.add(
        "scatter",
        texts,
        x=at,
        y=[float(one.actual) for one in rows],
        mode="markers",
        marker={"size": 10, "color": colours, "line": {"width": 0}},
    )
    values = [*planned, *(float(one.actual) for one in rows)]
    if money:
        axis = money_axis([round(value * 100) for value in values], plan.currency, title=plan.currency)
    else:
        low, high = min(0.0, *values), max(*values, 1.0)
        axis = even_axis(low, high * 1.08, lambda value: f"{value:g}", most=4)
    return sketch.figure(
        f"{line.label}: plan and actual",
        told="line: plan · points: actual<br>blue: better than planned · orange: worse",
        height=400,
        xaxis=month_axis(names),
        yaxis=axis,
    )


def _amount(value: Decimal | float, currency: str) -> str:
    return short(value, currency) if isinstance(value, Decimal) else f"{value:,.1f}".removesuffix(".0")

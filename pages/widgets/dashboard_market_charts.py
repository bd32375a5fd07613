"""Pictures of the market: deals by quarter with median and quartiles, and the stages beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from html import escape

import plotly.graph_objects as go

from core.estimate.ranges import Range
from core.venture.fields import quarter
from core.venture.market import DealSpec
from core.venture.market_trends import MEASURES, Group, Measure, Standing, figure, stage_title
from core.venture.money import short
from pages.widgets.chart_parts import GREY, Row, Sketch, hover, log_axis
from pages.widgets.part_bars import Bars
from pages.widgets.words import count_of

HEIGHT = 400
_TICKS = 6


def trend_figure(
    groups: Sequence[Group],
    deals: Sequence[DealSpec],
    measure: Measure,
    own: Sequence[Standing],
    currency: str,
    what: str,
) -> go.Figure:
    """Every deal a point, the median of each quarter a line, its quartiles a band; own rounds as levels."""
    sketch = Sketch(log_y=True)
    blue, orange = sketch.colours[:2]
    told = [one for one in groups if one.spread is not None]
    first = _number(told[0].name)
    x = [_number(one.name) - first for one in told]
    spreads = [one.spread for one in told if one.spread is not None]
    sketch.band(x, [Range(float(one.low), float(one.median), float(one.high)) for one in spreads], blue)
    points = [(one, value) for one in deals if (value := figure(one, measure)) is not None]
    sketch.add(
        "scatter",
        [hover(one.company, f"{stage_title(one.stage)}, {one.date}", short(value, currency)) for one, value in points],
        x=[_number(quarter(one.date)) - first + _within(one) for one, _ in points],
        y=[float(value) for _, value in points],
        mode="markers",
        marker={"color": GREY, "size": 6, "opacity": 0.6},
    )
    texts = [
        hover(group.name, f"median {short(one.median, currency)} of {count_of(one.count, 'deal')}", _few(one.count))
        for group, one in zip(told, spreads, strict=True)
    ]
    sizes = [6 if one.few else 10 for one in spreads]
    sketch.line(x, [float(one.median) for one in spreads], blue, texts, sizes=sizes)
    values = [float(value) for _, value in points] + [float(one.value) for one in own]
    for one in own:
        sketch.level(float(one.value), dash="dash")
        words = f"own {escape(stage_title(one.stage))} {short(one.value, currency)}"
        sketch.label(
            x[-1] + 0.5, float(one.value), words, xanchor="right", yshift=10, font={"color": orange, "size": 12}
        )
    low, high = min(values) / 1.3, max(values) * 1.3
    return sketch.figure(
        f"{MEASURES[measure]} by quarter, {escape(what)}",
        told="line: median, small dots of fewer than 3 deals<br>band: half of the deals · points: deals",
        height=HEIGHT,
        xaxis=_quarters(first, x[-1]),
        yaxis=log_axis(low, high, partial(_money, currency=currency), title=currency, range=_logs(low, high)),
    )


def stages_figure(
    groups: Sequence[Group], measure: Measure, own: Sequence[Standing], currency: str, *, example: bool = False
) -> go.Figure:
    """A row a stage: half of its deals as a bar, the median and the own round as marks."""
    bars = Bars()
    blue, orange = bars.sketch.colours[:2]
    told = [(one.name, one.spread) for one in groups if one.spread is not None]
    mine = {one.stage: one for one in own}
    for name, spread in told:
        title, median = stage_title(name), short(spread.median, currency)
        text = f"{escape(title[:1].upper() + title[1:])} · {count_of(spread.count, 'deal')} · <b>{median}</b>"
        standing = mine.get(name)
        row = bars.words(f"{text} · own {short(standing.value, currency)}" if standing else text)
        hovered = hover(name, f"half of them from {short(spread.low, currency)} to {short(spread.high, currency)}")
        bars.bar(row, float(spread.low), float(spread.high - spread.low), blue, hovered, pale=True)
        marks = [(spread.median, blue, "line-ns-open", "median")]
        if standing:
            marks.append((standing.value, orange, "diamond", "own round"))
        for value, colour, symbol, words in marks:
            marker = {"color": colour, "size": 14, "symbol": symbol, "line": {"color": colour, "width": 3}}
            told_here = [hover(words, short(value, currency))]
            bars.sketch.add("scatter", told_here, x=[float(value)], y=[-row], mode="markers", marker=marker)
    ends = [float(end) for _, one in told for end in (one.low, one.high)] + [float(one.value) for one in own]
    low, high = min(ends) / 1.3, max(ends) * 1.3
    axis = log_axis(low, high, partial(_money, currency=currency), title=currency, range=_logs(low, high))
    return bars.figure(
        f"{MEASURES[measure]} by stage{', example' if example else ''}",
        axis,
        told="bar: half of the deals · line: median · diamond: own round",
    )


def group_rows(groups: Sequence[Group], key: str) -> list[Row]:
    return [
        {
            key: one.name,
            "deals": one.spread.count if one.spread else 0,
            "without_this_figure": one.untold,
            "lower_quartile": float(one.spread.low) if one.spread else None,
            "median": float(one.spread.median) if one.spread else None,
            "upper_quartile": float(one.spread.high) if one.spread else None,
            "fewer_than_three": one.spread.few if one.spread else True,
        }
        for one in groups
    ]


def deal_rows(deals: Sequence[DealSpec]) -> list[Row]:
    """As the import reads them back."""
    return [
        {
            "company": one.company,
            "stage": one.stage,
            "date": one.date.isoformat(),
            "amount": float(one.amount),
            "valuation": None if one.valuation is None else float(one.valuation),
            "valuation_kind": "" if one.valuation is None else one.valuation_kind,
            "sector": one.sector,
            "country": one.country,
            "source": one.source,
        }
        for one in deals
    ]


def _few(count: int) -> str:
    return "fewer than 3: no median to compare with" if count < 3 else ""


def _number(name: str) -> int:
    """2026 Q3 → quarters since year 0."""
    return int(name[:4]) * 4 + int(name[-1]) - 1


def _within(deal: DealSpec) -> float:
    """Where in its quarter a deal lies, from −0.4 to 0.4."""
    days = (deal.date.month - 1) % 3 * 30.5 + deal.date.day
    return min(days / 92, 1.0) * 0.8 - 0.4


def _quarters(first: int, last: int) -> Row:
    step = max(1, -(-(last + 1) // _TICKS))
    places = list(range(0, last + 1, step))
    names = [f"{(first + place) // 4} Q{(first + place) % 4 + 1}" for place in places]
    return {"tickvals": places, "ticktext": names, "range": [-0.6, last + 0.6], "zeroline": False, "showgrid": False}


def _logs(low: float, high: float) -> list[float]:
    return [math.log10(low), math.log10(high)]


def _money(value: float, *, currency: str) -> str:
    return short(Decimal(f"{value:.10g}"), currency)

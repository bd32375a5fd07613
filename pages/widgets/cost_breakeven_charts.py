"""Pictures of an API against one's own hosting: the cost of a month over its tokens, and what the saving hangs on."""

from __future__ import annotations

import math
from html import escape

import plotly.graph_objects as go

from core.estimate.amounts import money, tokens
from core.estimate.breakeven import Breakeven, CurvePoint
from core.estimate.breakeven_estimate import BreakevenAnswer
from core.estimate.crossing import NEVER
from core.estimate.tornado import Bar, Tornado
from core.estimate.words import said
from pages.widgets.chart_parts import (
    Picture,
    Row,
    Sketch,
    dollars,
    even_axis,
    hover,
    log_axis,
    range_row,
    short,
    side,
    told_range,
)
from pages.widgets.part_bars import Bars

MOST_BARS = 8
LEAST_SWING = 0.01  # of the widest bar: a shorter one would not be seen
LEAST_SHARE = 0.003  # of the dearest month that is drawn: below it there is nothing to compare


def pictures(answer: BreakevenAnswer) -> tuple[Picture, ...]:
    found: list[Picture] = [("break-even", curve_figure(answer.breakeven), curve_rows(answer.breakeven))]
    if any(one.swing_usd for one in answer.tornado.bars):
        found.append(("what-moves-it", tornado_figure(answer.tornado), tornado_rows(answer.tornado)))
    return tuple(found)


def curve_figure(found: Breakeven) -> go.Figure:
    """Both costs of a month on logarithmic axes: the API's grows with the tokens, one's own stands on its floor and
    climbs a step for each replica."""
    sketch = Sketch(log_x=True, log_y=True)
    points = _drawn(found)
    x = [point.monthly_tokens for point in points]
    texts = [_told(point) for point in points]
    for colour, ranges in (
        (sketch.colours[1], [point.api_usd for point in points]),
        (sketch.colours[0], [point.own_usd for point in points]),
    ):
        sketch.band(x, ranges, colour)
        sketch.line(x, [one.expected for one in ranges], colour, texts)
    _mark_crossing(sketch, found, x)
    _mark_volume(sketch, found, x)
    _name_lines(sketch, points)
    low = min(min(point.api_usd.low, point.own_usd.low) for point in points)
    high = max(max(point.api_usd.high, point.own_usd.high) for point in points)
    own, api = found.question.own, found.question.api
    ends = [math.log10(x[0]), math.log10(x[-1])]
    return sketch.figure(
        "Cost of a month, API or own",
        told=f"own: {escape(own.model)} on {escape(own.gpu)}<br>API: {escape(api.name)} · shaded: low to high",
        height=490,
        xaxis=log_axis(x[0], x[-1], short, title="tokens a month, input and output", range=ends),
        yaxis=log_axis(low, high, dollars, title="USD a month"),
    )


def curve_rows(found: Breakeven) -> list[Row]:
    """All points of the curve, those that are not drawn too."""
    return [
        {
            "tokens_per_month": point.monthly_tokens,
            **range_row("api_usd_per_month", point.api_usd),
            **range_row("own_usd_per_month", point.own_usd),
            "replicas": point.replicas,
        }
        for point in found.curve
    ]


def tornado_figure(tornado: Tornado) -> go.Figure:
    """What own hosting saves a month as each input alone goes to its low and its high end, the widest bar first."""
    bars = Bars()
    blue, orange = bars.sketch.colours[:2]
    middle = tornado.saving_usd_per_month
    low = high = middle
    for one in _bars(tornado):
        (left, at_left), (right, at_right) = sorted(
            ((one.saving_at_low, one.value_low), (one.saving_at_high, one.value_high))
        )
        text = _moved(one, tornado)
        row = bars.words(f"{escape(one.name)} <b>{_value(one, at_left)} → {_value(one, at_right)}</b>")
        bars.bar(row, middle, min(0.0, left - middle), orange, text, pale=one.assumed)
        bars.bar(row, middle, max(0.0, right - middle), blue, text, pale=one.assumed)
        low, high = min(low, left), max(high, right)
    wide = high - low
    bars.sketch.upright(middle)
    place = side((middle - low) / wide)
    bars.sketch.note(f"expected: {_saving(middle)}", x=middle, y=1, yref="paper", yanchor="bottom", xanchor=place)
    if low < 0 < high:
        bars.sketch.upright(0, dash="dot", width=1)
    title = "saved a month by own hosting, USD<br>below 0: the API is cheaper"
    return bars.figure(
        "What the saving hangs on",
        even_axis(low - 0.04 * wide, high + 0.04 * wide, dollars, title=title),
        told="left end of a bar → right end<br>pale: given as exact, moved by 20%",
        top=22,
        bottom=20,
    )


def tornado_rows(tornado: Tornado) -> list[Row]:
    """Every input that moves the saving or the break-even; "" where own hosting never pays."""
    return [
        {
            "input": one.name,
            "unit": one.unit,
            "value_low": one.value_low,
            "value_expected": one.value_expected,
            "value_high": one.value_high,
            "saving_usd_per_month_at_low": one.saving_at_low,
            "saving_usd_per_month_at_high": one.saving_at_high,
            "pays_from_tokens_per_month_at_low": None if one.tokens_at_low == NEVER else one.tokens_at_low,
            "pays_from_tokens_per_month_at_high": None if one.tokens_at_high == NEVER else one.tokens_at_high,
            "given_as_exact": one.assumed,
        }
        for one in tornado.bars
    ]


def _drawn(found: Breakeven) -> list[CurvePoint]:
    """Without volumes so small that the API costs next to nothing beside the floor of own hosting."""
    floor = max(min(point.own_usd.low for point in found.curve), 1e-9)
    least = min(found.question.demand.monthly_tokens.low / 3, found.crossing.low_tokens / 3 or NEVER)
    points = [
        point for point in found.curve if point.api_usd.expected >= LEAST_SHARE * floor or point.monthly_tokens >= least
    ]
    return points if len(points) > 1 else list(found.curve)


def _name_lines(sketch: Sketch, points: list[CurvePoint]) -> None:
    at = points[len(points) // 16]
    sketch.label(at.monthly_tokens, at.own_usd.high, "<b>own</b>", xanchor="left", yanchor="bottom", yshift=3)
    at = points[len(points) // 5]
    sketch.label(at.monthly_tokens, at.api_usd.low, "<b>API</b>", xanchor="left", yanchor="top", xshift=6)


def _mark_crossing(sketch: Sketch, found: Breakeven, x: list[float]) -> None:
    """The volume from which own hosting pays, with its range; or that there is none. In the lower right, which both
    lines leave free."""
    crossing, end = found.crossing, x[-1]
    low, high = max(crossing.low_tokens, x[0]), min(crossing.high_tokens, end)
    if low < high and crossing.low_tokens < NEVER:
        sketch.stripe(low, high)
    share, text = 1.0, "own hosting does not pay<br>at any volume"
    if crossing.verdict == "always":
        text = "own hosting pays<br>at any volume"
    elif crossing.verdict == "from":
        at = min(max(crossing.expected_tokens, x[0]), end)
        share = math.log(at / x[0]) / math.log(end / x[0])
        lasting = "for good " if crossing.has_window else ""
        text = f"own pays {lasting}from<br><b>{tokens(crossing.expected_tokens)}</b><br>{_between(found)}"
        sketch.upright(at, dash="dash")
    elif crossing.low_tokens < NEVER:
        text = f"own most likely never pays<br>at best from {tokens(crossing.low_tokens)}"
    where = side(share, middle=0.6)
    shift = 6 if where == "left" else -6
    place = {"x": share, "xref": "x domain", "y": 0, "yref": "y domain"}
    sketch.note(text, xanchor=where, yanchor="bottom", align=where, xshift=shift, yshift=6, **place)


def _between(found: Breakeven) -> str:
    low, high = found.crossing.low_tokens, found.crossing.high_tokens
    first = tokens(low) if low else "any volume"
    return f"{first} to {'never' if high == NEVER else tokens(high)}"


def _mark_volume(sketch: Sketch, found: Breakeven, x: list[float]) -> None:
    """The reader's own volume, and both costs there. In the upper left, which both lines leave free."""
    volume = found.question.demand.monthly_tokens.expected
    api, own = found.api_usd_per_month, found.own_usd_per_month
    sketch.upright(volume)
    for one, colour in ((api, sketch.colours[1]), (own, sketch.colours[0])):
        sketch.add(
            "scatter",
            [hover(f"{tokens(volume)} tokens a month, yours", f"{one.label}: {told_range(one.value, 'USD')}")],
            x=[volume],
            y=[one.value.expected],
            mode="markers",
            marker={"size": 11, "color": colour, "opacity": 1},
        )
    share = math.log(volume / x[0]) / math.log(x[-1] / x[0])
    where = side(share, middle=0.38)
    sketch.note(
        f"yours: <b>{tokens(volume)}</b><br>own {money(own.value.expected)}<br>API {money(api.value.expected)}",
        x=share,
        xref="x domain",
        y=1,
        yref="y domain",
        xanchor=where,
        yanchor="top",
        align=where,
        xshift=6 if where == "left" else -6,
    )


def _told(point: CurvePoint) -> str:
    return hover(
        f"{tokens(point.monthly_tokens)} tokens a month",
        f"own: {told_range(point.own_usd, 'USD')}",
        f"API: {told_range(point.api_usd, 'USD')}",
        f"{said(point.replicas, 'replicas')}",
    )


def _bars(tornado: Tornado) -> list[Bar]:
    """Those that move the saving visibly; the CSV has the others too."""
    widest = max((one.swing_usd for one in tornado.bars), default=0.0)
    return [one for one in tornado.bars if one.swing_usd > LEAST_SWING * widest][:MOST_BARS]


def _value(one: Bar, value: float) -> str:
    if one.unit.startswith("USD"):
        return money(value, 2)
    if one.unit == "tokens":
        return tokens(value)
    return f"{value:.0%}" if not one.unit else said(value, one.unit)


def _moved(one: Bar, tornado: Tornado) -> str:
    lines = [
        f"at {_value(one, value)}: {_saving(saving)}, {_pays(pays)}"
        for value, saving, pays in (
            (one.value_low, one.saving_at_low, one.tokens_at_low),
            (one.value_high, one.saving_at_high, one.tokens_at_high),
        )
    ]
    given = "given as exact; moved by 20 % to see what it would do" if one.assumed else ""
    return hover(one.name, *lines, f"expected: {_saving(tornado.saving_usd_per_month)}", given)


def _saving(usd: float) -> str:
    return f"saves {money(usd)}" if usd >= 0 else f"costs {money(-usd)} more"


def _pays(volume: float) -> str:
    if volume == NEVER:
        return "never pays"
    return f"pays from {tokens(volume)}" if volume else "pays at any volume"

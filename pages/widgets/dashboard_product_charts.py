"""Pictures of product economics: a month from price to margin, the margin at each price, and after a switch; plans.

Amounts are in the company's currency; whiskers and bands are the token price's range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape

import plotly.graph_objects as go

from core.venture.economics import (
    Economics,
    PlanMonth,
    Span,
    margin_at,
    per_unit,
    rounded_up,
    target_price,
    told,
    told_span,
)
from core.venture.economics_figures import percent
from core.venture.money import major, sign
from core.venture.switching import Alternative
from pages.widgets.chart_parts import BAND, GREY, Row, Sketch, even_axis, hover, short, side
from pages.widgets.part_bars import Bars

POINTS = 73
LOWEST = -0.5  # of the margins that are drawn: below it a loss is a loss
HEIGHT = 360


def month_figure(found: Economics) -> go.Figure:
    """The price, what is taken off it part by part, and what is left; the whisker is the token price's range."""
    bars, currency = Bars(), found.currency
    blue, orange, green = bars.sketch.colours[:3]
    start = float(found.revenue)
    lowest = float(min(found.margin.low, Decimal(0)))
    row = bars.words(f"Price <b>{told(found.revenue, currency)}</b> a customer and month")
    bars.bar(row, 0, start, blue, hover("Price", told(found.revenue, currency)))
    for name, value in found.parts:
        text = f"{name[:1].upper()}{name[1:]}"
        row = bars.words(f"{escape(text)} <b>−{told(value, currency)}</b>{_of(value, found.revenue)}")
        bars.bar(row, start - float(value), float(value), orange, hover(text, told(value, currency)))
        start -= float(value)
        if name == "inference" and not found.inference.is_exact:
            left = found.inference.taken_from(found.revenue)
            _whisker(bars.sketch, row, start, float(left.low), float(left.high))
    margin = found.margin
    share = found.margin_share
    kept = f" · {percent(share.expected)} of the price" if share else ""
    row = bars.words(f"{'Margin' if margin.expected >= 0 else 'Loss'} <b>{told(margin.expected, currency)}</b>{kept}")
    text = hover("Gross margin", told(margin.expected, currency), f"from {told_span(margin, currency)}")
    bars.bar(row, 0, float(margin.expected), green if margin.expected >= 0 else orange, text)
    if margin.low != margin.high:
        _whisker(bars.sketch, row, float(margin.expected), float(margin.low), float(margin.high))
    if lowest < 0:
        bars.sketch.upright(0, width=1)
    high = max(float(found.revenue), float(found.margin.high), 0.01)
    axis = even_axis(1.06 * lowest, 1.03 * high, _money(currency), title=f"{currency} a customer and month")
    ranged = "" if found.inference.is_exact else "whiskers: the token price's range"
    return bars.figure("A customer's month, from price to margin", axis, told=ranged)


def month_rows(found: Economics) -> list[Row]:
    """One row a part; costs are positive."""
    share = found.margin_share
    rows = [("price", Span.exactly(found.revenue)), ("inference", found.inference)]
    rows += [(name, Span.exactly(value)) for name, value in found.parts if name != "inference"]
    rows += [("cost of serving", found.cogs), ("gross margin", found.margin)]
    shown = [_row(name, f"{found.currency}/customer and month", value) for name, value in rows]
    return [*shown, _row("gross margin", "share", share)] if share else shown


def price_figure(found: Economics) -> go.Figure:
    """The margin over the price, with the price of now and the one that meets the target."""
    sketch = Sketch()
    prices = _prices(found)
    spans = [margin_at(found, Decimal(repr(price))) for price in prices]
    drawn = [(price, span) for price, span in zip(prices, spans, strict=True) if span and span.expected >= LOWEST]
    colour = sketch.colours[0]
    if drawn:
        x = [price for price, _ in drawn]
        _band(sketch, x, [span for _, span in drawn], colour)
        texts = [hover(told(Decimal(repr(a)), found.currency), f"margin {percent(span.expected)}") for a, span in drawn]
        sketch.line(x, [float(span.expected) for _, span in drawn], colour, texts)
    low, high = prices[0], prices[-1]
    _mark_now(sketch, found, low, high)
    _mark_target(sketch, found, low, high)
    return sketch.figure(
        "Margin at each price",
        told=f"shaded: the token price's range · now: {told(found.product.price, found.currency)} per "
        f"{per_unit(found.product)}",
        height=HEIGHT,
        xaxis=even_axis(low, high, _money(found.currency), title=f"price per {per_unit(found.product)}"),
        yaxis=even_axis(LOWEST, 1.0, _percent, title="gross margin"),
    )


def price_rows(found: Economics) -> list[Row]:
    rows = []
    for price in _prices(found):
        span = margin_at(found, Decimal(repr(price)))
        if span:
            rows.append({"price": price} | _row("gross margin", "share", span))
    return rows


def switching_figure(found: Sequence[Alternative], currency: str) -> go.Figure:
    """The margin of each alternative as a bar, with a line at the margin of now."""
    bars = Bars()
    blue, orange = bars.sketch.colours[:2]
    now = found[0]
    shares = [one.margin_share for one in found if one.margin_share]
    lowest = max(min([float(one.low) for one in shares] + [0.0]), -2.0)
    for one in found:
        share = one.margin_share
        if share is None:
            continue
        better = one.delta >= 0
        change = "" if one is now else f" · {_signed(one.delta, currency)}"
        row = bars.words(f"{escape(one.name)} <b>{percent(share.expected)}</b>{change}")
        length = max(float(share.expected), lowest)
        text = hover(one.name, f"margin {percent(share.expected)}", f"{told(one.margin.expected, currency)} a customer")
        bars.bar(row, 0, length, blue if better else orange, text, pale=one is not now)
        if not share.is_exact:
            _whisker(bars.sketch, row, length, max(float(share.low), lowest), max(float(share.high), lowest))
    if now.margin_share:
        bars.sketch.upright(max(float(now.margin_share.expected), lowest), dash="dot", width=1.5)
    axis = even_axis(1.05 * lowest, 1.0, _percent, title="gross margin")
    told_below = "dotted: as it is · behind it: what a customer's month brings more or less"
    return bars.figure("What the margin becomes", axis, told=told_below)


def switching_rows(found: Sequence[Alternative]) -> list[Row]:
    return [
        {
            "change": one.kind,
            "alternative": one.name,
            **_ends("gross_margin_share", one.margin_share),
            **_ends("gross_margin", one.margin),
            "difference": float(one.delta),
            "difference_share": None if one.delta_share is None else float(one.delta_share),
        }
        for one in found
    ]


def plans_figure(months: Sequence[PlanMonth], currency: str) -> go.Figure:
    """Customers of each plan at the start."""
    bars = Bars()
    blue = bars.sketch.colours[0]
    for one in months:
        share = one.margin_share
        margin = "" if share is None else f" · margin {percent(share)}"
        brings = told(major(one.revenue), currency)
        row = bars.words(f"{escape(one.product)} <b>{_count(one.customers)}</b> · {brings} a month{margin}")
        bars.bar(row, 0, float(one.customers), blue, hover(one.product, f"{_count(one.customers)} customers", brings))
    most = max((float(one.customers) for one in months), default=0.0) or 1.0
    axis = even_axis(0, 1.03 * most, short, title="customers at the start")
    return bars.figure("Customers by plan", axis)


def plans_rows(months: Sequence[PlanMonth]) -> list[Row]:
    """Amounts with two decimals; parts and sums agree to the cent."""
    return [
        {
            "plan": one.product,
            "customers": float(one.customers),
            **{
                name: float(major(getattr(one, name)))
                for name in ("revenue", "inference", "hosting", "people", "delivery", "payment_fee", "cogs", "margin")
            },
            "margin_share": None if one.margin_share is None else float(one.margin_share),
        }
        for one in months
    ]


def _prices(found: Economics) -> list[float]:
    """Evenly, from next to nothing to well past what matters: now, and the target's price."""
    target = target_price(found).price
    marks = [found.product.price, *([target.high] if target else [])]
    most = 2 * float(max(marks)) or 1.0
    return [float(f"{most * step / POINTS:.6g}") for step in range(1, POINTS + 1)]


def _mark_now(sketch: Sketch, found: Economics, low: float, high: float) -> None:
    share = found.margin_share
    if share is None or share.expected < LOWEST:
        return
    price = float(found.product.price)
    text = hover("Now", told(found.product.price, found.currency), f"margin {percent(share.expected)}")
    marker = {"color": sketch.colours[0], "size": 11}
    sketch.add("scatter", [text], x=[price], y=[float(share.expected)], mode="markers", marker=marker)
    left = side((price - low) / (high - low))
    sketch.label(price, float(share.expected), f"<b>now {percent(share.expected)}</b>", xanchor=left, yshift=-18)


def _mark_target(sketch: Sketch, found: Economics, low: float, high: float) -> None:
    product, target = found.product, target_price(found).price
    goal = product.target_margin
    sketch.level(goal, dash="dot")
    sketch.label(high, goal, f"target {goal:.0%}", xanchor="right", yanchor="bottom")
    if target is None:
        return
    price = float(target.expected)
    sketch.upright(price, dash="dot", width=1.5)
    asked = told(rounded_up(target.expected), found.currency)
    sketch.label(
        price, LOWEST, f"<b>{asked} for {goal:.0%}</b>", xanchor=side((price - low) / (high - low)), yanchor="bottom"
    )


def _band(sketch: Sketch, x: Sequence[float], spans: Sequence[Span], colour: str) -> None:
    """As `Sketch.band`, of margins, which may be negative."""
    tops, bottoms = [float(one.high) for one in spans], [max(float(one.low), LOWEST) for one in spans]
    around = {"x": [*x, *reversed(x)], "y": [*tops, *reversed(bottoms)]}
    look = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": colour, "opacity": BAND}
    sketch.add("scatter", (), **around, **look)


def _whisker(sketch: Sketch, row: int, at: float, low: float, high: float) -> None:
    reach = {"array": [max(high - at, 0)], "arrayminus": [max(at - low, 0)], "color": GREY, "thickness": 2, "width": 5}
    error = {"type": "data", "symmetric": False} | reach
    sketch.add("scatter", x=[at], y=[-row], mode="markers", marker={"color": GREY, "size": 5}, error_x=error)


def _of(value: Decimal, revenue: Decimal) -> str:
    return f" · {percent(value / revenue)}" if revenue else ""


def _signed(value: Decimal, currency: str) -> str:
    return f"+{told(value, currency)}" if value > 0 else told(value, currency)


def _count(value: Decimal) -> str:
    return f"{float(value):,.1f}".removesuffix(".0")


def _percent(value: float) -> str:
    return f"{'−' if value < 0 else ''}{abs(value):.0%}"


def _money(currency: str) -> Callable[[float], str]:
    """Words of an axis: $2.5K, €300."""

    def words(value: float) -> str:
        return f"{'−' if value < 0 else ''}{sign(currency)}{short(abs(value))}"

    return words


def _row(name: str, unit: str, value: Span) -> Row:
    return {
        "figure": name,
        "unit": unit,
        "low": float(value.low),
        "expected": float(value.expected),
        "high": float(value.high),
    }


def _ends(name: str, value: Span | None) -> Row:
    return {
        f"{name}_{end}": None if value is None else float(getattr(value, end)) for end in ("low", "expected", "high")
    }

"""Pictures of fundraising: cash with and without rounds, what is kept at each valuation, milestones, pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from html import escape

import plotly.graph_objects as go

from core.venture.dilution import RoundOutcome, RoundRange
from core.venture.fundraising import FundraisingSpec
from core.venture.money import major, minor, short, shown
from core.venture.months import after, between, said
from core.venture.pipeline import CHANCES, PipelineSum
from core.venture.raising import MilestoneOutcome, RaiseTiming
from pages.widgets.chart_parts import Row, Sketch, even_axis, hover, log_axis, side
from pages.widgets.part_bars import Bars
from pages.widgets.words import count_of, cut

HEIGHT = 360
ROW_PIXELS = 44
_TICKS = 5


def with_rounds(spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str]) -> list[int]:
    """Cash at the ends of months with all planned rounds, in minor units; one before the plan is in it already."""
    inside = [one for one in spec.planned if one.month >= months[0]]
    return [
        now + sum(minor(one.amount) for one in inside if one.month <= month)
        for now, month in zip(cash, months, strict=True)
    ]


def cash_figure(
    spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str], timing: RaiseTiming, currency: str
) -> go.Figure:
    """The plan's cash, with the rounds and without; where talks start and where the buffer is touched."""
    sketch = Sketch()
    blue, orange = sketch.colours[:2]
    x = list(range(len(months)))
    lines = [(cash, orange, "without rounds")]
    if spec.planned:
        lines.append((with_rounds(spec, cash, months), blue, "with rounds"))
    for values, colour, name in lines:
        texts = [
            hover(said(month), name, short(major(value), currency)) for month, value in zip(months, values, strict=True)
        ]
        sketch.line(x, [value / 100 for value in values], colour, texts)
        sketch.label(x[-1], values[-1] / 100, name, xanchor="right", yshift=14, font={"color": colour, "size": 12})
    for month, words, high in ((timing.start, "start talks", 0.86), (timing.needed, "buffer touched", 0.73)):
        _upright_at(sketch, months, month, words, high)
    low = min(0, *(min(values) for values, _, _ in lines)) / 100
    top = max(1, *(max(values) for values, _, _ in lines)) / 100
    sketch.level(0)
    return sketch.figure(
        "Cash with and without the planned rounds",
        told=f"dotted: {spec.months_to_close} months to close · {spec.buffer_months} months of burn kept",
        height=HEIGHT,
        xaxis=_months_axis(months),
        yaxis=even_axis(low * 1.08, top * 1.12, partial(_money, currency=currency), title=f"cash, {currency}"),
    )


def cash_rows(spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str]) -> list[Row]:
    rounds = with_rounds(spec, cash, months)
    return [
        {"month": month, "cash_without_rounds": float(major(plain)), "cash_with_rounds": float(major(more))}
        for month, plain, more in zip(months, cash, rounds, strict=True)
    ]


def dilution_figure(
    points: Sequence[RoundOutcome],
    marks: RoundRange,
    currency: str,
    *,
    name: str,
    held_known: bool,
    without: bool = False,
) -> go.Figure:
    """What the founders keep over the valuation, the planned range shaded, its three valuations marked. without: the
    SAFEs and notes are left out."""
    sketch = Sketch(log_x=True)
    colour = sketch.colours[0]
    x = [float(one.pre_money) for one in points]
    low, high = float(marks.low.pre_money), float(marks.high.pre_money)
    if low < high:
        sketch.stripe(low, high)
    texts = [hover(*_outcome(one, currency)) for one in points]
    sketch.line(x, [one.kept for one in points], colour, texts)
    three = {one.pre_money: (words, one) for words, one in _named(marks)}
    for words, one in three.values():
        value = float(one.pre_money)
        marker = {"color": colour, "size": 11}
        told = [hover(words, *_outcome(one, currency))]
        sketch.add("scatter", told, x=[value], y=[one.kept], mode="markers", marker=marker)
        text = f"{words} {_percent(one.kept)}" if len(three) > 1 else _percent(one.kept)
        sketch.label(value, one.kept, text, yshift=16 if words == "expected" else -16)
    top = max(one.kept for one in points)
    whose = "the founders keep" if held_known else "today's owners keep"
    return sketch.figure(
        f"{escape(cut(name, 30))}: what {whose}",
        told="shaded: from the low to the high valuation" + ("<br>without the SAFEs and notes" if without else ""),
        height=HEIGHT,
        xaxis=log_axis(
            x[0], x[-1], partial(_money, currency=currency), title=f"valuation before the money, {currency}"
        ),
        yaxis=even_axis(0, min(1.0, top * 1.15), "{:.0%}".format, title="share of the company"),
    )


def dilution_rows(points: Sequence[RoundOutcome]) -> list[Row]:
    return [
        {
            "pre_money": float(one.pre_money),
            "amount": float(one.amount),
            "post_money": float(one.post_money),
            "effective_pre_money": float(round(one.effective_pre_money, 2)),
            "investors_share": one.investors,
            "converts_share": one.converts,
            "pool_share": one.pool,
            "founders_share_before": one.held,
            "founders_share_after": one.kept,
            "dilution": one.dilution,
        }
        for one in points
    ]


def milestones_figure(
    name: str, month: str, found: Sequence[MilestoneOutcome], empty: str | None, currency: str
) -> go.Figure:
    """A row a milestone on the line of months: filled where the round's amount reaches, hollow where it does not."""
    sketch = Sketch()
    blue, orange = sketch.colours[:2]
    months = _span(month, found, empty)
    x = [between(months[0], one.due) for one in found]
    colours = [blue if one.inside and one.in_time else orange for one in found]
    texts = [
        hover(one.name, f"due {said(one.due)}", f"costs {short(major(one.cost), currency)}", _fate(one))
        for one in found
    ]
    marker = {"color": colours, "size": 14, "symbol": ["circle" if one.inside else "circle-open" for one in found]}
    marker["line"] = {"color": colours, "width": 2}
    sketch.add("scatter", texts, x=x, y=[-place for place in range(len(found))], mode="markers", marker=marker)
    for place, one in enumerate(found):
        at = x[place] / max(len(months) - 1, 1)
        words = f"{escape(cut(one.name, 28))} · {short(major(one.cost), currency)}"
        if 0.35 < at < 0.65:  # beside it there is no room on a narrow screen
            sketch.label(x[place], -place, words, xanchor="center", yshift=18)
            continue
        edge = side(at)
        sketch.label(x[place], -place, words, xanchor=edge, xshift=12 if edge == "left" else -12)
    _upright_at(sketch, months, month, "money", 1.0)
    _upright_at(sketch, months, empty, "cash gone", 1.0)
    return sketch.figure(
        f"{escape(cut(name, 30))}: what the money buys",
        told="filled: the amount reaches · hollow: it does not",
        height=150 + ROW_PIXELS * len(found),
        xaxis=_months_axis(months),
        yaxis={"visible": False, "range": [-len(found) + 0.3, 1.0]},
        margin={"l": 16},
    )


def milestones_rows(found: Sequence[MilestoneOutcome]) -> list[Row]:
    return [
        {
            "milestone": one.name,
            "due": one.due,
            "cost": float(major(one.cost)),
            "cost_so_far": float(major(one.so_far)),
            "amount_reaches": one.inside,
            "before_cash_is_gone": one.in_time,
        }
        for one in found
    ]


def pipeline_figure(found: PipelineSum, currency: str) -> go.Figure:
    """A bar a stage: asked for, pale; times the chance, full."""
    bars = Bars()
    blue = bars.sketch.colours[0]
    live = [one for one in found.stages if one.stage != "passed"]
    for one in live:
        amount, likely = short(major(one.amount), currency), short(major(one.weighted), currency)
        told = f"{one.stage[:1].upper()}{one.stage[1:]} · {count_of(one.investors, 'investor')}"
        row = bars.words(f"{told} · <b>{likely}</b> of {amount}" if one.investors else told)
        text = hover(one.stage, f"asked for {amount}", f"times the chance {likely}")
        bars.bar(row, 0, one.amount / 100, blue, text, pale=True)
        bars.bar(row, 0, one.weighted / 100, blue, text)
    most = max((one.amount for one in live), default=0) / 100 or 1.0
    axis = even_axis(0, most * 1.03, partial(_money, currency=currency), title=currency)
    return bars.figure("The pipeline by stage", axis, told="pale: asked for · full: times the chance")


def pipeline_rows(found: PipelineSum) -> list[Row]:
    return [
        {
            "stage": one.stage,
            "investors": one.investors,
            "amount": float(major(one.amount)),
            "weighted": float(major(one.weighted)),
            "usual_chance": CHANCES[one.stage],
        }
        for one in found.stages
    ]


def _named(marks: RoundRange) -> tuple[tuple[str, RoundOutcome], ...]:
    return ("low", marks.low), ("high", marks.high), ("expected", marks.expected)


def _outcome(one: RoundOutcome, currency: str) -> tuple[str, ...]:
    return (
        f"{shown(round(one.pre_money, -3), currency)} before the money",
        f"founders {_percent(one.held)} → {_percent(one.kept)}",
        f"investors {_percent(one.investors)}",
        f"SAFEs and notes that convert {_percent(one.converts)}" if one.converts else "",
        f"pool {_percent(one.pool)}",
    )


def _fate(one: MilestoneOutcome) -> str:
    if not one.inside:
        return "beyond the round's amount"
    return "paid by the round" if one.in_time else "due after the cash is gone"


def _span(month: str, found: Sequence[MilestoneOutcome], empty: str | None) -> list[str]:

    last = max([month, *(one.due for one in found), *([empty] if empty else [])])
    return [after(month, place) for place in range(between(month, last) + 2)]


def _upright_at(sketch: Sketch, months: Sequence[str], month: str | None, words: str, high: float) -> None:
    """A dashed line at a month, when it is in the picture; else its name at the left edge."""
    if month is None or month > months[-1]:
        return
    place = max(between(months[0], month), 0)
    if month >= months[0]:
        sketch.upright(place, dash="dot", width=1.5)
    edge = side(place / max(len(months) - 1, 1))
    text = f"{words}, {said(month)}"
    sketch.note(text, x=place, xref="x", y=high, yref="paper", xanchor=edge, yanchor="top", font={"size": 12})


def _months_axis(months: Sequence[str]) -> Row:
    step = max(1, -(-len(months) // _TICKS))
    places = list(range(0, len(months), step))
    return {
        "tickvals": places,
        "ticktext": [said(months[place]) for place in places],
        "range": [-0.5, len(months) - 0.5],
        "zeroline": False,
        "showgrid": True,
    }


def _money(value: float, *, currency: str) -> str:
    return short(Decimal(f"{value:.10g}"), currency)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"

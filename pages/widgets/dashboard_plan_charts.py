"""Pictures of the plan: cash with its spread and scenarios, recurring revenue and how it moves, profit, people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.venture import months
from core.venture.comparing import Comparison
from core.venture.money import major, short, shown
from core.venture.monte_carlo import Fan, MonteCarlo
from core.venture.people import FUNCTIONS, Function
from core.venture.plan import Plan
from pages.widgets.chart_parts import BAND, GREY, Row, Sketch, even_axis, hover
from pages.widgets.dashboard_months_charts import Layer, money_axis, month_axis, stack_figure

HEIGHT = 430
LABEL_PIXELS = 17  # between the names of two lines
_ROOM = 92  # pixels at the right, for the names
_LONGEST = 13  # characters of a line of a name
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

Values = NDArray[np.int64] | Sequence[int]


def cash_figure(
    found: Comparison, chances: MonteCarlo | None = None, actual: Mapping[str, Decimal] | None = None
) -> go.Figure:
    """The plan and its scenarios as lines, named at their ends; behind them what Monte Carlo spreads; points: what was
    really there."""
    sketch = Sketch()
    plan = found.plan
    told = "lines: scenarios"
    if chances is not None:
        fan(sketch, chances.cash)
        told += " · shaded: 5 to 95% and 25 to 75% of the runs"
    ends = _scenarios(sketch, found, plan.cash)
    if actual:
        _points(sketch, plan, actual)
        told += " · points: actual"
    values = [int(one) for one in plan.cash.ravel()]
    if chances is not None:
        values += [int(one) for one in chances.cash.values.ravel()]
    axis = money_axis(values, plan.currency, title=f"{plan.currency}, at the month's end")
    _names(sketch, ends, axis, len(plan.months))
    sketch.level(0)
    return sketch.figure(
        "Cash",
        told=told.replace(" · ", "<br>"),
        height=HEIGHT + 20 * told.count(" · "),
        margin={"r": _ROOM},
        xaxis=month_axis(plan.months, range=[-0.6, len(plan.months) - 0.4]),
        yaxis=axis,
    )


SCENARIO_LINES: dict[str, tuple[str, Callable[[Plan], NDArray[np.int64]]]] = {
    "recurring": ("MRR", lambda plan: plan.recurring),
    "revenue": ("Revenue", lambda plan: plan.revenue),
    "net_burn": ("Net burn", lambda plan: plan.net_burn),
    "net_profit": ("Net profit", lambda plan: plan.net_profit),
    "cash": ("Cash", lambda plan: plan.cash),
}


def scenario_figure(found: Comparison, key: str) -> go.Figure:
    """One line of the plan under every scenario. key: of `SCENARIO_LINES`."""
    sketch, plan = Sketch(), found.plan
    label, of = SCENARIO_LINES[key]
    values = of(plan)
    ends = _scenarios(sketch, found, values)
    each = "at the month's end" if key in ("cash", "recurring") else "a month"
    axis = money_axis([int(one) for one in values.ravel()], plan.currency, title=f"{plan.currency}, {each}")
    _names(sketch, ends, axis, len(plan.months))
    return sketch.figure(
        f"{label} by scenario", height=HEIGHT, margin={"r": _ROOM}, xaxis=month_axis(plan.months), yaxis=axis
    )


def _scenarios(sketch: Sketch, found: Comparison, values: NDArray[np.int64]) -> list[tuple[str, float, str]]:
    """A line each; where it ends, for its name."""
    ends = []
    for place, name in enumerate(found.names):
        colour, dash = sketch.colours[place % len(sketch.colours)], _DASHES[place % len(_DASHES)]
        _line(sketch, found.plan, name, values[place], colour, dash, 2.0 if place else 3.0)
        ends.append((name, float(values[place, -1]) / 100, colour))
    return ends


def fan(sketch: Sketch, found: Fan) -> None:
    """Two bands: nine in ten runs, and the middle half."""
    count = found.values.shape[1]
    x = [*range(count), *reversed(range(count))]
    for low, high in ((5, 95), (25, 75)):
        upper, lower = found.at(high) / 100, found.at(low) / 100
        sketch.add(
            "scatter",
            x=x,
            y=[*upper.tolist(), *reversed(lower.tolist())],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=sketch.colours[0],
            opacity=BAND,
        )


def fan_figure(found: MonteCarlo, plan: Plan) -> go.Figure:
    """Cash of all runs: the middle one, and how far they spread."""
    sketch = Sketch()
    fan(sketch, found.cash)
    middle = found.cash.at(50)
    texts = [_fan_told(found, place) for place in range(len(found.months))]
    colour = sketch.colours[0]
    sketch.line(list(range(len(found.months))), (middle / 100).tolist(), colour, texts)
    _line(sketch, plan, "plan", plan.cash[0], sketch.colours[1], "dash", 2.0)
    axis = money_axis([int(one) for one in found.cash.values.ravel()], found.currency, title=found.currency)
    ends = [("median", float(middle[-1]) / 100, colour), ("plan", float(plan.cash[0, -1]) / 100, sketch.colours[1])]
    ends += [(f"{level}%", float(found.cash.at(level)[-1]) / 100, GREY) for level in (5, 95)]
    _names(sketch, ends, axis, len(found.months))
    sketch.level(0)
    return sketch.figure(
        f"Cash in {found.runs:,} futures",
        told="shaded: 5 to 95% and 25 to 75% of the runs",
        height=HEIGHT,
        margin={"r": _ROOM},
        xaxis=month_axis(found.months),
        yaxis=axis,
    )


def out_figure(found: MonteCarlo, chosen: str = "") -> go.Figure:
    """How likely it is that cash has run out by the end of each month. chosen: a month to mark."""
    sketch = Sketch()
    chance = found.chance_out * 100
    texts = [
        hover(months.said(name), f"out of cash by its end in {one:.1f}% of the runs")
        for name, one in zip(found.months, chance, strict=True)
    ]
    places = list(range(len(found.months)))
    colour = sketch.colours[1]
    sketch.add(
        "scatter",
        x=[*places, *reversed(places)],
        y=[*chance.tolist(), *(0 for _ in places)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=colour,
        opacity=BAND,
    )
    sketch.line(places, chance.tolist(), colour, texts)
    if chosen in found.months:
        sketch.upright(found.months.index(chosen) - 0.5, dash="dash")
    top = min(100.0, max(10.0, float(chance.max()) * 1.15))
    return sketch.figure(
        "Chance that cash has run out",
        told="dashed: the chosen date" if chosen in found.months else "by the end of each month",
        height=340,
        xaxis=month_axis(found.months),
        yaxis=even_axis(0, top, lambda value: f"{value:g}%", most=4, title="of all runs"),
    )


def mrr_figure(plan: Plan, run: int = 0) -> go.Figure:
    """What recurring revenue gains above the line and what it loses below."""
    moves = (("New", "new", 1), ("Expansion", "expansion", 1), ("Reactivation", "reactivation", 1))
    losses = (("Contraction", "contraction", -1), ("Churn", "churn", -1))
    colours = Sketch().colours
    chosen = (colours[0], colours[2], colours[4], colours[3], colours[1])
    layers = [
        Layer(label, [sign * value for value in _moves(plan, name, run)], colour)
        for (label, name, sign), colour in zip((*moves, *losses), chosen, strict=True)
    ]
    return stack_figure(
        "How recurring revenue moves", plan.months, layers, plan.currency, told="above 0: gained; below: lost"
    )


def profit_figure(plan: Plan, run: int = 0) -> go.Figure:
    """Costs of each month, by what they are for, against revenue."""
    lines = (("Cost of revenue", plan.cogs), *((FUNCTIONS[key], getattr(plan, key)) for key in _OPERATING))
    layers = [Layer(label, [int(one) for one in values[run]]) for label, values in lines]
    figure = stack_figure("Revenue against costs", plan.months, layers, plan.currency, told="line: revenue")
    sketch = Sketch()
    figure.add_scatter(
        x=list(range(len(plan.months))),
        y=[float(major(int(one))) for one in plan.revenue[run]],
        mode="lines",
        name="Revenue",
        line={"color": sketch.ink or GREY, "width": 3},
        hovertext=[
            hover(months.said(name), f"revenue: {shown(major(int(one)), plan.currency)}")
            for name, one in zip(plan.months, plan.revenue[run], strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    highest = [int(one) for one in np.maximum(sum(values[run] for _, values in lines), plan.revenue[run])]
    figure.update_yaxes(money_axis(highest, plan.currency))
    return figure


_OPERATING: tuple[Function, ...] = ("research", "sales", "general")


def people_figure(plan: Plan, run: int = 0) -> go.Figure:
    sketch = Sketch()
    heads = plan.headcount[run]
    texts = [hover(months.said(name), f"{one:g} people") for name, one in zip(plan.months, heads, strict=True)]
    sketch.add(
        "bar", texts, x=list(range(len(plan.months))), y=heads.tolist(), marker={"color": sketch.colours[0]}, width=0.85
    )
    top = max(float(heads.max(initial=0)) * 1.1, 1.0)
    return sketch.figure(
        "People",
        told="at the end of each month, in full-time places",
        height=320,
        xaxis=month_axis(plan.months),
        yaxis=even_axis(0, top, lambda value: f"{value:g}", most=4, title="people"),
    )


def _moves(plan: Plan, name: str, run: int) -> list[int]:
    chosen = [getattr(one, f"mrr_{name}")[run] for one in plan.products if one.model != "project"]
    return [int(one) for one in sum(chosen, np.zeros(len(plan.months), dtype=np.int64))]


def _line(sketch: Sketch, plan: Plan, name: str, cash: Values, colour: str, dash: str, width: float) -> None:
    texts = [
        hover(months.said(month), f"{name}: {shown(major(int(one)), plan.currency)}")
        for month, one in zip(plan.months, cash, strict=True)
    ]
    sketch.add(
        "scatter",
        texts,
        x=list(range(len(plan.months))),
        y=[int(one) / 100 for one in cash],
        mode="lines",
        line={"color": colour, "width": width, "dash": dash},
    )


def _points(sketch: Sketch, plan: Plan, actual: Mapping[str, Decimal]) -> None:
    there = [(place, actual[name]) for place, name in enumerate(plan.months) if name in actual]
    sketch.add(
        "scatter",
        [hover(months.said(plan.months[at]), f"actual: {shown(value, plan.currency)}") for at, value in there],
        x=[at for at, _ in there],
        y=[float(value) for _, value in there],
        mode="markers",
        marker={"size": 9, "color": sketch.ink or GREY, "line": {"width": 0}},
    )


def _names(sketch: Sketch, ends: Sequence[tuple[str, float, str]], axis: Row, count: int) -> None:
    """At the ends of lines, pushed apart where lines end near each other."""
    low, high = axis["range"]
    pixels = (HEIGHT - 150) / (high - low)
    named = [(_lines(name), value, colour) for name, value, colour in sorted(ends, key=lambda one: one[1])]
    placed: list[float] = []
    before = 0
    for lines, value, _ in named:
        at = (value - low) * pixels
        placed.append(at if not placed else max(at, placed[-1] + LABEL_PIXELS * (before + len(lines)) / 2))
        before = len(lines)
    over = max(placed[-1] - (high - low) * pixels, 0.0) if placed else 0.0
    for (lines, value, colour), at in zip(named, placed, strict=True):
        sketch.label(
            count - 1,
            value,
            f"<b>{hover(*lines)}</b>",
            xanchor="left",
            xshift=7,
            yshift=at - over - (value - low) * pixels,
            font={"color": colour, "size": 12},
            align="left",
        )


def _lines(name: str) -> list[str]:
    """Of a name that is longer than the room beside the picture."""
    return wrap(name, _LONGEST, max_lines=3, placeholder="…")


def _fan_told(found: MonteCarlo, place: int) -> str:
    def at(level: int) -> str:
        return short(major(int(found.cash.at(level)[place])), found.currency)

    return hover(
        months.said(found.months[place]),
        f"median {at(50)}",
        f"half of the runs: {at(25)} to {at(75)}",
        f"nine in ten: {at(5)} to {at(95)}",
    )

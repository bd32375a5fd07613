"""An exit: who gets what at one price, and the lines of all prices with the points where somebody's choice changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from html import escape

import plotly.graph_objects as go
import streamlit as st

from core.venture.money import major, short, shown
from core.venture.ownership.case import CaseResult, run
from core.venture.ownership.waterfall import Breakpoint, Exit, curve, waterfall
from pages import state
from pages.widgets import dashboard_ownership_charts as charts
from pages.widgets.chart_parts import Row, Sketch, even_axis, hover
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_months_charts import show
from pages.widgets.dashboard_ownership_editor import fresh
from pages.widgets.part_bars import Bars
from pages.widgets.words import cut, plain

MOST_BARS = 12
MOST_LINES = 8
MOST_MARKS = 9
NARROW = 0.03  # of the width: marks that lie closer share a number
ALIKE = 5  # lines; the palette then begins to look alike
HEIGHT = 440
_USUAL = 10_000_000
_KEY = "exit_value"
_AFTER = "exit_after"
_TODAY = "Today, before any of these rounds"


def draw(desk: Desk, found: CaseResult) -> None:
    first = _first(found)
    found = _sold_after(desk, found)
    fresh(_KEY, (desk.id, first))
    value = st.number_input(
        f"Sold for, {desk.currency}",
        min_value=0,
        max_value=10**13,
        value=first,
        step=1_000_000,
        format="%d",
        key=state.dashboard_key(_KEY),
        help="What a buyer pays for the whole company. Debt and costs, where there are any, come off first.",
    )
    one = waterfall(found.claims, Fraction(int(value or 0)))
    st.markdown(f"#### {plain(sentence(one, found, desk.currency))}")
    show("exit", exit_figure(one, desk.currency), exit_rows(one), alt="Proceeds of this exit by holder")
    _draw_choices(one)
    highest = max(
        [Fraction(int(value or 0)) * Fraction(6, 5)] + [point.value * Fraction(5, 4) for point in found.breakpoints]
    )
    exits = curve(found.claims, highest or Fraction(_USUAL))
    show(
        "exit-breakpoints",
        curve_figure(exits, found.breakpoints, desk.currency),
        curve_rows(exits),
        alt="Proceeds of each class over the price of the company, with the breakpoints",
    )
    _draw_breakpoints(found.breakpoints, desk.currency)
    st.caption(
        "The unissued pool gets nothing; options count whether they are vested or not. Taxes and escrow are not in it. "
        "Not financial advice."
    )


def _sold_after(desk: Desk, found: CaseResult) -> CaseResult:
    """The table after the round that the reader chooses: rounds still to be raised are paid first, once they are in."""
    rounds = found.spec.rounds
    if not rounds:
        return found
    names = [_TODAY, *(f"After {one.name}" for one in rounds)]
    fresh(_AFTER, (desk.id, tuple(names)))
    done = st.selectbox(
        "Sold",
        range(len(names)),
        index=len(rounds),
        format_func=names.__getitem__,
        key=state.dashboard_key(_AFTER),
        help="The money of every round up to then is in, and its investors are paid as their terms say.",
    )
    if done is None or done == len(rounds):
        return found
    return run(found.spec.model_copy(update={"rounds": rounds[:done]}))


def _first(found: CaseResult) -> int:
    """The first exit of the file; else what the last round says the company is worth; else ten million."""
    if found.spec.exit_values:
        return int(found.spec.exit_values[0])
    return int(found.past.last.post_money or _USUAL)


def sentence(one: Exit, found: CaseResult, currency: str) -> str:
    founders = {position.holder for position in found.past.last.positions if position.kind == "founder"}
    paid = sum(cents for name, cents in one.holders().items() if name in founders)
    price = short(major(one.value_cents), currency)
    part = f", {100 * paid / one.value_cents:.0f}%" if one.value_cents else ""
    rounds = found.spec.rounds
    after = f" after {rounds[-1].name}" if rounds else ""
    return f"Sold for {price}{after}, the founders get {short(major(paid), currency)}{part}."


def _draw_choices(one: Exit) -> None:
    converted = [paid.name for paid in one.payouts if paid.converted]
    if converted:
        st.caption(
            plain(f"Better off as common at this price: {', '.join(converted)}."),
            help="Non-participating preferred takes the more of its preference and its share as common.",
        )


def payees(one: Exit) -> list[tuple[str, int]]:
    """Debt and costs, then holders by what they get; the smallest together."""
    people = sorted(one.holders().items(), key=lambda item: -item[1])
    if len(people) > MOST_BARS:
        rest = people[MOST_BARS - 1 :]
        people = [*people[: MOST_BARS - 1], (f"{len(rest)} others", sum(cents for _, cents in rest))]
    return [*one.first, *people]


def exit_figure(one: Exit, currency: str) -> go.Figure:
    bars = Bars()
    colour = bars.sketch.colours[0]
    paid = payees(one)
    most = max((cents for _, cents in paid), default=0) / 100 or 1.0
    for name, cents in paid:
        part = cents / one.value_cents if one.value_cents else 0.0
        words = short(major(cents), currency)
        row = bars.words(f"{escape(cut(name, 28))} <b>{words}</b> · {100 * part:.1f}%")
        text = hover(name, shown(major(cents), currency, cents=True), f"{100 * part:.2f}% of the price")
        bars.bar(row, 0, cents / 100, colour, text)
    axis = even_axis(0, most * 1.03, partial(_money, currency=currency), most=4, title=currency)
    return bars.figure("Who gets what", axis)


def exit_rows(one: Exit) -> list[Row]:
    found = [{"paid_to": name, "class": "first", "amount": float(major(cents))} for name, cents in one.first]
    return found + [
        {"paid_to": name, "class": paid.name, "amount": float(major(cents)), "converted": paid.converted}
        for paid in one.payouts
        for name, cents in paid.holders
    ]


def curve_figure(exits: Sequence[Exit], points: Sequence[Breakpoint], currency: str) -> go.Figure:
    """A line a class, and an upright a breakpoint, numbered as in the list below it."""
    sketch = Sketch()
    x = [one.value_cents / 100 for one in exits]
    names = classes(exits)
    for place, name in enumerate(names):
        values = [_of(one, name, names) for one in exits]
        texts = [
            hover(name, f"sold for {_cents(one.value_cents, currency)}", f"gets {_cents(value, currency)}")
            for one, value in zip(exits, values, strict=True)
        ]
        colour = sketch.colours[place % len(sketch.colours)]
        sketch.line(x, [value / 100 for value in values], colour, texts)
        sketch.traces[-1] |= {"name": escape(cut(name, charts.LONGEST))}
        if place >= ALIKE:
            sketch.traces[-1]["line"] |= {"dash": "dash"}
    for value, words in marks(points, x[-1]):
        sketch.upright(value, dash="dot", width=1)
        sketch.note(words, x=value, xref="x", y=1, yref="paper", yanchor="bottom", borderpad=0)
    most = max((_of(one, name, names) for one in exits for name in names), default=0) / 100 or 1.0
    made = charts.legend(len(names), HEIGHT - 150)
    return sketch.figure(
        "Proceeds over the price of the company",
        told="dotted and numbered: where somebody's choice changes",
        height=HEIGHT + 22 * ((len(names) + 1) // 2),
        xaxis=even_axis(0, max(x[-1], 1.0), partial(_money, currency=currency), most=4, title=f"sold for, {currency}"),
        yaxis=even_axis(0, most * 1.05, partial(_money, currency=currency), title=f"gets, {currency}"),
        **made | {"margin": made.get("margin", {}) | {"t": 84}},
    )


def marks(points: Sequence[Breakpoint], width: float) -> list[tuple[float, str]]:
    """Where an upright stands, and its numbers: those that lie too close for two are one, such as 3–4."""
    found: list[tuple[float, list[int]]] = []
    for number, point in enumerate(points, 1):
        value = float(point.value)
        if found and value - found[-1][0] < NARROW * width:
            found[-1][1].append(number)
        else:
            found.append((value, [number]))
    return [
        (value, str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}")
        for value, numbers in found[:MOST_MARKS]
    ]


def classes(exits: Sequence[Exit]) -> list[str]:
    """Classes in the order of the stack; the last ones together when they are many."""
    names = [paid.name for paid in exits[-1].payouts] if exits else []
    return names if len(names) <= MOST_LINES else [*names[: MOST_LINES - 1], "Others"]


def _of(one: Exit, name: str, names: Sequence[str]) -> int:
    if name == "Others":
        return sum(paid.cents for paid in one.payouts if paid.name not in names)
    return one.of(name)


def curve_rows(exits: Sequence[Exit]) -> list[Row]:
    return [
        {"sold_for": float(major(one.value_cents))}
        | {name: float(major(cents)) for name, cents in one.first}
        | {paid.name: float(major(paid.cents)) for paid in one.payouts}
        for one in exits
    ]


def _draw_breakpoints(points: Sequence[Breakpoint], currency: str) -> None:
    if not points:
        st.caption("There is no preferred stock: everybody gets their share of the price.")
        return
    st.markdown(
        "**Breakpoints**", help="Prices at which the next dollar begins to go to somebody else, or in other parts."
    )
    st.dataframe(
        [
            {
                "No.": number,
                "Sold for": shown(charts.decimal(one.value), currency),
                "What changes": "; ".join(one.words),
            }
            for number, one in enumerate(points, 1)
        ],
        hide_index=True,
        column_config={"Sold for": st.column_config.TextColumn("Sold for", alignment="right")},
        height="content",
        alt="Breakpoints",
    )


def _cents(value: int, currency: str) -> str:
    return short(major(value), currency)


def _money(value: float, *, currency: str) -> str:
    return short(Decimal(f"{value:.10g}"), currency)

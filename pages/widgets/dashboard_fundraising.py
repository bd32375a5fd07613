"""Fundraising: when to start and what it buys, what it costs in ownership, the milestones, the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import GroundworkError
from core.venture.fundraising import FundraisingSpec
from core.venture.money import major, short
from core.venture.months import after, between, said
from core.venture.raising import Bought, Demand, RaiseTiming, bought, demands, when_to_start
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets import (
    dashboard_fundraising_dilution,
    dashboard_fundraising_milestones,
    dashboard_fundraising_pipeline,
)
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_fields import Fields
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

ROUNDS = (
    Column(field="name", label="Round", help="Such as Seed or Series A.", pinned=True),
    Column(field="month", label="Month", help="When the money is in the bank, as 2027-03."),
    Column(field="amount", label="Amount", kind="money", help="What is raised."),
    Column(
        field="pre_money",
        label="Valuation",
        kind="money",
        help="Pre-money: what the company is worth before the money comes in. The expected one.",
    ),
    Column(field="pre_money_low", label="Low", kind="money", help="The lowest valuation to plan with."),
    Column(field="pre_money_high", label="High", kind="money", help="The highest valuation to plan with."),
    Column(
        field="pool",
        label="Option pool (%)",
        kind="percent",
        help="Option pool: shares kept for employees. Its part of the company after the round; it is made before the "
        "money, so the owners of today pay for it.",
    ),
    Column(field="stage", label="Stage", help="As in the table of deals; empty takes it from the name."),
)


def draw(desk: Desk, cash_minor: Sequence[int] | None, months: Sequence[str]) -> None:
    """cash_minor: the plan's cash at the end of each of `months`, without these rounds; None: no plan yet."""
    spec = desk.spec.fundraising
    if spec.planned:
        _draw_when(desk, spec, cash_minor, months)
        _draw_rounds(desk, spec, cash_minor, months)
    elif cash_minor:
        _draw_when(desk, spec, cash_minor, months)
    st.subheader("Rounds planned")
    if not spec.planned:
        _draw_empty(desk)
    edit(desk, "fundraising.planned", ROUNDS, label="Rounds planned")
    fields = Fields(desk, "fundraising")
    left, right = st.columns(2)
    with left:
        fields.whole(
            "months_to_close",
            "Months to close",
            help="From the first talk to the money in the bank. Six is a common experience; yours may differ.",
        )
    with right:
        fields.whole(
            "buffer_months",
            "Months of burn kept",
            help="Burn: what the cash falls by in a month. So many months of it shall always be in the bank.",
        )
    dashboard_fundraising_pipeline.draw(desk)


def _draw_empty(desk: Desk) -> None:
    st.info("No round is planned. Begin with one, and change its figures.", icon=":material/flag:")
    fault = state.dashboard_note("first_round_fault")
    if fault:
        st.error(fault, icon=":material/error:")
    st.button(
        "Plan a first round", icon=":material/add:", key="d_first_round", type="primary", on_click=_begin, args=(desk,)
    )


def _begin(desk: Desk) -> None:
    """Figures to be replaced: a round half a year into the plan."""
    first = {
        "name": "Seed",
        "month": after(desk.spec.company.start, 6),
        "amount": 1_000_000,
        "pre_money_low": 4_000_000,
        "pre_money": 5_000_000,
        "pre_money_high": 7_000_000,
    }
    state.set_dashboard_note("first_round_fault", "")
    try:
        desk.put("fundraising.planned", [first])
    except GroundworkError as error:
        state.set_dashboard_note("first_round_fault", str(error))


def _draw_when(desk: Desk, spec: FundraisingSpec, cash: Sequence[int] | None, months: Sequence[str]) -> None:
    st.subheader("When to start, and what it buys")
    if not cash:
        st.info("There is no plan of cash yet: add products, people or costs first.", icon=":material/show_chart:")
        return
    timing = when_to_start(cash, months, months_to_close=spec.months_to_close, buffer_months=spec.buffer_months)
    st.markdown(f"#### {start_words(timing, spec, months)}")
    for demand in demands(spec, cash, months):
        told = demand_words(demand, spec)
        if demand.after_need:
            st.warning(told, icon=":material/event_busy:")
        else:
            st.markdown(told)
    for one in twice_counted(desk):
        st.warning(
            f"{plain(one)} stands among the sources of money too: the plan's cash holds it already, and here it counts "
            "a second time. Take it out of one of the two.",
            icon=":material/content_copy:",
        )
    st.plotly_chart(charts.cash_figure(spec, cash, months, timing, desk.currency), key="d_raise_cash", config=TAKEN)
    _draw_bought(desk, spec, cash, months)
    csv_button(f"{desk.name} cash with rounds", rows_csv(charts.cash_rows(spec, cash, months)), label="Cash (CSV)")


def _draw_bought(desk: Desk, spec: FundraisingSpec, cash: Sequence[int], months: Sequence[str]) -> None:
    """What each round adds to the runway, both ways where its milestones cost something."""
    found = bought(spec, cash, months)
    if not found:
        return
    st.markdown("**As planned**\n" + "\n".join(f"- {bought_words(one, desk.currency)}" for one in found))
    if any(one.burn and (one.beyond_plan or one.without is None or one.with_round is None) for one in found):
        burn = plain(short(major(found[0].burn), desk.currency))
        st.caption(
            f"After {said(months[-1])}, the plan's end, a burn of {burn} a month goes on: the middle one of its last "
            "three months, without what the plan would change."
        )
    if not any(step.cost for one in spec.planned for step in one.milestones):
        return
    paid = bought(spec, cash, months, with_milestones=True)
    st.markdown(
        "**With the milestones' costs paid when due, on top of the plan**\n"
        + "\n".join(f"- {bought_words(one, desk.currency)}" for one in paid)
    )
    st.caption(
        "What milestones cost is not added to the plan. Where its people, compute and expenses pay for them already, "
        "the first count holds; where they do not, the second."
    )


def start_words(timing: RaiseTiming, spec: FundraisingSpec, months: Sequence[str]) -> str:
    """What the cash demands, in one sentence."""
    if timing.start is None or timing.needed is None:
        return f"Until {said(months[-1])} the plan keeps its buffer without new money."
    why = f"at the end of {said(timing.needed)} less than {count_of(spec.buffer_months, 'month')} of burn is left"
    if timing.late:
        return f"For the cash, talks should have started in {said(timing.start)}, before the plan begins: {why}."
    return f"For the cash, start talks by {said(timing.start)}: {why}."


def demand_words(one: Demand, spec: FundraisingSpec) -> str:
    """What the planned round demands, beside the cash."""
    closing = count_of(spec.months_to_close, "month")
    start = f"talks {'should have started' if one.before_plan else 'start'} in {said(one.talks)}"
    told = f"**{plain(one.name)}** is planned for {said(one.month)}: with {closing} to close, {start}."
    if one.needed is None:
        return f"{told} Until then and to the plan's end, the cash keeps its buffer without it."
    if one.after_need:
        return (
            f"{told} That is later than the cash allows: the money must be there by {said(one.needed)}. Plan it for "
            "then or earlier, or spend less."
        )
    spare = between(one.month, one.needed)
    early = f"{count_of(spare, 'month')} before" if spare else "the month in which"
    return f"{told} The money then comes {early} the cash needs it" + (f", {said(one.needed)}." if spare else ".")


def bought_words(one: Bought, currency: str = "USD") -> str:
    """What a round does to the runway; nothing is told beyond a year after the plan."""
    name = f"**{plain(one.name)}**"
    burn = f"at {plain(short(major(one.burn), currency))} of burn a month"
    far = f"beyond {said(one.horizon)}, more than a year after the plan ends" if one.horizon else ""
    if one.too_late:
        return f"{name} comes in {said(one.month)}, after the cash is gone in {said(one.without or one.month)}."
    if one.without is None:
        if one.with_round is not None:
            return f"{name}: what it is for costs more than it brings; the cash is gone in {said(one.with_round)}."
        if one.horizon and one.month > one.horizon:
            return f"{name} comes in {said(one.month)}, {far}: not counted."
        return (
            f"{name}: the cash lasts {far} without it, {burn}." if one.burn else f"{name}: the cash lasts without it."
        )
    if one.with_round is None:
        if not one.burn or one.at_least is None:
            return f"{name}: the cash lasts, instead of being gone in {said(one.without)}."
        months = count_of(one.at_least, "month")
        return f"{name} buys more than {months}: cash lasts {far}, instead of {said(one.without)}; {burn}."
    if not one.added:
        return f"{name} adds no month; the cash is gone in {said(one.without)}. A round before the plan is in its cash."
    if one.added < 0:
        return f"{name}: what it is for costs more than it brings; the cash is gone in {said(one.with_round)}."
    later = f"; after the plan {burn}" if one.beyond_plan else ""
    return (
        f"{name} buys {count_of(one.added, 'month')}: cash is gone in {said(one.with_round)} instead of "
        f"{said(one.without)}{later}."
    )


def twice_counted(desk: Desk) -> list[str]:
    """Names of planned rounds that look like a source of money of the plan."""
    sources = {(one.month, one.amount) for one in desk.spec.funding if one.kind in ("venture", "angel")}
    return [one.name for one in desk.spec.fundraising.planned if (one.month, one.amount) in sources]


def _draw_rounds(desk: Desk, spec: FundraisingSpec, cash: Sequence[int] | None, months: Sequence[str]) -> None:
    st.subheader("What it costs, and what it is for")
    places = list(range(len(spec.planned)))
    place = 0
    if len(places) > 1:
        names = [f"{one.name}, {said(one.month)}" for one in spec.planned]
        chosen = st.selectbox("Round", places, format_func=lambda at: names[at], key=state.dashboard_key("round"))
        place = chosen or 0
    place = min(place, len(places) - 1)
    planned = spec.planned[place]
    dashboard_fundraising_dilution.draw(desk, place)
    empty = bought(spec, cash, months)[place].with_round if cash else None
    dashboard_fundraising_milestones.draw(desk, place, planned, empty)

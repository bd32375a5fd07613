"""The pipeline of investors: what it is worth by stage, what is overdue, and its table."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import streamlit as st

from core.venture.money import major, short
from core.venture.pipeline import CHANCES, KINDS, STAGES, PipelineSum, overdue, weigh
from exports.cells import rows_csv
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

_MOST_TOLD = 5
USUAL = " · ".join(f"{stage} {chance:.0%}" for stage, chance in CHANCES.items())
INVESTORS = (
    Column(field="name", label="Investor", pinned=True),
    Column(field="kind", label="Kind", kind="choice", options={one: one.capitalize() for one in KINDS}, default="Fund"),
    Column(
        field="stage",
        label="Stage",
        kind="choice",
        options={one: one.capitalize() for one in STAGES},
        default="Research",
        help="How far it is. Signed is not yet paid.",
    ),
    Column(field="amount", label="Amount", kind="money", help="What they may put in."),
    Column(
        field="probability",
        label="Chance (%)",
        kind="percent",
        help=f"Of the whole amount. Empty takes the stage's: {USUAL}.",
    ),
    Column(field="next_step", label="Next step", width="medium"),
    Column(field="due", label="Due", kind="date"),
    Column(field="note", label="Note", width="medium"),
)


def draw(desk: Desk) -> None:
    spec = desk.spec.fundraising
    st.subheader("Investors")
    if spec.pipeline:
        target = spec.planned[0].amount if spec.planned else Decimal(0)
        found = weigh(spec.pipeline, target)
        st.markdown(f"**{plain(words(found, desk.currency, spec.planned[0].name if spec.planned else ''))}**")
        late = overdue(spec.pipeline, dt.date.today())
        if late:
            told = ", ".join(f"{one.name} ({one.due})" for one in late[:_MOST_TOLD])
            more = f" and {len(late) - _MOST_TOLD} more" if len(late) > _MOST_TOLD else ""
            st.warning(f"Next step overdue: {plain(told)}{more}.", icon=":material/event_busy:")
        st.plotly_chart(charts.pipeline_figure(found, desk.currency), key="d_raise_pipeline", config=TAKEN)
    else:
        st.info("Nobody is in the pipeline. Add the first investor in the table below.", icon=":material/group_add:")
    edit(desk, "fundraising.pipeline", INVESTORS, label="Pipeline of investors")
    st.caption(f"Chances that count where none is given, our assumption and no measurement: {USUAL}.")
    if spec.pipeline:
        rows = charts.pipeline_rows(weigh(spec.pipeline))
        csv_button(f"{desk.name} pipeline", rows_csv(rows), label="Pipeline (CSV)")


def words(found: PipelineSum, currency: str, target: str) -> str:
    """What the pipeline is worth, beside what is to be raised."""
    likely = short(major(found.weighted), currency)
    asked = short(major(found.amount), currency)
    told = f"{likely} in expectation, of {asked} asked for"
    if found.coverage is None:
        return f"{told}."
    goal = short(major(found.target), currency)
    times = f"asked for {found.asked_coverage:.1f} times over"
    return f"{told}: {found.coverage:.0%} of the {goal} that {target} is to raise, {times}."

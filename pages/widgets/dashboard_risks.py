"""Risk and duty: the register as a picture and a table, what its items rest on, and where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import GroundworkError
from core.venture.evidence import Evidence, bare_topics, held, rests_on_something, unlicensed, without_evidence
from core.venture.risks import STATUSES, TOPICS, RiskSpec
from core.venture.starter_risks import starter_risks
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_risks_charts as charts
from pages.widgets import dashboard_risks_evidence
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, cut, plain

_MOST_TOLD = 8
REGISTER = (
    Column(
        field="topic", label="Topic", kind="choice", options={one: one.capitalize() for one in TOPICS}, default="Law"
    ),
    Column(field="title", label="What can go wrong, or is owed", width="large"),
    Column(field="region", label="Region", help="Where a law applies, such as EU, UK or US; empty for everywhere."),
    Column(field="likelihood", label="Likelihood", kind="whole", default=3, help="1 rare, 3 possible, 5 all but sure."),
    Column(field="impact", label="Impact", kind="whole", default=3, help="1 slight, 3 serious, 5 ends the company."),
    Column(
        field="status",
        label="Status",
        kind="choice",
        options={one: one.capitalize() for one in STATUSES},
        default="Open",
    ),
    Column(field="owner", label="Owner", help="Who sees to it."),
    Column(field="due", label="Due", kind="date"),
    Column(field="mitigation", label="What is done about it", width="large"),
)


def draw(desk: Desk) -> None:
    risks = desk.spec.risks
    if not risks:
        _draw_empty(desk)
    else:
        found = held(desk.db)
        _draw_answer(risks, found)
        left, right = st.columns(2)
        left.plotly_chart(charts.matrix_figure(risks), key="d_risk_matrix", config=TAKEN)
        right.plotly_chart(charts.topics_figure(risks, found), key="d_risk_topics", config=TAKEN)
        _draw_bare(desk, risks, found)
        _draw_item(desk, risks, found)
    st.subheader("The register")
    edit(desk, "risks", REGISTER, label="Register of risks and duties")
    if risks:
        rows = charts.register_rows(risks, found)
        csv_button(f"{desk.name} register", rows_csv(rows), label="Register (CSV)")
    st.caption("A register of questions and what answers them. It is no legal advice.")


def _draw_empty(desk: Desk) -> None:
    count = len(starter_risks())
    st.info(
        f"The register is empty. Begin with {count} questions, one or more for each topic, and answer them; or write "
        "your own into the table.",
        icon=":material/checklist:",
    )
    if fault := state.dashboard_note("register_fault"):
        st.error(fault, icon=":material/error:")
    label = f"Begin with {count} questions"
    st.button(label, icon=":material/add:", key="d_starter_risks", type="primary", on_click=_begin, args=(desk,))


def _begin(desk: Desk) -> None:
    state.set_dashboard_note("register_fault", "")
    try:
        desk.put("risks", list(starter_risks()))
    except GroundworkError as error:
        state.set_dashboard_note("register_fault", str(error))


def _draw_answer(risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> None:
    live = [one for one in risks if one.status != "closed"]
    tied = sum(rests_on_something(one, found) for one in live)
    st.markdown(
        f"#### {tied} of {count_of(len(live), 'item')} not closed {'rest' if tied != 1 else 'rests'} on evidence."
    )
    if live and all(one.weight == 9 for one in live):
        st.caption("All grades are still 3 × 3, where they begin: set your own in the register below.")


def _draw_bare(desk: Desk, risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> None:
    """What has no evidence: items, topics, models in use."""
    bare, topics, models = without_evidence(risks, found), bare_topics(risks, found), unlicensed(desk.db)
    if not (bare or topics or models):
        return
    with st.expander(f"What has no evidence: {count_of(len(bare), 'item')}", icon=":material/link_off:", expanded=True):
        lines = [f"- {one.topic.capitalize()} ({one.weight}): {plain(one.title)}" for one in bare[:_MOST_TOLD]]
        if len(bare) > _MOST_TOLD:
            lines.append(f"- and {len(bare) - _MOST_TOLD} more, in the CSV of the register")
        st.markdown("\n".join(lines))
        if topics:
            st.markdown(f"Topics without any: {', '.join(topics)}.")
        if models:
            st.warning(
                f"In use, and no licence is known: {plain(', '.join(models[:_MOST_TOLD]))}. Their files are not in the "
                "catalogue, or name none.",
                icon=":material/license:",
            )
        with st.container(horizontal=True):
            for topic in ("licences", "privacy", "transparency"):
                if topic in topics:
                    dashboard_risks_evidence.draw_way(topic)


def _draw_item(desk: Desk, risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> None:
    st.subheader("Evidence of an item")
    names = [f"{_mark(one, found)} {one.topic.capitalize()}: {cut(one.title, 80)}" for one in risks]
    key = f"risk_{len(risks)}"
    place = st.selectbox("Item", range(len(risks)), format_func=lambda at: names[at], key=state.dashboard_key(key))
    at = place or 0
    dashboard_risks_evidence.draw(desk, at, risks[at], found)


def _mark(risk: RiskSpec, found: Sequence[Evidence]) -> str:
    """✓ on evidence, ○ on none."""
    return "✓" if rests_on_something(risk, found) else "○"

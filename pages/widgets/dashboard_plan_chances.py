"""How sure the plan is: the tornado of a target, and Monte Carlo with its distributions, correlations and dates."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.venture import months
from core.venture.drivers import BASE, DRIVERS, NAMES
from core.venture.monte_carlo import MonteCarlo
from core.venture.plan import Plan
from core.venture.sensitivity import TARGETS, tornado
from exports import plan_csv
from pages import state
from pages.widgets import dashboard_plan_bars as bars
from pages.widgets import dashboard_plan_charts as charts
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_fields import Fields
from pages.widgets.dashboard_plan_answers import chances, show
from pages.widgets.dashboard_plan_grid import grid
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.words import plain

KINDS = {
    "triangular": "Triangular",
    "normal": "Normal",
    "lognormal": "Log-normal",
    "uniform": "Uniform",
    "": "As planned",
}
_NAMES: dict[str, str] = {str(name): DRIVERS[name].label for name in NAMES}
CORRELATIONS = (
    Column(field="a", label="Driver", kind="choice", options=_NAMES),
    Column(field="b", label="moves with", kind="choice", options=_NAMES),
    Column(
        field="rho",
        label="Correlation",
        kind="number",
        help="From −1 (one up, the other down) to 1 (both together); 0 is independent.",
    ),
)


def draw_tornado(desk: Desk, plan: Plan) -> None:
    """Each driver alone."""
    chosen = st.selectbox(
        "What is moved",
        list(TARGETS),
        format_func=lambda one: TARGETS[one].label,
        key=state.dashboard_key("plan_target"),
    )
    found = tornado(desk.spec, chosen)
    if not found.bars[0].swing:
        st.info(f"Nothing moves it: {plain(found.label.lower())} is the same at every low and high.")
        return
    show(
        f"what moves {found.label.lower()}",
        bars.tornado_figure(found, desk.currency),
        plan_csv.tornado_csv(found, desk.currency),
        alt=f"{found.label} when each driver alone is at its low or its high",
    )
    st.caption("Lows and highs are those under Chances, and can be changed there.")


def draw(desk: Desk, plan: Plan) -> None:
    """What may come, then what it is reckoned from."""
    found = chances(desk.spec)
    _draw_answers(desk, found)
    show(
        "chances",
        charts.fan_figure(found, plan),
        plan_csv.chances_csv(found),
        alt="Cash of the simulated runs by month",
    )
    _draw_out(found)
    if found.influences:
        show(
            "what the spread comes from",
            bars.influence_figure(found.influences),
            plan_csv.influences_csv(found),
            alt="Share of the spread of cash at the end that goes with each driver",
        )
    _draw_inputs(desk, found)


def _draw_answers(desk: Desk, found: MonteCarlo) -> None:
    asked = desk.spec.fundraising
    close = f"{asked.months_to_close} months to close, {asked.buffer_months} months of burn kept (under Fundraising)"
    since = f"Counted from {months.said(found.months[0])}, the plan's start."
    p = {level: found.runway_words(level) for level in (10, 50, 90)}
    told = (
        ("Runway, bad course", p[10], f"P10: in a tenth of the runs cash lasts no longer than this. {since}"),
        ("Runway, middling", p[50], f"P50, the median: half of the runs last longer. {since}"),
        ("Runway, good course", p[90], f"P90: in a tenth of the runs cash lasts longer. {since}"),
        ("Start raising, middling", _start(found, 50), f"Half of the runs have to start by then. {close}."),
        ("Start raising, bad course", _start(found, 10), f"A tenth of the runs have to start by then. {close}."),
        ("Out of cash in the plan", f"{found.chance_out[-1]:.1%}", "Share of the runs in which cash is ever below 0."),
    )
    st.caption(f"Runways are counted from {months.said(found.months[0])}, the plan's start.")
    for row in (told[:3], told[3:]):
        for column, (label, value, help_) in zip(st.columns(3), row, strict=True):
            with column:
                st.metric(label, value, help=help_, border=True, height="stretch")


def _start(found: MonteCarlo, level: int) -> str:
    month = found.start[level]
    return "no need" if month is None else "now, late" if found.late[level] else months.said(month)


def _draw_out(found: MonteCarlo) -> None:
    """The chance before a date of the reader's choice."""
    names = [*found.months[1:], months.after(found.months[-1], 1)]
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            "Out of cash before",
            names,
            index=min(17, len(names) - 1),
            format_func=months.said,
            key=state.dashboard_key(f"plan_before_{found.months[0]}_{len(names)}"),
        )
    chosen = chosen or names[-1]
    chance = found.chance_before(chosen)
    error = 1.96 * (chance * (1 - chance) / found.runs) ** 0.5
    with right:
        st.markdown(
            f"**{chance:.1%}** of {found.runs:,} runs are out of cash before {months.said(chosen)} "
            f"(±{error:.1%} for the number of runs)."
        )
    show("chance of running out", charts.out_figure(found, chosen), plan_csv.chances_csv(found), alt="Chance by month")


def _draw_inputs(desk: Desk, found: MonteCarlo) -> None:
    st.markdown("**What varies**", help="Factors on the plan, 1 is as planned; the hiring delay is in months.")
    _draw_distributions(desk)
    st.markdown("**What moves together**", help="Correlations of the drivers, by a Gaussian copula.")
    edit(desk, "uncertainty.correlations", CORRELATIONS, label="Correlations of drivers")
    if found.adjusted:
        told = "; ".join(
            f"{_NAMES[one.a]} and {_NAMES[one.b]}: {one.given:.2f} → {one.used:.2f}" for one in found.adjusted
        )
        st.warning(
            f"These correlations cannot all hold at once; the nearest ones that can were taken: {plain(told)}.",
            icon=":material/balance:",
        )
    fields = Fields(desk, "uncertainty")
    left, right = st.columns(2)
    with left:
        fields.whole("runs", "Runs", help="100 to 100,000; more make percentiles steadier.")
    with right:
        fields.whole("seed", "Seed", help="The same seed gives the same runs again.")


def _draw_distributions(desk: Desk) -> None:
    text, number, choice = st.column_config.TextColumn, st.column_config.NumberColumn, st.column_config.SelectboxColumn
    grid(
        desk,
        "plan_distributions",
        lambda one: [_distribution(one, name) for name in NAMES],
        _save,
        fixed=["Driver"],
        columns={
            "Driver": text(pinned=True),
            "Distribution": choice(options=list(KINDS.values()), required=True),
            "Low": number(step=0.05, help="P10 of a normal or log-normal; the least of the others."),
            "Peak": number(step=0.05, help="Of a triangular; empty is the middle."),
            "High": number(step=0.05, help="P90 of a normal or log-normal; the most of the others."),
        },
        label="Distribution of each driver",
    )


def _distribution(desk: Desk, name: Any) -> dict[str, Any]:
    found = desk.spec.uncertainty.distributions.get(name)
    planned = float(getattr(BASE, name))
    return {
        "Driver": f"{DRIVERS[name].label}, months" if name == "hiring_delay" else DRIVERS[name].label,
        "Distribution": KINDS[found.kind if found else ""],
        "Low": found.low if found else planned,
        "Peak": found.mode if found else None,
        "High": found.high if found else planned,
    }


def _save(desk: Desk, rows: list[dict[str, Any]]) -> None:
    """An emptied low or high is refused; an emptied peak is the middle."""
    kinds = {shown: kind for kind, shown in KINDS.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, row in zip(NAMES, rows, strict=True):
        if kind := kinds[row["Distribution"]]:
            given = {"kind": kind, "low": row["Low"], "high": row["High"], "mode": row["Peak"]}
            found[name] = {key: value for key, value in given.items() if value is not None}
    desk.put("uncertainty.distributions", found)

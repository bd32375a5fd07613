"""Scenarios side by side: factors to edit, key figures, and cash of each as a line."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.venture.comparing import BASE_NAME, Comparison, compare
from core.venture.drivers import BASE, DRIVERS, NAMES, ScenarioSpec
from exports import plan_csv
from pages import state
from pages.widgets import dashboard_plan_charts as charts
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_plan_answers import show
from pages.widgets.dashboard_plan_grid import grid
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

MOST = 8  # beside the base: more lines cannot be told apart
_DRIVER = "Driver"
_FAULT = "plan_scenario_fault"


def draw(desk: Desk) -> None:
    found = compare(desk.spec)
    _draw_figures(found)
    _draw_line(found)
    _draw_factors(desk)
    _draw_names(desk)


def _draw_figures(found: Comparison) -> None:
    text = st.column_config.TextColumn
    st.dataframe(
        [{"Figure": one.label} | dict(zip(found.names, one.words, strict=True)) for one in found.rows],
        hide_index=True,
        height="content",
        column_config={"Figure": text(pinned=True)} | {name: text(alignment="right") for name in found.names},
        alt="Key figures of each scenario",
    )
    st.caption(f"ARR and the figures below it: of {plain(found.period.label)}.")
    csv_button("scenarios", plan_csv.scenarios_csv(found), label="Scenarios (CSV)")


def _draw_line(found: Comparison) -> None:
    lines = charts.SCENARIO_LINES
    key = st.selectbox(
        "Line", list(lines), format_func=lambda one: lines[one][0], key=state.dashboard_key("plan_scenario_line")
    )
    label, of = lines[key]
    show(
        f"{label} by scenario",
        charts.scenario_figure(found, key),
        plan_csv.lines_csv(found, of(found.plan)),
        alt=f"{label} by month, scenario by scenario",
    )


def _draw_factors(desk: Desk) -> None:
    st.markdown("**What is different**", help="Factors on the plan: 1 is as planned, 0.7 is 30% less, 1.3 is 30% more.")
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    grid(
        desk,
        "plan_factors",
        _rows,
        _save,
        fixed=[_DRIVER, BASE_NAME],
        columns={_DRIVER: text(pinned=True, width="medium")}
        | {one: number(step=0.05) for one in (BASE_NAME, *desk.spec.scenarios)},
        label="Factors of each scenario",
    )
    st.caption("  \n".join(f"**{plain(one.label)}**: {plain(one.help)}" for one in DRIVERS.values()))


def _rows(desk: Desk) -> list[dict[str, Any]]:
    """A row a driver, a column a scenario."""
    scenarios = {BASE_NAME: BASE, **desk.spec.scenarios}
    return [
        {_DRIVER: _label(name)} | {title: float(getattr(one, name)) for title, one in scenarios.items()}
        for name in NAMES
    ]


def _save(desk: Desk, rows: list[dict[str, Any]]) -> None:
    """An emptied cell is as planned."""
    found = {
        title: {
            name: getattr(BASE, name) if row[title] is None else row[title]
            for name, row in zip(NAMES, rows, strict=True)
        }
        for title in desk.spec.scenarios
    }
    desk.put("scenarios", found)


def _label(name: str) -> str:
    label = DRIVERS[name].label  # type: ignore[index]
    return f"{label}, months" if name == "hiring_delay" else label


def _draw_names(desk: Desk) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "New scenario", key=state.dashboard_key("plan_scenario_new"), placeholder="The big customer leaves"
        )
        st.button("Add", icon=":material/add:", key="d_plan_scenario_add", on_click=_add, args=(desk,))
        if desk.spec.scenarios:
            st.selectbox("Scenario", list(desk.spec.scenarios), key=state.dashboard_key("plan_scenario_old"))
            st.button("Remove", icon=":material/delete:", key="d_plan_scenario_remove", on_click=_remove, args=(desk,))
    if fault := state.dashboard_note(_FAULT):
        st.error(f"Not saved: {fault}", icon=":material/error:")
        state.set_dashboard_note(_FAULT, "")


def _add(desk: Desk) -> None:
    """It begins as planned."""
    name = str(state.dashboard_value("plan_scenario_new") or "").strip()
    known = dict(desk.spec.scenarios)
    try:
        if not name or name in known or name == BASE_NAME or len(known) >= MOST:
            raise InvalidInput(
                f"No scenario can be called {name!r} now.",
                allowed=f"A new name of 1 to 40 characters, not {BASE_NAME}; up to {MOST} scenarios.",
                next_step="Choose another name, or remove a scenario.",
            )
        desk.put("scenarios", {**known, name: ScenarioSpec()})
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
        return
    state.set_dashboard_note(_FAULT, "")
    state.renew_dashboard("plan_scenario_new")


def _remove(desk: Desk) -> None:
    name = state.dashboard_value("plan_scenario_old")
    _put(desk, {key: one for key, one in desk.spec.scenarios.items() if key != name})


def _put(desk: Desk, scenarios: Any) -> None:
    try:
        desk.put("scenarios", scenarios)
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
    else:
        state.set_dashboard_note(_FAULT, "")

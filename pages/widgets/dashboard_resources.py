"""Who and what is paid, and from which money: flows, funding, team, skills, compute, other expenses."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from core.errors import GroundworkError
from core.venture import months
from core.venture.flows import Flows, flow_rows, flows
from core.venture.money import major, short, shown
from core.venture.people import ROLES, RoleSpec
from core.venture.plan import Plan
from core.venture.questions import SALARY
from pages import state
from pages.widgets import dashboard_resources_charts as charts
from pages.widgets import dashboard_resources_tables as tables
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_months_charts import planned, show
from pages.widgets.words import plain

PARTS = {
    "flows": "Sources and uses",
    "funding": "Funding",
    "team": "Team",
    "skills": "Skills",
    "compute": "Compute",
    "expenses": "Expenses",
}
_FAULT, _TOLD = "resources_fault", "resources_told"


def draw(desk: Desk) -> None:
    part = st.segmented_control(
        "Resources",
        list(PARTS),
        default="flows",
        format_func=lambda one: PARTS[one],
        key="d_resources",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")
    if told := state.dashboard_note(_TOLD):
        st.toast(plain(told), icon=":material/check_circle:")
        state.set_dashboard_note(_TOLD, "")
    _PARTS[str(part or "flows")](desk)


def _flows(desk: Desk) -> None:
    found = planned(desk)
    if found is None:
        return
    span = _years(found)
    chosen = st.selectbox("Months", list(span), key="d_flow_months", width=300)
    first, end = span[chosen]
    flow = flows(desk.spec, found, first, end)
    if not flow.sources and not flow.uses:
        st.markdown("No money moves yet. Add what you sell under Business, or the first funding here.")
        return
    _balance(flow)
    show("sources and uses", charts.flow_figure(flow), flow_rows(flow), alt="Money from its sources to its uses")


def _years(found: Plan) -> dict[str, tuple[int, int]]:
    """The whole plan, and each of its years."""
    count = len(found.months)
    spans = {"The whole plan": (0, count)}
    for year in range(0, count, 12):
        if count > 12:
            spans[f"Months {year + 1} to {min(year + 12, count)}"] = (year, min(year + 12, count))
    return spans


def _balance(flow: Flows) -> None:
    def said(units: int) -> str:
        return short(major(units), flow.currency)

    with st.container(horizontal=True):
        st.metric("Comes in", said(flow.came), border=True, help="What was in the bank before, funding and revenue.")
        st.metric("Goes out", said(flow.went), border=True)
        st.metric(
            "Flows back",
            said(sum(one.amount for one in flow.returns)),
            border=True,
            help="Repayments, interest and tax; part of what goes out.",
        )
        st.metric("Missing" if flow.missing else "Left", said(flow.missing or flow.closing), border=True)


def _funding(desk: Desk) -> None:
    found = planned(desk)
    if found is not None and desk.spec.funding:
        rows = charts.funding_rows(desk.spec, found)
        show("funding", charts.funding_figure(desk.spec, found), rows, alt="Funding and repayments by month")
    elif not desk.spec.funding:
        st.markdown("No money from outside yet. Add the first line: savings, a grant, a loan, a SAFE.")
    st.caption(
        "Money that has come, or is as good as promised. Rounds that are still to be raised stand under Fundraising, "
        "and who owns what for it under Ownership."
    )
    tables.funding(desk)


def _team(desk: Desk) -> None:
    found = planned(desk)
    if found is not None and desk.spec.team:
        rows = charts.team_rows(desk.spec, found)
        show("team", charts.team_figure(desk.spec, found), rows, alt="Roles from their first to their last month")
        cost = charts.team_cost_figure(desk.spec, found)
        show("cost of people", cost, rows, alt="Cost of people by function and month")
    elif not desk.spec.team:
        st.markdown("Nobody is paid yet. Add the first role.")
    _add_role(desk)
    tables.team(desk)


def _add_role(desk: Desk) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Role", list(ROLES), key=state.dashboard_key("role"), width=280)
        st.button("Add this role", icon=":material/person_add:", key="d_add_role", on_click=_added_role, args=(desk,))


def _added_role(desk: Desk) -> None:
    """From this month on, and paid as those who do the same, under a name of its own."""
    role = str(state.dashboard_value("role") or "Founder")
    made = _new_role(desk, role)
    if _put(desk, "team", [*desk.spec.team, made]):
        salary = shown(made.salary, desk.currency)
        state.set_dashboard_note(_TOLD, f"Added “{made.role}” from {months.said(made.start or '')}, {salary} a year.")


def _new_role(desk: Desk, role: str) -> RoleSpec:
    about, team = desk.spec.company, desk.spec.team
    same = [one for one in team if re.fullmatch(rf"{re.escape(role)}( \d+)?", one.role)]
    salary, function = (same[-1].salary, same[-1].function) if same else (SALARY, ROLES[role])
    now = months.today()
    start = now if 0 <= months.between(about.start, now) < about.months else about.start
    name, count, names = role, 1, {one.role for one in team}
    while name in names:
        count += 1
        name = f"{role} {count}"
    return RoleSpec(role=name, function=function, salary=salary, start=start)


def _skills(desk: Desk) -> None:
    from pages.widgets import dashboard_skills

    dashboard_skills.draw(desk)


def _compute(desk: Desk) -> None:
    from pages.widgets import dashboard_resources_compute

    found = planned(desk)
    if found is not None and (desk.spec.compute or any(one.inference[0].any() for one in found.products)):
        rows = charts.compute_rows(desk.spec, found)
        show("compute", charts.compute_figure(desk.spec, found), rows, alt="Cost of compute by kind and month")
    elif not desk.spec.compute:
        st.markdown("No compute yet. Take a fine-tune or serving from a saved estimate, or type it into the table.")
    dashboard_resources_compute.draw(desk)
    tables.compute(desk)


def _expenses(desk: Desk) -> None:
    found = planned(desk)
    if found is not None and desk.spec.expenses:
        figure = charts.expense_figure(found)
        show("expenses", figure, charts.expense_rows(found), alt="Other expenses by function and month")
    elif not desk.spec.expenses:
        st.markdown("No other expenses yet. Usual ones: software, office, accounting, insurance, advertising.")
    tables.expenses(desk)


def _put(desk: Desk, section: str, value: object) -> bool:
    """Whether it was saved; why not stands above the part."""
    state.set_dashboard_note(_FAULT, "")
    try:
        desk.put(section, value)
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, plain(str(error)))
        return False
    return True


_PARTS: dict[str, Callable[[Desk], None]] = {
    "flows": _flows,
    "funding": _funding,
    "team": _team,
    "skills": _skills,
    "compute": _compute,
    "expenses": _expenses,
}

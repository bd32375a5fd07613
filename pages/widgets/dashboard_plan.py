"""The plan: how long cash lasts, what the company earns, what may come instead, and what really came.

The answer and its picture stand on top; what lies behind them is drawn when its tab is opened.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.venture import months, runway
from core.venture.beside_plan import counted_sentence
from core.venture.comparing import Comparison, compare
from core.venture.metrics import metrics
from core.venture.money import major, short
from core.venture.monte_carlo import MonteCarlo
from core.venture.periods import Period
from core.venture.plan import Plan, plan
from exports import plan_csv
from pages import state
from pages.widgets import dashboard_plan_actuals as actuals
from pages.widgets import dashboard_plan_chances as chances
from pages.widgets import dashboard_plan_charts as charts
from pages.widgets import dashboard_plan_scenarios as scenarios
from pages.widgets import dashboard_plan_tables as tables
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_plan_answers import ask_period, card, framed, show
from pages.widgets.dashboard_plan_answers import chances as chances_of
from pages.widgets.words import plain

FIRST = ("arr", "gross_margin", "net_burn", "burn_multiple", "ltv_to_cac")
"""Metrics that stand above the tabs, beside the runway."""
TABS: dict[str, Callable[[Desk, Plan], None]] = {
    "Profit and loss": tables.draw_profit,
    "Recurring revenue": tables.draw_recurring,
    "All metrics": tables.draw_metrics,
    "Scenarios": lambda desk, _: scenarios.draw(desk),
    "What matters most": chances.draw_tornado,
    "Chances": chances.draw,
    "People": tables.draw_people,
    "Actuals": actuals.draw,
}


def draw(desk: Desk) -> None:
    """Raises InvalidInput for a plan that cannot be reckoned."""
    spec = desk.spec
    if not (spec.products or spec.team or spec.expenses or spec.compute):
        _draw_empty()
        return
    found = plan(spec)
    asked = spec.fundraising
    st.markdown(f"#### {plain(runway.sentence(found, asked.months_to_close, asked.buffer_months))}")
    if counted := counted_sentence(found, spec.actuals):
        st.markdown(f"##### {plain(counted)}")
    _draw_cash(desk, compare(spec), chances_of(spec))
    _draw_first(found)
    for tab, (name, view) in zip(
        st.tabs(list(TABS), key=state.dashboard_key("plan_tab"), on_change="rerun"), TABS.items(), strict=True
    ):
        if tab.open:
            with tab:
                st.subheader(name)
                view(desk, found)


def _draw_empty() -> None:
    st.info(
        "Nothing to plan yet. Add first what you sell under Business, or whom and what you pay under Resources: then "
        "this shows how your cash develops, how long it lasts, and how sure that is.",
        icon=":material/timeline:",
    )
    with st.container(horizontal=True):
        for view, label in (("business", "Add what you sell"), ("resources", "Add people and costs")):
            st.button(label, key=f"d_plan_to_{view}", on_click=state.show_dashboard_view, args=(view,))


def _draw_cash(desk: Desk, compared: Comparison, many: MonteCarlo) -> None:
    actual = {one.month: one.cash for one in desk.spec.actuals if one.cash is not None}
    show(
        "cash by scenario",
        charts.cash_figure(compared, many, actual),
        plan_csv.cash_csv(compared, many),
        alt="Cash by month in every scenario, with the spread of the simulated runs behind it",
    )


def _draw_first(found: Plan) -> None:
    """Of the months that are chosen."""
    chosen = ask_period(found)
    of = metrics(found, chosen)
    with st.container(horizontal=True):
        _draw_runway(found, chosen)
        for key in FIRST:
            card(of[key], found.currency)


def _draw_runway(found: Plan, chosen: Period) -> None:
    """Along the plan, from its start; at this burn as its note."""
    seen = runway.runway(found, chosen.end - 1)
    of = metrics(found, chosen)["runway"]
    value = "beyond the plan" if seen.months is None else f"{seen.months} month{'' if seen.months == 1 else 's'}"
    lowest = plain(f"{short(major(seen.lowest), found.currency)} in {months.said(seen.lowest_month)}")
    framed(
        "Runway",
        value,
        f"Months from the plan's start, {months.said(found.months[0])}, in which cash stays at 0 or above: people who "
        "are still to be hired and money that is still to come counted in. Below: cash ÷ net burn of "
        f"{months.said(seen.month)}. Lowest cash: {lowest}.",
        f"from {months.said(found.months[0])}, the plan's start; at the burn of {months.said(seen.month)}: "
        f"{of.words(found.currency)}",
    )

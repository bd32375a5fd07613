"""The market: what comparable companies raised and at what valuation, and where the own round stands among them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.venture.market import DealSpec
from core.venture.market_csv import example_deals
from core.venture.market_trends import (
    MEASURES,
    Measure,
    Standing,
    by_quarter,
    by_stage,
    own_or_example,
    stage_order,
    stage_title,
    standing,
)
from core.venture.money import short
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_market_charts as charts
from pages.widgets import dashboard_market_import
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

ALL = "all stages"
MOST_EDITED = 500  # rows: a longer table is changed by CSV
DEALS = (
    Column(field="company", label="Company", pinned=True),
    Column(field="stage", label="Stage", help="Pre-seed, seed, series A to D, later, or a name of your own."),
    Column(field="date", label="Date", kind="date"),
    Column(field="amount", label="Amount", kind="money"),
    Column(field="valuation", label="Valuation", kind="money", help="Empty when it was not told."),
    Column(
        field="valuation_kind",
        label="Pre or post",
        kind="choice",
        options={"pre": "Pre", "post": "Post"},
        default="Post",
        help="Pre-money: before the round's money; post-money: with it.",
    ),
    Column(field="sector", label="Sector"),
    Column(field="country", label="Country"),
    Column(field="source", label="Source", width="medium"),
)


def draw(desk: Desk) -> None:
    deals, example = own_or_example(desk.spec.market)
    if not deals and state.dashboard_note("market_example"):
        deals, example = example_deals(), True
    if deals:
        if example:
            st.warning(
                "Example: every company and deal below is invented. Import your own deals to replace them.",
                icon=":material/science:",
            )
        _draw_trends(desk, deals, example)
    else:
        st.info("No deals yet. Import a table of comparable companies below.", icon=":material/upload_file:")
        st.button("Show it with the example", key="d_market_show", icon=":material/science:", on_click=_show_example)
    st.subheader("Own table of deals")
    dashboard_market_import.draw(desk)
    if not example:
        _draw_table(desk, deals)


def _show_example() -> None:
    state.set_dashboard_note("market_example", True)


def _draw_trends(desk: Desk, deals: Sequence[DealSpec], example: bool) -> None:
    measure, stage = _draw_choice(desk, deals)
    rounds = [standing(one, deals, measure) for one in desk.spec.fundraising.planned]
    for one, planned in zip(rounds, desk.spec.fundraising.planned, strict=True):
        st.markdown(f"- {standing_words(one, planned.name, desk.currency)}")
    if not rounds:
        st.caption("Plan a round under Fundraising, and it is laid beside these deals.")
    mark = "example, " if example else ""
    here = [one for one in deals if stage == ALL or one.stage == stage]
    quarters = by_quarter(here, measure)
    if any(one.spread for one in quarters):
        own = [one for one in rounds if stage in (ALL, one.stage)]
        drawn = charts.trend_figure(quarters, here, measure, own, desk.currency, f"{mark}{stage_title(stage)}")
        st.plotly_chart(drawn, key="d_market_trend", config=TAKEN)
    else:
        st.info(f"No {stage} deal tells its {MEASURES[measure].lower()}.", icon=":material/visibility_off:")
    stages = by_stage(deals, measure)
    if any(one.spread for one in stages):
        drawn = charts.stages_figure(stages, measure, rounds, desk.currency, example=example)
        st.plotly_chart(drawn, key="d_market_stages", config=TAKEN)
    with st.container(horizontal=True):
        name = f"{desk.name} market{' example' if example else ''}"
        csv_button(f"{name} by quarter", rows_csv(charts.group_rows(quarters, "quarter")), label="By quarter (CSV)")
        csv_button(f"{name} by stage", rows_csv(charts.group_rows(stages, "stage")), label="By stage (CSV)")
        csv_button(f"{name} deals", rows_csv(charts.deal_rows(here)), label="Deals (CSV)")


def _draw_choice(desk: Desk, deals: Sequence[DealSpec]) -> tuple[Measure, str]:
    """The figure and the stage; the stage of the first planned round to begin with, since stages do not compare."""
    stages = sorted({one.stage for one in deals}, key=stage_order)
    planned = [standing(one, deals, "amount").stage for one in desk.spec.fundraising.planned]
    first = next((one for one in (*planned, "seed") if one in stages), stages[0])
    left, right = st.columns(2)
    measure = left.segmented_control(
        "Figure",
        list(MEASURES),
        default="amount",
        format_func=lambda one: MEASURES[one],
        key=state.dashboard_key("market_measure"),
        required=True,
        help="Pre-money valuation: what a company was worth before the round's money.",
    )
    options = [ALL, *stages]
    stage = right.selectbox(
        "Stage",
        options,
        index=options.index(first),
        format_func=stage_title,
        key=state.dashboard_key(f"stage_{len(stages)}"),
    )
    return measure, str(stage or first)


def standing_words(one: Standing, name: str, currency: str) -> str:
    """Where an own round stands among the deals of its stage."""
    what, stage = MEASURES[one.measure].lower(), stage_title(one.stage)
    told = f"**{plain(name)}**, {what} {plain(short(one.value, currency))}"
    if one.spread is None or one.rank is None:
        return f"{told}: no {plain(stage)} deal tells its {what}."
    deals = plain(count_of(one.spread.count, f"{stage} deal"))
    if one.spread.few:
        return f"{told}: only {deals} to compare with, too few for a median."
    times = f"{one.value / one.spread.median:.2f} times the median of {plain(short(one.spread.median, currency))}"
    where = {0.0: "below all", 1.0: "above all"}.get(one.rank, f"above {one.rank:.0%}")
    return f"{told}: {times}, {where} of {deals}."


def _draw_table(desk: Desk, deals: Sequence[DealSpec]) -> None:
    if len(deals) <= MOST_EDITED:
        edit(desk, "market", DEALS, label="Deals of comparable companies")
        return
    st.dataframe(charts.deal_rows(deals), hide_index=True, alt="Deals of comparable companies")
    st.caption(f"More than {MOST_EDITED} deals are changed by CSV: take them away above, and import them anew.")

"""The overview of a company: the answer in a sentence, the cash as a picture, then its parts, with the way to each."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.venture import months as calendar
from core.venture.beside_plan import counted_sentence
from core.venture.money import major, short
from core.venture.overview import Outlook, founders_share, margins, next_step, open_risks, outlook, sentence
from core.venture.plan import Plan
from core.venture.spec import CompanySpec
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_months_charts import planned, show
from pages.widgets.dashboard_overview_charts import cash_figure, cash_rows
from pages.widgets.words import count_of, cut, plain

_FAULT = "assumed_fault"


def draw(desk: Desk) -> None:
    found = planned(desk)
    if found is None:
        _to("business", "Prices and growth")
        return
    st.markdown(f"#### {plain(sentence(found))}")
    if counted := counted_sentence(found, desk.spec.actuals):
        st.markdown(f"##### {plain(counted)}")
    show("cash", cash_figure(found), cash_rows(found), alt="Cash at the end of each month, revenue and spending below")
    _assumed(desk)
    st.subheader("What it rests on")
    left, middle, right = st.columns(3)
    with left:
        _products(found)
        _runway(found)
    with middle:
        _recurring(found)
        _ownership(desk.spec)
    with right:
        _next(desk.spec)
        _risks(desk.spec)


def _assumed(desk: Desk) -> None:
    """Of a first plan, whose open questions took usual values; it stays with the company until it was read."""
    told = desk.spec.company.assumed
    if not told:
        return
    with st.container(border=True):
        st.markdown("**Your first plan.** What was left open has usual values, until you change them:")
        st.markdown("\n".join(f"- {plain(one)}" for one in told))
        with st.container(horizontal=True):
            _to("business", "Change price and growth")
            _to("resources", "Change team and costs")
            st.button("Understood", key="d_assumed_seen", type="tertiary", on_click=_understood, args=(desk,))
        if fault := state.dashboard_note(_FAULT):
            st.error(fault, icon=":material/error:")


def _understood(desk: Desk) -> None:
    state.set_dashboard_note(_FAULT, "")
    if desk.changed_elsewhere:
        return  # the page says so above
    try:
        desk.put("company.assumed", [])
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, plain(str(error)))


def _products(found: Plan) -> None:
    with st.container(border=True):
        st.markdown(
            "**Gross margin by product**",
            help="Revenue less what serving it costs, as a share of revenue. Own staff and other costs of revenue that "
            "no product has to itself are in the plan's gross margin.",
        )
        if not found.products:
            st.caption("No product yet.")
            _to("business", "Add what you sell")
            return
        for one in margins(found):
            if one.share is None:
                st.markdown(f"{plain(one.name)}: no revenue in this plan")
            else:
                amount = short(major(one.margin), found.currency)
                st.markdown(f"{plain(one.name)}: **{one.share:.0%}**, {plain(amount)} in {calendar.said(one.month)}")
        _to("product", "Where it comes from")


def _runway(found: Plan) -> None:
    seen = outlook(found)
    with st.container(border=True):
        st.metric(
            f"Runway from {calendar.said(found.months[seen.since])}",
            _lasts(seen, found),
            help="Months until the cash is below 0 for the first time, as planned. People still to be hired and "
            "money still to come are counted in, planned rounds are not.",
        )
        st.caption(f"At the lowest {plain(short(major(seen.lowest_cash), found.currency))}, in "
                   f"{calendar.said(found.months[seen.lowest])}.")  # fmt: skip
        _to("plan", "Plan and scenarios")


def _lasts(seen: Outlook, found: Plan) -> str:
    left = len(found.months) - seen.since
    return f"over {count_of(left, 'month')}" if seen.lasts is None else count_of(seen.lasts, "month")


def _recurring(found: Plan) -> None:
    first, last = (short(12 * major(found.recurring[0, at]), found.currency) for at in (0, -1))
    with st.container(border=True):
        st.metric(
            f"ARR in {calendar.said(found.months[-1])}",
            last,
            help="Annual recurring revenue: twelve times a month's. Projects are not in it.",
        )
        st.caption(f"{plain(first)} in {calendar.said(found.months[0])}.")
        _to("business", "Customers and revenue")


def _ownership(spec: CompanySpec) -> None:
    share = founders_share(spec)
    with st.container(border=True):
        if share is None:
            st.markdown("**Ownership**")
            st.caption("No shares yet.")
        else:
            st.metric("Founders own", f"{share:.1%}", help="Of shares, options and pool today, before SAFEs convert.")
            rounds = len(spec.ownership.rounds)
            st.caption(f"{count_of(len(spec.ownership.safes), 'SAFE')} and {count_of(rounds, 'planned round')}.")
        _to("ownership", "Who owns what")


def _next(spec: CompanySpec) -> None:
    step = next_step(spec)
    with st.container(border=True):
        st.markdown("**Next milestone**")
        if step is None:
            st.caption("No round or milestone is planned from this month on.")
        else:
            st.markdown(f"{plain(step.what)}, **{calendar.said(step.month)}**")
            st.caption(plain(step.detail))
        _to("fundraising", "Rounds and milestones")


def _risks(spec: CompanySpec) -> None:
    found = open_risks(spec)
    with st.container(border=True):
        st.markdown(f"**{count_of(len(found), 'open risk') if found else 'No open risk'}**")
        if found:
            st.markdown(plain(cut(found[0].title, 90)))
            owner = found[0].owner or "nobody"
            st.caption(f"The heaviest: {found[0].weight} of 25, looked after by {plain(owner)}.")
        elif not spec.risks:
            st.caption("None is written down.")
        _to("risk", "All risks")


def _to(view: str, label: str) -> None:
    st.button(
        label,
        key=f"d_to_{view}_{label}",
        icon=":material/arrow_forward:",
        type="tertiary",
        on_click=state.show_dashboard_view,
        args=(view,),
    )

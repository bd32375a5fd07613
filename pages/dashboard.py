"""Dashboard: does the company work? One saved company, looked at in ten views.

A view imports what it draws when it is opened, so that the page costs no more than what is on it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import GroundworkError, InvalidInput, NotFound
from core.store.companies import CompanyRecord, CompanyRepository
from core.store.database import Database
from pages import state
from pages.services import services
from pages.widgets import dashboard_company
from pages.widgets.dashboard_desk import Desk

VIEWS: dict[str, str] = {
    "overview": "Overview",
    "product": "Product",
    "business": "Business",
    "resources": "Resources",
    "plan": "Plan",
    "ownership": "Ownership",
    "fundraising": "Fundraising",
    "risk": "Risk",
    "market": "Market",
    "report": "Report",
}
QUESTIONS = {
    "overview": "Does it work, and what has to happen next?",
    "product": "What does a customer cost to serve, and what is left of the price?",
    "business": "Who buys, how many stay, and what does it bring?",
    "resources": "Who and what is paid, and from which money?",
    "plan": "How does the cash develop, and how sure is that?",
    "ownership": "Who owns the company, and who gets what when it is sold?",
    "fundraising": "How much is to be raised, when, from whom, and for what?",
    "risk": "What can go wrong or is owed, and who looks after it?",
    "market": "What did comparable companies raise, and at what valuation?",
    "report": "What leaves the house: for investors, for the bank, for yourself.",
}
NOT_ADVICE = "Not financial advice: plans are reckoned from what was typed in, and none of them is a promise."


def render() -> None:
    """Choose a company, choose a view."""
    try:
        arrives = state.arrives_at("dashboard")
        st.title("Dashboard")
        st.caption(f"Does the company work? Product, people, money and ownership in one plan. {NOT_ADVICE}")
        _draw(services().db, arrives)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def _draw(db: Database, arrives: bool) -> None:
    saved = CompanyRepository(db).list()
    record = _record(saved, arrives)
    dashboard_company.choose(saved, record)
    if record is None:
        from pages.widgets import dashboard_start

        dashboard_start.draw(db)
        return
    try:
        desk = Desk(db, record)
    except InvalidInput as fault:
        dashboard_company.mend(db, record, fault)
        return
    if desk.changed_elsewhere:
        st.warning(
            "This company was changed elsewhere, in another window; the newer one is shown. What was typed here since "
            "was not saved: make that change again.",
            icon=":material/sync_problem:",
        )
    dashboard_company.draw(desk)
    _draw_view(desk)
    desk.is_drawn()


def _record(saved: list[CompanyRecord], arrives: bool) -> CompanyRecord | None:
    """The company of the address or of this visit; else the last changed, unless a new one was asked for."""
    wanted = state.shown_company()
    if wanted is None:
        found = None if state.starts_company() or not saved else saved[0]
    else:
        found = next((one for one in saved if one.id == wanted), None)
        if found is None:
            st.warning(str(NotFound("This company is not here.", next_step="Choose another, or begin a new one.")))
            found = saved[0] if saved else None
    if found is not None:
        state.show_company(found.id, again=arrives)
    return found


def _draw_view(desk: Desk) -> None:
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="overview",
        format_func=lambda one: VIEWS[one],
        key=state.dashboard_view_key(),
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    view = str(view or "overview")
    st.markdown(f"**{QUESTIONS[view]}**" + (" :orange-badge[Example: invented figures]" if desk.example else ""))
    # A place for each view: Streamlit would leave the figures of the one before under the new question meanwhile.
    places = {one: st.empty() for one in VIEWS}
    with places[view].container():
        try:
            _DRAW[view](desk)
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")


def _overview(desk: Desk) -> None:
    from pages.widgets import dashboard_overview

    dashboard_overview.draw(desk)


def _product(desk: Desk) -> None:
    from pages.widgets import dashboard_product

    dashboard_product.draw(desk)


def _business(desk: Desk) -> None:
    from pages.widgets import dashboard_business

    dashboard_business.draw(desk)


def _resources(desk: Desk) -> None:
    from pages.widgets import dashboard_resources

    dashboard_resources.draw(desk)


def _plan(desk: Desk) -> None:
    from pages.widgets import dashboard_plan

    dashboard_plan.draw(desk)


def _ownership(desk: Desk) -> None:
    from pages.widgets import dashboard_ownership

    dashboard_ownership.draw(desk)


def _fundraising(desk: Desk) -> None:
    from core.venture.plan import plan
    from pages.widgets import dashboard_fundraising

    found = plan(desk.spec)
    dashboard_fundraising.draw(desk, [int(one) for one in found.cash[0]], list(found.months))


def _risk(desk: Desk) -> None:
    from pages.widgets import dashboard_risks

    dashboard_risks.draw(desk)


def _market(desk: Desk) -> None:
    from pages.widgets import dashboard_market

    dashboard_market.draw(desk)


def _report(desk: Desk) -> None:
    from pages.widgets import dashboard_report

    dashboard_report.draw(desk)


_DRAW: dict[str, Callable[[Desk], None]] = {
    "overview": _overview,
    "product": _product,
    "business": _business,
    "resources": _resources,
    "plan": _plan,
    "ownership": _ownership,
    "fundraising": _fundraising,
    "risk": _risk,
    "market": _market,
    "report": _report,
}

"""Compute from saved estimates: choose one, say how often, and it is a line of the plan that knows where it is from."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.venture.compute_plan import ComputeOffer, compute_offers, compute_stale
from core.venture.money import short
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.words import count_of, plain

_FAULT = "compute_fault"


def draw(desk: Desk) -> None:
    per_usd = desk.spec.company.per_usd
    offers = compute_offers(desk.db, per_usd)
    with st.expander("Take from a saved estimate", icon=":material/calculate:", expanded=False):
        if offers:
            _take(desk, offers)
        else:
            st.markdown(
                "No saved estimate tells the cost of a fine-tune or of a month of serving. Make one, save it under a "
                "name, and it is offered here."
            )
        page = state.page_or_none("cost")
        if page is not None:
            st.page_link(page, label="Open Cost & compute", icon=":material/calculate:")
    for row in desk.spec.compute:
        if told := compute_stale(row, desk.db, per_usd):
            st.warning(plain(told), icon=":material/update:")


def _take(desk: Desk, offers: tuple[ComputeOffer, ...]) -> None:
    labels = [_label(one, desk.currency) for one in offers]
    place = st.selectbox(
        "Estimate", range(len(offers)), format_func=lambda at: labels[at], key=state.dashboard_key("compute_offer")
    )
    offer = offers[int(place or 0)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("From", key=state.dashboard_key("compute_start"), placeholder=desk.spec.company.start, width=140)
        st.number_input(
            "Every (months)", value=3 if offer.every == "time" else 1, step=1, width=140,
            key=state.dashboard_key(f"compute_every_{offer.every}"), help="1 is each month, 3 each third.",
        )  # fmt: skip
        st.button(
            "Add to the plan", icon=":material/add:", type="primary", key="d_compute_take", on_click=_taken,
            args=(desk, offer),
        )  # fmt: skip
    known = count_of(len(offer.row.measurement_ids), "measurement") if offer.row.measurement_ids else "no measurement"
    st.caption(
        f"{plain(short(offer.low, desk.currency))} to {plain(short(offer.high, desk.currency))}; the estimate rests on "
        f"{known}."
    )
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")


def _label(one: ComputeOffer, currency: str) -> str:
    each = "each time" if one.every == "time" else "a month"
    return f"{one.label}: {short(one.row.amount, currency)} {each}"


def _taken(desk: Desk, offer: ComputeOffer) -> None:
    state.set_dashboard_note(_FAULT, "")
    start = str(state.dashboard_value("compute_start") or "").strip() or desk.spec.company.start
    every = int(state.dashboard_value(f"compute_every_{offer.every}") or 1)
    row = offer.row.model_dump(mode="json", exclude_defaults=True) | {"start": start, "every_months": every}
    try:
        desk.put("compute", [*desk.spec.compute, row])
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))

"""What switching does to the margin: another model, precision or host, more cached, longer or shorter runs."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.venture import inference_cost, price_offers
from core.venture.economics import Economics
from core.venture.inference_cost import Offer
from core.venture.switching import CACHED_SHARES, MOST_CACHED, Alternative, alternatives
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_product_charts as charts
from pages.widgets.chart_parts import CONFIG
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

PRECISION = "Bits of a weight: fewer are quicker and cheaper to serve, and may answer worse."
CACHE = "Share of the tokens in that come from a prompt cache: a provider's, or your own server's prefix cache."


def draw(desk: Desk, found: Economics) -> None:
    """The slider, the bars, and the numbers to take away."""
    st.subheader("What if you switch?")
    left, right = st.columns(2)
    with left:
        share = st.slider(
            "Input from the cache",
            0,
            round(MOST_CACHED * 100),
            60,
            5,
            format="%d%%",
            key=state.dashboard_key("product_cached"),
            help=CACHE,
        )
    with right:
        offers = (*inference_cost.offers(desk.db), *_precisions(desk, found), *_apis(found))
    shown = _alternatives(found, offers, share / 100)
    st.plotly_chart(
        charts.switching_figure(shown, found.currency), key=state.dashboard_key("product_switching"), config=CONFIG
    )
    if not offers:
        st.caption("Saved serving estimates stand here beside the price of now: save some under Cost & compute.")
    csv_button(f"{found.product.name} switching", rows_csv(charts.switching_rows(shown)), label="CSV: alternatives")


def _precisions(desk: Desk, found: Economics) -> tuple[Offer, ...]:
    """Of the scenario that the price is from."""
    cost = found.product.cost
    if cost.source != "estimate" or not cost.scenario_id:
        return ()
    if not st.toggle(
        "Beside other precisions", value=True, key=state.dashboard_key("product_precisions"), help=PRECISION
    ):
        return ()
    others = price_offers.other_precisions(desk.db, cost)
    if not others:
        st.caption("None can be estimated: on this machine, measure the model in another precision first.")
    return others


def _apis(found: Economics) -> tuple[Offer, ...]:
    """API prices are loaded when somebody asks for them."""
    if not st.toggle("Beside API prices", key=state.dashboard_key("product_apis")):
        return ()
    models = {f"{one.provider}/{one.model}": one for one in price_offers.listed()}
    usual = [one for one in ("openai/gpt-4o-mini", "anthropic/claude-haiku-4-5") if one in models]
    chosen = st.multiselect("APIs", list(models), default=usual, key=state.dashboard_key("product_api_list"))
    offers = []
    for one in chosen:
        try:
            cost = inference_cost.of_api(models[one].provider, models[one].model, product=found.product)
        except GroundworkError as error:
            st.caption(plain(str(error)))
            continue
        offers.append(Offer(label=f"{models[one].name} from {models[one].provider}", cost=cost))
    return tuple(offers)


def _alternatives(found: Economics, offers: tuple[Offer, ...], cached: float) -> tuple[Alternative, ...]:
    shares = sorted({0.0, cached, CACHED_SHARES[-1]})
    return alternatives(
        found.product, offers, cached_shares=shares, currency=found.currency, per_usd=float(found.per_usd)
    )

"""What a million tokens cost: taken from a saved estimate, this machine's measurements, an API's list, or typed in."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import streamlit as st

from core.errors import GroundworkError
from core.store.measurements import MeasurementRepository
from core.store.scenarios import ScenarioRepository
from core.venture import inference_cost, price_offers
from core.venture.economics import told
from core.venture.products import CostSpec, ProductSpec
from core.venture.stale_prices import told_stale
from core.venture.switching import name_of
from exports.estimate_plain import scenario_of
from pages import state
from pages.widgets import dashboard_origin, page_links
from pages.widgets import dashboard_product_inputs as inputs
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_product_figures import mark
from pages.widgets.words import plain

SOURCES = {"estimate": "Saved estimate", "machine": "This machine", "api": "API price list", "typed": "Typed in"}


def draw(desk: Desk, place: int) -> None:
    """What is reckoned with now, and the four ways to another price."""
    product = desk.spec.products[place]
    st.markdown(f"Now: {mark(product.cost)} **{plain(_told(product.cost))}** · {plain(name_of(product.cost))}")
    for note in told_stale(product.cost, desk.db):
        st.warning(plain(note), icon=":material/history_toggle_off:")
    source = st.segmented_control(
        "Take the price from",
        list(SOURCES),
        default=product.cost.source,
        format_func=SOURCES.__getitem__,
        key=state.dashboard_key(f"product_source_{place}"),
    )
    way = {"estimate": _estimate, "machine": _machine, "api": _api, "typed": _typed}[source or product.cost.source]
    way(desk, place, product)


def _estimate(desk: Desk, place: int, product: ProductSpec) -> None:
    offers = {f"{number}": one for number, one in enumerate(inference_cost.offers(desk.db))}
    if not offers:
        st.info(
            "No saved estimate tells a token price yet: estimate serving under Cost & compute, and save it there.",
            icon=":material/calculate:",
        )
        dashboard_origin.to_page("cost", "Open Cost & compute", ":material/calculate:")
        return
    now = next((key for key, one in offers.items() if one.cost.scenario_id == product.cost.scenario_id), "0")
    chosen = st.selectbox(
        "Scenario",
        list(offers),
        index=list(offers).index(now),
        format_func=lambda key: offers[key].label,
        key=state.dashboard_key(
            f"product_scenario_{place}_{crc32(repr([one.label for one in offers.values()]).encode())}"
        ),
    )
    _offer(desk, place, offers[str(chosen)].cost)


def _machine(desk: Desk, place: int, product: ProductSpec) -> None:
    """The serving estimate by what was measured here, saved as a scenario so that its way down stays open."""
    here = [one for one in MeasurementRepository(desk.db).list() if one.host == socket.gethostname()]
    cells = sorted({(one.model_id, one.precision) for one in here if one.decode_tokens_per_s})
    if not cells:
        st.info("Nothing that writes was measured on this machine yet. Measure a model first.", icon=":material/speed:")
        page_links.to_models("Measure a model")
        return
    with st.form(state.dashboard_key(f"product_machine_{place}"), border=False):
        left, middle, right = st.columns(3)
        model, precision = left.selectbox("Measured", cells, format_func=" in ".join)
        hour = middle.text_input("An hour of it costs, USD", "0.10", help="Power and wear, or what you rent it for.")
        used = right.text_input("Share of the time in use", "40%", help="Of its capacity, over the hours you pay.")
        if st.form_submit_button("Use what was measured", icon=":material/speed:", type="primary"):
            with st.spinner("Estimating"):
                _take_measured(desk, place, product, model=model, precision=precision, hour=hour, used=used)


def _take_measured(
    desk: Desk, place: int, product: ProductSpec, *, model: str, precision: str, hour: str, used: str
) -> None:
    try:
        _, report = inference_cost.of_this_machine(
            desk.db, model=model, precision=precision, usd_per_hour=hour, product=product, utilisation=used
        )
        name = f"{product.name[:30]}: {model[:25]} {precision} here, {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        record = ScenarioRepository(desk.db).save(scenario_of(name, report))
        cost = inference_cost.of_scenario(record)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    inputs.save(desk, place, {"cost": _plain(cost)})


def _api(desk: Desk, place: int, product: ProductSpec) -> None:
    models = {f"{one.provider}/{one.model}": one for one in price_offers.listed()}
    now = f"{product.cost.provider}/{product.cost.model}"
    chosen = st.selectbox(
        "Model",
        list(models),
        index=list(models).index(now) if now in models else list(models).index("openai/gpt-4o-mini"),
        key=state.dashboard_key(f"product_api_{place}"),
        help="Type to search.",
    )
    one = models[str(chosen)]
    try:
        cost = inference_cost.of_api(one.provider, one.model, product=product)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return
    for note in told_stale(product.cost, desk.db, ask_prices=True, product=product):
        st.caption(plain(note))
    _offer(desk, place, cost)


def _offer(desk: Desk, place: int, cost: CostSpec) -> None:
    """What would be reckoned with, and the button that takes it."""
    measured = f" · {len(cost.measurement_ids):,} measured cells behind it" if cost.measurement_ids else ""
    st.markdown(f"**{plain(_told(cost))}**{measured}")
    if cost.note:
        st.caption(plain(cost.note))
    if st.button(
        "Use this price", icon=":material/check:", type="primary", key=state.dashboard_key("product_use_price")
    ):
        inputs.save(desk, place, {"cost": _plain(cost)})


def _typed(desk: Desk, place: int, product: ProductSpec) -> None:
    cost = product.cost
    stamp = crc32(cost.model_dump_json().encode())
    with st.form(state.dashboard_key(f"product_typed_{place}_{stamp:08x}"), border=False):
        columns = st.columns(3)
        read = columns[0].text_input("USD per 1M tokens in", str(cost.usd_per_million_input))
        now = "" if cost.usd_per_million_cached_input is None else str(cost.usd_per_million_cached_input)
        cached = columns[1].text_input("Cached", now, help="Empty: the full price is paid.")
        written = columns[2].text_input("USD per 1M tokens out", str(cost.usd_per_million_output))
        note = st.text_input("Who says so", cost.note if cost.source == "typed" else "", placeholder="An offer, a bill")
        if st.form_submit_button("Save the price", icon=":material/save:", type="primary"):
            prices = {
                "usd_per_million_input": read,
                "usd_per_million_cached_input": cached,
                "usd_per_million_output": written,
            }
            given = {key: value for key, value in prices.items() if value} | _said_by(cost, note)
            inputs.save(desk, place, {"cost": given})


def _said_by(cost: CostSpec, note: str) -> dict[str, Any]:
    """Of a price that is typed in today; a range that was typed before stays."""
    ends = {"low_factor": cost.low_factor, "high_factor": cost.high_factor} if cost.source == "typed" else {}
    return ends | {"source": "typed", "as_of": datetime.now(UTC).date().isoformat(), "note": note}


def _told(cost: CostSpec) -> str:
    """$0.50 in, $0.05 cached, $2.00 out per million tokens."""
    cached = "" if cost.usd_per_million_cached_input is None else f", {told(cost.cached_price, 'USD')} cached"
    read, written = told(cost.usd_per_million_input, "USD"), told(cost.usd_per_million_output, "USD")
    spread = f" (× {cost.low_factor:.2g} to × {cost.high_factor:.2g})" if cost.low_factor < cost.high_factor else ""
    return f"{read} in{cached}, {written} out per million tokens{spread}"


def _plain(cost: CostSpec) -> dict[str, Any]:
    return cost.model_dump(mode="json", exclude_defaults=True)

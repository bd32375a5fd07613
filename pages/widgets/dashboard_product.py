"""Product economics: what a customer costs to serve, what is left of the price, and where each figure comes from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.venture.economics import Economics, economics, per_unit, plan_month, rounded_up, target_price, together, told
from core.venture.economics_figures import percent
from core.venture.money import major
from core.venture.stale_prices import told_stale
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_product_charts as charts
from pages.widgets import dashboard_product_cost as cost
from pages.widgets import dashboard_product_figures as figures
from pages.widgets import dashboard_product_inputs as inputs
from pages.widgets import dashboard_product_switching as switching
from pages.widgets import dashboard_product_tasks as tasks
from pages.widgets.chart_parts import CONFIG
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

FIRST: dict[str, Any] = {"price": "49", "customers": "10"}


def draw(desk: Desk) -> None:
    """The picture, the figures, what switching does, then what it is all made of."""
    products = desk.spec.products
    if not products:
        st.info("No product yet: name what you sell and its price, and see what is left of it.", icon=":material/sell:")
        _add(desk)
        return
    found = tuple(_economics(desk, place) for place in range(len(products)))
    place = _choose(desk)
    _draw_month(desk, found[place])
    _draw_price(found[place])
    switching.draw(desk, found[place])
    _draw_plans(found)
    _draw_inputs(desk, place)


def _economics(desk: Desk, place: int) -> Economics:
    about = desk.spec.company
    return economics(desk.spec.products[place], currency=about.currency, per_usd=about.per_usd)


def _choose(desk: Desk) -> int:
    products = desk.spec.products
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Product",
            range(len(products)),
            format_func=lambda place: products[place].name if place < len(products) else "",
            key=state.dashboard_key(f"product_{desk.id}_{len(products)}"),
        )
        with st.popover("Add a product", icon=":material/add:"):
            _add(desk)
    return int(chosen or 0)


def _add(desk: Desk) -> None:
    with st.form(state.dashboard_key(f"product_add_{len(desk.spec.products)}"), border=False):
        name = st.text_input("Name", placeholder="Pro")
        price = st.text_input("Price, a month and customer", FIRST["price"])
        count = st.text_input("Customers at the start", FIRST["customers"])
        pressed = st.form_submit_button("Add", icon=":material/add:", type="primary")
    if pressed:
        fresh = {"name": name.strip(), "price": price, "customers": count}
        try:
            desk.put("products", [*desk.spec.products, {key: value for key, value in fresh.items() if value}])
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.rerun()


def _draw_month(desk: Desk, found: Economics) -> None:
    st.plotly_chart(charts.month_figure(found), key=state.dashboard_key("product_month"), config=CONFIG)
    for note in told_stale(found.product.cost, desk.db):
        st.warning(plain(note), icon=":material/history_toggle_off:")
    if not found.product.tasks:
        st.info("Inference is not counted yet: add the tasks of a user below, under Tasks.", icon=":material/token:")
    elif not found.inference.expected:
        st.info("Tokens cost nothing yet: choose what a million cost below, under Token price.", icon=":material/sell:")
    figures.draw(found, desk.db)
    figures.draw_tasks(found)
    csv_button(f"{found.product.name} month", rows_csv(charts.month_rows(found)), label="CSV: a customer's month")


def _draw_price(found: Economics) -> None:
    st.subheader("What should it cost?")
    target = target_price(found)
    if target.why:
        st.warning(plain(target.why), icon=":material/info:")
    st.plotly_chart(charts.price_figure(found), key=state.dashboard_key("product_price"), config=CONFIG)
    csv_button(f"{found.product.name} prices", rows_csv(charts.price_rows(found)), label="CSV: margin at each price")


def _draw_plans(found: tuple[Economics, ...]) -> None:
    st.subheader("All plans")
    months = [plan_month(one) for one in found]
    currency = found[0].currency
    st.plotly_chart(charts.plans_figure(months, currency), key=state.dashboard_key("product_plans"), config=CONFIG)
    rows = []
    for one, month in zip((*found, None), (*months, together(months)), strict=True):
        share, target = month.margin_share, target_price(one).price if one else None
        asked = f"{told(rounded_up(target.expected), currency)} per {per_unit(one.product)}" if one and target else ""
        rows.append(
            {
                "Plan": month.product,
                "Customers": f"{float(month.customers):,.1f}".removesuffix(".0"),
                "Revenue a month": told(major(month.revenue), currency),
                "Cost of serving": told(major(month.cogs), currency),
                "Gross margin": told(major(month.margin), currency),
                "of revenue": percent(share) if share is not None else "",
                "Price for the target": asked,
            }
        )
    shown = rows if len(found) > 1 else rows[:1]
    right = {name: st.column_config.TextColumn(name, alignment="right") for name in list(rows[0])[1:]}
    st.dataframe(shown, hide_index=True, height="content", column_config=right, alt="All plans, at the start")
    csv_button("plans", rows_csv(charts.plans_rows([*months, together(months)])), label="CSV: plans")


def _draw_inputs(desk: Desk, place: int) -> None:
    product = desk.spec.products[place]
    st.subheader(f"What {plain(product.name)} is made of")
    price, doing, tokens, away = st.tabs(["Price and costs", "Tasks", "Token price", "Remove"])
    with price:
        inputs.draw(desk, place)
    with doing:
        tasks.draw(desk, place)
    with tokens:
        cost.draw(desk, place)
    with away:
        _remove(desk, place)


def _remove(desk: Desk, place: int) -> None:
    name = desk.spec.products[place].name
    sure = st.checkbox(
        f"Remove {plain(name)} and all that is said of it", key=state.dashboard_key(f"product_sure_{place}")
    )
    if st.button("Remove", icon=":material/delete:", disabled=not sure, key=state.dashboard_key("product_remove")):
        try:
            desk.put("products", [one for at, one in enumerate(desk.spec.products) if at != place])
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.rerun()

"""What is sold: revenue by product, then one product at a time: its price, growth and losses, and what they make."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.venture.money import major, short
from core.venture.plan import Plan
from core.venture.products import ProductSpec
from core.venture.questions import MODELS, Model, first_product
from pages import state
from pages.widgets import dashboard_business_inputs as inputs
from pages.widgets.dashboard_business_charts import mix_figure, mix_rows, product_figure, product_rows
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_months_charts import planned, show
from pages.widgets.words import plain

KINDS: dict[Model, str] = {
    "subscription": "Customers pay the same each month: software by the seat or team.",
    "usage": "Customers pay for what they use: an API by the million tokens or the run.",
    "project": "Customers pay once for work with an end: a pilot, an integration. Never in MRR.",
}
_FAULT, _REMOVE, _SHOWN = "business_fault", "business_remove", "business_product"


def draw(desk: Desk) -> None:
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")
    if not desk.spec.products:
        st.markdown("Nothing is sold yet. Choose how the first product earns; every value can be changed after that.")
        _kinds(desk)
        return
    found = planned(desk)
    if found is not None:
        show("revenue by product", mix_figure(found), mix_rows(found), alt="Revenue a month by product, projects apart")
    place = _choose(desk)
    left, right = st.columns([5, 6], gap="large")
    with left:
        inputs.draw(desk, place)
        _remove(desk, place)
    with right:
        if found is not None:
            _result(desk.spec.products[place], found, place)


def _result(product: ProductSpec, found: Plan, place: int) -> None:
    line = found.products[place]
    _figures(product, found.currency, [float(one) for one in line.customers[0]], int(line.revenue[0, -1]))
    title = f"{product.name} revenue"
    show(title, product_figure(found, line), product_rows(found, line), alt=f"{title} by month", key="product")


def _choose(desk: Desk) -> int:
    """Which product is on the page: its place, so that it stays when its name changes."""
    names = [one.name for one in desk.spec.products]
    held = state.dashboard_value(_SHOWN)
    if not isinstance(held, int) or not held < len(names):
        state.put_dashboard(_SHOWN, 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Product",
            list(range(len(names))),
            key=state.dashboard_key(_SHOWN),
            required=True,
            format_func=lambda place: plain(names[place]) if place < len(names) else "",
        )
        with st.popover("Add a product", icon=":material/add:"):
            _kinds(desk)
    return int(chosen or 0)


def _kinds(desk: Desk) -> None:
    for model, label in MODELS.items():
        with st.container(border=True):
            st.markdown(f"**{label}.** {KINDS[model]}")
            st.button(f"Add a {label.lower()}" if model != "usage" else "Add usage", icon=":material/add:",
                      key=f"d_add_{model}", on_click=_add, args=(desk, model))  # fmt: skip


def _add(desk: Desk, model: Model) -> None:
    names = [one.name for one in desk.spec.products]
    name, count = MODELS[model], 1
    while name in names:
        count += 1
        name = f"{MODELS[model]} {count}"
    _put(desk, [*desk.spec.products, first_product(model, name)])
    state.put_dashboard(_SHOWN, len(names))


def _remove(desk: Desk, place: int) -> None:
    """With a yes: its tasks and prices go with it."""
    name = desk.spec.products[place].name
    if state.dashboard_note(_REMOVE) != name:
        st.button("Remove this product", icon=":material/delete:", key="d_remove_product", type="tertiary",
                  on_click=state.set_dashboard_note, args=(_REMOVE, name))  # fmt: skip
        return
    st.markdown(f"Remove “{plain(name)}”, its tasks and its prices?")
    with st.container(horizontal=True):
        st.button("Remove it", icon=":material/delete_forever:", type="primary", key="d_remove_yes",
                  on_click=_removed, args=(desk, place))  # fmt: skip
        st.button("Keep it", type="tertiary", key="d_remove_no", on_click=state.set_dashboard_note,
                  args=(_REMOVE, ""))  # fmt: skip


def _removed(desk: Desk, place: int) -> None:
    state.set_dashboard_note(_REMOVE, "")
    _put(desk, [one for at, one in enumerate(desk.spec.products) if at != place])


def _put(desk: Desk, products: list[ProductSpec]) -> None:
    state.set_dashboard_note(_FAULT, "")
    try:
        desk.put("products", products)
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))


def _figures(product: ProductSpec, currency: str, customers: list[float], revenue: int) -> None:
    project = product.model == "project"
    with st.container(horizontal=True):
        st.metric(
            "Projects in work at the end" if project else "Customers at the end",
            f"{customers[-1]:,.1f}" if project else f"{customers[-1]:,.0f}",
            border=True,
            help=f"{customers[0]:,.1f} in the first month. An expected value: it may be a fraction.",
        )
        st.metric(
            "Revenue of the last month" if project else "MRR at the end",
            short(major(revenue), currency),
            border=True,
            help="Not recurring." if project else "Monthly recurring revenue of this product in the last month.",
        )
        if not project and product.churn:
            st.metric(
                "A customer stays",
                f"{1 / product.churn:,.0f} months",
                border=True,
                help="On average: 1 ÷ the share of customers who leave each month.",
            )

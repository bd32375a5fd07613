"""The inputs of one product: price, growth, losses. Tokens and what they cost are the Product view's."""

from __future__ import annotations

import streamlit as st

from core.estimate.amounts import digits
from core.venture.economics import told
from core.venture.products import ProductSpec
from core.venture.questions import MODELS
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_fields import Fields
from pages.widgets.words import plain

UNITS = {"million_tokens": "A million tokens", "run": "A run of a task"}


def draw(desk: Desk, place: int) -> None:
    product = desk.spec.products[place]
    fields = Fields(desk, f"products.{place}", product.name)
    _price(desk, fields, product)
    _growth(fields, product)
    if product.model != "project":
        _losses(fields)
    _usage(product)


def _price(desk: Desk, fields: Fields, product: ProductSpec) -> None:
    st.markdown("**Price**")
    left, right = st.columns(2)
    currency = desk.currency
    with left:
        fields.text("name", "Name of the product")
        per = {"subscription": "a month and customer", "project": "a project"}
        fields.money(
            "price", f"Price ({currency} {per.get(product.model, 'a unit')})", help="As 1200, 1,200.50 or 12k."
        )
        if product.model == "project":
            fields.money("delivery_cost", f"Delivery cost ({currency} a project)",
                         help="Beside people in the loop, hosting and inference.")  # fmt: skip
    with right:
        fields.choice("model", "Sold as", {str(model): label for model, label in MODELS.items()})
        if product.model == "usage":
            fields.choice("unit", "A unit is", UNITS)
        if product.model == "project":
            fields.whole("project_months", "Months a project takes",
                         help="Its price is earned evenly over them.")  # fmt: skip
        fields.text("launch", "On sale from", placeholder="the first month", help="As 2026-03.", optional=True)
    if product.model == "usage":
        st.caption(
            f"A customer pays {plain(told(product.price_per_customer, currency))} a month, for "
            f"{digits(float(product.units_per_customer))} "
            f"{'million tokens' if product.unit == 'million_tokens' else 'runs'}."
        )


def _growth(fields: Fields, product: ProductSpec) -> None:
    project = product.model == "project"
    st.markdown("**Growth**")
    left, right = st.columns(2)
    with left:
        fields.number("customers", "Projects under way at the start" if project else "Customers at the start")
        fields.number("new_customers", "New projects a month" if project else "New customers a month", step=0.5)
    with right:
        fields.percent("growth", "Growth of new ones (% a month)", help="Of the new ones a month, not of all.")
        fields.whole(
            "sales_cycle_months",
            "Sales cycle (months)",
            help="From the first talk to the first payment: new ones come so many months later.",
        )
    if product.model == "usage":
        fields.percent("usage_growth", "Growth of a customer's usage (% a month)", step=0.1)
    fields.whole("payment_delay_months", "Paid after (months)", help="Revenue is earned at once; the cash comes later.")


def _losses(fields: Fields) -> None:
    st.markdown("**Losses, and more from those who stay**")
    left, right = st.columns(2)
    with left:
        fields.percent("churn", "Churn (% a month)", step=0.1,
                       help="Share of customers who leave each month, with all they paid.")  # fmt: skip
        fields.percent("expansion", "Expansion (% a month)", step=0.1,
                       help="By how much recurring revenue of those who stay grows: seats, higher plans.")  # fmt: skip
    with right:
        fields.percent("contraction", "Contraction (% a month)", step=0.1,
                       help="By how much it shrinks: fewer seats, lower plans.")  # fmt: skip
        fields.percent("reactivation", "Reactivation (% a month)", step=0.1,
                       help="Share of all lost customers who come back each month.")  # fmt: skip


def _usage(product: ProductSpec) -> None:
    tokens = float(product.tokens_per_customer.total)
    st.caption(f"A customer uses {digits(tokens / 1e6)} million tokens a month. Tasks, tokens and their cost:")
    st.button("Open under Product", icon=":material/arrow_forward:", type="tertiary", key="d_business_to_product",
              on_click=state.show_dashboard_view, args=("product",))  # fmt: skip

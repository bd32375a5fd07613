"""What a product is sold for, to whom, and what serving it costs beside tokens: fields that are saved together.

Fields are text, so that 12k, 3% and 1,200.50 can be typed; what is wrong with one is told when it is saved, and what
was typed stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import streamlit as st

from core.errors import GroundworkError
from core.venture.products import ProductSpec
from pages import state
from pages.widgets.dashboard_desk import Desk

MODELS = {"subscription": "Subscription", "usage": "By usage", "project": "Project"}
UNITS = {"million_tokens": "1M tokens, in and out", "run": "a run"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of `ProductSpec`. share: shown as a percentage. models: of the products that have it; () for all."""

    name: str
    label: str
    help: str = ""
    share: bool = False
    models: tuple[str, ...] = ()


PRICE = (
    Field("name", "Name"),
    Field("price", "Price", "A month and customer, a unit of usage, or a project."),
    Field("target_margin", "Target margin", "Gross margin that the price should leave.", share=True),
    Field("project_months", "Months of a project", "Its price is spread over them.", models=("project",)),
    Field("launch", "Sold from", "A month, such as 2027-01; empty: from the start."),
    Field("payment_delay_months", "Paid after, months"),
)
CUSTOMERS = (
    Field("customers", "Customers at the start"),
    Field("new_customers", "New customers a month"),
    Field("growth", "Growth of new customers a month", share=True),
    Field("churn", "Churn a month", "Share of customers who leave.", share=True),
    Field("expansion", "Expansion a month", "More revenue from those who stay, as a share.", share=True),
    Field("contraction", "Contraction a month", "Less revenue from those who stay, as a share.", share=True),
    Field("reactivation", "Reactivation a month", "Share of lost customers who come back.", share=True),
    Field("sales_cycle_months", "Sales cycle, months", "From the first contact to the first payment."),
)
COSTS = (
    Field("hosting_per_customer", "Hosting, a customer and month", "Database, storage, traffic."),
    Field("people_minutes_per_customer", "People in the loop, minutes", "Reviewing, support: a customer and month."),
    Field("people_hourly_cost", "An hour of theirs costs"),
    Field("payment_fee", "Payment fees", "Of the revenue: cards, app stores.", share=True),
    Field("delivery_cost", "Delivery of a project", "Beside tokens, hosting and people.", models=("project",)),
)


def draw(desk: Desk, place: int) -> None:
    """place: of the product among the company's."""
    product = desk.spec.products[place]
    with st.form(_key(product, place, "form"), border=False):
        left, right = st.columns(2)
        with left:
            typed: dict[str, Any] = {"model": _pick("Sold as", MODELS, product, place, "model")}
        if product.model == "usage":
            with right:
                typed["unit"] = _pick("Charged by", UNITS, product, place, "unit")
        typed |= _fields(PRICE, product, place)
        typed |= _fields(COSTS, product, place)
        with st.expander("Customers and how they come and go"):
            typed |= _fields(CUSTOMERS, product, place)
        pressed = st.form_submit_button("Save", icon=":material/save:", type="primary")
    if pressed:
        save(desk, place, typed)


def save(desk: Desk, place: int, changes: dict[str, Any]) -> bool:
    """A product with some fields changed. What is wrong is told here, and nothing is saved then."""
    products: list[Any] = [one.model_dump(mode="json", exclude_defaults=True) for one in desk.spec.products]
    products[place] |= changes
    products[place] = {key: value for key, value in products[place].items() if value not in (None, "")}
    try:
        desk.put("products", products)
    except GroundworkError as error:
        # The product is on screen: its place in the file says nothing to its reader.
        st.error(str(error).replace(f"products.{place}.", ""), icon=":material/error:")
        return False
    st.rerun()


def _pick(label: str, options: dict[str, str], product: ProductSpec, place: int, name: str) -> str:
    """One of a few, all in sight."""
    now = str(getattr(product, name))
    found = st.segmented_control(
        label, list(options), default=now, format_func=options.__getitem__, key=_key(product, place, name)
    )
    return str(found or now)


def _fields(fields: Sequence[Field], product: ProductSpec, place: int) -> dict[str, Any]:
    """What is typed in each, by name; three beside each other."""
    found: dict[str, Any] = {}
    shown = [one for one in fields if not one.models or product.model in one.models]
    for start in range(0, len(shown), 3):
        for column, one in zip(st.columns(3), shown[start : start + 3], strict=False):
            text = column.text_input(
                one.label,
                _text(getattr(product, one.name), one.share),
                key=_key(product, place, one.name),
                help=one.help or None,
            )
            found[one.name] = (text or "").strip()
    return found


def _text(value: Any, share: bool) -> str:
    if value is None:
        return ""
    if share:
        return f"{float(value) * 100:.10g}%"
    return f"{value:,f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _key(product: ProductSpec, place: int, name: str) -> str:
    """New when the product was changed, so that fields show what is saved; the same while a faulty value stands."""
    stamp = crc32(product.model_dump_json().encode())
    return state.dashboard_key(f"product_field_{place}_{stamp:08x}_{name}")

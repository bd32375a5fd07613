"""On what an estimate runs, and what an hour of it costs: rented, at the reader's own price, or owned."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.estimate import own_tables
from core.estimate.local_machine import THIS_MACHINE
from core.estimate.prices import TERMS
from core.estimate.purchase import purchase_price
from pages.widgets import cost_fields as fields

WAYS = {"rented": "Rented", "given": "My price", "own": "Own hardware"}
ANY_TIER = "usual"


def gpu(*, measured: bool = False, default: str = "h100-sxm-80gb") -> str:
    """measured: whether this machine can be offered."""
    names = {one.id: one.name for one in own_tables.hardware()}
    order = [*names, THIS_MACHINE] if measured else list(names)
    return fields.choice(
        "gpu",
        "Hardware",
        order,
        default,
        names=lambda key: names.get(key, "This machine, as measured"),
        help="Datasheet peaks; the table is under Prices and hardware.",
    )


def draw(chosen: str) -> dict[str, Any]:
    """The price's part of the configuration."""
    here = chosen == THIS_MACHINE
    options = ["given", "own"] if here else list(WAYS)
    key = "hour_price_here" if here else "hour_price"
    way = fields.pick(key, "Price of an hour", options, options[0], names=WAYS)
    if way == "given":
        usd = fields.text(
            "usd_per_gpu_hour", "USD per GPU-hour", "0.10" if here else "2.50 to 3.50", help="One price, or a range."
        )
        return fields.filled(usd_per_gpu_hour=usd)
    return _own(chosen) if way == "own" else _rented(chosen)


def _rented(chosen: str) -> dict[str, Any]:
    rows = [row for row in own_tables.prices() if row.gpu == chosen]
    left, right = st.columns(2)
    with left:
        term = fields.choice("term", "Term", TERMS, "on_demand")
    tiers = list(dict.fromkeys(row.tier for row in rows if row.term == term))
    with right:
        tier = fields.choice(
            "tier",
            "Who rents it out",
            [ANY_TIER, *tiers],
            ANY_TIER,
            names=lambda one: "the usual: specialists, else everybody" if one == ANY_TIER else one,
        )
    discount = None
    if not tiers and term != "on_demand":
        st.caption("The table has no dated price for that term. Say what was offered to you:")
        percent = fields.number("discount", "Per cent off the on-demand price", 30, least=0, most=99)
        discount = (percent or 0) / 100
    return fields.filled(term=term, tier=None if tier == ANY_TIER else tier, discount=discount)


def _own(chosen: str) -> dict[str, Any]:
    try:
        known = purchase_price(chosen)[0]
        usual = f"{known.low:.0f} / {known.expected:.0f} / {known.high:.0f}"
    except InvalidInput:
        usual = ""
    first, second = st.columns(2), st.columns(2)
    with first[0]:
        purchase = fields.text(
            "purchase_usd", "Price of one GPU, USD", usual, help="Low / expected / high, or one price."
        )
    with first[1]:
        years = fields.text("years", "Years of use", "3 / 4 / 6")
    with second[0]:
        power = fields.text("usd_per_kwh", "Electricity, USD per kWh", "0.08 / 0.12 / 0.2")
    with second[1]:
        pue = fields.text("pue", "PUE", "1.1 / 1.3 / 1.56", help="Power of the whole place over the machines' own.")
    if not purchase:
        raise InvalidInput("No purchase price is known for this GPU.", next_step="Give what one costs.")
    return {"own": fields.filled(purchase_usd=purchase, years=years, usd_per_kwh=power, pue=pue)}

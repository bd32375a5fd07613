"""The headline figures of a product, each with the mark that opens where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.store.database import Database
from core.venture.economics import Economics, per_unit, rounded_up, target_price, task_costs, told, told_span
from core.venture.economics_figures import figure, percent
from core.venture.origin import (
    Origin,
    origin_of_cogs,
    origin_of_margin,
    origin_of_target,
    origin_of_token_price,
)
from core.venture.products import CostSpec
from pages import state
from pages.widgets import dashboard_origin
from pages.widgets.words import plain

MARGIN = "Gross margin: what is left of the revenue after the cost of serving, as a share of it."
SERVING = "Cost of serving (COGS): inference, hosting, people in the loop, delivery and payment fees."
PER_MILLION = "What a million of this product's tokens cost, input, cached and output as they are mixed."
TARGET = "The lowest price that leaves the target margin, with payment fees, all else as it is."
_MARKS = {
    "typed": ":orange-badge[:material/edit: typed in]",
    "api": ":gray-badge[API price list]",
    "estimate": ":blue-badge[estimate]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """below: its range, or what it is counted by. badge: Markdown of our own. make: where the figure comes from."""

    label: str
    value: str
    below: str
    help: str
    make: Callable[[], Origin]
    badge: str = ""


def draw(found: Economics, db: Database) -> None:
    """Four cards."""
    cards = _cards(found, db)
    for number, (column, card) in enumerate(zip(st.columns(len(cards)), cards, strict=True)):
        with column, st.container(border=True, height="stretch"):
            st.markdown(card.label, help=card.help)
            st.metric(card.label, card.value, label_visibility="collapsed")
            st.caption(f"{plain(card.below)} {card.badge}".strip() or "exact")
            dashboard_origin.button("Where from", card.make, key=state.dashboard_key(f"product_from_{number}"))


def _cards(found: Economics, db: Database) -> tuple[_Card, ...]:
    target, mixed = target_price(found), figure(found, "usd_per_million_tokens")
    share, product = found.margin_share, found.product
    return (
        _Card(
            label="Gross margin",
            value=percent(share.expected) if share else "no revenue",
            below=f"{percent(share.low)} to {percent(share.high)}" if share and not share.is_exact else "",
            help=MARGIN,
            make=_rated(found, origin_of_margin, db),
        ),
        _Card(
            label="A customer costs",
            value=told(found.cogs.expected, found.currency),
            below=f"a month{_range(found)}",
            help=SERVING,
            make=_rated(found, origin_of_cogs, db),
        ),
        _Card(
            label="A million tokens",
            value=mixed.words() if mixed else "no tokens",
            below=mixed.range_words() if mixed else "",
            help=PER_MILLION,
            make=partial(origin_of_token_price, product, db),
            badge=mark(product.cost),
        ),
        _Card(
            label=f"Price for {product.target_margin:.0%}",
            value=told(rounded_up(target.price.expected), found.currency) if target.price else "none",
            below=f"per {per_unit(product)}" if target.price else target.why,
            help=TARGET,
            make=_rated(found, origin_of_target, db),
        ),
    )


def draw_tasks(found: Economics) -> None:
    """What each task costs in inference."""
    costs = task_costs(found)
    if not costs:
        return
    rows = [
        {
            "Task": one.name,
            "A run": told(one.per_run, found.currency),
            "A user, a month": told(one.per_user, found.currency),
            "A customer, a month": told(one.per_customer, found.currency),
            "Of the inference": percent(one.share),
        }
        for one in costs
    ]
    right = {name: st.column_config.TextColumn(name, alignment="right") for name in list(rows[0])[1:]}
    st.dataframe(rows, hide_index=True, height="content", column_config=right, alt="What each task costs in inference")


def mark(cost: CostSpec) -> str:
    """Who says the token price."""
    return _MARKS[cost.source]


def _rated(found: Economics, make: Callable[..., Origin], db: Database) -> Callable[[], Origin]:
    return partial(make, found.product, db, currency=found.currency, per_usd=float(found.per_usd))


def _range(found: Economics) -> str:
    return "" if found.cogs.is_exact else f", {told_span(found.cogs, found.currency)}"

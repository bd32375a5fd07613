"""The API that own hosting is held against: a model of the price data, or prices by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from core.errors import InvalidInput
from core.estimate.api_catalogue import ApiModel, data_version, search
from pages.widgets import cost_fields as fields
from pages.widgets.words import plain

WAYS = {"listed": "Listed API", "given": "Prices by hand"}
PROVIDER, MODEL = "openai", "gpt-4o-mini"
MOST = 5_000


def draw() -> dict[str, Any]:
    """Its part of the configuration. Raises InvalidInput when a price by hand is missing."""
    way = fields.pick("api_way", "API", list(WAYS), "listed", names=WAYS)
    if way == "given":
        return _given()
    listed = _listed()
    row = st.columns([1, 2, 1], vertical_alignment="bottom")
    with row[0]:
        provider = fields.choice("api_provider", "Provider", list(listed), PROVIDER)
    models = listed[provider]
    with row[1]:
        # A key for each provider: the choices of one are none of another's.
        chosen = fields.choice(
            f"api_model_{provider}",
            "Model",
            list(models),
            MODEL if provider == PROVIDER and MODEL in models else next(iter(models)),
            names=str,
            help="Type to search.",
        )
    with row[2]:
        batch = fields.switch(
            "api_batch", "Batch price", help="Where the API has one: cheaper, and answers come later."
        )
    st.caption(f"{plain(_words(models[chosen]))} · {data_version()}")
    return fields.filled(api_provider=provider, api_model=chosen, api_batch=batch or None)


def _given() -> dict[str, Any]:
    row = st.columns(3)
    with row[0]:
        read = fields.text("usd_per_million_input", "USD per 1M input tokens", "0.25")
    with row[1]:
        cached = fields.text(
            "usd_per_million_cached_input", "Cached input", help="Empty: unknown, the full price is paid."
        )
    with row[2]:
        written = fields.text("usd_per_million_output", "USD per 1M output tokens", "2")
    if not read or not written:
        raise InvalidInput(
            "The API's price is missing: unknown is not free.", next_step="Give what a million tokens cost."
        )
    return fields.filled(
        usd_per_million_input=read, usd_per_million_cached_input=cached, usd_per_million_output=written
    )


@lru_cache(maxsize=1)
def _listed() -> dict[str, dict[str, ApiModel]]:
    """Models with both prices, by provider and id."""
    found: dict[str, dict[str, ApiModel]] = {}
    for one in sorted(search("", limit=MOST), key=lambda one: (one.provider, one.model)):
        if one.usd_per_million_input and one.usd_per_million_output and not one.deprecated:
            found.setdefault(one.provider, {})[one.model] = one
    return found


def _words(one: ApiModel) -> str:
    cached = "" if one.usd_per_million_cached_input is None else f", cached ${one.usd_per_million_cached_input:g}"
    return f"${one.usd_per_million_input:g} per million tokens in{cached}, ${one.usd_per_million_output:g} out"

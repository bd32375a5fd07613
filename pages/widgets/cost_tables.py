"""Prices and hardware: what the estimates reckon with. The reader's to edit are hardware and rental prices; the other
tables are shown with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.estimate.amounts import money
from core.estimate.api_catalogue import ApiModel, data_version, search
from core.estimate.energy import regions
from core.estimate.purchase import electricity_rows, purchase_rows
from core.estimate.tables_csv import number
from core.estimate.tables_csv import rows as table_rows
from exports.cells import csv_bytes
from pages.widgets import cost_table_editor
from pages.widgets.chart_parts import Row
from pages.widgets.take_away import csv_button

TABS = ("Hardware", "Rental prices", "API prices", "Buying", "Electricity", "Grids", "Published runs")
MOST_MODELS = 50
UNKNOWN = "unknown"
_LARGE = ("parameters", "active_parameters", "tokens", "gpu_hours")
_RUN_NUMBERS = (
    "parameters",
    "active_parameters",
    "tokens",
    "gpus",
    "days",
    "gpu_hours",
    "tflops_per_gpu",
    "mfu",
    "step_s",
)


def draw() -> None:
    """A tab a table."""
    hardware, rental, api, buying, electricity, grids, runs = st.tabs(TABS, key="cost_tables")
    with hardware:
        st.caption("Datasheet peaks, dense. Change a row, or add your own: every estimate follows.")
        cost_table_editor.draw("hardware")
    with rental:
        st.caption("USD for an hour of one GPU. What has no dated row has no price.")
        cost_table_editor.draw("prices")
    with api:
        _draw_api()
    with buying:
        st.caption("USD for one card, without its server.")
        _draw_table("purchase-prices", [_fields(row) for row in purchase_rows()])
    with electricity:
        _draw_table("electricity-prices", [_fields(row) for row in electricity_rows()])
    with grids:
        st.caption("Yearly means, in grams of CO₂e for a kWh that is generated.")
        _draw_table("grid-intensity", [_fields(row) for row in regions()])
    with runs:
        st.caption("What the efficiency of training was fitted to, and is held against under How sure.")
        compact = {_title(name): st.column_config.NumberColumn(format="compact") for name in _LARGE}
        _draw_table("published-training", [*_runs("training_runs"), *_runs("training_steps")], columns=compact)


def _draw_api() -> None:
    st.caption("USD for a million tokens, of a small request now. Unknown is unknown, never free.")
    text = st.text_input(
        "Find a model", key="cost_api_search", placeholder="gpt-4o mini · claude · groq llama", icon=":material/search:"
    )
    if not (text or "").strip():
        st.caption("Write a provider, a model, or a part of a name.")
        return
    with st.spinner("Reading the price data"):
        found = search(text, limit=MOST_MODELS)
    if not found:
        st.info("No model of the price data has all these words. Try fewer of them.", icon=":material/search_off:")
        return
    prices = {
        name: st.column_config.TextColumn(name, alignment="right") for name in ("Input", "Cached input", "Output")
    }
    _draw_table("api-prices", [_api_row(one) for one in found], columns=prices)
    st.caption(f"{data_version()}{f' · the first {MOST_MODELS}' if len(found) == MOST_MODELS else ''}")


def _api_row(one: ApiModel) -> Row:
    return {
        "Provider": one.provider,
        "Model": one.model,
        "Input": _price(one.usd_per_million_input),
        "Cached input": _price(one.usd_per_million_cached_input),
        "Output": _price(one.usd_per_million_output),
        "Batch price": "yes" if one.has_batch_price else UNKNOWN,
        "Note": "deprecated" if one.deprecated else "",
    }


def _price(usd: float | None) -> str:
    return UNKNOWN if usd is None else money(usd)


def _runs(name: str) -> list[Row]:
    """Of one table, with its numbers as numbers."""
    return [
        {"name": row["name"], "gpu": row["gpu"]}
        | {field: number(row.get(field, "")) for field in _RUN_NUMBERS}
        | {"recompute": row["recompute"], "source": row["source"]}
        for row in table_rows(name)
    ]


def _fields(row: Any) -> Row:
    """Of a slotted dataclass, in its order."""
    return {name: getattr(row, name) for name in row.__slots__}


def _draw_table(name: str, rows: Sequence[Row], *, columns: dict[str, Any] | None = None) -> None:
    st.dataframe(
        [{_title(field): value for field, value in row.items()} for row in rows],
        hide_index=True,
        column_config=columns or {},
        placeholder="–",
        alt=name.replace("-", " "),
    )
    csv_button(name, csv_bytes(tuple(rows[0]), [tuple(row.values()) for row in rows]), label=f"CSV, {len(rows)} rows")


_TITLES = {
    "gpu": "GPU",
    "usd_low": "Low, USD",
    "usd_high": "High, USD",
    "usd_per_kwh": "USD per kWh",
    "grams_co2e_per_kwh": "g CO₂e per kWh",
    "tflops_per_gpu": "TFLOP/s of a GPU",
    "gpus": "GPUs",
    "gpu_hours": "GPU-hours",
    "mfu": "MFU",
    "step_s": "Step, s",
    "as_of": "As of",
    "id": "Id",
}


def _title(field: str) -> str:
    return _TITLES.get(field) or f"{field[:1].upper()}{field[1:]}".replace("_", " ")

"""What a user has the model do: tasks typed in, or taken from the runs that were recorded."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from core.venture import usage
from core.venture.products import ProductSpec
from core.venture.usage import Usage
from pages import state
from pages.widgets import dashboard_product_inputs as inputs
from pages.widgets.dashboard_desk import Desk
from pages.widgets.words import count_of

# Field: label, help.
COLUMNS = {
    "name": ("Task", "What a user has the model do."),
    "runs_per_user": ("Runs a user and month", ""),
    "input_tokens": ("Tokens in, a run", "Prompt, documents and history: all that the model reads."),
    "output_tokens": ("Tokens out, a run", "What the model writes, thinking included."),
    "cached_share": ("Cached, %", "Share of the tokens in that a prompt cache serves, at the cached price."),
    "run_ids": ("Recorded runs", "How many the tokens were averaged from; none: typed in."),
}


def draw(desk: Desk, place: int) -> None:
    """The tasks in a table, users of a customer, and what was recorded."""
    product = desk.spec.products[place]
    stamp = f"{place}_{crc32(product.model_dump_json().encode()):08x}"
    with st.form(state.dashboard_key(f"product_tasks_{stamp}"), border=False):
        edited = st.data_editor(
            _table(product),
            key=state.dashboard_key(f"product_task_table_{stamp}"),
            num_rows="dynamic",
            hide_index=True,
            column_config=_config(),
            placeholder="",
            alt="Tasks of this product",
        )
        left, right = st.columns(2)
        users = left.text_input(
            "Users of a customer",
            f"{product.users_per_customer:g}",
            key=state.dashboard_key(f"product_users_{stamp}"),
        )
        growth = right.text_input(
            "Growth of usage a month",
            f"{product.usage_growth * 100:.10g}%",
            key=state.dashboard_key(f"product_usage_growth_{stamp}"),
            help="Of a customer's tokens.",
        )
        if st.form_submit_button("Save tasks", icon=":material/save:", type="primary"):
            tasks = usage.edited(product.tasks, _rows(edited))
            inputs.save(desk, place, {"tasks": tasks, "users_per_customer": users, "usage_growth": growth})
    if st.toggle("Take from recorded usage", key=state.dashboard_key("product_recorded")):
        _recorded(desk, place)


def _table(product: ProductSpec) -> pd.DataFrame:
    rows = [
        {
            "Task": one.name,
            "Runs a user and month": one.runs_per_user,
            "Tokens in, a run": one.input_tokens,
            "Tokens out, a run": one.output_tokens,
            "Cached, %": float(f"{one.cached_share * 100:.10g}"),
            "Recorded runs": len(one.run_ids),
        }
        for one in product.tasks
    ]
    return pd.DataFrame(rows, columns=[label for label, _ in COLUMNS.values()])


def _rows(edited: pd.DataFrame) -> list[dict[str, Any]]:
    """As JSON has them; empty cells are left out, and a row of nothing is none."""
    found = []
    for row in edited.to_dict("records"):
        cells = {name: row[label] for name, (label, _) in COLUMNS.items() if name != "run_ids"}
        cells = {name: value for name, value in cells.items() if not (value is None or value == "" or pd.isna(value))}
        if "cached_share" in cells:
            cells["cached_share"] = float(f"{float(cells['cached_share']) / 100:.12g}")
        if any(cells.values()):
            found.append(cells)
    return found


def _config() -> dict[str, Any]:
    """No least values: a column that has one drops a typed minus sign without a word."""
    made: dict[str, Any] = {}
    for name, (label, help) in COLUMNS.items():
        if name == "name":
            made[label] = st.column_config.TextColumn(label, help=help, width="medium")
        else:
            locked = name == "run_ids"
            made[label] = st.column_config.NumberColumn(label, help=help or None, disabled=locked, format="localized")
    return made


def _recorded(desk: Desk, place: int) -> None:
    """The mean of complete runs, by model, as a task."""
    models = usage.recorded_models(desk.db)
    if not models:
        st.info(
            "No complete run is recorded yet. Ask a model in the Playground what your users would ask; its tokens are "
            "counted there.",
            icon=":material/forum:",
        )
        return
    with st.container(border=True):
        counts = dict(models)
        model = st.selectbox(
            "Runs of",
            list(counts),
            format_func=lambda one: f"{one} ({count_of(counts[one], 'run')})",
            key=state.dashboard_key("product_recorded_model"),
        )
        try:
            found = usage.recorded(desk.db, model_id=str(model))
        except GroundworkError as error:
            st.warning(str(error))
            return
        _draw_usage(found)
        _take(desk, place, found)


def _draw_usage(found: Usage) -> None:
    named = (("Tokens in", found.prompt), ("of them cached", found.cached), ("Tokens out", found.completion))
    rows = [
        {"A run": name, "Mean": one.mean, "Half are below": one.p50, "9 of 10 are below": one.p90, "Most": one.high}
        for name, one in named
    ]
    st.dataframe(rows, hide_index=True, height="content", alt="Tokens of the recorded runs")
    told = f"{count_of(found.count, 'run')} from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}."
    st.caption(" ".join([told, *found.notes]))


def _take(desk: Desk, place: int, found: Usage) -> None:
    product = desk.spec.products[place]
    with st.form(state.dashboard_key("product_take_usage"), border=False):
        left, right = st.columns(2)
        names = [one.name for one in product.tasks]
        name = left.text_input("As the task", names[0] if names else "Answer", help="A task of this name is replaced.")
        runs = right.text_input("Runs a user and month", f"{product.tasks[0].runs_per_user:g}" if names else "100")
        if st.form_submit_button("Take the mean run", icon=":material/input:"):
            task = found.task(name.strip() or "Answer").model_dump(mode="json") | {"runs_per_user": runs}
            kept = [one.model_dump(mode="json") for one in product.tasks]
            same = next((at for at, one in enumerate(kept) if one["name"] == task["name"]), len(kept))
            inputs.save(desk, place, {"tasks": [*kept[:same], task, *kept[same + 1 :]]})

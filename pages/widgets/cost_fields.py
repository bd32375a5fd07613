"""Input fields of the Cost & compute page: each lives in the address, so that the link in the browser is the estimate.

A field's key is `c_` and the key of the configuration it fills. Streamlit writes what is shown of an option into the
address, so shown names hold nothing that changes (no prices). Fields that are empty are left out of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages import state
from pages.widgets.words import plain


def text(
    key: str, label: str, default: str = "", *, help: str | None = None, placeholder: str = "", value: str = ""
) -> str:
    """One line, trimmed. value: what is taken for an empty field."""
    found = st.text_input(
        label,
        default,
        key=state.cost_key(key),
        help=help,
        placeholder=placeholder,
        bind="query-params",
    )
    return (found or "").strip() or value


def number(
    key: str, label: str, default: int | None, *, least: int = 1, most: int = 10**9, help: str | None = None
) -> int | None:
    """A whole number; None when empty."""
    found = st.number_input(
        label,
        value=default,
        min_value=least,
        max_value=most,
        step=1,
        key=state.cost_key(key),
        help=help,
        placeholder="as usual",
        bind="query-params",
    )
    return None if found is None else int(found)


def choice(
    key: str,
    label: str,
    options: Sequence[str],
    default: str,
    *,
    names: Callable[[str], str] | None = None,
    help: str | None = None,
) -> str:
    """One of the options, which are what the configuration has; names: what is shown."""
    shown = names or _plain
    asked = state.asked_for(key)
    if asked is not None and asked not in {shown(one) for one in options}:
        st.warning(
            f"The link asks for {label.lower()} “{plain(asked)}”, which is not here: {plain(shown(default))} is shown."
        )
    found = st.selectbox(
        label,
        list(options),
        index=list(options).index(default),
        format_func=shown,
        key=state.cost_key(key),
        help=help,
        bind="query-params",
    )
    return str(found or default)


def pick(key: str, label: str, options: Sequence[str], default: str, *, names: dict[str, str]) -> str:
    """One of a few, all in sight."""
    found = st.segmented_control(
        label,
        list(options),
        default=default,
        format_func=lambda one: names.get(one, _plain(one)),
        key=state.cost_key(key),
        bind="query-params",
        required=True,
    )
    return str(found or default)


def switch(key: str, label: str, default: bool = False, *, help: str | None = None) -> bool:
    return st.toggle(label, default, key=state.cost_key(key), help=help, bind="query-params")


def filled(**values: Any) -> dict[str, Any]:
    """Without what was left empty."""
    return {key: value for key, value in values.items() if value is not None and value != ""}


def _plain(option: str) -> str:
    return option.replace("_", " ")

"""Streamlit components without an iframe: script and style stand beside the module and are read at its import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st


def component(module_file: str, html: str) -> Any:
    """The component of a module of this folder: pass its `__file__`, and the HTML that its script fills."""
    module = Path(module_file)
    return st.components.v2.component(
        f"groundwork_{module.stem}",
        html=html,
        css=module.with_suffix(".css").read_text(encoding="utf-8"),
        js=module.with_suffix(".js").read_text(encoding="utf-8"),
    )


def no_callback() -> None:
    """Streamlit names a component's events by their callbacks; what an event brings is read from the result instead."""

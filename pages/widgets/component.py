"""Streamlit components without an iframe: script and style stand beside the module and are read at its import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st


def component(module_file: str, html: str, *, shared: Sequence[str] = ()) -> Any:
    """The component of a module of this folder: pass its `__file__`, and the HTML that its script fills.

    shared: names of scripts that stand before it, `shared_<name>.js` of this folder; together they are one module.
    """
    module = Path(module_file)
    scripts = [module.with_name(f"shared_{name}.js") for name in shared] + [module.with_suffix(".js")]
    return st.components.v2.component(
        f"groundwork_{module.stem}",
        html=html,
        css=module.with_suffix(".css").read_text(encoding="utf-8"),
        js="\n".join(script.read_text(encoding="utf-8") for script in scripts),
    )


def no_callback() -> None:
    """Streamlit names a component's events by their callbacks; what an event brings is read from the result instead."""

"""An answer while it is written: its text, what the run is doing, its figures. Drawn by the browser, not by reruns.

The component beside this file listens to `pages.live_route` and asks for one rerun of the page when the answer ends.
"""

from __future__ import annotations

import streamlit as st

from core.generation.live import LiveRun
from pages import live_route
from pages.base_path import address
from pages.widgets.component import component, no_callback

_component = component(__file__, '<div class="answer" aria-busy="true"></div><p class="line"></p>')


def live_answer(run: LiveRun) -> None:
    """Shows the run; the page runs again when it ends."""
    source = address(st.get_option("server.baseUrlPath"), live_route.PATH, run.run_id)
    _component(key=f"live_{run.run_id}", data={"source": source}, on_ended_change=no_callback)

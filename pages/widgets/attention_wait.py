"""Waiting for a look inside: what it is doing, how far it is, and a button that stops it."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from core.interpret.work import Work

Result = TypeVar("Result")
QUICK_SECONDS = 0.4  # what is done by then shows no bar: it would only flicker
LOOK_SECONDS = 0.15


def finished(work: Work[Result], *, key: str) -> Result | None:
    """The result. While it is being made, the bar stands here and the rest of the page above can be used; None after
    the reader stopped it. Raises what went wrong."""
    if not work.wait(QUICK_SECONDS):
        place = st.empty()
        with place.container():
            bar = st.progress(work.fraction, text=work.step)
            st.button("Stop", icon=":material/stop_circle:", key=f"a_stop_{key}", on_click=work.cancel)
        while not work.wait(LOOK_SECONDS):
            bar.progress(work.fraction, text=work.step)
        place.empty()
    if work.state == "cancelled":
        _tell_stopped(work, key)
        return None
    return work.outcome()


def _tell_stopped(work: Work[Any], key: str) -> None:
    st.info("Stopped. Nothing was changed.", icon=":material/stop_circle:")
    st.button("Do it again", icon=":material/refresh:", key=f"a_again_{key}")

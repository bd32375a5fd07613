"""Waiting for a look inside: what it is doing, how far it is, and a button that stops it."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st

from core.errors import InvalidInput
from core.interpret.work import Work, Works

Result = TypeVar("Result")
QUICK_SECONDS = 0.4  # what is done by then shows no bar: it would only flicker
LOOK_SECONDS = 0.15


def finished(works: Works, work: Work[Result], *, key: str) -> Result | None:
    """The result. While it is being made, the bar stands here and the rest of the page above can be used; None after
    the reader stopped it. Raises what went wrong, with a button beside it where another try may help."""
    if not work.wait(QUICK_SECONDS):
        place = st.empty()
        with place.container():
            bar = st.progress(work.fraction, text=work.step)
            st.button("Stop", icon=":material/stop_circle:", key=f"a_stop_{key}", on_click=work.cancel)
        while not work.wait(LOOK_SECONDS):
            bar.progress(work.fraction, text=work.step)
        place.empty()
    if work.state == "cancelled":
        st.info("Stopped. Nothing was changed.", icon=":material/stop_circle:")
    if work.state == "cancelled" or (work.state == "failed" and not isinstance(work.error, InvalidInput)):
        st.button(
            "Do it again",
            icon=":material/refresh:",
            key=f"a_again_{key}",
            on_click=works.forget,
            args=(work.key,),
        )
    return None if work.state == "cancelled" else work.outcome()

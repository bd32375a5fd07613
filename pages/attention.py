"""Attention: why does it answer so? See what the model looked at, and check whether it mattered."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from pages import state
from pages.services import services
from pages.widgets.words import plain


def render() -> None:
    """The page. torch is imported here, when it is first opened, and not with the app."""
    if state.arrives_at("attention") and not (state.look("run") or state.look("reading")):
        state.look_at(**state.last_look())
    st.title("Attention")
    st.caption("Why does it answer so? See what the model looked at, and check whether it mattered.")
    try:
        with st.spinner("Getting ready to look inside"):
            from pages.widgets import attention_page
        attention_page.draw(services())
        state.remember_look()
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")

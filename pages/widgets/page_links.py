"""Links between pages: `st.switch_page` refuses to leave a page whose inputs are in its address."""

from __future__ import annotations

import streamlit as st

from pages import state


def to_attention(label: str, run_id: str) -> None:
    """To what the model looked at in a recorded answer; nothing where a page is drawn without the navigation."""
    page = state.page_or_none("attention")
    if page is not None:
        st.page_link(page, label=label, icon=":material/visibility:", query_params=state.looks_at(run_id))


def to_models(label: str, model_id: str | None = None) -> None:
    """To a model's details, or to the list of all; plain words where a page is drawn without the navigation."""
    page = state.page_or_none("models")
    if page is None:
        st.caption(label)
        return
    st.page_link(page, label=label, icon=":material/speed:", query_params=state.shown_as(model_id))


def to_finetune(label: str, model_id: str) -> None:
    """To the builder of a fine-tune that goes on from this model; nothing where a page is drawn without navigation."""
    page = state.page_or_none("finetune")
    if page is not None:
        st.page_link(page, label=label, icon=":material/model_training:", query_params=state.finetuned_from(model_id))

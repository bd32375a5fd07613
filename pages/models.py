"""Models: bring any model, export it to ONNX, see the proof, measure it on this machine, and clear up after it."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError, ModelNotFound
from core.models import catalogue, uploads
from core.onnx.devices import resolve_device
from pages import state
from pages.services import Services, services
from pages.widgets import add_model, model_disk, model_exports, model_list, model_measure, server_panel


def render() -> None:
    """The list of models with a way to add one, or one model's details."""
    try:
        shared = services()
        state.arrives_at("models")
        shown = state.shown_model()
        if shown:
            _draw_model(shared, shown)
        else:
            _draw_all(shared)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def _draw_all(shared: Services) -> None:
    st.title("Models")
    st.caption("Which models can I use here? Bring any model, export it to ONNX, see the proof, measure it.")
    _draw_notice()
    uploads.sweep()
    add_model.draw(shared.db)
    model_list.draw()
    server_panel.draw()


def _draw_model(shared: Services, model_id: str) -> None:
    st.button("All models", icon=":material/arrow_back:", type="tertiary", on_click=state.show_model, args=(None,))
    try:
        card = catalogue.get(model_id)
    except ModelNotFound as error:
        st.error(str(error), icon=":material/search_off:")
        return
    st.title(card.title)
    st.caption(model_list.facts_line(card))
    _draw_notice()
    if card.description:
        st.markdown(card.description)
    device = resolve_device()
    model_exports.draw(shared, card, device)
    if card.task.reads_text:
        model_measure.draw(shared.db, card, device)
    model_disk.draw(shared, card)


def _draw_notice() -> None:
    told, well = state.notice()
    if told and well:
        st.toast(told, icon=":material/check_circle:", duration="long")
    elif told:
        st.toast(told, icon=":material/error:", duration="long")  # seen wherever the reader has scrolled to
        st.error(told, icon=":material/error:")

"""What a model takes on disk, what stands on what, and clearing up."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.models.cards import ModelCard
from core.onnx.house import Holding, delete_leftovers, delete_model, holdings, sweep
from exports.cells import csv_bytes
from pages import state
from pages.services import Services
from pages.widgets.take_away import csv_button
from pages.widgets.words import bytes_words


def draw(shared: Services, card: ModelCard) -> None:
    """The table, its total, and what may be deleted."""
    sweep(card)
    found = holdings(card)
    total = sum(holding.bytes for holding in found)
    st.subheader(f"On disk · {bytes_words(total)}")
    if not found:
        st.caption("Nothing of this model is on the disk yet: its first export, or its first answer, unpacks it.")
        return
    st.dataframe(
        {
            "What": [holding.what for holding in found],
            "Size": [holding.bytes for holding in found],
            "Made from": [holding.stands_on or "—" for holding in found],
            "Where": [str(holding.path) for holding in found],
        },
        hide_index=True,
        column_config={"Size": st.column_config.NumberColumn(format="bytes")},
        alt="What the model takes on this machine's disk",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        csv_button(f"{card.id}-on-disk", _csv(found))
        if unused := sum(holding.bytes for holding in found if holding.unused):
            st.button(
                f"Clear what is not used ({bytes_words(unused)})",
                icon=":material/mop:",
                on_click=_clear,
                args=(shared, card),
                help="Earlier revisions, downloads that were begun, and what a killed process left.",
            )
    # No popover: at the end of a page it opens outside of the window.
    with st.expander("Delete this model", icon=":material/delete_forever:", key=state.popover_key("delete_model")):
        words = (
            "It stays in the list, and is unpacked again when it is chosen."
            if card.builtin
            else "The model goes from the list. Files outside of Groundwork's folder are left alone."
        )
        st.markdown(f"Frees **{bytes_words(total)}**. {words} Recorded runs and measurements stay.")
        st.button(f"Delete {card.title}", key="delete_all", type="primary", on_click=_delete, args=(shared, card))


def _csv(found: tuple[Holding, ...]) -> bytes:
    rows = [(holding.what, holding.bytes, holding.stands_on, str(holding.path)) for holding in found]
    return csv_bytes(("what", "bytes", "made_from", "path"), rows)


def _clear(shared: Services, card: ModelCard) -> None:
    try:
        freed = delete_leftovers(card, shared.db)
        state.set_notice(f"{bytes_words(freed)} are free again.")
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _delete(shared: Services, card: ModelCard) -> None:
    state.close_popover("delete_model")
    try:
        shared.engine.pool.forget(card.id)
        freed = delete_model(card, shared.db)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)
        return
    if not card.builtin:
        state.show_model(None)
    state.set_notice(f"{card.title} was deleted: {bytes_words(freed)} are free again.")

"""Why this word: what was looked at when a token was chosen, by layer, or through all layers by rollout or flow."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.interpret import focus, shaping
from core.interpret.flow import flow_row
from core.interpret.focus import FocusRow
from core.interpret.rollout import rollout_row
from core.interpret.trace import Floats
from pages import state
from pages.widgets import attention_look
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import SINK_TAKES_ALL, View, draw_asked, draw_token_caution, told_reader

READINGS = {"weights": "Weights, by layer", "rollout": "Rollout", "flow": "Flow"}
_LEGENDS = {
    "weights": "How much of its attention a token got, mean of the heads",
    "rollout": "Share of each token in what is read, through all layers",
    "flow": "How much can flow from each token, through all layers",
}


def draw_word(view: View) -> bool:
    """What the model looked at when it chose the token, layer by layer or through all of them."""
    look, subject, how = view.look, view.subject, word_reading(view)
    draw_asked(view)
    st.caption(told_reader(view, "This is"))
    _pick_reading(view, how)
    values, bands = word_values(view, how)
    if values is None:
        return False
    picked = attention_tokens(
        subject.pieces,
        special=subject.special,
        focus=look.token if look.token < len(subject.ids) else None,
        values=_unread_untinted(view, values),
        bands=bands,
        band=0,
        signed=False,
        unit="share of the attention" if how == "weights" else how,
        legend=_LEGENDS[how],
        key=f"a_word_tokens_{how}",
        answer_start=subject.answer_start,
    )
    if picked is not None:
        state.look_at(token=str(picked))
        st.rerun()
    if how == "rollout" and values[0, 0] > SINK_TAKES_ALL and subject.causal:
        st.caption(
            "Nearly all of it comes from the first token: rollout multiplies the sinks of all layers. Options can "
            "leave it out."
        )
    draw_token_caution(view, values[0])
    return True


def _pick_reading(view: View, how: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Reading",
            list(READINGS),
            format_func=READINGS.__getitem__,
            required=True,
            label_visibility="collapsed",
            key=state.look_key("by", how),
            help="Rollout multiplies the attention of all layers, flow is the most that can flow through them (Abnar & "
            "Zuidema 2020): what a token reads through other tokens counts too.",
            on_change=lambda: state.look_at(by=state.look_value("by")),
        )
        attention_look.pick_shaping(view.look, unit=False, norm=how == "weights")


def word_reading(view: View) -> str:
    """How “Why this word” reads attention: weights, rollout or flow."""
    told = state.look("by")
    return told if told in READINGS else "weights"


def word_values(view: View, how: str) -> tuple[Floats | None, tuple[str, ...]]:
    """[band, token], and the bands' names."""
    if how == "weights":
        found = find_focus(view)
        values = None if found is None else np.concatenate([found.mean()[None], found.by_layer()])
        return values, ("all layers", *(f"layer {layer}" for layer in range(view.layers)))
    walk = rollout_row if how == "rollout" else flow_row
    row = view.find(f"{how} {view.query}", lambda trace, progress: walk(trace, view.query, progress))
    if row is None:
        return None, ()
    shaped = shaping.shape_rows(
        row[None, None], shaping.Shaping(view.look.shaping.sink), None, shaping.sinks(view.subject)
    )
    return shaped[0], ("all layers",)


def _unread_untinted(view: View, values: Floats) -> Floats:
    """A decoder reads nothing after the query: those tokens have no number, but can be clicked."""
    shown = np.full((len(values), len(view.subject.ids)), np.nan, np.float32)
    read = view.query + 1 if view.subject.causal else len(view.subject.ids)
    shown[:, :read] = values[:, :read]
    return shown


def find_focus(view: View) -> FocusRow | None:
    plain = attention_look.by_token(view.look)
    return view.find(
        f"focus {view.look.token} {plain.words}",
        lambda trace, progress: focus.focus_row(trace, view.query, plain, position=view.look.token),
    )

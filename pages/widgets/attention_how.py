"""How attention is computed: one real token of the text that is open, number by number; then a worked example."""

from __future__ import annotations

import streamlit as st

from core.interpret.query_steps import query_steps
from pages.widgets import attention_look, attention_steps, attention_worked
from pages.widgets.attention_look import token_words
from pages.widgets.attention_view import View, draw_caution


def draw(view: View) -> None:
    """Both, in two tabs."""
    real, example = st.tabs(["In this model, on this text", "A small example to edit"])
    with real:
        _draw_real(view)
    with example:
        attention_worked.draw()


def _draw_real(view: View) -> None:
    look = view.look
    attention_look.pick_place(look, view.layers, view.heads)
    head, query = look.heads[0], min(view.query, len(view.subject.ids) - 1)
    st.caption(f"Layer {look.layer}, head {head}: what {token_words(view.subject, query)} reads.")
    steps = view.find(
        f"query-steps {look.layer} {head} {query}", lambda trace, progress: query_steps(trace, look.layer, head, query)
    )
    if steps is not None:
        attention_steps.draw(steps)
        draw_caution(f"{look.layer}.{head}", f"layer {look.layer}, head {head}")

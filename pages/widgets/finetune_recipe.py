"""Which recipe: six cards, each with what a reader wants when this is the one."""

from __future__ import annotations

import streamlit as st

from core.training.recipe import Recipe
from core.training.table import ALL
from pages import state

ICONS = {
    "causal": ":material/chat:",
    "classification": ":material/sell:",
    "images": ":material/image:",
    "regression": ":material/show_chart:",
    "gpt": ":material/construction:",
    "masked": ":material/edit_note:",
}
CARDS_A_ROW = 3


def draw() -> str:
    """The chosen recipe's name; "" while none is."""
    st.header("1 · What should it learn?", anchor="recipe")
    chosen = state.finetune_recipe()
    for start in range(0, len(ALL), CARDS_A_ROW):
        for column, one in zip(st.columns(CARDS_A_ROW), ALL[start : start + CARDS_A_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _draw_card(one, chosen=one.name == chosen)
    return chosen


def _draw_card(one: Recipe, *, chosen: bool) -> None:
    """Its title is the button that chooses it."""
    st.button(
        one.title,
        key=f"recipe_{one.name}",
        icon=":material/check_circle:" if chosen else ICONS[one.name],
        type="primary" if chosen else "secondary",
        width="stretch",
        on_click=state.choose_finetune_recipe,
        args=(one.name,),
    )
    st.markdown(one.question)
    st.caption(one.takes)

"""The pictures of attention: all heads, one head or several, and what each step read.

Each `draw_…` says whether it drew: not, when the reader stopped the work.
"""

from __future__ import annotations

import streamlit as st

from core.interpret import focus, shaping
from core.interpret.focus import StepMap
from core.interpret.maps import AttentionMap
from core.interpret.overview import Overview, overview
from core.interpret.shaping import head_map
from pages import state
from pages.widgets import attention_look
from pages.widgets.attention_grid import attention_grid
from pages.widgets.attention_lines import attention_lines
from pages.widgets.attention_look import MOST_DRAWN, token_words
from pages.widgets.attention_map import attention_map
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import View, draw_caution, draw_token_caution, head_words, off_of, told_reader

LONG = 256  # tokens from which faint lines are left out at first


def draw_overview(view: View) -> bool:
    """All layers × heads."""
    attention_look.pick_shaping(view.look, unit=False)
    found = find_overview(view)
    if found is None:
        return False
    look = view.look
    picked = attention_grid(found, chosen=(look.layer, look.heads[0]), key="a_grid")
    if picked is not None:
        attention_look.to_address(layer=picked[0], heads=[picked[1]], view="head")
        st.rerun()
    draw_caution(f"{look.layer}.{look.heads[0]}", f"layer {look.layer}, head {look.heads[0]}")
    return True


def find_overview(view: View) -> Overview | None:
    plain = attention_look.by_token(view.look)
    return view.find(f"overview {plain.words}", lambda trace, progress: overview(trace, plain, progress))


def draw_head(view: View) -> bool:
    """One head or several of a layer: lines or a map."""
    look = view.look
    attention_look.pick_place(look, view.layers, view.heads)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Draw",
            ["lines", "map"],
            format_func={"lines": "Lines", "map": "Heat map"}.__getitem__,
            key=state.look_key("draw", look.drawing),
            required=True,
            label_visibility="collapsed",
            on_change=lambda: state.look_at(draw=state.look_value("draw")),
        )
        attention_look.pick_shaping(look)
        st.button(
            "Mean of all heads",
            type="tertiary",
            key="a_all_heads",
            on_click=attention_look.to_address,
            kwargs={"heads": range(view.heads)},
        )
        if look.drawing == "lines":
            _pick_threshold(view)
    pictures = find_pictures(view)
    if not pictures:
        return False
    row = shaping.group_of(view.subject, look.shaping.unit, min(view.query, len(view.subject.ids) - 1))
    st.caption(told_reader(view, "The marked row is"))
    if look.drawing == "lines":
        picked = attention_lines(pictures, focus=row, threshold=threshold_of(view), key="a_lines")
    else:
        picked = attention_map(pictures[0], focus=row, key="a_map")
    if picked is not None:
        _ask_about_row(view, picked)
    draw_caution(off_of(look), head_words(look))
    return True


def threshold_of(view: View) -> float:
    """The weight from which lines are drawn."""
    told = state.look("from")
    usual = 10 if len(view.subject.ids) > LONG else 5
    return (int(told) if told.isdecimal() and int(told) <= 50 else usual) / 100


def _pick_threshold(view: View) -> None:
    st.slider(
        "Lines from",
        0,
        50,
        format="%d %%",
        key=state.look_key("from", round(100 * threshold_of(view))),
        width=200,
        help="Weights below this are not drawn.",
        on_change=lambda: state.look_at(**{"from": str(state.look_value("from"))}),
    )


def find_pictures(view: View) -> list[AttentionMap]:
    """Of each head, or their mean where they are too many or a map is drawn; [] after the reader stopped it."""
    look = view.look
    apart = look.drawing == "lines" and len(look.heads) <= MOST_DRAWN
    groups = [(head,) for head in look.heads] if apart else [look.heads]
    found = view.find(
        f"head {look.layer} {groups} {look.shaping.words}",
        lambda trace, progress: [head_map(trace, look.layer, group, look.shaping) for group in groups],
    )
    return found or []


def _ask_about_row(view: View, row: int) -> None:
    """A row was picked: the token that it chose is asked about, so that the row stays marked."""
    look, subject = view.look, view.subject
    position = next(
        place for place in range(len(subject.ids)) if shaping.group_of(subject, look.shaping.unit, place) == row
    )
    state.look_at(token=str(position + 1 if subject.causal else position))
    st.rerun()


def draw_steps(view: View) -> bool:
    """What each token of the answer read when it was chosen, with a slider over the steps."""
    look = view.look
    attention_look.pick_shaping(look, unit=False)
    found = find_steps(view)
    if found is None:
        return False
    subject = view.subject
    steps = range(found.first, found.first + len(found.weights))
    attention_tokens(
        subject.pieces,
        special=subject.special,
        focus=None,
        values=found.weights,
        bands=[token_words(subject, step) for step in steps],
        band=min(max(look.token - found.first, 0), len(steps) - 1),
        signed=False,
        unit="share of the attention",
        legend="What was read when this token was chosen, mean of all heads of all layers",
        key="a_steps_tokens",
        answer_start=subject.answer_start,
        pickable=False,
    )
    st.markdown("**All steps at once**")
    attention_map(
        steps_map(view, found),
        focus=None,
        key="a_steps_map",
        row_words="A row is a token that was chosen, a column one that was read for it.",
        pickable=False,
        first_row=found.first,
    )
    draw_token_caution(view, found.weights[min(max(look.token - found.first, 0), len(steps) - 1)])
    return True


def find_steps(view: View) -> StepMap | None:
    plain = attention_look.by_token(view.look)
    return view.find(f"steps {plain.words}", lambda trace, progress: focus.steps(trace, None, plain, progress))


def steps_map(view: View, found: StepMap) -> AttentionMap:
    """The steps as a picture: a row a token of the answer."""
    subject = view.subject
    done = attention_look.by_token(view.look).words
    note = ", ".join(part for part in ("a row is what was read to choose its token", done) if part)
    heads = tuple(range(view.heads))
    return AttentionMap(
        found.layer, heads, found.weights, subject.pieces[found.first :], subject.pieces, note, causal=False
    )

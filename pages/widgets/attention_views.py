"""The pictures of attention: all heads, one head, what one token read, and what each step read.

Each `draw_…` says whether it drew: not, when the reader stopped the work.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.interpret import focus, shaping
from core.interpret.flow import flow_row
from core.interpret.focus import FocusRow, StepMap
from core.interpret.maps import AttentionMap
from core.interpret.overview import Overview, overview
from core.interpret.rollout import rollout_row
from core.interpret.shaping import head_map
from core.interpret.trace import Floats
from pages import state
from pages.widgets import attention_look
from pages.widgets.attention_grid import attention_grid
from pages.widgets.attention_lines import attention_lines
from pages.widgets.attention_look import MOST_DRAWN, Look, token_words
from pages.widgets.attention_map import attention_map
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import View, draw_asked, draw_caution

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
    plain = shaping.Shaping(view.look.shaping.sink, view.look.shaping.by_norm)
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
            "All heads",
            type="tertiary",
            key="a_all_heads",
            help="The mean of the layer's heads.",
            on_click=attention_look.to_address,
            kwargs={"heads": range(view.heads)},
        )
        if look.drawing == "lines":
            threshold = _threshold(view)
    pictures = find_pictures(view)
    if not pictures:
        return False
    row = shaping.group_of(view.subject, look.shaping.unit, min(view.query, len(view.subject.ids) - 1))
    if look.drawing == "lines":
        picked = attention_lines(pictures, focus=row, threshold=threshold, key="a_lines")
    else:
        picked = attention_map(pictures[0], focus=row, key="a_map")
    if picked is not None:
        _ask_about_row(view, picked)
    draw_caution(off_of(look), head_words(look))
    return True


def off_of(look: Look) -> str:
    """The heads that are looked at, as the knock-out's links write them."""
    return ",".join(f"{look.layer}.{head}" for head in look.heads)


def head_words(look: Look) -> str:
    if len(look.heads) == 1:
        return f"layer {look.layer}, head {look.heads[0]}"
    return f"these {len(look.heads)} heads"


def _threshold(view: View) -> float:
    percent = st.slider(
        "Lines from",
        0,
        50,
        10 if len(view.subject.ids) > LONG else 5,
        format="%d %%",
        key="a_threshold",
        width=200,
        help="Weights below this are not drawn.",
    )
    return percent / 100


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


READINGS = {"weights": "Weights, by layer", "rollout": "Rollout", "flow": "Flow"}


def draw_word(view: View) -> bool:
    """What the model looked at when it chose the token, layer by layer or through all of them."""
    look, subject = view.look, view.subject
    draw_asked(view)
    told = _told_word(view)
    st.caption(told[:1].upper() + told[1:])
    with st.container(horizontal=True, vertical_alignment="center"):
        how = st.segmented_control(
            "Reading",
            list(READINGS),
            default="weights",
            format_func=READINGS.__getitem__,
            required=True,
            label_visibility="collapsed",
            key="a_reading_kind",
            help="Rollout multiplies the attention of all layers, flow is the most that can flow through them (Abnar & "
            "Zuidema 2020): what a token reads through other tokens counts too.",
        )
        if how == "weights":
            attention_look.pick_shaping(look, unit=False)
    values, bands = _word_values(view, str(how))
    if values is None:
        return False
    read = subject.pieces[: view.query + 1] if subject.causal else subject.pieces
    picked = attention_tokens(
        read,
        special=subject.special[: len(read)],
        focus=None if subject.causal else look.token,
        values=values[:, : len(read)],
        bands=bands,
        band=0,
        signed=False,
        unit="share of the attention" if how == "weights" else str(how),
        legend=_LEGENDS[str(how)],
        key=f"a_word_tokens_{how}",
        answer_start=subject.answer_start if (subject.answer_start or 0) < len(read) else None,
    )
    if picked is not None:
        state.look_at(token=str(picked))
        st.rerun()
    top = int(np.argmax(values[0, 1 : len(read)])) + 1 if len(read) > 1 else 0
    draw_caution(f"token{top}", f"reading {token_words(subject, top)}")
    return True


_LEGENDS = {
    "weights": "how much of its attention a token got, mean of the heads",
    "rollout": "share of each token in what is read, through all layers",
    "flow": "how much can flow from each token, through all layers",
}


def _word_values(view: View, how: str) -> tuple[Floats | None, tuple[str, ...]]:
    """[band, token], and the bands' names."""
    if how == "weights":
        found = find_focus(view)
        values = None if found is None else np.concatenate([found.mean()[None], found.by_layer()])
        return values, ("all layers", *(f"layer {layer}" for layer in range(view.layers)))
    walk = rollout_row if how == "rollout" else flow_row
    row = view.find(f"{how} {view.query}", lambda trace, progress: walk(trace, view.query, progress))
    return (None if row is None else row[None]), ("all layers",)


def find_focus(view: View) -> FocusRow | None:
    plain = shaping.Shaping(view.look.shaping.sink, view.look.shaping.by_norm)
    return view.find(
        f"focus {view.look.token} {plain.words}",
        lambda trace, progress: focus.focus_row(trace, view.query, plain, position=view.look.token),
    )


def _told_word(view: View) -> str:
    asked, subject = token_words(view.subject, view.look.token), view.subject
    if not subject.causal:
        return f"What {asked} reads, from the whole text."
    if view.look.token == 0:
        return "Nothing stands before the first token: it was given, and reads itself."
    return (
        f"{asked} is chosen at the place of the token before it, {token_words(subject, view.query)}: this is what is "
        "read there."
    )


def draw_steps(view: View) -> bool:
    """What each token of the answer read when it was chosen, with a slider over the steps."""
    look = view.look
    attention_look.pick_shaping(look, unit=False)
    found = find_steps(view)
    if found is None:
        return False
    subject = view.subject
    bands = [f"{found.first + i}: {subject.pieces[found.first + i]!r}" for i in range(len(found.weights))]
    attention_tokens(
        subject.pieces,
        special=subject.special,
        focus=None,
        values=found.weights,
        bands=bands,
        band=min(max(look.token - found.first, 0), len(bands) - 1),
        signed=False,
        unit="share of the attention",
        legend="what was read when the token of this step was chosen, mean of all heads of all layers",
        key="a_steps_tokens",
        answer_start=subject.answer_start,
        pickable=False,
    )
    st.markdown("**All steps at once**")
    attention_map(steps_map(view, found), focus=None, key="a_steps_map")
    top = int(np.argmax(found.weights[:, 1:].mean(0))) + 1
    draw_caution(f"token{top}", f"reading {token_words(subject, top)}")
    return True


def find_steps(view: View) -> StepMap | None:
    plain = shaping.Shaping(view.look.shaping.sink, view.look.shaping.by_norm)
    return view.find(f"steps {plain.words}", lambda trace, progress: focus.steps(trace, None, plain, progress))


def steps_map(view: View, found: StepMap) -> AttentionMap:
    """The steps as a picture: a row a token of the answer."""
    subject = view.subject
    note = ", ".join(part for part in ("a row is what was read to choose its token", view.look.shaping.words) if part)
    heads = tuple(range(view.heads))
    return AttentionMap(
        found.layer, heads, found.weights, subject.pieces[found.first :], subject.pieces, note, causal=False
    )

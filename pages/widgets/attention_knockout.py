"""Knock-out: heads, MLPs and tokens switched off, and what becomes of the answer. The check beside every picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import GroundworkError
from core.interpret.edits import Edits, parse_edits
from core.interpret.knockout import Effect, EmbeddingEffect, effect, embedding_effect
from core.interpret.ranking import HeadEffects, rank_heads
from core.models import catalogue
from exports.cells import Cell, rows_csv
from pages import state
from pages.widgets import attention_look, attention_rewriting
from pages.widgets.attention_knockout_charts import (
    UNITS,
    change_words,
    choices_figure,
    cosines_figure,
    effects_figure,
)
from pages.widgets.attention_look import token_words
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_view import View
from pages.widgets.chart_parts import TAKEN
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain, share

STRONGEST = 8  # heads that are offered after a ranking
Row = dict[str, Cell]
WORK_A_SECOND = 1e11  # of a ranking on two cores: tokens · heads of all layers · parameters of the layers


def draw(view: View) -> None:
    """What is off, what that does to the next token, the answer written again, and the ranking of all heads."""
    edits = _draw_edits(view)
    if edits is None:
        return
    if edits:
        _tell_idle(view, edits)
        _draw_effect(view, edits)
        if view.subject.causal:
            attention_rewriting.draw(view, edits)
    else:
        st.caption("Nothing is switched off yet: add something above, or rank all heads to see which ones matter.")
    _draw_ranking(view, edits)


# ── what is off ──


def _draw_edits(view: View) -> Edits | None:
    look = view.look
    with st.container(border=True):
        st.text_input(
            "Switched off",
            key=state.look_key("off", look.off),
            placeholder="e.g. 12.4, 3.*, mlp3, token5",
            help="Heads as layer.head (12.4; 3.* for a whole layer), MLPs as mlp3, tokens as token5: nobody else reads "
            "that token then, in any layer.",
            on_change=lambda: state.look_at(off=state.look_value("off") or None),
        )
        try:
            edits = parse_edits(look.off, layers=view.layers, heads=view.heads, tokens=len(view.subject.ids))
        except GroundworkError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return None
        _draw_additions(view, edits)
    return edits


def _draw_additions(view: View, edits: Edits) -> None:
    attention_look.pick_place(view.look, view.layers, view.heads)
    layer, heads = view.look.layer, view.look.heads
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = f"head {heads[0]}" if len(heads) == 1 else f"{len(heads)} heads"
        _add(view, edits, f"Layer {layer}, {named}", Edits(heads=frozenset((layer, head) for head in heads)))
        _add(view, edits, f"MLP of layer {layer}", Edits(mlps=frozenset({layer})))
        token = st.selectbox(
            "A token",
            range(_others(view)),
            index=None,
            format_func=lambda place: f"{piece_label(view.subject.pieces[place])} {place}",
            placeholder="a token",
            label_visibility="collapsed",
            key="a_off_token",
            width=220,
        )
        if token is not None:
            _add(view, edits, f"Token {token}", Edits(tokens=frozenset({token})))
        if edits:
            st.button(
                "Clear", icon=":material/backspace:", type="tertiary", on_click=state.look_at, kwargs={"off": None}
            )


def _others(view: View) -> int:
    """How many tokens, from the first on, another one reads on the way to the prediction: in a decoder not the one
    where it is made, nor any after."""
    return view.query if view.subject.causal else len(view.subject.ids)


def _tell_idle(view: View, edits: Edits) -> None:
    """Tokens that are off and cannot change anything here."""
    idle = sorted(place for place in edits.tokens if place >= _others(view))
    if idle and view.look.token > 0:  # nothing predicts the first token: that is told below
        names = plain(", ".join(token_words(view.subject, place).replace("\n", "↵") for place in idle))
        st.caption(
            f":material/info: The prediction is made at {plain(token_words(view.subject, view.query))}: nobody reads "
            f"{names} on the way there, so switching {'it' if len(idle) == 1 else 'them'} off changes nothing in it."
        )


def _add(view: View, edits: Edits, label: str, more: Edits) -> None:
    both = edits | more
    st.button(
        label,
        icon=":material/add:",
        key=f"a_add_{label}",
        disabled=both == edits,
        on_click=state.look_at,
        kwargs={"off": both.format(view.heads)},
    )


# ── what it does ──


def _draw_effect(view: View, edits: Edits) -> None:
    words = edits.words(view.subject.pieces, view.heads)
    if not view.writes_logits:
        found = view.find(
            f"embedding-effect {edits.format()}", lambda trace, progress: embedding_effect(trace, edits, progress)
        )
        if found is not None:
            _draw_embedding_effect(view, found, words)
        return
    position = view.look.token
    made = view.find(
        f"effect {position} {edits.format()}", lambda trace, progress: effect(trace, edits, position, progress)
    )
    if made is None:
        return
    st.markdown(_told(made, words))
    st.plotly_chart(choices_figure(made.candidates), key="a_effect", config=TAKEN)
    rows: list[Row] = [
        {"token_id": one.token_id, "token": one.piece, "probability": one.before, "probability_without": one.after}
        for one in made.candidates
    ]
    csv_button("knock-out", rows_csv(rows))


def _told(made: Effect, words: str) -> str:
    target = plain(piece_label(made.target.piece))
    after = f"{share(made.target.before)} → {share(made.target.after)}"
    first = (
        f"its first choice is now {plain(piece_label(made.after[0].piece))}"
        if made.changes_choice
        else f"{plain(piece_label(made.after[0].piece))} stays its first choice"
    )
    words = plain(words)
    change = change_words(made.target_logprob_after - made.target_logprob_before, UNITS["log probability"])
    return (
        f"{words[:1].upper()}{words[1:]}: {target} goes {after}, and {first}. "
        f"(Without it {change}; KL {made.kl:.2g} nats)"
    )


def _draw_embedding_effect(view: View, found: EmbeddingEffect, words: str) -> None:
    words = plain(words)
    changed = int(np.argmin(found.tokens))
    st.markdown(
        f"{words[:1].upper()}{words[1:]}: the text's embedding keeps a cosine of **{found.mean:.3f}** to what it was; "
        f"{plain(token_words(view.subject, changed))} changes most, to {found.tokens[changed]:.3f}."
    )
    st.plotly_chart(cosines_figure(found, view.subject.pieces), key="a_embedding_effect", config=TAKEN)
    rows: list[Row] = [
        {"position": place, "token": piece, "cosine": float(value)}
        for place, (piece, value) in enumerate(zip(view.subject.pieces, found.tokens, strict=True))
    ]
    csv_button("knock-out", rows_csv(rows))


# ── which heads matter ──


def _draw_ranking(view: View, edits: Edits) -> None:
    st.markdown("**Which heads matter here?**")
    position = view.look.token if view.writes_logits else None
    key = f"rank {position}"
    asked = st.button(
        "Rank all heads by effect",
        icon=":material/leaderboard:",
        key="a_rank",
        help="Each head and each MLP is switched off alone and the text is read again: exact, not estimated.",
    )
    if not asked and not view.asked_before(key):
        st.caption(
            f"{view.layers * view.heads} heads, each switched off alone: {_told_time(view)} on two cores. It can be "
            "stopped."
        )
        return
    found = view.find(key, lambda trace, progress: rank_heads(trace, position, progress=progress))
    if found is None:
        return
    st.plotly_chart(effects_figure(found), key="a_ranking", config=TAKEN)
    _draw_strongest(view, edits, found)
    csv_button("heads by effect", rows_csv(_rows(found)))


def _told_time(view: View) -> str:
    """How long a ranking takes, roughly."""
    one = catalogue.get(view.subject.model_id).architecture
    inside = one.parameters - one.vocabulary * one.hidden
    read = view.query + 1 if view.subject.causal else len(view.subject.ids)
    seconds = read * view.layers * view.heads * max(inside, 0) / WORK_A_SECOND
    if seconds < 1.5:
        return "about a second"
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} minutes"


def _draw_strongest(view: View, edits: Edits, found: HeadEffects) -> None:
    st.caption("The strongest; click one to switch it off. The number is what changes without it.")
    unit = UNITS[found.asked.measure]
    with st.container(horizontal=True):
        for layer, head in found.strongest(STRONGEST):
            label = f"{layer}.{head}: {change_words(float(found.heads[layer, head]), unit)}"
            _add(view, edits, label, Edits(heads=frozenset({(layer, head)})))


def _rows(found: HeadEffects) -> list[Row]:
    """change_without_it: after − before, as everywhere on the page."""
    unit = UNITS[found.asked.measure]
    heads: list[Row] = [
        _row(layer, str(head), float(change), unit, float(found.kl[layer, head]))
        for (layer, head), change in np.ndenumerate(found.heads)
    ]
    mlps: list[Row] = [
        _row(layer, "mlp", float(change), unit, float(found.mlp_kl[layer]))
        for layer, change in enumerate(found.mlps)
        if np.isfinite(change)
    ]
    return heads + mlps


def _row(layer: int, head: str, change: float, unit: str, kl: float) -> Row:
    return {"layer": layer, "head": head, "change_without_it": change, "unit": unit, "kl_nats": kl}

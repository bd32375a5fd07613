"""Knock-out: heads, MLPs and tokens switched off, and what becomes of the answer. The check beside every picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import GroundworkError
from core.interpret.edits import Edits, parse_edits
from core.interpret.knockout import Effect, EmbeddingEffect, effect, embedding_effect
from core.interpret.ranking import HeadEffects, rank_heads
from core.interpret.regeneration import Regenerated, regenerate
from exports.cells import Cell, rows_csv
from pages import state
from pages.widgets import attention_look
from pages.widgets.attention_knockout_charts import choices_figure, effects_figure, share
from pages.widgets.attention_look import token_words
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_view import View
from pages.widgets.chart_parts import TAKEN
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

STRONGEST = 8  # heads that are offered after a ranking
Row = dict[str, Cell]
NEW_TOKENS = 48  # of an answer that is written again


def draw(view: View) -> None:
    """What is off, what that does to the next token, the answer written again, and the ranking of all heads."""
    edits = _draw_edits(view)
    if edits is None:
        return
    if edits:
        _draw_effect(view, edits)
        if view.subject.causal:
            _draw_rewriting(view, edits)
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
            st.error(str(error), icon=":material/error:")
            return None
        _draw_additions(view, edits)
    return edits


def _draw_additions(view: View, edits: Edits) -> None:
    attention_look.pick_place(view.look, view.layers, view.heads)
    layer, heads = view.look.layer, view.look.heads
    read = view.subject.ids[: view.look.token] if view.subject.causal else view.subject.ids
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = f"head {heads[0]}" if len(heads) == 1 else f"{len(heads)} heads"
        _add(view, edits, f"Layer {layer}, {named}", Edits(heads=frozenset((layer, head) for head in heads)))
        _add(view, edits, f"MLP of layer {layer}", Edits(mlps=frozenset({layer})))
        token = st.selectbox(
            "A token",
            range(len(read)),
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
    return f"{words[:1].upper()}{words[1:]}: {target} goes {after}, and {first}. (KL {made.kl:.2g} nats)"


def _draw_embedding_effect(view: View, found: EmbeddingEffect, words: str) -> None:
    words = plain(words)
    changed = int(np.argmin(found.tokens))
    st.markdown(
        f"{words[:1].upper()}{words[1:]}: the text's embedding keeps a cosine of **{found.mean:.3f}** to what it was; "
        f"{plain(token_words(view.subject, changed))} changes most, to {found.tokens[changed]:.3f}."
    )
    rows: list[Row] = [
        {"position": place, "token": piece, "cosine": float(value)}
        for place, (piece, value) in enumerate(zip(view.subject.pieces, found.tokens, strict=True))
    ]
    csv_button("knock-out", rows_csv(rows))


def _draw_rewriting(view: View, edits: Edits) -> None:
    """The answer written again, with and without: a click, since it takes as long as writing does."""
    key = f"regenerate {edits.format()}"
    asked = st.button(
        "Write the answer again without it",
        icon=":material/edit_note:",
        key="a_rewrite",
        help=f"Greedy, {NEW_TOKENS} tokens, whole and without what is switched off.",
    )
    if not asked and not view.asked_before(key):
        return
    made = view.find(
        key, lambda trace, progress: regenerate(trace, edits, max_new_tokens=NEW_TOKENS, progress=progress)
    )
    if made is not None:
        _draw_answers(made)


def _draw_answers(made: Regenerated) -> None:
    left, right = st.columns(2)
    for column, title, answer in ((left, "Whole", made.before), (right, "Without it", made.after)):
        with column, st.container(border=True):
            st.caption(title)
            st.text(answer.text or "(nothing)")
    if made.differs_at is None:
        st.caption("The same answer, token by token.")
    else:
        st.caption(f"They part at token {made.differs_at + 1} of the answer.")


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
            f"{view.layers * view.heads} heads, each switched off alone; about a second for a short text, a minute for "
            "a few hundred tokens. It can be stopped."
        )
        return
    found = view.find(key, lambda trace, progress: rank_heads(trace, position, progress=progress))
    if found is None:
        return
    st.plotly_chart(effects_figure(found), key="a_ranking", config=TAKEN)
    _draw_strongest(view, edits, found)
    csv_button("heads by effect", rows_csv(_rows(found)))


def _draw_strongest(view: View, edits: Edits, found: HeadEffects) -> None:
    st.caption("The strongest; click one to switch it off.")
    with st.container(horizontal=True):
        for layer, head in found.strongest(STRONGEST):
            _add(
                view, edits, f"{layer}.{head}  {found.heads[layer, head]:+.2g}", Edits(heads=frozenset({(layer, head)}))
            )


def _rows(found: HeadEffects) -> list[Row]:
    heads: list[Row] = [
        {"layer": layer, "head": str(head), "change": float(change), "kl": float(found.kl[layer, head])}
        for (layer, head), change in np.ndenumerate(found.heads)
    ]
    mlps: list[Row] = [
        {"layer": layer, "head": "mlp", "change": float(change), "kl": float(found.mlp_kl[layer])}
        for layer, change in enumerate(found.mlps)
        if np.isfinite(change)
    ]
    return heads + mlps

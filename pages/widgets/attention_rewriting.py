"""The answer written again with something switched off, beside the whole model's and the one on record."""

from __future__ import annotations

import streamlit as st

from core.errors import InvalidInput
from core.interpret.edits import Edits
from core.interpret.regeneration import Continuation, Regenerated, regenerate
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.attention_view import View
from pages.widgets.words import plain

NEW_TOKENS = 48  # of an answer that is written again


def draw(view: View, edits: Edits) -> None:
    """The answer written again, with and without: a click, since it takes as long as writing does."""
    key = f"regenerate {edits.format()}"
    asked = st.button(
        "Write the answer again without it",
        icon=":material/edit_note:",
        key="a_rewrite",
        help=f"{NEW_TOKENS} tokens, whole and without what is switched off.",
    )
    if not asked and not view.asked_before(key):
        return
    try:
        made = view.find(
            key, lambda trace, progress: regenerate(trace, edits, max_new_tokens=NEW_TOKENS, progress=progress)
        )
    except InvalidInput as error:  # a token of the answer is off: the ranking below can be asked for all the same
        st.error(plain(str(error)), icon=":material/error:")
        return
    if made is not None:
        _draw_answers(view, made)


def _draw_answers(view: View, made: Regenerated) -> None:
    shown = [("Whole", made.before.text), ("Without it", made.after.text)]
    recorded = _recorded(view)
    if recorded is not None:
        shown.insert(0, recorded)
    for column, (title, text) in zip(st.columns(len(shown)), shown, strict=True):
        with column, st.container(border=True):
            st.caption(plain(title))
            st.text(text.replace("\n", "↵\n") or "(nothing)")
    broken = " Each ↵ is a line break." if any("\n" in text for _, text in shown) else ""
    st.caption(_told_parting(made) + broken)
    st.caption(plain(_told_writing(view)))


def _recorded(view: View) -> tuple[str, str] | None:
    """(title, text) of the answer on record, as much of it as is written again."""
    subject = view.subject
    if subject.run_id is None or subject.answer_start is None:
        return None
    stop = subject.answer_start + NEW_TOKENS
    inside = slice(subject.answer_start, stop)
    pieces = zip(subject.pieces[inside], subject.special[inside], strict=True)
    text = "".join(piece for piece, special in pieces if not special)
    return f"On record, {subject.run_precision}", f"{text}…" if stop < len(subject.ids) else text


def _told_parting(made: Regenerated) -> str:
    place = made.differs_at
    if place is None:
        return "The same answer, token by token."
    one, other = plain(_piece_at(made.before, place)), plain(_piece_at(made.after, place))
    return f"They part at token {place + 1} of the answer: whole {one}, without it {other}."


def _piece_at(answer: Continuation, place: int) -> str:
    return piece_label(answer.pieces[place]) if place < len(answer.pieces) else "nothing more"


def _told_writing(view: View) -> str:
    told = f"Whole and without it, always the likeliest token is taken (greedy), in {view.precision}."
    if view.subject.run_id is not None:
        told += (
            f" The answer on record was written in {view.subject.run_precision} with its own sampling, so that even "
            "“Whole” may differ from it."
        )
    return told

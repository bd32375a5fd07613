"""What the Attention page shows of the text that is open: the text, a view of it, and the way to take it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.errors import GroundworkError
from core.interpret.trace import Trace
from pages import state
from pages.services import Services
from pages.widgets import (
    attention_how,
    attention_knockout,
    attention_layers,
    attention_look,
    attention_mattered,
    attention_source,
    attention_take_away,
    attention_views,
    attention_wait,
    attention_word,
)
from pages.widgets.attention_tokens import attention_tokens
from pages.widgets.attention_view import View, draw_asked
from pages.widgets.words import plain


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the controls need to know of a model that was read with."""

    layers: int
    heads: int
    precision: str
    writes_logits: bool


def draw(shared: Services) -> None:
    """The page below its title."""
    subject = attention_source.draw(shared)
    if subject is None:
        return
    work = shared.desk.look(subject, "facts", lambda trace, progress: _facts(trace))
    facts = attention_wait.finished(shared.desk.works, work, key="facts")
    if facts is None:
        return
    look = attention_look.read(subject, facts.layers, facts.heads, writes_logits=facts.writes_logits)
    view = View(shared.desk, subject, look, facts.layers, facts.heads, facts.precision, facts.writes_logits)
    if wrong := attention_look.corrections(subject, look, facts.layers, facts.heads):
        st.warning(plain(wrong), icon=":material/link_off:")
    attention_look.pick_view(subject, look, writes_logits=facts.writes_logits)
    st.markdown(f"**{attention_look.QUESTIONS[look.view]}**")
    if look.view not in _WITH_TEXT:
        _draw_text(view)
    try:
        _VIEWS[look.view](view)
    except GroundworkError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _facts(trace: Trace) -> _Facts:
    return _Facts(trace.layers, trace.heads, trace.opened.precision, trace.opened.writes_logits)


def _draw_text(view: View) -> None:
    """The text; a click on a token makes it the one that is asked about."""
    subject, look = view.subject, view.look
    draw_asked(view)
    picked = attention_tokens(
        subject.pieces,
        special=subject.special,
        focus=look.token if look.token < len(subject.ids) else None,
        values=None,
        bands=(),
        band=0,
        signed=False,
        unit="",
        legend="",
        key="a_text_tokens",
        answer_start=subject.answer_start,
    )
    if picked is not None:
        _ask(str(picked))


def _ask(token: str) -> None:
    state.look_at(token=token)
    st.rerun()


def _with_take_away(draw_view: Callable[[View], bool]) -> Callable[[View], None]:
    def both(view: View) -> None:
        if draw_view(view):
            attention_take_away.draw(view)

    return both


_WITH_TEXT = ("word", "steps", "mattered")  # views that show the text themselves, tinted
_VIEWS: dict[str, Callable[[View], None]] = {
    "overview": _with_take_away(attention_views.draw_overview),
    "head": _with_take_away(attention_views.draw_head),
    "word": _with_take_away(attention_word.draw_word),
    "steps": _with_take_away(attention_views.draw_steps),
    "layers": attention_layers.draw,
    "mattered": attention_mattered.draw,
    "knockout": attention_knockout.draw,
    "how": attention_how.draw,
}

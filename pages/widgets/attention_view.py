"""`View`: what every view of the Attention page is given, and the line that stands under every picture of attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import streamlit as st

from core.artefacts import Progress
from core.interpret import shaping
from core.interpret.desk import Desk
from core.interpret.edits import NOTHING
from core.interpret.knockout import effect
from core.interpret.subject import Subject
from core.interpret.trace import Floats, Trace
from pages import state
from pages.widgets import attention_wait
from pages.widgets.attention_look import Look, token_words
from pages.widgets.attention_steps_charts import piece_label
from pages.widgets.words import plain, share

Result = TypeVar("Result")
SINK_TAKES_ALL = 0.9  # of what is read: rollout then says nothing but where the sink is


@dataclass(frozen=True, slots=True)
class View:
    """The text that is open, where the reader looks, and the model's counts. precision: of the weights that are read.
    writes_logits: the model predicts tokens."""

    desk: Desk
    subject: Subject
    look: Look
    layers: int
    heads: int
    precision: str
    writes_logits: bool

    def find(self, what: str, find: Callable[[Trace, Progress], Result]) -> Result | None:
        """`find(trace, progress)` on the desk's thread, its progress on the page; None after the reader stopped it."""
        work = self.desk.look(self.subject, what, find)
        return attention_wait.finished(self.desk.works, work, key=what.split(" ")[0])

    def asked_before(self, what: str) -> bool:
        """Whether the same was asked of this text, and is being worked out or known."""
        work = self.desk.asked(self.subject, what)
        return work is not None and work.state != "cancelled"

    @property
    def query(self) -> int:
        """The row that chose the token that is asked about."""
        if not self.subject.causal:
            return self.look.token
        return max(self.look.token - 1, 0)


def draw_asked(view: View) -> None:
    """The token that is asked about, how likely it was, and the way to the one that comes after the text."""
    subject, token = view.subject, view.look.token
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = f"You ask about {plain(token_words(subject, token))}{_likely(view)}. Click a token to ask about it."
        st.caption(asked, width="content")
        if subject.causal and token < len(subject.ids):
            st.button(
                "Ask what comes after the text",
                icon=":material/last_page:",
                type="tertiary",
                key="a_next",
                on_click=state.look_at,
                kwargs={"token": str(len(subject.ids))},
            )


def _likely(view: View) -> str:
    """How sure the model was of the token, and what else it would have said."""
    token, subject = view.look.token, view.subject
    if not (subject.causal and view.writes_logits) or token == 0:
        return ""
    found = view.find(f"chance {token}", lambda trace, progress: effect(trace, NOTHING, token, progress))
    if found is None:
        return ""
    name, chance, first = plain(piece_label(found.target.piece)), share(found.target.before), found.before[0]
    if token >= len(subject.ids):
        return f": {name}, with {chance}"
    if first.token_id == found.target.token_id:
        return f", the first choice here with {chance}"
    return f", which had {chance} here (first choice: {plain(piece_label(first.piece))}, {share(first.before)})"


def draw_caution(off: str, what: str) -> None:
    """Attention is not explanation: a line, and the button to the knock-out of what is looked at. off: as links write
    it; what: in words."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            ":material/info: Attention is not explanation: a token can be looked at and not matter.", width="content"
        )
        st.button(
            f"Knock out {what}",
            icon=":material/science:",
            key="a_to_knockout",
            on_click=state.look_at,
            kwargs={"view": "knockout", "off": off},
        )


def off_of(look: Look) -> str:
    """The heads that are looked at, as the knock-out's links write them."""
    return ",".join(f"{look.layer}.{head}" for head in look.heads)


def head_words(look: Look) -> str:
    if len(look.heads) == 1:
        return f"layer {look.layer}, head {look.heads[0]}"
    return f"these {len(look.heads)} heads"


def draw_token_caution(view: View, row: Floats) -> None:
    """The knock-out of the token that was read most, but for the sink and the one that reads: nobody else reads it."""
    left = row.copy()
    left[[*shaping.sinks(view.subject), min(view.query, len(row) - 1)]] = -1
    if view.subject.causal:
        left[view.query :] = -1
    top = int(np.argmax(left))
    if left[top] <= 0:
        draw_caution(off_of(view.look), head_words(view.look))
        return
    draw_caution(f"token{top}", f"{token_words(view.subject, top)}, read most after the first token")


def told_reader(view: View, what: str) -> str:
    """Where to look for the token that is asked about. what: how the sentence begins."""
    asked, subject = plain(token_words(view.subject, view.look.token)), view.subject
    if not subject.causal:
        return f"{what} what {asked} reads, from the whole text."
    if view.look.token == 0:
        return "Nothing stands before the first token: it was given, and reads itself."
    reader = plain(token_words(subject, view.query))
    return f"{what} what {reader} reads: {asked} is chosen there, at the token before it."

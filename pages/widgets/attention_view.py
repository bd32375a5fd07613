"""`View`: what every view of the Attention page is given, and the line that stands under every picture of attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from core.artefacts import Progress
from core.interpret.desk import Desk
from core.interpret.subject import Subject
from core.interpret.trace import Trace
from pages import state
from pages.widgets import attention_wait
from pages.widgets.attention_look import Look, token_words
from pages.widgets.words import plain

Result = TypeVar("Result")


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
    """The token that is asked about, and the way to the one that would come next."""
    subject, token = view.subject, view.look.token
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"You ask about {plain(token_words(subject, token))}. Click a token to ask about that one.", width="content"
        )
        if subject.causal and token < len(subject.ids):
            st.button(
                "Ask about the next token",
                icon=":material/arrow_forward:",
                type="tertiary",
                key="a_next",
                help="The one that would come after the whole text.",
                on_click=state.look_at,
                kwargs={"token": str(len(subject.ids))},
            )


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

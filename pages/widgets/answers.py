"""The turns of a conversation: text, figures, versions, the token view, and what can be done with each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import streamlit as st

from core.errors import GroundworkError
from core.generation.conversation import Conversations, RunSettings, Turn
from core.generation.live import LiveRun
from core.generation.request import TokenEvent
from core.models import catalogue
from core.store.runs import RunRecord
from pages import state
from pages.widgets import page_links
from pages.widgets.live_answer import live_answer
from pages.widgets.prose import safe_markdown
from pages.widgets.token_view import TokenChoice, TokenQuestion, token_view

_AVATARS = {"user": ":material/person:", "assistant": ":material/auto_awesome:"}


def draw_turns(conversations: Conversations, turns: tuple[Turn, ...], settings: RunSettings, *, busy: bool) -> None:
    """All turns of the active branch. busy: an answer is being written, so nothing may be changed."""
    context_of = cache(_context)
    for turn in turns:
        with st.chat_message(turn.message.role, avatar=_AVATARS[turn.message.role]):
            if turn.message.role == "user":
                _draw_question(conversations, turn, settings, busy=busy)
            else:
                _draw_answer(conversations, turn, settings, context_of, busy=busy)


def draw_live(run: LiveRun) -> None:
    """An answer while it is written, with its figures and a stop button."""
    with st.chat_message("assistant", avatar=_AVATARS["assistant"]):
        live_answer(run)
        st.button("Stop", icon=":material/stop_circle:", on_click=run.cancel, key=f"stop_{run.run_id}")


def figures_line(run: RunRecord) -> str:
    """The figures of a recorded run, in one line."""
    parts = []
    if run.tokens_per_s:
        parts.append(f"**{run.tokens_per_s:.1f}** tokens/s")
    if run.ttft_s is not None:
        parts.append(f"first after {run.ttft_s:.2f} s")
    new = "new tokens" if run.parent_run_id else "tokens"  # of an answer that goes on from another
    asked = f"{run.prompt_tokens:,} + " if run.prompt_tokens else ""  # a server that was stopped does not say
    parts.append(f"{asked}{run.completion_tokens or 0:,} {new}")
    if run.cached_tokens:
        parts.append(f"{run.cached_tokens:,} from cache")
    parts += [part for part in (run.model_id, run.precision, run.backend, run.device) if part]
    return " · ".join(parts)


def _draw_question(conversations: Conversations, turn: Turn, settings: RunSettings, *, busy: bool) -> None:
    message = turn.message
    if state.editing() == message.id:
        with st.form(f"edit_{message.id}", border=False):
            text = st.text_area("Edit your message", turn.text, label_visibility="collapsed")
            with st.container(horizontal=True):
                send = st.form_submit_button("Send as a new version", type="primary")
                drop = st.form_submit_button("Cancel")
        if send and _attempt(lambda: conversations.edit(message.id, text, settings)):
            state.set_editing(None)
            st.rerun()
        if drop:
            state.set_editing(None)
            st.rerun()
        return
    st.text(turn.text)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _draw_versions(conversations, turn, busy=busy)
        st.button(
            "Edit",
            icon=":material/edit:",
            key=f"edit_button_{message.id}",
            type="tertiary",
            disabled=busy,
            on_click=state.set_editing,
            args=(message.id,),
        )


def _draw_answer(
    conversations: Conversations,
    turn: Turn,
    settings: RunSettings,
    context_of: Callable[[str], int | None],
    *,
    busy: bool,
) -> None:
    run, message = turn.run, turn.message
    shown = message.id in state.inspected()
    if shown and run:
        _draw_tokens(conversations, message.id, run, settings, busy=busy)
    elif turn.text.strip():
        st.markdown(safe_markdown(turn.text))
    else:
        st.caption("No text was written.")
    if run is None:
        return
    remote = "remote" in (run.backend, settings.backend)
    full = run.backend != "remote" and _is_full(run, context_of(run.model_id))
    if run.status == "interrupted":
        st.warning(
            "The app stopped in mid-answer. What was written is kept; Continue goes on from here.",
            icon=":material/power_off:",
        )
    elif run.status == "failed":
        st.error(run.error or "The run failed.", icon=":material/error:")
    elif run.status == "cancelled":
        st.caption(":material/stop_circle: stopped by you")
    elif run.finish_reason == "length" and full:
        st.caption(":material/straighten: the model's window is full: it can read and write no more in this answer")
    elif run.finish_reason == "length":
        st.caption(":material/straighten: stopped at the longest answer allowed; Continue goes on from here")
    st.caption(figures_line(run))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _draw_versions(conversations, turn, busy=busy)
        st.button(
            "Hide tokens" if shown else "Tokens",
            icon=":material/colorize:",
            key=f"tokens_{message.id}",
            type="tertiary",
            help="Colour each token by its probability, see what else the model considered, and continue from there.",
            disabled=not run.completion_tokens,
            on_click=state.toggle_inspected,
            args=(message.id,),
        )
        if st.button(
            "Regenerate", icon=":material/refresh:", key=f"again_{message.id}", type="tertiary", disabled=busy
        ) and _attempt(lambda: conversations.regenerate(message.id, settings)):
            st.rerun()
        if st.button(
            "Continue",
            icon=":material/resume:",
            key=f"continue_{message.id}",
            type="tertiary",
            help="A server cannot write on from the end of an answer: regenerate it."
            if remote
            else "Let the model write on from the end of this answer.",
            disabled=busy or not run.completion_tokens or remote or full,
        ) and _attempt(lambda: conversations.continue_answer(message.id, settings)):
            st.rerun()
        if run.backend != "remote" and run.completion_tokens and not busy:
            page_links.to_attention("Look inside", run.id)


def _context(model_id: str) -> int | None:
    """Longest input of a model of this machine, in tokens; None for one that is not here."""
    try:
        return catalogue.get(model_id).architecture.context
    except GroundworkError:
        return None


def _is_full(run: RunRecord, context: int | None) -> bool:
    """Whether prompt and answer take all that the model reads."""
    prefix = len(run.prompt.get("answer_prefix") or ())
    return context is not None and (run.prompt_tokens or 0) + prefix + run.completion_tokens >= context


def _draw_tokens(
    conversations: Conversations, message_id: str, run: RunRecord, settings: RunSettings, *, busy: bool
) -> None:
    events: tuple[TokenEvent, ...] = conversations.events_of(run.id)
    remote, attention = run.backend == "remote", state.page_or_none("attention")
    explains = not remote and not busy and attention is not None
    choice = token_view(events, key=f"view_{message_id}_{run.id}", disabled=busy or remote, explains=explains)
    if isinstance(choice, TokenQuestion) and attention is not None:
        st.switch_page(attention, query_params=state.looks_at(run.id, choice.index))
    if isinstance(choice, TokenChoice) and _attempt(
        lambda: conversations.continue_answer(message_id, settings, keep=choice.index, instead=choice.token_id)
    ):
        st.rerun()


def _draw_versions(conversations: Conversations, turn: Turn, *, busy: bool) -> None:
    """‹ 2/3 › where a message has siblings."""
    count = len(turn.version_ids)
    if count < 2:
        return
    at = turn.position - 1
    for label, icon, target in (
        ("Earlier", ":material/chevron_left:", at - 1),
        ("Later", ":material/chevron_right:", at + 1),
    ):
        if target > at:
            st.caption(f"{turn.position}/{count}", width="content")
        if st.button(
            label,
            icon=icon,
            help=f"{label} version of this message",
            key=f"version_{turn.message.id}_{label}",
            type="tertiary",
            disabled=busy or not 0 <= target < count,
        ):
            sessions = conversations.sessions
            leaf = sessions.deepest_leaf(turn.version_ids[target])
            sessions.set_leaf(turn.message.session_id, leaf.id)
            st.rerun()


def _attempt(action) -> bool:  # type: ignore[no-untyped-def]
    """Run it; a fault is shown where it happened. True when it went well."""
    try:
        action()
        return True
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
        return False

"""Playground: does the model do the job? Talk to it, and see how sure it was of each word."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.errors import ContextOverflow, GroundworkError
from core.generation.conversation import RunSettings
from core.generation.request import SamplingParameters
from core.models.cards import Task
from core.settings import get_settings
from core.store.sessions import SessionRecord
from pages import state
from pages.services import Services, services
from pages.state import Key
from pages.widgets import (
    answers,
    encoder_panel,
    history,
    image_panel,
    models,
    numbers_panel,
    parameters,
    preparation,
    prompts,
)

BUILTIN_MODEL = "smollm2-135m-instruct"


def render() -> None:
    """The page. A fault of the house itself (the record, the disk) is told instead of the page."""
    st.title("Playground")
    st.caption("Does the model do the job? Try it on your own texts, and see how sure it was.")
    try:
        shared = services()
        history.draw(shared.db)
        _draw(shared)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


def _draw(shared: Services) -> None:
    if state.arrives_at("playground") and state.session_id() is None and state.last_session() is not None:
        state.open_session(state.last_session())
    session_id = state.session_id()
    session = _open_session(shared, session_id)
    state.remember_session(session.id if session else None)
    if session and state.prompt_owner() != session.id:
        _restore_settings(shared, session)
    if gone := models.forget_unknown_choice():
        state.set_fault(
            f"{gone} is not here any more. {models.chosen().title} is chosen instead: pick another model if you like."
        )
        st.rerun()  # what was pressed was meant for the other model
    picked = models.pick()
    if picked.task is not Task.TEXT_GENERATION:
        _draw_encoder(shared, picked)
        return
    settings, mistake = _draw_controls(shared, picked)
    ready = _draw_preparation(shared, picked)
    mode: Literal["chat", "completion"] = (
        session.mode if session else ("completion" if state.get(Key.MODE) == "Completion" else "chat")
    )
    live = shared.conversations.live(session_id)
    turns = shared.conversations.turns(session.id) if session else ()
    busy = live is not None or not ready or settings is None
    if live and turns and turns[-1].run and turns[-1].run.id == live.run_id:
        turns = turns[:-1]
    if not turns and not live and ready:
        prompts.draw_empty_state()
    answers.draw_turns(shared.conversations, turns, settings or RunSettings(picked.model_id), busy=busy)
    if live:
        answers.draw_live(live)
    _draw_fault(shared, mode, usable=settings is not None)
    if mistake:
        st.error(f"{mistake} Until then nothing can be sent.", icon=":material/error:")
    else:
        prompts.draw_schema_notice()
    _draw_input(shared, mode, disabled=busy, ready=ready)


def _restore_settings(shared: Services, session: SessionRecord) -> None:
    """Put the controls where they stood when the conversation's last answer was asked for. The seed is not kept."""
    state.put(Key.SYSTEM_PROMPT, session.system_prompt)
    state.set_prompt_owner(session.id)
    if runs := shared.conversations.runs.list(limit=1, session_id=session.id):
        parameters.write(SamplingParameters.from_json(runs[0].parameters | {"seed": None}))
        models.choose(runs[0].model_id, (runs[0].backend, runs[0].precision))


def _draw_encoder(shared: Services, picked: models.Picked) -> None:
    """The panel of a model that does not write."""
    if state.session_id() is not None:
        st.caption("This model does not write: your conversation waits until you pick one that does.")
    if _draw_preparation(shared, picked) and picked.card is not None:
        panels = {Task.IMAGE_CLASSIFICATION: image_panel.draw, Task.TABULAR_REGRESSION: numbers_panel.draw}
        panels.get(picked.task, encoder_panel.draw)(picked.card, picked.precision, picked.device)


def _draw_preparation(shared: Services, picked: models.Picked) -> bool:
    """Whether the model can answer; else its preparation, or a way to start it."""
    card = picked.card
    if card is None or preparation.is_ready(card, picked.backend, picked.precision, picked.device):
        return True
    first = (card.id, picked.backend, picked.precision) == (BUILTIN_MODEL, "onnx", "int8")
    first = first or not card.task.reads_text  # made in seconds
    preparation.draw(shared.db, card, picked.backend, picked.precision, picked.device, automatic=first)
    return False


def _draw_controls(shared: Services, picked: models.Picked) -> tuple[RunSettings | None, str]:
    """Mode, system prompt, parameters, templates. (None, what is wrong) when a parameter is at fault."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Mode",
            ["Chat", "Completion"],
            default="Chat",
            required=True,
            key=Key.MODE,
            label_visibility="collapsed",
            disabled=state.session_id() is not None,
            persist_state="session",
        )
        with st.popover("Parameters", icon=":material/tune:"):
            parameters.draw(shared.presets)
        active = bool((state.get(Key.SYSTEM_PROMPT) or "").strip())
        with st.popover("System prompt · on" if active else "System prompt", icon=":material/psychology:"):
            st.text_area(
                "System prompt",
                key=state.widget_key(Key.SYSTEM_PROMPT),
                height=140,
                placeholder="e.g. You answer in one short paragraph.",
                help="Tells the model who it is and how to answer. Empty: the model's own default. It belongs to the "
                "conversation, and a new one begins with it.",
                persist_state="session",
            )
            st.caption("Click outside to keep what you wrote. It counts from the next answer on.")
        with st.popover("Templates", icon=":material/library_books:", key=state.popover_key("templates")):
            prompts.draw_library(shared.templates)
    try:
        return _run_settings(picked), ""
    except GroundworkError as error:
        return None, str(error)


def _run_settings(picked: models.Picked) -> RunSettings:
    """What the controls say now. Raises InvalidInput that names every fault of the parameters."""
    return RunSettings(
        model_id=picked.model_id,
        precision=picked.precision or "auto",
        backend=picked.backend,
        device=picked.device,
        parameters=parameters.read(),
        system_prompt=state.get(Key.SYSTEM_PROMPT) or "",
        api_key=state.server_key(picked.remote.host) if picked.remote else None,
    )


def _open_session(shared: Services, session_id: str | None) -> SessionRecord | None:
    if session_id is None:
        return None
    try:
        return shared.conversations.sessions.get(session_id)
    except GroundworkError:
        st.warning("That conversation is not on record here. Start a new one below.", icon=":material/search_off:")
        state.open_session(None)
        return None


def _draw_input(shared: Services, mode: Literal["chat", "completion"], *, disabled: bool, ready: bool) -> None:
    """Where to write. Sending is a callback, so that one script run both starts the answer and draws it."""
    if mode == "chat":
        words = "Write a message" if ready else "You can type as soon as the model is ready"
        st.chat_input(words, key=Key.CHAT_INPUT, disabled=disabled, on_submit=_send_typed, args=(shared, mode))
        return
    with st.form("completion", border=False):
        st.text_area(
            "Text to continue",
            key=Key.COMPLETION_INPUT,
            height=160,
            placeholder="Once upon a time",
            help="Sent as it is, without the chat template: the model goes on from here.",
        )
        st.form_submit_button(
            "Complete",
            type="primary",
            icon=":material/play_arrow:",
            disabled=disabled,
            on_click=_send_typed,
            args=(shared, mode),
        )


def _send_typed(shared: Services, mode: Literal["chat", "completion"]) -> None:
    _send(shared, state.get(Key.CHAT_INPUT if mode == "chat" else Key.COMPLETION_INPUT) or "", mode)


def _send(shared: Services, text: str, mode: Literal["chat", "completion"], *, drop: bool = False) -> None:
    """Start an answer; a callback. The controls are read now: they may have changed since the page was drawn."""
    state.clear_fault()
    try:
        session_id, _ = shared.conversations.ask(
            state.session_id(), text, _run_settings(models.chosen()), mode=mode, drop_oldest=drop
        )
    except ContextOverflow as error:
        state.set_fault(str(error), text, droppable=mode == "chat" and state.session_id() is not None)
    except GroundworkError as error:
        state.set_fault(str(error), text)
    else:
        if session_id != state.session_id():
            state.open_session(session_id)
            state.set_prompt_owner(session_id)


def _draw_fault(shared: Services, mode: Literal["chat", "completion"], *, usable: bool) -> None:
    """The last prompt that was refused: why, and its text, so that nothing is lost."""
    fault = state.fault()
    if fault is None:
        return
    message, unsent, droppable = fault
    with st.container(border=True):
        st.error(message, icon=":material/error:")
        if unsent:
            st.caption(f"Not sent ({len(unsent):,} characters):")
            st.code(unsent[:2_000] + ("…" if len(unsent) > 2_000 else ""), language=None, wrap_lines=True, height=120)
        with st.container(horizontal=True):
            if droppable and usable:
                st.button(
                    "Drop the oldest turns and send",
                    type="primary",
                    on_click=_send,
                    args=(shared, unsent, mode),
                    kwargs={"drop": True},
                )
            if unsent and len(unsent) <= get_settings().max_prompt_characters:
                st.button("Put it back into the box", on_click=_restore, args=(unsent, mode))
            st.button("Dismiss", on_click=state.clear_fault)


def _restore(text: str, mode: str) -> None:
    state.put(Key.COMPLETION_INPUT if mode == "completion" else Key.CHAT_INPUT, text)
    state.clear_fault()

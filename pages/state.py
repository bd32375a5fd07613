"""The playground's state, typed and named here: `st.session_state` is touched in no other module.

Widgets that must survive a page change carry `persist_state="session"` and a key from `Key`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

import streamlit as st


class Key(StrEnum):
    """Keys of the widgets whose values other code reads or sets."""

    MODEL = "model"
    PRECISION = "precision"
    MODE = "mode"
    SYSTEM_PROMPT = "system_prompt"
    CHAT_INPUT = "chat_input"
    COMPLETION_INPUT = "completion_input"
    SEARCH = "history_search"
    JSON_SCHEMA = "json_schema"
    STOP = "stop"
    BANNED = "banned_tokens"
    BIAS = "logit_bias"
    PRESET = "preset"


_SESSION = "session"  # query parameter: an unguessable id, so that a reload comes back to the same conversation


def get(key: Key, default: Any = None) -> Any:
    """A widget's value."""
    return st.session_state.get(key.value, default)


def put(key: Key, value: Any) -> None:
    """Set a widget's value for the next run; call it before the widget is drawn (in a callback)."""
    st.session_state[key.value] = value


def parameter_key(name: str) -> str:
    return f"parameter_{name}"


def parameter(name: str, default: Any) -> Any:
    return st.session_state.get(parameter_key(name), default)


def put_parameter(name: str, value: Any) -> None:
    st.session_state[parameter_key(name)] = value


def ensure_parameter(name: str, default: Any) -> None:
    """Give a parameter its default once, so that its widget needs none."""
    st.session_state.setdefault(parameter_key(name), default)


def session_id() -> str | None:
    """The conversation that is open."""
    return st.query_params.get(_SESSION)


def open_session(value: str | None) -> None:
    """Open a conversation, or none: an empty page. What was being edited or inspected is closed."""
    if value is None:
        st.query_params.pop(_SESSION, None)
    else:
        st.query_params[_SESSION] = value
    st.session_state["editing"] = None
    st.session_state["inspected"] = ()
    st.session_state["fault"] = None


def editing() -> str | None:
    """Id of the message that is being edited."""
    return cast(str | None, st.session_state.get("editing"))


def set_editing(message_id: str | None) -> None:
    st.session_state["editing"] = message_id


def inspected() -> tuple[str, ...]:
    """Ids of the answers whose tokens are shown."""
    return cast(tuple[str, ...], st.session_state.get("inspected", ()))


def toggle_inspected(message_id: str) -> None:
    now = inspected()
    changed = tuple(i for i in now if i != message_id) if message_id in now else (*now, message_id)
    st.session_state["inspected"] = changed


def fault() -> tuple[str, str, bool] | None:
    """(message, the text that was not sent, whether dropping the oldest turns may help) of the last refused prompt."""
    return cast(tuple[str, str, bool] | None, st.session_state.get("fault"))


def set_fault(message: str, unsent: str = "", droppable: bool = False) -> None:
    st.session_state["fault"] = (message, unsent, droppable)


def clear_fault() -> None:
    st.session_state["fault"] = None


def last_deleted() -> str | None:
    """Id of the session deleted last, while it can be undone in one click."""
    return cast(str | None, st.session_state.get("last_deleted"))


def set_last_deleted(value: str | None) -> None:
    st.session_state["last_deleted"] = value


def history_length(default: int) -> int:
    """How many past sessions are listed."""
    return cast(int, st.session_state.get("history_length", default))


def set_history_length(value: int) -> None:
    st.session_state["history_length"] = value

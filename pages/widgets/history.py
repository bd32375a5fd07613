"""Past sessions in the sidebar: open, search, rename, take away, delete with undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core.errors import GroundworkError
from core.store.database import Database
from core.store.sessions import SessionRecord, SessionRepository
from exports.filenames import safe_filename
from exports.session_csv import session_csv
from exports.session_json import session_json
from exports.session_markdown import session_markdown
from pages import state
from pages.state import Key
from pages.widgets.words import cut, plain

SHOWN = 15  # at first, and more at a time; each costs the browser work at every rerun
TITLE_SHOWN = 34  # characters


def draw(db: Database) -> None:
    """The sidebar's list of sessions."""
    sessions = SessionRepository(db)
    with st.sidebar:
        st.button(
            "New session",
            icon=":material/add:",
            width="stretch",
            type="primary",
            on_click=state.open_session,
            args=(None,),
        )
        search = st.text_input(
            "Search sessions",
            key=Key.SEARCH,
            placeholder="Search sessions",
            label_visibility="collapsed",
            icon=":material/search:",
        )
        _draw_undo(sessions)
        shown = state.history_length(SHOWN)
        found = sessions.list(search=(search or "").strip() or None, limit=shown + 1)
        current = next((session for session in found if session.id == state.session_id()), None)
        if current:
            with st.popover("Rename, take away, delete", icon=":material/more_horiz:", width="stretch"):
                _draw_menu(db, sessions, current)
        if not found:
            st.caption(f"Nothing holds “{search}”." if search else "Your conversations will be listed here.")
        else:
            _draw_list(found[:shown])
        if len(found) > shown:
            st.button(
                "Show older sessions",
                icon=":material/expand_more:",
                type="tertiary",
                on_click=state.set_history_length,
                args=(shown + SHOWN,),
            )


def _draw_list(found: Sequence[SessionRecord]) -> None:
    """A button each. (A radio would send the place of a choice, and a new session at the top moves all places.)"""
    with st.container(gap=None):
        for session in found:
            st.button(
                plain(cut(session.title, TITLE_SHOWN)),
                key=f"open_{session.id}",
                type="secondary" if session.id == state.session_id() else "tertiary",
                help=f"{session.title} · {'completion' if session.mode == 'completion' else 'chat'}, "
                f"{_ago(session.updated_at)}",
                on_click=state.open_session,
                args=(session.id,),
                wrap=False,
            )


def _draw_menu(db: Database, sessions: SessionRepository, session: SessionRecord) -> None:
    with st.form(f"rename_{session.id}", border=False):
        title = st.text_input("Title", session.title, max_chars=200)
        renaming = st.form_submit_button("Rename", icon=":material/edit:")
    if renaming:
        try:
            sessions.rename(session.id, title)
            st.rerun()
        except GroundworkError as error:
            st.error(str(error))
    # The data are callables: a file is made when somebody asks for it, not at every rerun.
    for label, icon, extension, mime, make in (
        ("Markdown, to read", ":material/article:", "md", "text/markdown", session_markdown),
        ("CSV, a row a message", ":material/table:", "csv", "text/csv", session_csv),
        ("JSON, everything", ":material/data_object:", "json", "application/json", session_json),
    ):
        st.download_button(
            label,
            partial(make, db, session.id),
            safe_filename(session.title, extension),
            mime,
            key=f"{extension}_{session.id}",
            icon=icon,
            on_click="ignore",
            width="stretch",
        )
    st.button(
        "Delete",
        icon=":material/delete:",
        key=f"delete_{session.id}",
        on_click=_delete,
        args=(sessions, session.id),
        width="stretch",
    )


def _delete(sessions: SessionRepository, session_id: str) -> None:
    sessions.delete(session_id)
    state.set_last_deleted(session_id)
    if state.session_id() == session_id:
        state.open_session(None)


def _draw_undo(sessions: SessionRepository) -> None:
    deleted = state.last_deleted()
    if not deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Session deleted.")
        st.button("Undo", icon=":material/undo:", type="tertiary", on_click=_undo, args=(sessions, deleted))


def _undo(sessions: SessionRepository, session_id: str) -> None:
    sessions.undelete(session_id)
    state.set_last_deleted(None)


def _ago(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for limit, unit, name in (
        (60, 1, "second"),
        (3600, 60, "minute"),
        (86_400, 3600, "hour"),
        (7 * 86_400, 86_400, "day"),
    ):
        if seconds < limit:
            count = int(seconds // unit)
            return "just now" if name == "second" else f"{count} {name}{'s' if count != 1 else ''} ago"
    return moment.strftime("%-d %B %Y")

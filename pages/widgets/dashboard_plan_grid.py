"""Tables of a fixed shape (drivers down, scenarios or a distribution across) whose every cell is saved as it changes.

As in `dashboard_table`: the editor keeps the rows that it began with while they are typed, and begins anew when the
company was changed elsewhere; a faulty change stays in it, with why, although another view was looked at in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from pages import state
from pages.widgets.dashboard_desk import Desk

Row = dict[str, Any]
Rows = Callable[[Desk], list[Row]]
"""The table as it is saved."""
Save = Callable[[Desk, list[Row]], None]
"""Saves a whole table. Raises GroundworkError, and then nothing was saved."""


def grid(
    desk: Desk, name: str, rows: Rows, save: Save, *, fixed: Sequence[str], columns: Mapping[str, Any], label: str
) -> None:
    """name: of its state. fixed: columns that cannot be edited. label: for a screen reader."""
    now = rows(desk)
    gone = state.dashboard_value(name) is None
    same = state.dashboard_note(f"{name}_saved") == (desk.id, now)
    fault = state.dashboard_note(f"{name}_fault")
    if gone and same and fault and not desk.changed_elsewhere:
        state.renew_dashboard(name)
        state.set_dashboard_note(f"{name}_base", state.dashboard_note(f"{name}_typed"))
    elif gone or not same or (fault and desk.changed_elsewhere):
        _begin(desk.id, name, now)
    st.data_editor(
        pd.DataFrame(state.dashboard_note(f"{name}_base")),
        key=state.dashboard_key(name),
        hide_index=True,
        height="content",
        disabled=list(fixed),
        column_config=dict(columns),
        on_change=_changed,
        args=(desk, name, rows, save),
        alt=label,
    )
    if fault := state.dashboard_note(f"{name}_fault"):
        st.error(f"Not saved yet. {fault}", icon=":material/error:")


def edited(base: Sequence[Row], delta: Mapping[str, Any]) -> list[Row]:
    """The rows with an editor's changed cells."""
    cells = {int(place): one for place, one in delta.get("edited_rows", {}).items()}
    return [row | cells.get(place, {}) for place, row in enumerate(base)]


def _begin(company_id: str, name: str, rows: list[Row]) -> None:
    state.renew_dashboard(name)
    state.set_dashboard_note(f"{name}_base", rows)
    state.set_dashboard_note(f"{name}_saved", (company_id, rows))
    state.set_dashboard_note(f"{name}_fault", "")


def _changed(desk: Desk, name: str, rows: Rows, save: Save) -> None:
    typed = edited(state.dashboard_note(f"{name}_base"), state.dashboard_value(name) or {})
    try:
        save(desk, typed)
    except GroundworkError as error:
        state.set_dashboard_note(f"{name}_typed", typed)
        state.set_dashboard_note(f"{name}_fault", str(error))
    else:
        state.set_dashboard_note(f"{name}_fault", "")
        state.set_dashboard_note(f"{name}_saved", (desk.id, rows(desk)))

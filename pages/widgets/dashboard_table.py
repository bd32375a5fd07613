"""Tables of a company, to be edited: every whole change counts at once, and a faulty one stays in the table, with why.

The editor keeps its rows while they are typed, so that nothing jumps; it begins anew when the company was changed
elsewhere on the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_fields import fault_words

Kind = Literal["text", "number", "whole", "money", "percent", "choice", "date", "yes"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of the rows. kind: percent shows a share of 0.05 as 5; money a Decimal as a number. options: of a
    choice, what is saved by what is shown. default: of a new row, as it is shown. fixed: shown, not edited."""

    field: str
    label: str
    kind: Kind = "text"
    help: str = ""
    options: Mapping[str, str] | None = None
    default: Any = None
    width: Literal["small", "medium", "large"] | None = None
    pinned: bool = False
    fixed: bool = False


def edit(
    desk: Desk,
    section: str,
    columns: Sequence[Column],
    *,
    label: str,
    fresh: Row | None = None,
    height: int | None = None,
) -> None:
    """An editor of the rows of `section`, as `Desk.put` takes it. label: for a screen reader. fresh: what a new row
    has in fields that are no column. Fields that are no column stay with their row."""
    rows = rows_of(desk, section)
    name = section.replace(".", "_")
    # What was typed is gone when another view was looked at in between; what it began with must go too, but for what
    # could not be saved.
    gone = state.dashboard_value(name) is None
    same = state.dashboard_note(f"{name}_saved") == (desk.id, rows)
    fault = state.dashboard_note(f"{name}_fault")
    if desk.changed_elsewhere and (fault or not same):
        _begin(desk.id, name, rows)  # the page says what that means
    elif gone and same and fault:
        state.renew_dashboard(name)
        state.set_dashboard_note(f"{name}_base", state.dashboard_note(f"{name}_typed"))
    elif gone or not same:
        _tell_lost(desk, name, gone)
        _begin(desk.id, name, rows)
    base: list[Row] = state.dashboard_note(f"{name}_base")
    st.data_editor(
        pd.DataFrame([_shown(row, columns) for row in base], columns=[one.label for one in columns]),
        key=state.dashboard_key(name),
        num_rows="dynamic",
        hide_index=True,
        height=height if height is not None else "auto",
        column_config={one.label: _config(one) for one in columns},
        placeholder="",
        alt=label,
        on_change=_changed,
        args=(desk, section, name, tuple(columns), dict(fresh or {})),
    )
    if fault := state.dashboard_note(f"{name}_fault"):
        st.error(f"Not saved yet. {fault}", icon=":material/error:")
        st.button(
            "Undo what is not saved",
            icon=":material/undo:",
            key=f"d_undo_{name}",
            on_click=_begin,
            args=(desk.id, name, rows),
        )


def _tell_lost(desk: Desk, name: str, gone: bool) -> None:
    """The company was changed elsewhere while a change of this table could not be saved."""
    before = state.dashboard_note(f"{name}_saved")
    fault = state.dashboard_note(f"{name}_fault")
    if fault and not gone and before and before[0] == desk.id:
        st.warning(f"Your last change of this table was not saved: {fault}", icon=":material/sync_problem:")


def rows_of(desk: Desk, section: str) -> list[Row]:
    """The rows as JSON; those of `ownership.safes` lie in a section of a section."""
    found: Any = desk.spec
    for key in section.split("."):
        found = getattr(found, key)
    return [one.model_dump(mode="json") for one in found]


def _begin(company_id: str, name: str, rows: list[Row]) -> None:
    state.renew_dashboard(name)
    state.set_dashboard_note(f"{name}_base", rows)
    state.set_dashboard_note(f"{name}_saved", (company_id, rows))
    state.set_dashboard_note(f"{name}_fault", "")


def _changed(desk: Desk, section: str, name: str, columns: tuple[Column, ...], fresh: Row) -> None:
    """What the editor holds now, saved when it is in order."""
    delta = state.dashboard_value(name) or {}
    rows = _applied(state.dashboard_note(f"{name}_base"), delta, columns, fresh)
    try:
        desk.put(section, rows)
    except GroundworkError as error:
        state.set_dashboard_note(f"{name}_fault", _by_row(error, section, columns))
        state.set_dashboard_note(f"{name}_typed", rows)
    else:
        state.set_dashboard_note(f"{name}_fault", "")
        state.set_dashboard_note(f"{name}_saved", (desk.id, rows_of(desk, section)))


def _by_row(error: GroundworkError, section: str, columns: Sequence[Column]) -> str:
    """Places of the file (funding.0.month) as a reader of the table counts: row 1, Month."""
    by_field = {one.field: one for one in columns}

    def named(place: str) -> tuple[str, bool] | None:
        found = re.fullmatch(rf"{re.escape(section)}\.(\d+)(?:\.(\w+))?", place)
        if not found:
            return None
        row, column = f"row {int(found[1]) + 1}", by_field.get(found[2] or "")
        if column is None:
            return (f"{row}, {found[2]}" if found[2] else row), False
        return f"{row}, {column.label}", column.kind == "percent"

    return fault_words(error, named)


def _applied(base: list[Row], delta: Mapping[str, Any], columns: Sequence[Column], fresh: Row) -> list[Row]:
    """The rows with an editor's changes. An emptied cell is at its default; a row without any value is none."""
    edited = {int(place): cells for place, cells in delta.get("edited_rows", {}).items()}
    deleted = {int(place) for place in delta.get("deleted_rows", [])}
    kept = [row | _values(edited.get(place, {}), columns) for place, row in enumerate(base) if place not in deleted]
    added = [fresh | _values(cells, columns) for cells in delta.get("added_rows", []) if _is_typed(cells, columns)]
    return [{key: value for key, value in row.items() if value is not None} for row in kept + added]


def _is_typed(cells: Mapping[str, Any], columns: Sequence[Column]) -> bool:
    """Whether a new row holds more than what every new row begins with."""
    usual = {one.label: bool(one.default) if one.kind == "yes" else one.default for one in columns}
    return any(cells.get(label) not in (None, "", default) for label, default in usual.items())


def _values(cells: Mapping[str, Any], columns: Sequence[Column]) -> Row:
    """By field, as JSON has them; None where a cell was emptied."""
    by_label = {one.label: one for one in columns}
    return {by_label[key].field: _read(value, by_label[key]) for key, value in cells.items() if key in by_label}


def _read(value: Any, column: Column) -> Any:
    if value is None or value == "":
        return None
    if column.kind == "percent":
        return float(f"{float(value) / 100:.12g}")
    if column.kind == "choice" and column.options:
        return next((key for key, shown in column.options.items() if shown == value), value)
    if column.kind == "whole":
        return int(value) if float(value).is_integer() else value
    return value.isoformat() if isinstance(value, date) else value


def _shown(row: Row, columns: Sequence[Column]) -> Row:
    return {one.label: _show(row.get(one.field), one) for one in columns}


def _show(value: Any, column: Column) -> Any:
    if value is None:
        return None
    if column.kind == "percent":
        return float(f"{float(value) * 100:.12g}")
    if column.kind == "choice" and column.options:
        return column.options.get(str(value), str(value))
    if column.kind == "money":
        return float(value)
    if column.kind == "date":
        return date.fromisoformat(value) if isinstance(value, str) else value
    return value


def _config(column: Column) -> Any:
    # No least values: a column that has one drops a typed minus sign without a word. Faults are told when it is saved.
    made = st.column_config
    shared: Row = {"help": column.help or None, "width": column.width, "pinned": column.pinned or None}
    shared["disabled"] = column.fixed or None
    if column.kind == "choice":
        options = list((column.options or {}).values())
        return made.SelectboxColumn(column.label, options=options, default=column.default, **shared)
    if column.kind == "date":
        return made.DateColumn(column.label, default=column.default, **shared)
    if column.kind == "yes":
        return made.CheckboxColumn(column.label, default=bool(column.default), **shared)
    if column.kind == "text":
        return made.TextColumn(column.label, default=column.default, **shared)
    number = {"whole": "%d", "money": "localized"}.get(column.kind)
    return made.NumberColumn(column.label, format=number, default=column.default, **shared)

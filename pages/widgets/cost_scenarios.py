"""Saved estimates: keep one under a name, open it again, put several beside each other, take the comparison away."""

from __future__ import annotations

from typing import cast

import streamlit as st

from core.errors import GroundworkError
from core.estimate.report import TITLES, Kind, Report
from core.estimate.words import said, said_range
from core.store.database import Database
from core.store.scenarios import ScenarioRecord, ScenarioRecords, ScenarioRepository
from exports.estimate_compare import Comparison, compare
from exports.estimate_csv import comparison_csv
from exports.estimate_html import comparison_html
from exports.estimate_plain import report_of, scenario_of
from exports.filenames import safe_filename
from pages import state
from pages.widgets.words import plain

_ASKED = "c_scenario_asked"
"""In the session: what a press asked for that waits for a yes: "save" and a name, or "delete" and an id."""
_TOLD = "c_scenario_told"
"""In the session: what the yes came to, and whether it went well; told once."""


def draw(db: Database, report: Report | None) -> None:
    """report: the one on the page; None when it has a fault."""
    repository = ScenarioRepository(db)
    st.subheader("Scenarios")
    _tell()
    if report is not None:
        _save(repository, report)
    saved = repository.list()
    if not saved:
        st.caption("None yet. Save this estimate under a name, change an input, save again, and compare the two here.")
        return
    for record in saved:
        _line(repository, record, report)
    _compare(saved)


def _save(repository: ScenarioRepository, report: Report) -> None:
    with (
        st.form("c_save_form", border=False, clear_on_submit=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(
            "Save this estimate as", key="c_scenario_name", placeholder="A name, such as: 8B on one H100"
        )
        pressed = st.form_submit_button("Save", icon=":material/bookmark_add:")
    if pressed:
        _ask(None)
        try:
            if repository.named(name) is None:
                kept = repository.save(scenario_of(name, report, form=state.cost_form()), over=False)
                st.toast(f"Saved “{plain(kept.name)}”.", icon=":material/check_circle:")
            else:
                _ask("save", name.strip())
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")
    if _asked("save", name.strip()):
        _ask_over(repository, name.strip(), report)


def _ask_over(repository: ScenarioRepository, name: str, report: Report) -> None:
    """In place of losing what the name holds."""
    held = repository.named(name)
    if held is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"“{plain(name)}” is a {_title(held)} scenario already.")
        st.button(
            "Save over it",
            key="c_save_over",
            type="primary",
            icon=":material/save:",
            on_click=_save_over,
            args=(repository, name, report),
        )
        st.button("Cancel", key="c_save_cancel", type="tertiary", on_click=_ask, args=(None,))


def _save_over(repository: ScenarioRepository, name: str, report: Report) -> None:
    _ask(None)
    try:
        repository.save(scenario_of(name, report, form=state.cost_form()))
    except GroundworkError as error:
        st.session_state[_TOLD] = str(error), False
    else:
        st.session_state[_TOLD] = f"Saved “{plain(name)}” over what it held.", True


def _line(repository: ScenarioRepository, record: ScenarioRecord, report: Report | None) -> None:
    """Of another kind than the estimate on the page, it says where it opens."""
    other = report is not None and report.kind != record.kind
    with st.container(border=True):
        kind = f":orange-badge[{_title(record)}]" if other else f":gray-badge[{_title(record)}]"
        st.markdown(f"**{plain(record.name)}** {kind} {record.updated_at:%Y-%m-%d %H:%M} UTC")
        st.caption(plain(record.sentence))
        if _asked("delete", record.id):
            _ask_delete(repository, record)
            return
        with st.container(horizontal=True):
            if record.form:
                st.button(
                    f"Open under {_title(record)}" if other else "Open",
                    key=f"c_open_{record.id}",
                    icon=":material/folder_open:",
                    type="tertiary",
                    on_click=state.fill_cost,
                    args=(record.form,),
                )
            st.button(
                "Delete",
                key=f"c_delete_{record.id}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_ask,
                args=("delete", record.id),
            )


def _ask_delete(repository: ScenarioRepository, record: ScenarioRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Delete “{plain(record.name)}” and its figures?")
        st.button(
            "Delete it",
            key=f"c_delete_yes_{record.id}",
            type="primary",
            icon=":material/delete_forever:",
            on_click=_delete,
            args=(repository, record),
        )
        st.button("Keep it", key=f"c_delete_no_{record.id}", type="tertiary", on_click=_ask, args=(None,))


def _delete(repository: ScenarioRepository, record: ScenarioRecord) -> None:
    _ask(None)
    try:
        repository.delete(record.id)
    except GroundworkError as error:
        st.session_state[_TOLD] = str(error), False
    else:
        st.session_state[_TOLD] = f"“{plain(record.name)}” was deleted.", True


def _title(record: ScenarioRecord) -> str:
    return TITLES[cast(Kind, record.kind)]


def _ask(what: str | None, about: str = "") -> None:
    st.session_state[_ASKED] = (what, about)


def _asked(what: str, about: str) -> bool:
    return bool(st.session_state.get(_ASKED) == (what, about))


def _tell() -> None:
    text, well = st.session_state.pop(_TOLD, ("", True))
    if text and well:
        st.toast(text, icon=":material/check_circle:")
    elif text:
        st.error(text, icon=":material/error:")


def _compare(saved: ScenarioRecords) -> None:
    if len(saved) < 2:
        return
    names = {record.id: record for record in saved}
    chosen = st.multiselect(
        "Compare",
        list(names),
        default=[record.id for record in saved[:2]],
        format_func=lambda key: names[key].name if key in names else key,
        key="c_compared",
    )
    picked = [names[key] for key in chosen if key in names]
    if len(picked) < 2:
        st.caption("Choose two or more.")
        return
    comparison = compare([report_of(record) for record in picked], [record.name for record in picked])
    st.dataframe(_rows(comparison), hide_index=True, height="content", alt="The chosen scenarios, figure by figure")
    with st.container(horizontal=True):
        st.download_button(
            "Comparison (CSV)", comparison_csv(comparison), safe_filename("comparison", "csv"), "text/csv",
            icon=":material/table:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Comparison (HTML)", comparison_html(comparison), safe_filename("comparison", "html"), "text/html",
            icon=":material/article:", on_click="ignore",
        )  # fmt: skip


def _rows(comparison: Comparison) -> list[dict[str, str]]:
    """Expected, and the range where there is one."""
    found = []
    for row in comparison.rows:
        cells = {"Figure": row.label}
        for name, value in zip(comparison.names, row.values, strict=True):
            if value is None:
                cells[name] = ""
            elif value.low == value.high:
                cells[name] = said(value.expected, row.unit)
            else:
                cells[name] = f"{said(value.expected, row.unit)} ({said_range(value, row.unit)})"
        found.append(cells)
    return found

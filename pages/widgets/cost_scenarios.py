"""Saved estimates: keep one under a name, open it again, put several beside each other, take the comparison away."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError
from core.estimate.report import TITLES, Report
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


def draw(db: Database, report: Report | None) -> None:
    """report: the one on the page; None when it has a fault."""
    repository = ScenarioRepository(db)
    st.subheader("Scenarios")
    if report is not None:
        _save(repository, report)
    saved = repository.list()
    if not saved:
        st.caption("None yet. Save this estimate under a name, change an input, save again, and compare the two here.")
        return
    for record in saved:
        _line(repository, record)
    _compare(saved)


def _save(repository: ScenarioRepository, report: Report) -> None:
    with (
        st.form("c_save_form", border=False, clear_on_submit=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(
            "Save this estimate as", key="c_scenario_name", placeholder="A name, such as: 8B on one H100"
        )
        if st.form_submit_button("Save", icon=":material/bookmark_add:"):
            try:
                kept = repository.save(scenario_of(name, report, form=state.cost_form()))
                st.toast(f"Saved “{plain(kept.name)}”.", icon=":material/check_circle:")
            except GroundworkError as error:
                st.error(str(error), icon=":material/error:")


def _line(repository: ScenarioRepository, record: ScenarioRecord) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(record.name)}** · {TITLES[record.kind]} · {record.updated_at:%Y-%m-%d %H:%M} UTC")  # type: ignore[index]
        st.caption(plain(record.sentence))
        with st.container(horizontal=True):
            if record.form:
                st.button(
                    "Open",
                    key=f"c_open_{record.id}",
                    icon=":material/folder_open:",
                    type="tertiary",
                    on_click=state.fill_cost,
                    args=(record.form,),
                )
            if st.button("Delete", key=f"c_delete_{record.id}", icon=":material/delete:", type="tertiary"):
                repository.delete(record.id)
                st.rerun(scope="fragment")


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

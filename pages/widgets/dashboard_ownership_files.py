"""A cap table comes in and goes out: CSV and Open Cap Format. What a file would change is told before it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import streamlit as st

from core.errors import InvalidInput
from core.venture.ownership.case import CaseResult
from core.venture.ownership.csv_table import read_csv, write_csv
from core.venture.ownership.ocf import read_ocf, write_ocf, write_ocf_json
from core.venture.ownership.spec import OwnershipSpec
from exports.cells import rows_csv
from exports.filenames import safe_filename
from pages import state
from pages.widgets import dashboard_ownership_charts as charts
from pages.widgets.dashboard_desk import Desk
from pages.widgets.words import count_of, plain

MOST_MB = 40
_FILE, _BEFORE = "captable_file", "ownership_before"


def draw(desk: Desk, found: CaseResult | None) -> None:
    _draw_export(desk, found)
    st.subheader("Bring a cap table")
    draw_import(desk)


def _draw_export(desk: Desk, found: CaseResult | None) -> None:
    spec, name = desk.spec.ownership, f"{desk.name} cap table"
    ocf = partial(write_ocf, spec, company=desk.name, day=date.today(), currency=desk.currency)
    single = partial(write_ocf_json, spec, company=desk.name, day=date.today(), currency=desk.currency)
    files: tuple[tuple[str, str, str, str, Callable[[], bytes]], ...] = (
        ("Cap table (CSV)", name, "csv", "text/csv", partial(write_csv, spec)),
        ("Open Cap Format (zip)", f"{name} OCF", "zip", "application/zip", ocf),
        ("Open Cap Format (JSON)", f"{name} OCF", "json", "application/json", single),
    )
    with st.container(horizontal=True):
        for label, title, suffix, kind, make in files:
            st.download_button(
                label,
                make,
                safe_filename(title, suffix),
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"d_take_captable_{suffix}",
            )
        if found:
            st.download_button(
                "Dilution table (CSV)",
                rows_csv(charts.dilution_rows(found.past.snapshots)),
                safe_filename(f"{desk.name} dilution", "csv"),
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="d_take_dilution",
            )
    st.caption(
        "The CSV holds everything and can be brought back. Open Cap Format is what cap table tools exchange; planned "
        "rounds are no facts yet and stay out of it."
    )


def draw_import(desk: Desk) -> None:
    """A file, what is in it, and a button that puts it in place of the table."""
    if told := state.dashboard_note("ownership_told"):
        st.success(told, icon=":material/check_circle:")
        if state.dashboard_note(_BEFORE) is not None:
            st.button(
                "Put the former table back", icon=":material/undo:", key="d_captable_undo", on_click=_undo, args=(desk,)
            )
    uploaded = st.file_uploader(
        "CSV, or an Open Cap Format package (zip or JSON)",
        type=["csv", "zip", "json"],
        max_upload_size=MOST_MB,
        key=state.dashboard_key(_FILE),
        help="A list of holders with the columns name and shares is enough. Nothing changes before you say so.",
    )
    if uploaded is None:
        return
    try:
        spec, left_out = read(uploaded.name, uploaded.getvalue(), desk.spec.ownership)
    except InvalidInput as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(plain(contents(spec)))
    if left_out:
        st.warning(plain(f"It has what this table has no place for: {', '.join(left_out)}."), icon=":material/info:")
    st.button(
        "Use this cap table",
        type="primary",
        icon=":material/check:",
        key="d_captable_use",
        on_click=_use,
        args=(desk, spec),
        help="It takes the place of the one you have, which can be put back.",
    )
    if fault := state.dashboard_note("ownership_import"):
        st.error(fault, icon=":material/error:")


def read(name: str, data: bytes, keep: OwnershipSpec) -> tuple[OwnershipSpec, tuple[str, ...]]:
    """keep: what stays where the file says nothing of it: rounds of a package that cannot hold plans, for one."""
    if name.lower().endswith(".csv"):
        return read_csv(data, keep=keep), ()
    found = read_ocf(data)
    planned = keep.model_dump(mode="json", include={"rounds", "exit_values", "debt_usd", "transaction_costs_usd"})
    if not found.spec.empty and planned["rounds"]:
        whole = found.spec.model_dump(mode="json") | planned
        try:
            return OwnershipSpec.model_validate(whole), found.left_out
        except ValueError:  # the rounds planned here do not fit the other company's table
            return found.spec, (*found.left_out, "the rounds planned here, which do not fit it")
    return found.spec, found.left_out


def contents(spec: OwnershipSpec) -> str:
    shares = sum(one.shares for one in spec.holders)
    parts = [f"{count_of(len(spec.holders), 'holder')} with {shares:,} shares"]
    for count, noun in ((len(spec.safes), "SAFE"), (len(spec.notes), "note"), (len(spec.rounds), "planned round")):
        if count:
            parts.append(count_of(count, noun))
    plan = spec.options_outstanding + spec.options_promised + spec.unissued_pool
    if plan:
        parts.append(f"{plan:,} options and pool")
    return f"In the file: {', '.join(parts)}."


def _use(desk: Desk, spec: OwnershipSpec) -> None:
    before = desk.spec.ownership.model_dump(mode="json", exclude_defaults=True)
    try:
        desk.put("ownership", spec)
    except InvalidInput as error:
        state.set_dashboard_note("ownership_import", str(error))
        return
    state.set_dashboard_note("ownership_import", "")
    state.set_dashboard_note(_BEFORE, before)
    state.set_dashboard_note("ownership_told", "The file is your cap table now.")
    _renew()


def _undo(desk: Desk) -> None:
    try:
        desk.put("ownership", state.dashboard_note(_BEFORE))
    except InvalidInput as error:
        state.set_dashboard_note("ownership_import", str(error))
        return
    state.set_dashboard_note(_BEFORE, None)
    state.set_dashboard_note("ownership_told", "The former table is back.")
    _renew()


def _renew() -> None:
    """The upload is done with; the tables and fields begin anew by themselves."""
    state.renew_dashboard(_FILE)

"""The company on the dashboard: choose it, name it, its currency and first month; copy, delete, take away, bring back.

A company that no longer fits its format is not lost: it can be taken away as a file, mended, and brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.store.companies import CompanyRecord, CompanyRepository
from core.store.database import Database
from core.venture.company_file import MOST_BYTES, company_text, document_of
from core.venture.questions import PER_USD
from core.venture.spec import LONGEST, CompanySpec, company
from exports.filenames import safe_filename
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_fields import Fields
from pages.widgets.words import plain

NEW = ""  # the choice of a new company
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "INR", "JPY", "SEK", "SGD")
_ASKED = "delete_asked"
_FAULT = "company_fault"
_TOLD = "company_told"


def choose(saved: Sequence[CompanyRecord], shown: CompanyRecord | None) -> None:
    """Which company is on the page; nothing where none is saved."""
    _tell()
    if not saved:
        return
    names = {one.id: f"{one.name} (example)" if one.example else one.name for one in saved}
    state.put_dashboard("company", shown.id if shown else NEW)
    st.selectbox(
        "Company",
        [*names, NEW],
        format_func=lambda one: names.get(one, "New company …"),
        key=state.dashboard_key("company"),
        on_change=_chosen,
        width=420,
    )


def _chosen() -> None:
    state.show_company(state.dashboard_value("company") or None)


def draw(desk: Desk) -> None:
    """What concerns the whole company, folded away."""
    with st.expander("Name, currency, months, cash and file of this company", icon=":material/tune:"):
        _about(desk)
        _files(desk)


def _about(desk: Desk) -> None:
    fields = Fields(desk, "company")
    left, middle, right = st.columns(3)
    with left:
        _name(desk, desk.name)
        _currency(desk)
        if desk.currency != "USD":
            fields.number(
                "per_usd",
                f"{desk.currency} for a US dollar",
                step=0.01,
                help="Token and GPU prices are in dollars; this converts them.",
            )
    with middle:
        fields.text("start", "First month of the plan", placeholder="2026-01", help="As 2026-01.")
        fields.whole("months", "Months", help=f"How far the plan reaches: 1 to {LONGEST}.")
        fields.text("sector", "Sector", placeholder="such as: developer tools")
    with right:
        fields.money("opening_cash", f"Cash at the start ({desk.currency})", help="In the bank before the first month.")
        fields.percent("tax_rate", "Tax on profit (%)", help="Losses of earlier months are set off against it.")
        fields.text("stage", "Stage", placeholder="such as: seed")
    fields.area("about", "What it does", placeholder="One or two sentences, for the report")


def _currency(desk: Desk) -> None:
    """A dollar costs one dollar; in a usual currency about what `PER_USD` says, in any other it is asked for."""
    key = f"currency_{desk.id}"
    if state.dashboard_value(key) != desk.currency and not state.dashboard_note(f"{key}_fault"):
        state.put_dashboard(key, desk.currency)
    st.selectbox(
        "Currency",
        list(dict.fromkeys((desk.currency, *CURRENCIES))),
        key=state.dashboard_key(key),
        accept_new_options=True,
        on_change=_set_currency,
        args=(desk, key),
        help="Of every amount of this company, three letters. Amounts are not converted when you change it; what a "
        "dollar costs is filled in where we know about how much.",
    )
    if fault := state.dashboard_note(f"{key}_fault"):
        st.error(f"Not saved yet: {fault}", icon=":material/error:")
        _ask_rate(desk, key)


def _ask_rate(desk: Desk, key: str) -> None:
    """Of a currency that we know no rate of, so that it can be saved."""
    wanted = _wanted(key)
    if len(wanted) == 3 and wanted.isalpha() and wanted not in PER_USD:
        st.number_input(
            f"{plain(wanted)} for a US dollar",
            value=None,
            step=0.01,
            format="%.6g",
            key=state.dashboard_key(f"{key}_rate"),
            on_change=_set_currency,
            args=(desk, key),
            help="Token and GPU prices are in dollars; this converts them.",
        )


def _wanted(key: str) -> str:
    return str(state.dashboard_value(key) or "").strip().upper()


def _set_currency(desk: Desk, key: str) -> None:
    document = desk.document()
    about = document.setdefault("company", {})
    wanted = about["currency"] = _wanted(key)
    about.pop("per_usd", None)  # of the currency before
    rate = PER_USD.get(wanted) or state.dashboard_value(f"{key}_rate")
    if rate and wanted != "USD":
        about["per_usd"] = rate
    state.set_dashboard_note(f"{key}_fault", "")
    try:
        desk.put_all(document)
    except GroundworkError as error:
        state.set_dashboard_note(f"{key}_fault", str(error))


def _name(desk: Desk, saved: str) -> None:
    key = f"name_{desk.id}"
    if state.dashboard_value(key) != saved and not state.dashboard_note(f"{key}_fault"):
        state.put_dashboard(key, saved)
    st.text_input("Name", key=state.dashboard_key(key), on_change=_rename, args=(desk, key))
    if fault := state.dashboard_note(f"{key}_fault"):
        st.error(fault, icon=":material/error:")


def _rename(desk: Desk, key: str) -> None:
    """The record's name and the file's own are the same."""
    wanted = str(state.dashboard_value(key) or "").strip()
    document = desk.document()
    document.setdefault("company", {})["name"] = wanted
    state.set_dashboard_note(f"{key}_fault", "")
    try:
        desk.put_all(document, name=wanted)
        if desk.name != wanted:  # the name was taken
            desk.put("company.name", desk.name)
    except GroundworkError as error:
        state.set_dashboard_note(f"{key}_fault", f"Not saved yet: {error}")


def _files(desk: Desk) -> None:
    with st.container(horizontal=True):
        _download(desk.name, desk.document())
        st.button("Duplicate", icon=":material/content_copy:", key="d_duplicate", on_click=_duplicate, args=(desk,))
        _delete_button(desk.id)
    _delete_question(desk.db, desk.id, desk.name)
    bring(desk.db)


def _download(name: str, document: dict[str, Any]) -> None:
    text, suffix = company_text(document)
    st.download_button(
        f"Company ({suffix.upper()})",
        text.encode(),
        safe_filename(name, suffix, "company"),
        "application/json" if suffix == "json" else "application/yaml",
        icon=":material/download:",
        key="d_company_file",
        on_click="ignore",
        help="The whole company as one file; `python -m core plan` reads it, and so does this page.",
    )


def _duplicate(desk: Desk) -> None:
    """A copy of an example is the reader's own company."""
    document = desk.document()
    about = document.setdefault("company", {})
    about.pop("example", None)
    name = f"Copy of {desk.name}"[:76]
    about["name"] = name
    try:
        made = keep(desk.db, company(document))
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
    else:
        state.show_company(made.id)
        state.set_dashboard_note(_TOLD, f"“{plain(made.name)}” is open.")


def _delete_button(company_id: str) -> None:
    st.button(
        "Delete",
        icon=":material/delete:",
        key="d_delete",
        on_click=state.set_dashboard_note,
        args=(_ASKED, company_id),
    )


def _delete_question(db: Database, company_id: str, name: str) -> None:
    if state.dashboard_note(_ASKED) != company_id:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Delete “{plain(name)}” and all its figures? It cannot be brought back, but from a file.")
        st.button(
            "Delete it",
            key="d_delete_yes",
            type="primary",
            icon=":material/delete_forever:",
            on_click=_delete,
            args=(db, company_id, name),
        )
        st.button("Keep it", key="d_delete_no", type="tertiary", on_click=state.set_dashboard_note, args=(_ASKED, None))


def _delete(db: Database, company_id: str, name: str) -> None:
    state.set_dashboard_note(_ASKED, None)
    try:
        CompanyRepository(db).delete(company_id)
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
    else:
        state.forget_company()
        state.set_dashboard_note(_TOLD, f"“{plain(name)}” was deleted.")


def keep(db: Database, spec: CompanySpec) -> CompanyRecord:
    """A new company in the record. Where its name is taken, it gets a number behind it, in the file too."""
    repository, about = CompanyRepository(db), spec.company
    made = repository.create(about.name, spec.to_json(), example=about.example)
    if made.name == about.name:
        return made
    named = spec.model_copy(update={"company": about.model_copy(update={"name": made.name})})
    return repository.save(made.id, named.to_json(), version=made.version)


def bring(db: Database) -> None:
    """A file becomes a company of its own; none that is there is replaced."""
    _upload(db, "Open a company from a file", None, 0)


def _upload(db: Database, label: str, company_id: str | None, version: int) -> None:
    """company_id: the one that the file replaces; None makes a new one."""
    name = f"upload_{company_id or 'new'}"
    st.file_uploader(
        label,
        type=["yaml", "yml", "json"],
        max_upload_size=MOST_BYTES // 1_000_000,
        key=state.dashboard_key(name),
        on_change=_brought,
        args=(db, name, company_id, version),
        help="As this page or `python -m core plan` has it. Every fault is told, and nothing is changed until it fits.",
    )
    if fault := state.dashboard_note(f"{name}_fault"):
        st.error(fault, icon=":material/error:")


def _brought(db: Database, name: str, company_id: str | None, version: int) -> None:
    file = state.dashboard_value(name)
    state.set_dashboard_note(f"{name}_fault", "")
    if file is None:
        return
    try:
        spec = company(document_of(file.name, file.getvalue()))
        if company_id is None:
            made = keep(db, spec)
        else:
            made = CompanyRepository(db).save(company_id, spec.to_json(), version=version, name=spec.company.name)
    except GroundworkError as error:
        state.set_dashboard_note(f"{name}_fault", f"{file.name} was not taken: {error}")
    else:
        state.renew_dashboard(name)
        state.set_drawn_version(made.id, made.version)
        state.show_company(made.id)
        state.set_dashboard_note(_TOLD, f"“{plain(made.name)}” is open.")


def mend(db: Database, record: CompanyRecord, fault: InvalidInput) -> None:
    """A company whose document is no longer in order: its faults, and a way out that loses nothing."""
    st.error(f"“{plain(record.name)}” cannot be opened: {plain(str(fault))}", icon=":material/error:")
    st.markdown(
        "Nothing is lost. Take the file away, correct the lines that are named, and bring it back; "
        "or choose another company above."
    )
    with st.container(horizontal=True):
        _download(record.name, record.spec)
        _delete_button(record.id)
    _delete_question(db, record.id, record.name)
    _upload(db, "Bring the corrected file back", record.id, record.version)


def _tell() -> None:
    if told := state.dashboard_note(_TOLD):
        st.toast(told, icon=":material/check_circle:")
        state.set_dashboard_note(_TOLD, "")
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")
        state.set_dashboard_note(_FAULT, "")

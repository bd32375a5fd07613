"""The report of a company: for whom, which sections, a look at it, and the files to take away."""

from __future__ import annotations

from base64 import b64encode
from functools import partial

import streamlit as st

from core.store.database import Database
from core.venture.spec import CompanySpec
from exports.company_book import company_xlsx
from exports.company_csv import report_csv
from exports.company_files import file_name
from exports.company_report import NOT_ADVICE, SECTIONS, USUAL, Audience, report
from exports.company_report_html import report_html
from exports.company_report_markdown import report_markdown
from exports.company_report_parts import Document
from exports.company_report_source import Source
from pages import state
from pages.widgets.cost_take_away import XLSX
from pages.widgets.dashboard_desk import Desk
from pages.widgets.words import plain

FOR: dict[Audience, str] = {"investors": "Investors", "board": "Board"}
COMMAND = "python -m core report SCENARIO.yaml --out DIR"
HEIGHT = 900  # pixels of the look at it
_SECONDS = 120  # that a report is kept: what it stands on may be deleted elsewhere


def draw(desk: Desk) -> None:
    audience, sections = _choose()
    if not sections:
        st.info("Choose one section at least.", icon=":material/checklist:")
        return
    document = _document(desk.id, desk.version, audience, sections, desk.spec, desk.db)
    missing = "; ".join(f"{plain(name)}: {plain(why.rstrip('.'))}" for name, why in document.left_out)
    if not document.sections and Source(desk.spec, desk.db, board=False).is_blank:
        _nothing_yet()
        return
    if not document.sections:
        st.warning(f"None of these sections has anything to show. {missing}.", icon=":material/article:")
        return
    _take_away(desk, document, audience, sections)
    if missing:
        st.caption(f"Not in it, for want of data: {missing}.")
    with st.container(border=True):
        st.iframe(_address(document), height=HEIGHT, tab_index=0, alt=f"The report of {desk.name}, as it is printed")
    with st.expander("The same on the command line"):
        st.markdown("Take the company as a file (the menu beside its name), then:")
        st.code(_command(audience, sections), language="bash")


def _address(document: Document) -> str:
    """As a data address: a page of its own origin, that can reach nothing of the app, and whose links to notes work."""
    return f"data:text/html;charset=utf-8;base64,{b64encode(report_html(document)).decode()}"


def _choose() -> tuple[Audience, tuple[str, ...]]:
    """For whom, and the sections in the order of the report."""
    audience = st.segmented_control(
        "For",
        list(FOR),
        default="investors",
        format_func=FOR.__getitem__,
        key=state.dashboard_key("report_for"),
        required=True,
        help="The board also sees who may invest and how the plan went so far; investors do not.",
    )
    chosen: Audience = "board" if audience == "board" else "investors"
    picked = st.pills(
        "Sections",
        list(SECTIONS),
        selection_mode="multi",
        default=list(USUAL[chosen]),
        format_func=lambda key: SECTIONS[key][0],
        key=state.dashboard_key(f"report_sections_{chosen}"),
        help="Press a section to put it in or to leave it out. One without data is left out, and the report says so.",
    )
    return chosen, tuple(key for key in SECTIONS if key in (picked or ()))


@st.cache_data(max_entries=4, ttl=_SECONDS, show_spinner="Writing the report …")
def _document(
    company_id: str, version: int, audience: Audience, sections: tuple[str, ...], _spec: CompanySpec, _db: Database
) -> Document:
    """Kept as long as the company is as it was: chances alone are ten thousand plans."""
    del company_id, version  # what it is kept by
    return report(_spec, _db, audience=audience, sections=sections)


def _take_away(desk: Desk, document: Document, audience: Audience, sections: tuple[str, ...]) -> None:
    """Each file is made when it is asked for."""
    asked = (desk.spec, desk.db)
    book = partial(company_xlsx, *asked, audience=audience, sections=sections, at=document.at)
    tables = partial(report_csv, *asked, audience=audience, sections=sections, at=document.at)
    files = (
        ("Report (HTML)", "html", "text/html", ":material/article:", partial(report_html, document)),
        ("Spreadsheet", "xlsx", XLSX, ":material/table_view:", book),
        ("Tables (CSV)", "zip", "application/zip", ":material/folder_zip:", tables),
        ("Markdown", "md", "text/markdown", ":material/markdown:", partial(report_markdown, document)),
    )
    with st.container(horizontal=True):
        for label, suffix, kind, icon, make in files:
            st.download_button(
                label,
                make,
                file_name(desk.spec, audience, suffix),
                kind,
                icon=icon,
                type="primary" if suffix == "html" else "secondary",
                on_click="ignore",
                key=f"d_report_{suffix}",
            )
    st.caption(
        "The HTML is one file that needs no network: send it, or print it to a PDF. In the spreadsheet every month is "
        "a formula: change a price, a salary or the scenario, and the cash follows; it holds the whole plan, salaries "
        f"too, whichever sections are chosen. {NOT_ADVICE}"
    )


def _nothing_yet() -> None:
    st.info(
        "There is nothing to report yet. Say what you sell, and the report fills from there.", icon=":material/article:"
    )
    st.button(
        "Add what you sell",
        icon=":material/arrow_forward:",
        type="primary",
        key="d_report_begin",
        on_click=state.show_dashboard_view,
        args=("business",),
    )


def _command(audience: Audience, sections: tuple[str, ...]) -> str:
    more = "" if audience == "investors" else f" --audience {audience}"
    if sections != USUAL[audience]:
        more += "".join(f" --section {one}" for one in sections)
    return f"{COMMAND}{more}"

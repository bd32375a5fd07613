"""Deals by CSV: which columns a file has, what it may be called, and an import that takes all rows or none."""

from __future__ import annotations

import streamlit as st

from core.errors import GroundworkError, InvalidInput
from core.venture.market import MOST_DEALS
from core.venture.market_csv import COLUMNS, EXAMPLE, read_deals
from core.venture.market_trends import with_new
from core.venture.table_csv import MOST_BYTES
from pages import state
from pages.widgets.dashboard_desk import Desk
from pages.widgets.words import count_of, plain

_NAME = "market_file"
_MODE = "market_mode"
ADD, REPLACE = "Add to what is there", "Replace what is there"


def draw(desk: Desk) -> None:
    """An upload; what came of it stands below until the next."""
    needed = ", ".join(one.name for one in COLUMNS if one.required)
    others = ", ".join(one.name for one in COLUMNS if not one.required)
    st.markdown(
        f"Columns needed: **{plain(needed)}**. Possible: {plain(others)}. One row a round, amounts in {desk.currency}."
    )
    own = [one for one in desk.spec.market if not one.example]
    if own:
        st.segmented_control(
            "Import",
            [ADD, REPLACE],
            default=ADD,
            key=state.dashboard_key(_MODE),
            label_visibility="collapsed",
            required=True,
        )
    st.file_uploader(
        "Deals (CSV)",
        type=["csv", "tsv", "txt"],
        max_upload_size=MOST_BYTES // 1024**2,
        key=state.dashboard_key(_NAME),
        on_change=_brought,
        args=(desk,),
        help=f"Up to {MOST_DEALS:,} rows. All rows are taken, or none: every fault is told with its row.",
    )
    if fault := state.dashboard_note("market_fault"):
        st.error(fault, icon=":material/error:")
    if told := state.dashboard_note("market_told"):
        st.success(told, icon=":material/check_circle:")
    st.download_button(
        "Example file (CSV)",
        EXAMPLE.read_bytes(),
        EXAMPLE.name,
        "text/csv",
        icon=":material/download:",
        key="d_market_example_file",
        on_click="ignore",
        help="Invented companies, to see the columns by.",
    )


def _brought(desk: Desk) -> None:
    file = state.dashboard_value(_NAME)
    state.set_dashboard_note("market_fault", "")
    state.set_dashboard_note("market_told", "")
    if file is None:
        return
    old = () if state.dashboard_value(_MODE) == REPLACE else tuple(one for one in desk.spec.market if not one.example)
    try:
        found, table = read_deals(file.name, file.getvalue())
        merged, known = with_new(old, found)
        check_room(len(merged))
        desk.put("market", list(merged))
    except GroundworkError as error:
        state.set_dashboard_note("market_fault", str(error))
        return
    state.renew_dashboard(_NAME)
    told = [f"{count_of(len(found) - known, 'deal')} taken from {plain(table.file)}."]
    told += [f"{count_of(known, 'deal')} there already."] if known else []
    told += [f"Not read: {plain(ignored_words(table.ignored))}."] if table.ignored else []
    state.set_dashboard_note("market_told", " ".join(told))


def check_room(deals: int) -> None:
    """Raises InvalidInput when they are too many for one company."""
    if deals > MOST_DEALS:
        raise InvalidInput(
            f"That would be {deals:,} deals.",
            allowed=f"Up to {MOST_DEALS:,} in one company.",
            next_step="Replace what is there, or take fewer; nothing was taken.",
        )


def ignored_words(ignored: dict[str, str]) -> str:
    """Columns of a file that were left out, with what they may have meant."""
    return ", ".join(f"{name[:40]} (perhaps {near})" if near else name[:40] for name, near in list(ignored.items())[:8])

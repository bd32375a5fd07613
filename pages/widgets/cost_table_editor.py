"""The hardware table and the rental prices, to be edited: own rows over the published ones, kept when they are saved.

What was typed stays in the table until it is saved or discarded, whatever is wrong with it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from core.errors import CorruptFile, GroundworkError
from core.estimate import own_tables
from core.estimate.own_tables import Table
from core.estimate.prices import OLD_MONTHS, TERMS
from exports.cells import csv_bytes
from pages import state
from pages.widgets.cost_table_rows import (
    HARDWARE,
    MARK,
    PRICES,
    Changes,
    Key,
    Shown,
    cells,
    changes,
    hardware_rows,
    key_of,
    own_source,
    price_rows,
)
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

HEIGHT = 420
NEEDED = {
    "hardware": "Id, Name, Memory, Bandwidth and 16-bit",
    "prices": "GPU, Who rents it out, Term, Low and High",
}
_READ = {"hardware": hardware_rows, "prices": price_rows}
_COLUMNS = {"hardware": HARDWARE, "prices": PRICES}


@st.fragment
def draw(table: Table) -> None:
    """The table, what was changed in it, the reader's own rows, and a CSV."""
    _draw_notice()
    try:
        base = _READ[table](date.today())
    except CorruptFile as error:
        _draw_damaged(table, error)
        return
    old = sum("months old" in row.mark for row in base)
    if old:
        told = f"{count_of(old, 'row')} older than {OLD_MONTHS} months"
        st.caption(f":material/schedule: {told}, marked: look them up before you plan on them.")
    edited = st.data_editor(
        [cells(row, _COLUMNS[table]) for row in base],
        key=state.figures_key(f"cost_{table}"),
        num_rows="dynamic",
        hide_index=True,
        height=HEIGHT,
        column_config=_config(table),
        placeholder="",
        alt="Hardware" if table == "hardware" else "Rental prices",
    )
    _draw_changes(table, changes(table, base, edited))
    _draw_own(table, [row for row in base if row.own])
    fields = list(base[0].values)
    rows = [[*row.values.values(), row.own] for row in base]
    csv_button(f"groundwork-{table}", csv_bytes((*fields, "own"), rows), label=f"CSV, {len(base)} rows")


def _draw_notice() -> None:
    """What the last press of a button came to."""
    told, well = state.notice()
    if told and well:
        st.toast(told, icon=":material/check_circle:", duration="long")
    elif told:
        st.error(told, icon=":material/error:")


def _draw_changes(table: Table, found: Changes) -> None:
    """Save or discard, and what is in the way of it."""
    if not found:
        st.caption("Double-click a cell to change it; + above the table adds a row. Nothing counts before it is saved.")
        st.caption(f"A new row needs {NEEDED[table]}; its source is filled in, and yours to correct.")
        return
    count = len(found.put) + len(found.drop)
    with st.container(horizontal=True, vertical_alignment="center"):
        saving = st.button(
            f"Save {count_of(count, 'row')}" if count else "Nothing to save",
            type="primary",
            icon=":material/save:",
            key=f"cost_save_{table}",
            disabled=not count,
        )
        st.button(
            "Discard",
            icon=":material/undo:",
            key=f"cost_discard_{table}",
            on_click=state.renew_figures,
            args=(f"cost_{table}",),
        )
    if found.staying:
        names = ", ".join(plain(" · ".join(key)) for key in found.staying[:5])
        st.caption(
            f"Published rows can be changed, not deleted; these stay: {names}{' …' if len(found.staying) > 5 else ''}"
        )
    if saving:
        try:
            _save(table, found)
        except GroundworkError as error:
            st.error(str(error), icon=":material/error:")
        else:
            state.renew_figures(f"cost_{table}")
            state.set_notice(f"Saved: {count_of(count, 'row')}. Every estimate reckons with it from now on.")
            st.rerun()


def _save(table: Table, found: Changes) -> None:
    if table == "hardware":
        own_tables.change_hardware(put=found.put, drop=[key[0] for key in found.drop])
    else:
        own_tables.change_prices(put=found.put, drop=[(key[0], key[1], key[2]) for key in found.drop])


def _draw_own(table: Table, rows: list[Shown]) -> None:
    """Each with its way back."""
    if not rows:
        return
    st.markdown(f"**Your own: {count_of(len(rows), 'row')}**")
    for place, row in enumerate(rows):
        key = key_of(row.values, table)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(" · ".join([*key, row.mark])), width="stretch")
            st.button(
                "Back to the published" if row.published else "Delete",
                key=f"cost_drop_{table}_{place}",
                icon=":material/undo:" if row.published else ":material/delete:",
                on_click=_drop,
                args=(table, key),
                help="What is typed above and not saved is lost." if row.published else None,
            )


def _drop(table: Table, key: Key) -> None:
    try:
        _save(table, Changes(put=(), drop=(key,), staying=()))
    except GroundworkError as error:
        state.set_notice(str(error), well=False)


def _draw_damaged(table: Table, error: CorruptFile) -> None:
    """Told, and a way out that keeps the file."""
    st.error(str(error), icon=":material/error:")
    st.button(
        "Put it aside and use the published rows",
        key=f"cost_aside_{table}",
        icon=":material/move_item:",
        on_click=_set_aside,
        args=(table,),
    )


def _set_aside(table: Table) -> None:
    try:
        kept = own_tables.set_aside(table)
    except GroundworkError as error:
        state.set_notice(str(error), well=False)
    else:
        state.set_notice(f"Kept as {kept.name}, beside where it was.")


def _config(table: Table) -> dict[str, Any]:
    """No least values: a column that has one drops a typed minus sign without a word. A number below 0 is refused when
    it is saved."""
    column, today = st.column_config, date.today()
    shared: dict[str, Any] = {
        MARK: column.TextColumn(MARK, disabled=True, help="Yours, changed by you, or past six months.", width="small"),
        "Source": column.TextColumn(
            "Source", help="Who says so: a datasheet, an offer, an invoice.", width="medium", default=own_source(today)
        ),
        "As of": column.TextColumn("As of", help="YYYY-MM or YYYY-MM-DD", width="small", default=today.isoformat()),
    }
    if table == "prices":
        ids = [one.id for one in own_tables.hardware()]
        dollars = {name: column.NumberColumn(name, format="dollar") for name in ("Low, USD/h", "High, USD/h")}
        return (
            shared
            | dollars
            | {
                "GPU": column.SelectboxColumn("GPU", options=ids, pinned=True),
                "Term": column.SelectboxColumn("Term", options=list(TERMS), default="on_demand"),
            }
        )
    numbers = {one.name: column.NumberColumn(one.name, format="%.6g") for one in HARDWARE if one.scale}
    return (
        shared
        | numbers
        | {
            "Id": column.TextColumn("Id", help="Small letters, digits and dashes, as in h100-sxm-80gb.", pinned=True),
            "Kind": column.SelectboxColumn("Kind", options=["gpu", "tpu", "cpu"], default="gpu", width="small"),
            "In a node": column.NumberColumn("In a node", format="%d", step=1, help="Devices that share a fast link."),
            "In the node, GB/s": column.NumberColumn(
                "In the node, GB/s", help="Of one device to the others, both directions together."
            ),
            "Network, GB/s": column.NumberColumn("Network, GB/s", help="Of one device out of the node, one direction."),
        }
    )

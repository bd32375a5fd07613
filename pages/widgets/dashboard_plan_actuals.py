"""What really happened beside the plan: an import by CSV, a table to correct it in, and how far each figure is off."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.errors import GroundworkError
from core.venture import months
from core.venture.actuals import COUNTS, MONEY, changes, merged
from core.venture.actuals_csv import COLUMNS, read_actuals
from core.venture.beside_plan import LINES, Beside, Variance, beside, cash_from_actual
from core.venture.metrics import said
from core.venture.plan import Plan
from core.venture.table_csv import MOST_BYTES
from exports.cells import csv_bytes
from exports.plan_csv import beside_csv
from pages import state
from pages.widgets import dashboard_plan_bars as bars
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_plan_answers import show
from pages.widgets.dashboard_table import Column, edit
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

_FILE = "plan_actuals_file"
_FAULT, _TOLD = "plan_actuals_fault", "plan_actuals_told"
TABLE = (
    Column(field="month", label="Month", help="As 2027-01.", pinned=True),
    *(Column(field=name, label=LINES[name].label, kind="money") for name in MONEY),
    *(
        Column(field=name, label=LINES[name].label, kind="number" if name == "headcount" else "whole")
        for name in COUNTS
    ),
)


def draw(desk: Desk, plan: Plan) -> None:
    found = beside(plan, desk.spec.actuals)
    if found.rows:
        _draw_beside(desk, plan, found)
    elif not desk.spec.actuals:
        st.info(
            "Nothing counted yet. Bring what your books say, a row a month, and it is laid beside the plan.",
            icon=":material/upload_file:",
        )
    if found.outside:
        listed = ", ".join(months.said(one) for one in found.outside[:6])
        st.caption(f"Not in the plan, so compared with nothing: {listed}{' …' if len(found.outside) > 6 else ''}.")
    _draw_import(desk)
    st.markdown("**Months**")
    edit(desk, "actuals", TABLE, label="Actual figures by month")


def _draw_beside(desk: Desk, plan: Plan, found: Beside) -> None:
    keys = [one.key for one in found.so_far]
    chosen = st.selectbox(
        "Figure", keys, format_func=lambda key: LINES[key].label, key=state.dashboard_key("plan_actual_figure")
    )
    key = chosen if chosen in keys else keys[0]
    show(
        f"plan and actual {LINES[key].label.lower()}",
        bars.beside_figure(plan, found.line(key), key),
        beside_csv(found, desk.currency),
        alt=f"{LINES[key].label} as planned and as counted, by month",
    )
    _draw_so_far(desk, found)
    onward = cash_from_actual(plan, desk.spec.actuals)
    if onward:
        empty = next((month for month, cash in onward.items() if cash < 0), None)
        ends = f"runs out in {months.said(empty)}" if empty else "lasts beyond the plan's end"
        st.markdown(
            f"From the cash that was counted in {months.said(next(iter(onward)))}, as planned from there: cash {ends}."
        )


def _draw_so_far(desk: Desk, found: Beside) -> None:
    text = st.column_config.TextColumn
    columns = ("Plan", "Actual", "Off by", "Of plan")
    st.dataframe(
        [_so_far(one, desk.currency) for one in found.so_far],
        hide_index=True,
        height="content",
        column_config={"Figure": text(pinned=True)} | {one: text(alignment="right") for one in columns},
        alt="Plan and actual figures so far",
    )


def _so_far(one: Variance, currency: str) -> dict[str, str]:
    verdict = "" if one.better is None else "better" if one.better else "worse"
    return {
        "Figure": one.label,
        "Of": one.month,
        "Plan": _amount(one.planned, currency),
        "Actual": _amount(one.actual, currency),
        "Off by": _amount(one.off, currency),
        "Of plan": "" if one.share is None else f"{one.share:+.1%}".replace("-", "−"),
        "Than planned": verdict,
    }


def _amount(value: Decimal | float, currency: str) -> str:
    return said(value, "money" if isinstance(value, Decimal) else "count", currency)


def _draw_import(desk: Desk) -> None:
    st.markdown("**Import**")
    others = ", ".join(one.name for one in COLUMNS if not one.required)
    st.markdown(f"A row a month. Needed: **month**. Possible: {plain(others)}. Amounts in {desk.currency}.")
    st.file_uploader(
        "Actual figures (CSV)",
        type=["csv", "tsv", "txt"],
        max_upload_size=MOST_BYTES // 1024**2,
        key=state.dashboard_key(_FILE),
        on_change=_brought,
        args=(desk,),
        help="All rows are taken, or none. A figure that is given replaces the old one; one that is left out keeps it.",
    )
    if fault := state.dashboard_note(_FAULT):
        st.error(fault, icon=":material/error:")
    if told := state.dashboard_note(_TOLD):
        st.success(told, icon=":material/check_circle:")
    names = [one.name for one in COLUMNS]
    csv_button("actuals example", csv_bytes(names, [[one.example for one in COLUMNS]]), label="Example file (CSV)")


def _brought(desk: Desk) -> None:
    file = state.dashboard_value(_FILE)
    state.set_dashboard_note(_FAULT, "")
    state.set_dashboard_note(_TOLD, "")
    if file is None:
        return
    old = desk.spec.actuals
    try:
        found, table = read_actuals(file.name, file.getvalue())
        changed = changes(old, found)
        desk.put("actuals", list(merged(old, found)))
    except GroundworkError as error:
        state.set_dashboard_note(_FAULT, str(error))
        return
    state.renew_dashboard(_FILE)
    told = [f"{count_of(len(found), 'month')} taken from {plain(table.file)}."]
    told += [f"Figures replaced in {', '.join(months.said(one) for one in changed)}."] if changed else []
    told += [f"Columns not read: {plain(', '.join(list(table.ignored)[:8]))}."] if table.ignored else []
    state.set_dashboard_note(_TOLD, " ".join(told))

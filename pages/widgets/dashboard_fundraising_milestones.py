"""What a round's money is for: milestones on a line of months, and the table they are written in."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import GroundworkError
from core.venture.fundraising import PlannedRoundSpec
from core.venture.money import major, short
from core.venture.raising import milestones
from exports.cells import rows_csv
from pages import state
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of, plain

_FIELDS = {"Milestone": "name", "Due": "month", "Months of work": "months_of_work", "Cost": "cost"}


def draw(desk: Desk, place: int, planned: PlannedRoundSpec, empty: str | None) -> None:
    """place: of the round among those planned. empty: when the cash is gone with it."""
    found = milestones(planned, empty)
    if found:
        over = [one for one in found if not one.inside]
        told = short(major(found[-1].so_far), desk.currency)
        amount = short(planned.amount, desk.currency)
        reaches = f"{count_of(len(over), 'milestone')} beyond the amount" if over else "the amount covers them"
        st.markdown(f"**Milestones cost {plain(told)} of {plain(amount)}: {reaches}.**")
        if found[-1].so_far:
            st.caption(
                "Their costs are not added to the plan, whose burn spends the same money. If the plan does not pay for "
                "them already, take the month count above with the milestones paid on top."
            )
        drawn = charts.milestones_figure(planned.name, planned.month, found, empty, desk.currency)
        st.plotly_chart(drawn, key="d_raise_milestones", config=TAKEN)
    else:
        st.info("No milestone yet. Write down what this round's money has to reach.", icon=":material/outlined_flag:")
    _draw_table(desk, place, planned)
    if found:
        csv_button(
            f"{desk.name} {planned.name} milestones", rows_csv(charts.milestones_rows(found)), label="Milestones (CSV)"
        )


def _draw_table(desk: Desk, place: int, planned: PlannedRoundSpec) -> None:
    """Saved as a whole: a milestone is three cells, and one alone is at fault."""
    name = f"milestones_{place}"
    with st.form(f"d_form_{name}", border=False):
        edited = st.data_editor(
            _frame(planned),
            key=state.dashboard_key(name),
            num_rows="dynamic",
            hide_index=True,
            placeholder="",
            alt=f"Milestones of {planned.name}",
            column_config={
                "Milestone": st.column_config.TextColumn(help="Such as: 50 paying customers."),
                "Due": st.column_config.TextColumn(help="A month such as 2027-09, or months of work instead."),
                "Months of work": st.column_config.NumberColumn(help="Counted from the round's month.", format="%d"),
                "Cost": st.column_config.NumberColumn(help="What reaching it takes of the money.", format="localized"),
            },
        )
        pressed = st.form_submit_button("Save milestones", icon=":material/save:")
    if pressed:
        _save(desk, place, name, edited)


def _save(desk: Desk, place: int, name: str, edited: pd.DataFrame) -> None:
    rows = [_spec(row) for row in edited.to_dict("records")]
    try:
        desk.put(f"fundraising.planned.{place}.milestones", [row for row in rows if row])
    except GroundworkError as error:
        st.error(f"Not saved yet: {error}", icon=":material/error:")
    else:
        state.renew_dashboard(name)
        st.rerun()


def _frame(planned: PlannedRoundSpec) -> pd.DataFrame:
    rows = [
        {
            "Milestone": one.name,
            "Due": one.month or "",
            "Months of work": one.months_of_work,
            "Cost": float(one.cost),
        }
        for one in planned.milestones
    ]
    frame = pd.DataFrame(rows, columns=list(_FIELDS))
    return frame.astype({"Milestone": "object", "Due": "object", "Months of work": "Float64", "Cost": "Float64"})


def _spec(row: dict[Any, Any]) -> dict[str, Any]:
    """As JSON has it, without empty cells."""
    found: dict[str, Any] = {}
    for label, field in _FIELDS.items():
        value = row.get(label)
        if value is None or value == "" or pd.isna(value):
            continue
        found[field] = value.isoformat() if isinstance(value, date) else value
    if "months_of_work" in found and float(found["months_of_work"]).is_integer():
        found["months_of_work"] = int(found["months_of_work"])
    return found

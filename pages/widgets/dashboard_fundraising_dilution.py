"""What a planned round costs in ownership, over its range of valuations: picture, table, what it is counted from."""

from __future__ import annotations

import streamlit as st

from core.errors import InvalidInput
from core.venture.dilution import Course, RoundOutcome, RoundRange, at_valuations, choose, course, curve, differences
from exports.cells import rows_csv
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

_WHOLE, _SHARE = "localized", "%.1f%%"


def draw(desk: Desk, place: int) -> None:
    """place: of the round among those planned."""
    spec = desk.spec
    found = course(spec.ownership, spec.fundraising.planned, place)
    planned = found.planned
    try:
        marks = at_valuations(found)
    except InvalidInput as error:
        st.error(str(error), icon=":material/error:")
        return
    points = curve(found)
    if found.undecided:
        st.warning(plain(choose(found)), icon=":material/rule:")
    other = differences(spec.ownership, planned, desk.currency)
    if other:
        st.warning(
            plain(
                f"Ownership has {planned.name} on other terms, so the two views differ. There: {'; '.join(other)}. "
                "Change one of them."
            ),
            icon=":material/difference:",
        )
    drawn = charts.dilution_figure(
        points, marks, desk.currency, name=planned.name, held_known=found.known, without=bool(found.undecided)
    )
    st.plotly_chart(drawn, key="d_raise_dilution", config=TAKEN)
    _draw_outcomes(marks, desk.currency)
    st.caption(plain(_basis(found)))
    csv_button(f"{desk.name} {planned.name} dilution", rows_csv(charts.dilution_rows(points)), label="Dilution (CSV)")


def _draw_outcomes(marks: RoundRange, currency: str) -> None:
    """A row a valuation; one that is told once is one row."""
    named = {one.pre_money: (name, one) for name, one in (("Low", marks.low), ("High", marks.high))}
    named[marks.expected.pre_money] = ("Expected", marks.expected)
    columns = {
        "Before the money": ("Pre-money valuation.", _WHOLE),
        "After the money": ("Post-money valuation: pre-money and the amount.", _WHOLE),
        "Investors": ("What the round's investors hold afterwards.", _SHARE),
        "Converts": ("What the SAFEs and notes hold that this round turns into shares.", _SHARE),
        "Pool": ("What the option pool holds afterwards.", _SHARE),
        "Kept": ("What the founders hold afterwards; without a cap table, all owners of today.", _SHARE),
        "Dilution": ("How much smaller their part becomes.", _SHARE),
        "Effective": (
            "The pre-money less the pool made for the round: what its price makes of all other shares.",
            _WHOLE,
        ),
    }
    st.dataframe(
        [_row(name, one) for _, (name, one) in sorted(named.items())],
        hide_index=True,
        alt=f"The round at its valuations, amounts in {currency}",
        column_config={
            name: st.column_config.NumberColumn(help=words, format=how) for name, (words, how) in columns.items()
        },
    )


def _row(name: str, one: RoundOutcome) -> dict[str, str | float]:
    return {
        "Valuation": name,
        "Before the money": round(float(one.pre_money)),
        "After the money": round(float(one.post_money)),
        "Investors": 100 * one.investors,
        "Converts": 100 * one.converts,
        "Pool": 100 * one.pool,
        "Kept": 100 * one.kept,
        "Dilution": 100 * one.dilution,
        "Effective": round(float(one.effective_pre_money)),
    }


def _basis(found: Course) -> str:
    if not found.known:
        return "There is no cap table yet: all of today's owners are counted as one. Enter it under Ownership."
    earlier = [one.name for one in found.table.rounds[:-1]]
    counted = [f"{', '.join(earlier)} at the expected valuation"] if earlier else []
    if found.converting:
        counted.append(f"{', '.join(found.converting)} converting as their terms say")
    more = f", with {'; '.join(counted)}" if counted else ""
    return f"From the cap table of Ownership{more}."

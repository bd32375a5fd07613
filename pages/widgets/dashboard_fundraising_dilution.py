"""What a planned round costs in ownership, over its range of valuations: picture, table, what it is counted from."""

from __future__ import annotations

import streamlit as st

from core.errors import InvalidInput
from core.venture.dilution import RoundOutcome, RoundRange, at_valuations, curve, held_today
from core.venture.fundraising import PlannedRoundSpec
from exports.cells import rows_csv
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets.chart_parts import TAKEN
from pages.widgets.dashboard_desk import Desk
from pages.widgets.take_away import csv_button
from pages.widgets.words import count_of

_WHOLE, _SHARE = "localized", "%.1f %%"


def draw(desk: Desk, planned: PlannedRoundSpec) -> None:
    held, pool = held_today(desk.spec.ownership)
    try:
        marks = at_valuations(planned, held=held, held_pool=pool)
    except InvalidInput as error:
        st.error(str(error), icon=":material/error:")
        return
    points = curve(planned, held=held, held_pool=pool)
    known = not desk.spec.ownership.empty
    drawn = charts.dilution_figure(points, marks, desk.currency, name=planned.name, held_known=known)
    st.plotly_chart(drawn, key="d_raise_dilution", config=TAKEN)
    _draw_outcomes(marks, desk.currency)
    st.caption(_basis(desk, known))
    csv_button(f"{desk.name} {planned.name} dilution", rows_csv(charts.dilution_rows(points)), label="Dilution (CSV)")


def _draw_outcomes(marks: RoundRange, currency: str) -> None:
    """A row a valuation; one that is told once is one row."""
    named = {one.pre_money: (name, one) for name, one in (("Low", marks.low), ("High", marks.high))}
    named[marks.expected.pre_money] = ("Expected", marks.expected)
    columns = {
        "Before the money": ("Pre-money valuation.", _WHOLE),
        "After the money": ("Post-money valuation: pre-money and the amount.", _WHOLE),
        "Investors": ("What the round's investors hold afterwards.", _SHARE),
        "Pool": ("What the option pool holds afterwards.", _SHARE),
        "Kept": ("What the founders hold afterwards; without a cap table, all owners of today.", _SHARE),
        "Dilution": ("How much smaller their part becomes.", _SHARE),
        "Effective": (
            "What the shares of today are priced at: the pre-money less the pool made for the round.",
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
        "Pool": 100 * one.pool,
        "Kept": 100 * one.kept,
        "Dilution": 100 * one.dilution,
        "Effective": round(float(one.effective_pre_money)),
    }


def _basis(desk: Desk, known: bool) -> str:
    table = desk.spec.ownership
    if not known:
        return "There is no cap table yet: all of today's owners are counted as one. Enter it under Ownership."
    waiting = count_of(len(table.safes) + len(table.notes), "SAFE or note")
    more = f" {waiting} not converted yet will dilute further: see Ownership." if table.safes or table.notes else ""
    earlier = " Rounds before this one are not counted." if len(desk.spec.fundraising.planned) > 1 else ""
    return f"From today's cap table.{more}{earlier}"

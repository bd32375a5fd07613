"""Tables of the plan: profit and loss, cash, people, and every metric by month, quarter or year."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from core.venture.metrics import METRICS, Metric, metrics
from core.venture.periods import Span, periods
from core.venture.plan import Plan
from core.venture.statement import Statement, Which, statement
from exports import plan_csv
from pages import state
from pages.widgets import dashboard_plan_charts as charts
from pages.widgets.dashboard_desk import Desk
from pages.widgets.dashboard_plan_answers import asked_period, asked_span, card, input_words, show
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

SPANS: dict[Span, str] = {"month": "Months", "quarter": "Quarters", "year": "Years"}
_INDENT = "\u2003"  # a space that tables keep


def draw_profit(desk: Desk, plan: Plan) -> None:
    """Revenue against costs, then the statements of profit and cash."""
    found = statement(plan, "profit", "month")
    show("profit and loss by month", charts.profit_figure(plan), plan_csv.statement_csv(found), alt="Revenue and costs")
    span = _span("profit", "quarter")
    for which in ("profit", "cash"):
        _draw_statement(plan, which, span)


def draw_people(desk: Desk, plan: Plan) -> None:
    found = statement(plan, "people", "month")
    show("people by month", charts.people_figure(plan), plan_csv.statement_csv(found), alt="People by month")
    _draw_statement(plan, "people", _span("people", "quarter"))
    st.caption("Who they are, and when they come: under Resources.")


def draw_recurring(desk: Desk, plan: Plan) -> None:
    if not any(one.model != "project" for one in plan.products):
        st.info(
            "Projects are no recurring revenue. Add a subscription or usage under Business.", icon=":material/sync:"
        )
        return
    show(
        "recurring revenue",
        charts.mrr_figure(plan),
        plan_csv.mrr_csv(plan),
        alt="New, expansion and reactivation above the line, contraction and churn below, by month",
    )
    st.caption(
        "New: of new customers. Expansion: existing ones pay more. Reactivation: lost ones come back. Contraction: "
        "existing ones pay less. Churn: the last plan of a customer ends."
    )
    _draw_metrics_table(plan, _span("recurring", "quarter"), ("mrr", "arr", "net_new_mrr", "nrr", "grr", "quick_ratio"))


def draw_metrics(desk: Desk, plan: Plan) -> None:
    """Every metric of a period, explained when it is pointed at; and all of them over time."""
    span, chosen = asked_span(), asked_period(plan)
    st.caption(f"Of {plain(chosen.label)}, as chosen above.")
    with st.container(horizontal=True):
        for one in metrics(plan, chosen).values():
            card(one, plan.currency)
    st.markdown("**Over time**")
    _draw_metrics_table(plan, span, tuple(METRICS))
    csv_button("metrics", plan_csv.metrics_csv(plan, span), label="Metrics with formulas and inputs (CSV)")


def _span(name: str, default: Span) -> Span:
    found = st.segmented_control(
        "Columns",
        list(SPANS),
        default=default,
        format_func=lambda one: SPANS[one],
        key=state.dashboard_key(f"plan_span_{name}"),
        label_visibility="collapsed",
        required=True,
    )
    return found


def _draw_statement(plan: Plan, which: Which, span: Span) -> None:
    found = statement(plan, which, span)
    st.markdown(f"**{found.title}**, {found.currency}")
    st.dataframe(
        [_row(found, place) for place in range(len(found.lines))],
        hide_index=True,
        height="content",
        column_config=_columns("", [one.label for one in found.periods]),
        alt=f"{found.title} by {span}",
    )
    csv_button(f"{found.title} by {span}", plan_csv.statement_csv(found))
    helps = [f"**{plain(one.label)}**: {plain(one.help)}" for one in found.lines if one.help and not one.within]
    if helps:
        st.caption("  \n".join(helps))


def _row(found: Statement, place: int) -> dict[str, Any]:
    line = found.lines[place]
    name = line.label.upper() if line.strong else f"{_INDENT * (2 if line.within else 1)}{line.label}"
    return {"": name} | {one.label: _whole(value) for one, value in zip(found.periods, line.values, strict=True)}


def _whole(value: Decimal | float) -> str:
    """−1,234; halves of people stay."""
    text = f"{abs(value):,.0f}" if isinstance(value, Decimal) else f"{abs(value):,.1f}".removesuffix(".0")
    return f"−{text}" if value < 0 and text != "0" else text


def _columns(first: str, labels: list[str]) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {first: text(pinned=True, width="medium")} | {one: text(alignment="right") for one in labels}


def _draw_metrics_table(plan: Plan, span: Span, keys: tuple[str, ...]) -> None:
    """A click on a row tells what it is and what went in."""
    listed = periods(plan.months, span)
    found = [metrics(plan, one) for one in listed]
    picked = st.dataframe(
        [
            {"Metric": METRICS[key].label}
            | {one.label: _short(of[key], plan.currency) for one, of in zip(listed, found, strict=True)}
            for key in keys
        ],
        hide_index=True,
        height="content",
        column_config=_columns("Metric", [one.label for one in listed]),
        on_select="rerun",
        selection_mode="single-cell",
        key=state.dashboard_key(f"plan_metrics_{span}_{len(keys)}"),
        alt=f"Metrics by {span}",
    )
    st.caption("–: no value there, such as no churn to divide by. Choose a cell for its formula and its inputs.")
    cells = picked.selection.cells
    if cells:
        row, column = cells[0]
        place = next((at for at, one in enumerate(listed) if one.label == column), 0)
        _draw_explained(found[place][keys[row]], plan.currency)


def _short(found: Metric, currency: str) -> str:
    return "–" if found.value is None else found.words(currency)


def _draw_explained(found: Metric, currency: str) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{plain(found.label)}, {plain(found.period)}: {plain(found.words(currency))}** {plain(found.note)}"
        )
        st.markdown(plain(found.definition))
        st.latex(found.formula)
        if found.inputs:
            st.dataframe(
                [{"Input": name, "Value": input_words(value, currency)} for name, value in found.inputs],
                hide_index=True,
                column_config=_columns("Input", ["Value"]),
                alt="What went in",
            )
        st.caption(f"Source: {plain(found.source)}")

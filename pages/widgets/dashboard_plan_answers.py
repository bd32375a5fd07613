"""What the section of the plan computes and keeps: Monte Carlo by what it hangs on, which a change alone runs again."""

from __future__ import annotations

import json
from typing import cast

import plotly.graph_objects as go
import streamlit as st

from core.venture import months
from core.venture.metrics import Metric, said
from core.venture.monte_carlo import MonteCarlo, monte_carlo
from core.venture.periods import Period, Span, periods
from core.venture.plan import Plan
from core.venture.spec import CompanySpec, company
from pages import state
from pages.widgets.chart_parts import CONFIG
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

_HANGS_ON = {"company", "products", "team", "compute", "expenses", "funding", "uncertainty"}
_SPAN = "plan_span"
SPANS: dict[Span, str] = {"month": "Month", "quarter": "Quarter", "year": "Year"}
CARD_PIXELS = 168  # two beside each other on a telephone


def chances(spec: CompanySpec) -> MonteCarlo:
    """Of the company's own runs and seed. Raises InvalidInput as the plan does."""
    document = spec.model_dump(mode="json", include=_HANGS_ON)
    asked = spec.fundraising
    document["fundraising"] = {"months_to_close": asked.months_to_close, "buffer_months": asked.buffer_months}
    return _chances(json.dumps(document, sort_keys=True))


@st.cache_data(ttl=3600, max_entries=16, show_spinner="Running the plan's futures …")
def _chances(document: str) -> MonteCarlo:
    return monte_carlo(company(json.loads(document)))


def show(name: str, figure: go.Figure, content: bytes, *, alt: str) -> None:
    """A picture, and its numbers. name: of the file, and of the picture within the section."""
    st.plotly_chart(figure, key=f"d_plan_{name.replace(' ', '_')}", config=CONFIG, alt=alt)
    csv_button(name, content, label="Numbers of this picture (CSV)")


def explained(found: Metric, currency: str) -> str:
    """Markdown of a tooltip: definition, formula, inputs, source."""
    lines = [plain(found.definition), f"$\\displaystyle {found.formula}$"]
    if found.inputs:
        lines.append(
            "  \n".join(f"{plain(name)}: {plain(input_words(value, currency))}" for name, value in found.inputs)
        )
    if found.why:
        lines.append(f"No value: {plain(found.why)}.")
    lines.append(f"{plain(found.period)}. Source: {plain(found.source)}")
    return "\n\n".join(lines)


def input_words(value: object, currency: str) -> str:
    """Money is a Decimal, shares and counts are floats."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return said(value, "money", currency)  # type: ignore[arg-type]


def ask_period(plan: Plan) -> Period:
    """The one choice of months that the figures and the tab of all metrics are of."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Figures of a", list(SPANS), default="quarter", format_func=lambda one: SPANS[one], required=True,
            key=state.dashboard_key(_SPAN),
        )  # fmt: skip
        span = asked_span()
        listed = periods(plan.months, span)
        key = state.dashboard_key(_period_key(plan, span))
        place = st.selectbox(
            "Figures of", range(len(listed)), index=_now(plan, listed), key=key, width=240,
            format_func=lambda one: listed[one].label if one < len(listed) else "",
            help="Quarters and years are counted from the plan's first month.",
        )  # fmt: skip
    return listed[place or 0]


def asked_span() -> Span:
    return cast(Span, state.dashboard_value(_SPAN) or "quarter")


def asked_period(plan: Plan) -> Period:
    """What `ask_period` holds, further down the page."""
    span = asked_span()
    listed = periods(plan.months, span)
    return listed[state.dashboard_value(_period_key(plan, span)) or 0]


def _period_key(plan: Plan, span: Span) -> str:
    return f"plan_period_{span}_{plan.months[0]}_{len(plan.months)}"


def _now(plan: Plan, listed: tuple[Period, ...]) -> int:
    """The one that is now, where it lies within the plan."""
    here = months.between(plan.months[0], months.today())
    return next((place for place, one in enumerate(listed) if one.first <= here < one.end), 0)


def card(found: Metric, currency: str) -> None:
    """One metric with its explanation; what has none says why."""
    value = "–" if found.value is None else found.words(currency)
    framed(found.label, value, explained(found, currency), found.note or found.why)


def framed(label: str, value: str, told: str, note: str = "") -> None:
    """A figure in a frame, of which as many stand in a row of a horizontal container as there is room for. told:
    Markdown, when it is pointed at. note: below it, in words that may be long."""
    with st.container(border=True, height="stretch", width=CARD_PIXELS):
        st.metric(label, value, help=told)
        if note:
            st.caption(plain(note))

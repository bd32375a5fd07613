"""What the section of the plan computes and keeps: Monte Carlo by what it hangs on, which a change alone runs again."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import streamlit as st

from core.venture.metrics import Metric, said
from core.venture.monte_carlo import MonteCarlo, monte_carlo
from core.venture.spec import CompanySpec, company
from pages.widgets.chart_parts import CONFIG
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

_HANGS_ON = {"company", "products", "team", "compute", "expenses", "funding", "uncertainty"}


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


def card(found: Metric, currency: str) -> None:
    """One metric with its explanation; what has none says why."""
    value = "–" if found.value is None else found.words(currency)
    framed(found.label, value, explained(found, currency), found.note or found.why)


def framed(label: str, value: str, told: str, note: str = "") -> None:
    """A figure in a frame. told: Markdown, when it is pointed at. note: below it, in words that may be long."""
    with st.container(border=True, height="stretch"):
        st.metric(label, value, help=told)
        if note:
            st.caption(plain(note))

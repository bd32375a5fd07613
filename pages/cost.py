"""Cost & compute: what will it need, how long, how much, and how sure?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import GroundworkError
from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.local_machine import measured
from core.estimate.memory_estimate import estimate_memory
from core.estimate.report import TITLES, Report
from core.estimate.serve_estimate import estimate_serve
from core.estimate.train_estimate import estimate_train
from core.store.measurements import MeasurementRecords
from pages import state
from pages.services import services
from pages.widgets import (
    cost_accuracy,
    cost_fields,
    cost_inputs,
    cost_pictures,
    cost_result,
    cost_scenarios,
    cost_tables,
    cost_take_away,
)

VIEWS: dict[str, str] = {
    **{str(kind): title for kind, title in TITLES.items()},
    "accuracy": "How sure",
    "tables": "Prices and hardware",
}
QUESTIONS = {
    "train": "How long does training or fine-tuning take, and what does it cost?",
    "memory": "How much memory does it take, and what does it fit on?",
    "serve": "How fast does it answer, how many users does a GPU carry, and what does a million tokens cost?",
    "breakeven": "From how many tokens a month does hosting it yourself beat the API?",
    "accuracy": "How far are these estimates from what others published, and from what was measured here?",
    "tables": "What the estimates reckon with: change a row, and every estimate follows.",
}


def render() -> None:
    """Choose a question, give what is known, get an answer with its range."""
    try:
        state.arrives_at("cost")
        state.apply_cost_form()
        st.title("Cost & compute")
        st.caption(
            "What will it need, how long, how much, and how sure? Every figure has a range, and says where it is from."
        )
        view = cost_fields.pick("view", "Question", list(VIEWS), "train", names=VIEWS)
        st.markdown(f"**{QUESTIONS[view]}**")
        if view == "accuracy":
            cost_accuracy.draw()
        elif view == "tables":
            cost_tables.draw()
        else:
            _draw(view)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")


@st.fragment
def _draw(view: str) -> None:
    """Inputs and answer: only these run again when an input changes."""
    if state.cost_form_waits():
        st.rerun(scope="app")  # the question above is an input too
    records = measured(services().db)
    report: Report | None = None
    try:
        with st.container(border=True):
            spec = cost_inputs.draw(view, measured=bool(records))
        report, answer = _ESTIMATES[view](spec, records)
        cost_result.draw_first(report)
        cost_result.draw_warnings(report.notes)
        cost_pictures.draw(view, answer)
        cost_result.draw_notes(report.notes)
        st.subheader("All figures")
        cost_result.draw_all(report)
        cost_take_away.draw(report, answer)
    except GroundworkError as error:
        st.error(str(error), icon=":material/error:")
    cost_scenarios.draw(services().db, report)


_ESTIMATES: dict[str, Callable[[dict[str, Any], MeasurementRecords], tuple[Report, Any]]] = {
    "train": lambda spec, _: estimate_train(spec),
    "memory": lambda spec, _: estimate_memory(spec),
    "serve": estimate_serve,
    "breakeven": estimate_breakeven,
}

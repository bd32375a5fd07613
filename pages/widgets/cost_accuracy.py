"""How sure: the estimates beside what others published, and beside what was measured on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from core.errors import GroundworkError
from core.estimate.accuracy import (
    Errors,
    Held,
    errors,
    errors_left_out,
    errors_of_rule,
    held_runs,
    held_serving,
    held_steps,
)
from core.estimate.calibration_check import CalibrationCheck, Summary, predicted_against_measured
from core.estimate.local_machine import measured
from core.estimate.shape import ModelShape
from core.estimate.shape_from_config import shape_from_card
from core.models import catalogue
from core.store.measurements import MeasurementRecord
from core.store.runs import RunRecord, RunRepository
from exports.cells import csv_bytes
from pages.services import services
from pages.widgets import page_links
from pages.widgets.chart_parts import CONFIG, Row
from pages.widgets.cost_accuracy_charts import held_rows, own_figure, own_rows, serving_figure, training_figure
from pages.widgets.take_away import csv_button
from pages.widgets.words import plain

MOST_RUNS = 300
MOST_CELLS = 500  # the newest; each is estimated from all the others
MOST_LEFT_OUT = 10
_MEASURES = {
    "prefill": "reading a prompt",
    "decode": "decode step",
    "ttft": "first token",
    "prefill throughput": "prompt tokens/s",
    "decode throughput": "decode tokens/s",
    "throughput": "whole tokens/s",
}


def draw() -> None:
    """Three pictures, each with its finding, its errors in figures and its rows."""
    _draw_training()
    _draw_serving()
    _draw_own()


def _draw_training() -> None:
    st.subheader("Published training runs")
    rows = _training_rows()
    first = [row for row in rows if row.kind == "reference run"]
    others = [row for row in rows if row.kind == "further run"]
    steps = [row for row in rows if row.kind == "step"]
    ours, rule = errors(first), errors_of_rule(first)
    further, further_rule = errors(others), errors_of_rule(others)
    st.markdown(
        f"The median error is **{ours.median:.1%}** on the {ours.count} figures of the reference runs, where the rule "
        f"of thumb, 6ND at 40% of the peak, misses by {rule.median:.1%}; on {further.count} figures of further runs it "
        f"is **{further.median:.0%}** against {further_rule.median:.0%}."
    )
    st.plotly_chart(training_figure(rows), key="cost_accuracy_training", config=CONFIG)
    table: list[Row] = []
    for name, some in (("reference runs", first), ("further runs", others), ("timed steps", steps)):
        table += [
            _errors_row(name, "estimate", errors(some)),
            _errors_row(name, "fitted without it", errors_left_out(some)),
            _errors_row(name, "6ND at 40%", errors_of_rule(some)),
        ]
    _draw_errors(table)
    _draw_rows("published training", "estimates-against-training-runs", held_rows(rows))


def _draw_serving() -> None:
    st.subheader("Published serving figures")
    rows = _serving_rows()
    found, worst = errors(rows), max(rows, key=lambda row: abs(row.error))
    st.markdown(
        f"Half of the {found.count} published throughputs and latencies are met within **{found.median:.0%}**, and "
        f"**{found.inside or 0:.0%}** lie in the range; the furthest off is {plain(worst.name)} ({worst.error:+.0%})."
    )
    st.plotly_chart(serving_figure(rows), key="cost_accuracy_serving", config=CONFIG)
    kinds = sorted({row.measure for row in rows})
    _draw_errors(
        [_errors_row(_MEASURES[kind], "estimate", errors([r for r in rows if r.measure == kind])) for kind in kinds]
    )
    _draw_rows("published serving", "estimates-against-serving-figures", held_rows(rows))


def _draw_own() -> None:
    st.subheader("Measured on this machine")
    shared = services()
    records = measured(shared.db)[:MOST_CELLS]
    if not records:
        _draw_nothing_measured()
        return
    runs = [run for run in RunRepository(shared.db).list(limit=MOST_RUNS) if run.status == "done"]
    check = _own_check((*(one.id for one in records), *(one.id for one in runs)), records, runs)
    if not check.predictions:
        st.info("What was measured here cannot be estimated.", icon=":material/help:")
    else:
        st.markdown(_own_finding(check))
        st.plotly_chart(own_figure(check), key="cost_accuracy_own", config=CONFIG)
        _draw_errors(
            [
                _summary_row("published efficiencies", check.default),
                _summary_row("calibrated", check.calibrated),
            ]
        )
        _draw_rows("measured", "estimates-against-measurements", own_rows(check))
    if check.left_out:
        with st.expander(f"Left out: {len(check.left_out)}", icon=":material/playlist_remove:"):
            st.caption("  \n".join(plain(why) for why in check.left_out[:MOST_LEFT_OUT]))
            if len(check.left_out) > MOST_LEFT_OUT:
                st.caption(f"and {len(check.left_out) - MOST_LEFT_OUT} more.")
    page_links.to_models("See the measurements on the Models page")


def _draw_nothing_measured() -> None:
    with st.container(border=True):
        st.markdown(
            "Nothing was measured here yet. Measure a model once: then this shows, for every prompt length and batch, "
            "what the estimate said and what this machine did, and “This machine” can be chosen as hardware, with "
            "efficiencies of its own."
        )
        page_links.to_models("Measure a model")


def _own_finding(check: CalibrationCheck) -> str:
    default, calibrated = check.default, check.calibrated
    found = (
        f"With published efficiencies, half of the {default.count} measured figures are met within "
        f"**{default.median_error:.0%}**"
    )
    if not calibrated.count:
        return f"{found}; one more measured cell of this machine and precision would calibrate it."
    return (
        f"{found}; calibrated by the other cells of this machine, within **{calibrated.median_error:.0%}**, and "
        f"{calibrated.share_inside:.0%} lie in the range."
    )


def _errors_row(rows: str, by: str, found: Errors) -> Row:
    return {
        "Held against": rows,
        "Figures": found.count,
        "By": by,
        "Median": 100 * found.median,
        "Worst": 100 * found.worst,
        "In range": None if found.inside is None else 100 * found.inside,
    }


def _summary_row(by: str, found: Summary) -> Row:
    inside = found.share_inside if found.count else None
    made = Errors(count=found.count, median=found.median_error, worst=found.worst_error, inside=inside)
    return _errors_row("measured here", by, made)


def _draw_errors(rows: Sequence[Row]) -> None:
    """Medians and the like of absolute errors."""
    columns = {
        name: st.column_config.NumberColumn(name, format="%.1f%%", help=told)
        for name, told in (
            ("Median", "Of the absolute errors."),
            ("Worst", "Of the absolute errors."),
            ("In range", "Truths that lie in the estimate's range."),
        )
    }
    st.dataframe(
        list(rows),
        hide_index=True,
        column_config=columns,
        height="content",
        placeholder="–",
        alt="Errors of the estimates",
    )


def _draw_rows(what: str, name: str, rows: Sequence[Row]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        csv_button(
            name, csv_bytes(tuple(rows[0]), [tuple(row.values()) for row in rows]), label=f"CSV, {len(rows)} rows"
        )
    with st.expander(f"All rows: {what}", icon=":material/table_rows:"):
        st.dataframe(list(rows), hide_index=True, alt=f"Every figure, {what}")


@st.cache_data(max_entries=1, show_spinner="Estimating what was published")
def _training_rows() -> tuple[Held, ...]:
    return (*held_runs(), *held_steps())


@st.cache_data(max_entries=1, show_spinner="Estimating what was published")
def _serving_rows() -> tuple[Held, ...]:
    return held_serving()


@st.cache_data(max_entries=8, ttl=timedelta(hours=1), show_spinner="Estimating what was measured")
def _own_check(ids: tuple[str, ...], _records: list[MeasurementRecord], _runs: list[RunRecord]) -> CalibrationCheck:
    """ids: of records and of runs that are done: they never change."""
    models = {one.model_id for one in _records} | {one.model_id for one in _runs}
    return predicted_against_measured(_records, shapes=_shapes(models), runs=_runs)


def _shapes(model_ids: set[str]) -> dict[str, ModelShape]:
    """Of those that are still in the catalogue."""
    found = {}
    for model_id in model_ids:
        try:
            found[model_id] = shape_from_card(catalogue.get(model_id))
        except GroundworkError:
            continue
    return found

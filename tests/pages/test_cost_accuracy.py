"""How sure: what is drawn of published and of measured figures, and what is said when nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.estimate.accuracy import Held, held_runs, held_serving
from core.estimate.calibration_check import predicted_against_measured
from core.estimate.ranges import Range
from core.estimate.shape_by_hand import shape_by_hand
from core.store.database import Database
from core.store.measurements import MeasurementRepository
from exports.cells import csv_bytes
from pages.widgets import cost_accuracy_charts as charts
from tests.measurements import NEW, record

SCRIPT = "from pages.widgets import cost_accuracy\ncost_accuracy.draw()"
MODEL = "smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def clean_caches() -> Iterator[None]:
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def page() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def held(ratio: float, **changes: object) -> Held:
    """A published 10, estimated as so many times as much."""
    row = Held(
        kind="serving", name="a row", where="1 × GPU", measure="throughput", unit="tokens/s", place=4, published=10.0,
        estimated=Range.around(10 * ratio, 1.2), left_out=None, rule=None, source="a paper",
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


def test_published_figures_are_drawn_with_a_finding_errors_and_their_rows(home: Path) -> None:
    at = page()
    assert not at.exception
    assert [one.value for one in at.subheader] == [
        "Published training runs",
        "Published serving figures",
        "Measured on this machine",
    ]
    assert len(at.get("plotly_chart")) == 2
    assert any("median error" in one.value for one in at.markdown)
    assert [one.label for one in at.get("download_button")] == ["CSV, 80 rows", "CSV, 154 rows"]


def test_with_nothing_measured_it_says_what_to_do_first(home: Path) -> None:
    at = page()
    assert any("Nothing was measured here yet" in one.value for one in at.markdown)
    assert "Measure a model" in [one.value for one in at.caption]


def test_measured_cells_are_drawn_with_and_without_calibration(home: Path, db: Database) -> None:
    repository = MeasurementRepository(db)
    for tokens in (64, 256, 512):
        repository.add(replace(NEW, model_id=MODEL, prompt_tokens=tokens))
    repository.add(replace(NEW, model_id="gone"))
    at = page()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 3
    assert any("half of the 6 measured figures" in one.value for one in at.markdown)
    assert [one.label for one in at.expander if one.label.startswith("Left out")] == ["Left out: 1"]


def test_measurements_of_an_unknown_model_alone_draw_nothing_and_say_so(home: Path, db: Database) -> None:
    MeasurementRepository(db).add(replace(NEW, model_id="gone"))
    at = page()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 2
    assert at.info[0].value.startswith("What was measured here cannot be estimated")


def test_a_point_stands_at_estimated_over_published_with_its_range() -> None:
    figure = charts.serving_figure([held(1.5)])
    [trace] = [one for one in figure.data if one.x]
    assert trace.y[0] == pytest.approx(1.5)
    assert trace.error_y.array[0] == pytest.approx(1.5 * 0.2)
    assert "+50%" in trace.hovertext[0]
    assert "a paper" in trace.hovertext[0]


def test_what_is_beyond_the_axis_stands_at_its_edge_and_is_told() -> None:
    [trace] = [one for one in charts.serving_figure([held(30.0), held(0.01)]).data if one.x]
    assert list(trace.y) == [4.0, 0.25]
    assert "+2900%" in trace.hovertext[0]


def test_points_of_one_place_stand_beside_each_other() -> None:
    [trace] = [one for one in charts.serving_figure([held(1.0)] * 3).data if one.x]
    assert len(set(trace.x)) == 3
    assert all(abs(x / 4 - 1) < 0.35 for x in trace.x)


def test_training_shows_the_estimate_the_left_out_fit_and_the_rule() -> None:
    figure = charts.training_figure(held_runs())
    assert [one.name for one in figure.data] == ["6ND at 40%", "fitted without it", "estimate"]
    assert {len(one.x) for one in figure.data} == {62}


def test_own_figures_keep_default_and_calibrated_apart() -> None:
    shape = shape_by_hand(layers=30, hidden=576, heads=9, vocabulary=49_152, tied=True)
    cells = [record(id=letter * 32, prompt_tokens=tokens) for letter, tokens in (("a", 64), ("b", 256))]
    check = predicted_against_measured(cells, shapes={MODEL: shape})
    names = [one.name for one in charts.own_figure(check).data]
    assert names == [
        "decode, published efficiencies",
        "decode, calibrated",
        "prefill, published efficiencies",
        "prefill, calibrated",
    ]
    rows = charts.own_rows(check)
    assert {row["id"] for row in rows} == {"a" * 32, "b" * 32}
    assert csv_bytes(tuple(rows[0]), [tuple(row.values()) for row in rows])


def test_a_cell_without_others_has_no_calibrated_figure_and_the_same_columns() -> None:
    shape = shape_by_hand(layers=30, hidden=576, heads=9, vocabulary=49_152, tied=True)
    check = predicted_against_measured([record()], shapes={MODEL: shape})
    assert not [one for one in charts.own_figure(check).data if "calibrated" in one.name]
    assert all(row["calibrated_expected"] is None for row in charts.own_rows(check))


def test_rows_hold_what_the_points_say() -> None:
    rows = charts.held_rows(held_serving())
    assert all(row["error"] == pytest.approx(row["estimated_expected"] / row["published"] - 1) for row in rows)
    assert all(row["source"] for row in rows)


def test_what_is_beyond_the_axis_is_an_arrow_and_explained() -> None:
    figure = charts.serving_figure([held(30.0), held(0.01), held(1.0)])
    [trace] = [one for one in figure.data if one.x]
    assert list(trace.marker.symbol) == ["circle", "triangle-up", "triangle-down"]
    assert "beyond the axis" in figure.layout.title.subtitle.text
    assert "beyond the axis" not in charts.serving_figure([held(1.0)]).layout.title.subtitle.text


def test_cells_of_one_prompt_length_stay_in_a_narrow_band_and_it_is_said() -> None:
    shape = shape_by_hand(layers=30, hidden=576, heads=9, vocabulary=49_152, tied=True)
    cells = [record(id=letter * 32, prompt_tokens=128) for letter in "abcdefghijkl"]
    figure = charts.own_figure(predicted_against_measured(cells, shapes={MODEL: shape}))
    places = [x for trace in figure.data for x in trace.x]
    low, high = figure.layout.xaxis.range
    assert math.log10(max(places) / min(places)) < 0.06 * (high - low)
    assert list(figure.layout.xaxis.tickvals) == [128]
    assert "the same length" in figure.layout.title.subtitle.text


def test_the_errors_tables_count_their_figures_in_a_column_of_their_own(home: Path) -> None:
    table = page().dataframe[0].value
    assert list(table["Held against"])[:4] == ["reference runs"] * 3 + ["further runs"]
    assert table["Figures"][0] > 5

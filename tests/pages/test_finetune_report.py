"""Pictures and words of an evaluation, and runs side by side: what stands in them, and that others' text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from core.store.training_points import TrainingPoint
from core.training.compare import ComparedRun, compare
from pages.widgets import finetune_report_charts as charts
from pages.widgets.finetune_compare import distinct
from pages.widgets.finetune_compare_charts import losses_figure, metric_figure
from pages.widgets.finetune_report_descent import step_rows, surface_figure
from pages.widgets.finetune_report_examples import png
from tests.exports.trainings import AT, CLASSIFIED, LABELS, PNG, POINTS, PREDICTED, SPOKEN, TAG
from tests.pages import finetunes

COMPARE = """
import streamlit as st
from pages.services import services
from pages.widgets import finetune_compare
finetune_compare.draw(services(), [one for one in st.query_params.get("compare", "").split(",") if one])
"""
DESCENT = {
    "kind": "weights",
    "x": {"name": "weight of <b>", "values": [0.0, 1.0]},
    "y": {"name": "bias", "values": [0.0, 1.0]},
    "mse": [[1.0, 0.5], [0.7, 0.0]],
    "path": [{"step": 0, "x": 0.1, "y": 0.1, "mse": 0.9}, {"step": 1, "x": 0.5, "y": 0.5, "mse": 0.4}],
    "kept": {"x": 0.5, "y": 0.5, "mse": 0.4},
    "least_squares": {"x": 9.0, "y": 0.9, "mse": 0.1},
    "names": ["weight of <b>", "bias"],
    "steps": [{"step": 0, "mse": 0.9, "weights": [0.1, 0.1], "gradient": [-1.0, 0.5], "gradient_norm": 1.118}],
    "parameters": 2,
}


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def compared(*ids: str) -> AppTest:
    at = AppTest.from_string(COMPARE, default_timeout=60)
    at.query_params["compare"] = ",".join(ids)
    return at.run()


def test_the_headline_figure_stands_beside_the_baseline_with_its_interval() -> None:
    report = CLASSIFIED.report
    assert report is not None
    figure = charts.headline_figure(report)
    assert figure is not None
    metric = report.metric(report.headline)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [tuple(line.x) for line in lines] == [(metric.low, metric.high)]
    dots = [trace.x[0] for trace in figure.data if trace.mode == "markers"]
    assert dots == [metric.value, metric.baseline]


def test_a_confusion_matrix_has_counts_in_cells_and_shares_as_colours() -> None:
    figure = charts.confusion_figure(LABELS, ((3, 1, 0, 0), (0, 4, 0, 0), (0, 0, 0, 0), (1, 1, 1, 1)))
    cells, numbers = figure.data
    assert cells.z[0] == (0.75, 0.25, 0, 0) or list(cells.z[0]) == [0.75, 0.25, 0, 0]
    assert numbers.text[:2] == ("3", "1")
    assert numbers.textfont.color[0] != numbers.textfont.color[1]  # on a strong cell and on a pale one
    assert max(cells.z[2]) == 0  # a class without test rows
    assert "<script>" not in figure.to_json()
    assert len(set(cells.x)) == len(LABELS)


def test_labels_that_are_cut_to_the_same_stay_two() -> None:
    long = "a label that is far too long to be shown whole"
    cells, _ = charts.confusion_figure((f"{long} 1", f"{long} 2"), ((1, 0), (0, 1))).data
    assert len(set(cells.y)) == 2


def test_every_report_has_its_pictures() -> None:
    names = {
        run.report.kind: [name for name, _ in charts.pictures(run.report)]
        for run in (CLASSIFIED, PREDICTED, SPOKEN)
        if run.report is not None
    }
    assert names["classification"] == ["confusion", "roc", "pr", "calibration"]
    assert names["regression"] == ["predicted", "residuals"]
    assert names["language"] == []


def test_subgroups_that_lie_apart_have_another_colour() -> None:
    report = CLASSIFIED.report
    assert report is not None
    figure = charts.groups_figure(report.groups, report.metric(report.headline))
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert len(dots) == len(report.groups)
    apart = [
        one.gap_low is not None and one.gap_high is not None and not one.gap_low <= 0 <= one.gap_high
        for one in report.groups
    ]
    colours = {dot.marker.color for dot, is_apart in zip(dots, apart, strict=True) if is_apart}
    others = {dot.marker.color for dot, is_apart in zip(dots, apart, strict=True) if not is_apart}
    assert not colours & others
    assert TAG not in figure.to_json()


def test_the_surface_shows_the_path_and_leaves_out_what_lies_outside() -> None:
    figure = surface_figure(DESCENT)
    assert [trace.type for trace in figure.data] == ["contour", "scatter", "scatter"]
    assert list(figure.layout.xaxis.range) == [0.0, 1.0]
    assert "<b>" not in figure.layout.xaxis.title.text


def test_steps_of_the_descent_have_a_slope_for_each_parameter() -> None:
    [row] = step_rows(DESCENT["names"], DESCENT["steps"])  # type: ignore[arg-type]
    assert row["slope of bias"] == 0.5
    assert list(row)[:3] == ["Step", "MSE", "Gradient, length"]


@pytest.mark.parametrize("text", ["", None, "no base64!", "aGVsbG8="])
def test_what_is_no_picture_is_not_shown(text: object) -> None:
    assert png(text) is None
    assert png(PNG) is not None


def test_runs_side_by_side_show_what_differs_and_who_is_better(db: Database) -> None:
    assert CLASSIFIED.report is not None
    one = finetunes.done(db, CLASSIFIED.report, title="Slow", training={"learning_rate": 1e-5})
    other = finetunes.done(db, CLASSIFIED.report, title="Fast", training={"learning_rate": 1e-3})
    at = compared(one.id, other.id)
    assert not at.exception
    assert not at.error
    settings = next(table.value for table in at.dataframe if "Setting" in table.value)
    assert list(settings["Setting"]) == ["Learning rate (training.learning_rate)"]
    assert list(settings["Fast"]) == ["0.001"]
    next(toggle for toggle in at.toggle if toggle.label == "Only what differs").set_value(False).run()
    assert not at.exception
    assert len(next(table.value for table in at.dataframe if "Setting" in table.value)) > 20


@pytest.mark.parametrize("ids", [(), ("nonsense",), ("nonsense", "more")])
def test_runs_that_are_gone_leave_the_choice(home: Path, ids: tuple[str, ...]) -> None:
    at = compared(*ids)
    assert not at.exception
    assert "Choose two runs" in at.info[0].value


def test_losses_of_runs_are_named_where_they_end() -> None:
    figure = losses_figure([TAG, "b"], [POINTS, ()], [350, None])
    assert len(figure.data) == 2  # the line and its ring; the run without points has none
    assert "<script>" not in figure.to_json()


def test_a_run_whose_loss_ran_away_is_named_at_its_last_number() -> None:
    values = [2.0, 1.0, None]
    points = [TrainingPoint("a", at, at, "eval", {"loss": loss}, AT) for at, loss in enumerate(values, 1)]
    [note] = losses_figure(["a"], [points], [None]).layout.annotations
    assert (note.x, note.text) == (2, "a <b>1.000</b>")


def test_one_figure_of_all_runs_names_those_without_it() -> None:
    assert CLASSIFIED.report is not None
    runs = [ComparedRun("a", "a", {}, CLASSIFIED.report.to_json()), ComparedRun("b", "b", {})]
    figure = metric_figure(compare(runs).metrics[0], ["a", "b"])
    assert any("has none" in note.text for note in figure.layout.annotations)


def test_columns_of_runs_with_one_title_are_told_apart() -> None:
    assert distinct(["Tickets", "Tickets", " Tickets "]) == ["Tickets", "Tickets (2)", "Tickets (3)"]

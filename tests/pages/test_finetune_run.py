"""The view of one fine-tune without a browser: every state of a run is drawn, and no fault ends in a traceback."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.training_points import TrainingPoint
from core.training import queue
from core.training.evaluation.comparing import figure
from core.training.run_folder import RunFolder
from pages.widgets import finetune_watch_charts
from pages.widgets.finetune_after_files import run_facts
from pages.widgets.finetune_run_facts import facts, took
from pages.widgets.finetune_watch import about, to_go
from pages.widgets.finetune_watch_charts import MOST_POINTS, brief, loss_table, series, small_table
from tests.exports.trainings import AT, CLASSIFIED, FORMULA, POINTS, PREDICTED, SPOKEN, TAG
from tests.pages import finetunes

pytestmark = pytest.mark.slow  # whole pages

SCRIPT = """
import streamlit as st
from pages.services import services
from pages.widgets import finetune_run
finetune_run.draw(services(), st.query_params["run"])
"""


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def view(job_id: str) -> AppTest:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.query_params["run"] = job_id
    return at.run()


def words(at: AppTest) -> str:
    return " ".join(str(one.value) for one in (*at.markdown, *at.caption, *at.warning, *at.error)).replace("\\", "")


@pytest.mark.parametrize("job_id", ["nonsense", "", "0" * 32])
def test_a_run_that_is_not_there_is_told_with_a_way_back(home: Path, job_id: str) -> None:
    at = view(job_id)
    assert not at.exception
    assert "There is no run" in at.error[0].value
    assert any(button.label == "All runs" for button in at.button)


def test_a_job_of_another_kind_is_no_run(db: Database) -> None:
    job, _ = JobRepository(db).create("export", "Prepare a model", {})
    at = view(job.id)
    assert not at.exception
    assert "no fine-tune" in words(at)


def test_a_running_one_shows_its_figures_curves_and_two_ways_to_end_it(db: Database) -> None:
    at = view(finetunes.running(db).id)
    assert not at.exception
    tiles = {tile.label: tile.value for tile in at.metric}
    assert tiles["Training loss"] == "1.000"
    assert tiles["Memory"] == "1.2 GB"
    assert "about 75 s to go" in at.get("progress")[0].proto.text.replace("\\", "")
    assert len(at.get("vega_lite_chart")) == 5  # loss, the measure, learning rate, gradient, speed
    assert {"Stop and keep the best", "Cancel this run"} <= {button.label for button in at.button}


def test_stop_and_keep_is_asked_for_once(db: Database) -> None:
    job = finetunes.running(db)
    at = view(job.id)
    next(button for button in at.button if button.label == "Stop and keep the best").click().run()
    assert JobRepository(db).get(job.id).stop_requested
    stopping = next(button for button in at.button if button.label == "Stopping…")
    assert stopping.disabled


def test_a_waiting_one_says_what_is_before_it(db: Database) -> None:
    finetunes.running(db)
    jobs = JobRepository(db)
    name = queue.queue_name("cpu")
    jobs.create(queue.KIND, "First", {"config": finetunes.values("classification")}, queue=name)
    job, _ = jobs.create(queue.KIND, "Second", {"config": finetunes.values("classification")}, queue=name)
    at = view(job.id)
    assert not at.exception
    assert "2 runs before it" in at.get("progress")[0].proto.text  # the one that runs, and the first
    assert not any(button.label == "Stop and keep the best" for button in at.button)
    assert not at.metric
    assert not at.get("vega_lite_chart")
    assert "when it runs" in words(at)
    assert any("recipe: classification" in code.value for code in at.code)


def test_answers_over_time_can_be_chosen_by_prompt_and_step(db: Database) -> None:
    at = view(finetunes.running(db, "causal", model="smollm2-135m-instruct").id)
    assert not at.exception
    assert [text.value for text in at.text] == [f"Answer at {step}" for step in (100, 80, 60, 40, 20)]
    next(box for box in at.selectbox if box.label == "Step").set_value("40").run()
    assert [text.value for text in at.text] == ["Answer at 40"]


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        ("failed", "The disk is full. The last checkpoint is whole.", "The disk is full"),
        ("cancelled", None, "It was cancelled"),
        ("interrupted", None, "ended without a word"),
    ],
)
def test_one_that_ended_badly_says_why_what_was_saved_and_how_to_go_on(
    db: Database, state: str, error: str | None, said: str
) -> None:
    job = finetunes.running(db)
    JobRepository(db).finish(job.id, state, error=error)  # type: ignore[arg-type]
    at = view(job.id)
    assert not at.exception
    assert said in words(at)
    assert "No checkpoint was saved" in words(at)
    assert {"Resume", "Start anew with changes", "Delete this run"} <= {button.label for button in at.button}


def test_a_loss_that_ran_away_leads_to_a_new_start_and_is_drawn(db: Database) -> None:
    job = finetunes.running(db)
    JobRepository(db).finish(job.id, "failed", error="The loss is no number any more at step 101: it ran away.")
    at = view(job.id)
    assert not at.exception
    looks = {button.label: button.proto.type for button in at.button}
    assert (looks["Start anew with changes"], looks["Resume"]) == ("primary", "secondary")
    assert at.get("vega_lite_chart")


@pytest.mark.parametrize(
    ("attempts", "seconds", "told"), [(1, None, "took 3 min"), (2, 90.0, "in 2 attempts"), (2, None, "at most")]
)
def test_how_long_it_took_is_told(db: Database, attempts: int, seconds: float | None, told: str) -> None:
    assert CLASSIFIED.report is not None
    job = finetunes.done(db, CLASSIFIED.report)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    times = {"created_at": began, "process_started_at": began, "finished_at": began + timedelta(minutes=3)}
    result = (job.result or {}) | ({} if seconds is None else {"seconds": seconds})
    ended = replace(job, attempts=attempts, result=result, **times)
    assert told in took(ended)
    assert took(ended) in facts(ended)
    assert run_facts(ended).attempts == attempts


@pytest.mark.parametrize(
    ("figures", "began", "known"),
    [
        ({"step": 2, "steps": 100, "eta_s": 98.0}, 0, False),  # 2 s have passed
        ({"step": 5, "steps": 100, "eta_s": 95.0}, 0, True),
        ({"step": 2, "steps": 100, "eta_s": 980.0}, 0, True),  # 20 s have passed
        ({"step": 52, "steps": 100, "eta_s": 48.0}, 50, False),  # taken up again behind step 50
        ({"step": 0, "steps": 100, "eta_s": None}, 0, False),
    ],
)
def test_the_time_left_is_told_when_some_steps_were_taken(
    db: Database, figures: dict[str, float | None], began: int, known: bool
) -> None:
    job = replace(finetunes.running(db), metrics=figures)
    assert to_go(job, began) == (figures["eta_s"] if known else None)


@pytest.mark.parametrize("run", [CLASSIFIED, SPOKEN, PREDICTED], ids=["classification", "language", "regression"])
def test_one_that_is_done_shows_its_worth_first(db: Database, run: object) -> None:
    recipe = {"classification": "classification", "language": "causal", "regression": "regression"}
    report = run.report  # type: ignore[attr-defined]
    at = view(finetunes.done(db, report, recipe[report.kind]).id)
    assert not at.exception
    assert not at.error
    headline = next(one.value for one in at.markdown if one.value.startswith("#### ")).replace("\\", "")
    assert report.metric(report.headline).title in headline
    assert "<script>" not in "".join(one.value for one in at.markdown)


def test_settings_and_the_command_that_repeats_them_are_shown(db: Database) -> None:
    at = view(finetunes.done(db, CLASSIFIED.report).id)  # type: ignore[arg-type]
    assert any("recipe: classification" in code.value for code in at.code)
    assert any(code.value.startswith("python -m core finetune") for code in at.code)


def test_a_damaged_report_is_told_and_nothing_else_is_lost(db: Database) -> None:
    job = finetunes.done(db, CLASSIFIED.report)  # type: ignore[arg-type]
    (RunFolder(job.id).path / "report.json").write_text("{", encoding="utf-8")
    at = view(job.id)
    assert not at.exception
    assert "damaged" in words(at)
    assert at.get("vega_lite_chart")


def test_deleting_asks_first_and_leads_back(db: Database) -> None:
    job = finetunes.done(db, CLASSIFIED.report)  # type: ignore[arg-type]
    at = view(job.id)
    next(button for button in at.button if button.label == "Delete this run").click().run()
    assert JobRepository(db).list(kind=queue.KIND) == []
    assert not RunFolder(job.id).path.exists()


def test_a_title_with_markup_stays_text(db: Database) -> None:
    at = view(finetunes.done(db, CLASSIFIED.report, title=f"{TAG} $x$ {FORMULA}").id)  # type: ignore[arg-type]
    assert not at.exception
    assert at.title[0].value.startswith("\\<script\\>")
    assert "\\$x\\$" in at.title[0].value


def test_curves_take_few_points_and_keep_ends_and_means() -> None:
    many = [point for place in range(50) for point in POINTS]
    found = series(many, "train", "loss")
    assert len(found.x) <= MOST_POINTS
    assert all(low <= mean <= high for low, mean, high in zip(found.low, found.y, found.high, strict=True))
    assert found.x[-1] == max(point.step for point in POINTS)


def test_a_loss_that_is_no_number_is_a_gap_and_the_label_says_so() -> None:
    values = [4.0, None, 2.0, float("nan")]
    points = [TrainingPoint("a", at, at, "train", {"loss": loss}, AT) for at, loss in enumerate(values, 1)]
    table = loss_table(points, 4, None)
    assert [math.isfinite(value) for value in table["value"]] == [True, False, True, False]
    [named] = table[table["label"] != ""].to_dict("records")
    assert (named["step"], named["label"]) == (3, "training 2.000 (then not a number)")


def test_a_figure_that_stays_has_an_axis_with_room() -> None:
    points = [TrainingPoint("a", at, at, "train", {"learning_rate": 0.5}, AT) for at in (1, 2)]
    table = small_table(points, "train", "learning_rate", 2)
    edges = table[table["place"] == finetune_watch_charts.EDGE]["value"]
    assert edges.min() < 0.5 < edges.max()


def test_huge_figures_are_powers_of_ten() -> None:
    assert (brief(2e18), brief(-3.456e20), figure(2e18)) == ("2e18", "−3.46e20", "2e18")


def test_the_kept_checkpoint_is_marked_and_both_lines_are_named() -> None:
    table = loss_table(POINTS, 500, 350)
    [best] = table[table["best"]].to_dict("records")
    assert (best["step"], best["series"]) == (350, "evaluation")
    named = table[table["label"] != ""]
    assert sorted(named["series"]) == ["evaluation", "training"]
    assert sorted(place.split()[1] for place in named["place"]) == ["above", "below"]


def test_no_figures_yet_is_an_empty_table_with_all_columns() -> None:
    table = loss_table([], 0, None)
    assert list(table.columns) == list(finetune_watch_charts.COLUMNS)
    assert table.empty


@pytest.mark.parametrize(("seconds", "told"), [(1, "5 s"), (37, "35 s"), (250, "4 min"), (9_000, "2.5 hours")])
def test_what_is_to_go_is_told_as_exactly_as_it_is_known(seconds: float, told: str) -> None:
    assert about(seconds) == told


def test_drawing_a_run_needs_no_torch() -> None:
    script = "import sys\nfrom pages.widgets import finetune_run, finetune_compare\nprint('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip().endswith("False")

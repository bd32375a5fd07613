from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from core.training.evaluation.report import Answer
from exports.svg_confusion import confusion
from exports.svg_descent import descent_picture
from exports.svg_plot import HEIGHT, WIDTH, Axis, Line, plot, spanning, tick_word, ticks
from exports.training_html import training_html
from exports.training_pictures import picture
from tests.exports.test_estimate_html import VOID, Page
from tests.exports.trainings import AT, BARE, CLASSIFIED, EVERY, PNG, PREDICTED, SPOKEN, TAG, descent

VOID |= {"circle", "path"}


@pytest.fixture(params=EVERY, scope="module")
def page(request: pytest.FixtureRequest) -> Page:
    return Page(training_html(EVERY[request.param], at=AT))


def test_nothing_is_loaded_and_nothing_runs(page: Page) -> None:
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    assert not [one for _, one in page.tags for key in one if key.startswith("on")]
    assert all((one["src"] or "").startswith("data:image/png;base64,") for one in page.all("img"))
    [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in (policy or "")


def test_what_a_user_wrote_is_shown_and_not_run(page: Page) -> None:
    assert TAG in page.words


def test_every_drawing_has_words(page: Page) -> None:
    assert all(one["role"] == "img" and one["aria-label"] for one in page.all("svg"))


def test_the_configuration_can_be_run_again(page: Page) -> None:
    assert yaml.safe_load(page.pre)["data"]["path"] == f"/data/{TAG}.csv"


def drawings(run: Any) -> list[str]:
    return [str(one["aria-label"]).split(":")[0] for one in Page(training_html(run)).all("svg")]


def test_a_classifier_is_drawn() -> None:
    titles = drawings(CLASSIFIED)
    for title in ("Confusion matrix of 4 classes", "ROC curves", "Precision and recall", "F1 (macro) by subgroup"):
        assert title in titles
    assert any(title.startswith("Calibration of the likeliest class") for title in titles)
    page = Page(training_html(CLASSIFIED))
    assert len(page.all("img")) == 25 + 20
    for words in ("Macro", "Micro", "Weighted", "95 % interval", "more than chance explains", "Rows that stand twice"):
        assert words in page.words


def test_a_training_is_drawn_from_its_points() -> None:
    titles = drawings(SPOKEN)
    assert "Loss by step" in titles
    for title in ("Learning rate by step", "Norm of the gradient by step", "F1, validation rows by step"):
        assert any(one.startswith(title) for one in titles)


def test_answers_stand_beside_each_other() -> None:
    words = Page(training_html(SPOKEN)).words
    assert words.index("I do not know.") < words.index("On its way!")


def test_a_regression_is_drawn_with_its_descent() -> None:
    assert any(title.startswith("Predicted against actual") for title in drawings(PREDICTED))
    assert any(title.startswith("Mean squared error over weight of") for title in drawings(PREDICTED))
    assert "The descent, step by step" in Page(training_html(PREDICTED)).words


def test_a_run_without_anything_is_a_page_all_the_same() -> None:
    words = Page(training_html(BARE)).words
    assert "This run has no evaluation yet." in words
    assert "Classify images" in words


def test_half_a_surrogate_pair_does_not_stop_the_page() -> None:
    assert CLASSIFIED.report is not None
    odd = replace(CLASSIFIED, report=replace(CLASSIFIED.report, answers=(Answer("\ud83d", "\x00", ""),)))
    assert b"<h3>?</h3>" in training_html(odd)


@pytest.mark.parametrize("png", ["", "x", "PHNjcmlwdD4=", '"><script>', None, 5])
def test_what_is_no_png_is_not_shown(png: Any) -> None:
    assert picture(png, "x") == ""
    assert picture(PNG, "x").startswith("<img")


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [-1e-9, 1e9], [float("nan"), 1.0], [1e300, -1e300]])
def test_any_numbers_can_be_drawn_and_stay_inside(values: list[float]) -> None:
    axis = spanning("x", values)
    line = Line("x", list(range(len(values))), values, dots=True)
    for one in Page(plot("words", [line], spanning("step", line.x), axis).encode()).all("circle"):
        assert 0 <= float(one["cx"] or "") <= WIDTH
        assert 0 <= float(one["cy"] or "") <= HEIGHT


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-3, 7, [-2, 0, 2, 4, 6]), (5, 5, [5])]
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(Axis("", low, high)) == pytest.approx(expected)


def test_ticks_are_short() -> None:
    assert [tick_word(one) for one in (0, 0.25, -2, 25_000, 3e-5, 2e7)] == ["0", "0.25", "−2", "25k", "3e−5", "2e7"]


def test_the_confusion_is_shaded_by_the_share_of_the_true_class() -> None:
    rects = Page(confusion(["a", "b"], [[1, 3], [0, 10]]).encode()).all("rect")
    assert [one["fill-opacity"] for one in rects if one["class"] == "heat"] == ["0.29", "0.76", "1.00"]


def test_too_many_classes_are_not_drawn() -> None:
    assert confusion([str(one) for one in range(61)], [[1] * 61] * 61) == ""


@pytest.mark.parametrize("spoilt", [{"mse": [[1.0]]}, {"x": None}, {"path": [{"step": 1}]}, {"kept": {}}])
def test_a_descent_that_is_none_is_not_drawn(spoilt: dict[str, Any]) -> None:
    assert descent_picture(descent())
    assert descent_picture(descent() | spoilt) == ""

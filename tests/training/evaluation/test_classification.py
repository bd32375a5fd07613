from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.training.evaluation.classification import classification_report
from core.training.evaluation.report import EvaluationReport, from_json

LABELS = ("a", "b", "c")


def judged(rows: int = 300, skill: float = 2.0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    truth = random.integers(0, classes, rows)
    powers = np.exp(random.normal(size=(rows, classes)) + skill * np.eye(classes)[truth])
    return powers / powers.sum(axis=1, keepdims=True), truth


def report(
    probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...] = LABELS, **more: Any
) -> EvaluationReport:
    rows = range(1, len(truth) + 1)
    return classification_report(probabilities, truth, labels, rows=rows, texts=[f"text {row}" for row in rows], **more)


def test_the_confusion_has_the_truth_down_and_what_was_said_across() -> None:
    found = report(np.eye(3)[[0, 0, 1, 2, 2]], np.array([0, 1, 1, 2, 1]))
    assert found.confusion == ((1, 0, 0), (1, 1, 1), (0, 0, 1))
    assert [(row.support, row.predicted) for row in found.classes] == [(1, 2), (3, 1), (1, 2)]
    assert found.classes[1].recall == pytest.approx(1 / 3)
    assert found.classes[1].precision == 1


def test_a_report_survives_json_and_holds_no_infinity() -> None:
    probabilities, truth = judged()
    groups = ["x" if place % 3 else "y" for place in range(300)]
    found = report(probabilities, truth, groups=groups, baseline=judged(skill=1)[0], baseline_words="a simple model")
    assert from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_the_same_seed_gives_the_same_intervals() -> None:
    probabilities, truth = judged()
    assert report(probabilities, truth, seed=4) == report(probabilities, truth, seed=4)
    assert report(probabilities, truth, seed=4).metrics != report(probabilities, truth, seed=5).metrics


def test_intervals_hold_their_figures() -> None:
    for metric in report(*judged()).metrics:
        if metric.name == "ece":
            assert (metric.low, metric.high) == (None, None)
        else:
            assert metric.low is not None
            assert metric.high is not None
            assert metric.low < metric.value < metric.high, metric.name


def test_a_clear_win_over_the_baseline_is_called_one() -> None:
    probabilities, truth = judged()
    found = report(probabilities, truth, baseline=np.full((300, 3), 1 / 3), before=judged(skill=0)[0])
    headline = found.metric("f1_macro")
    assert headline.baseline is not None
    assert headline.gap_low is not None
    assert 0 < headline.gap_low < headline.value - headline.baseline
    assert "better by" in found.notes[0]
    assert "more than chance explains" in found.notes[0]
    assert "the model before training" in found.notes[1]


def test_a_model_is_not_told_apart_from_itself() -> None:
    probabilities, truth = judged()
    found = report(probabilities, truth, baseline=probabilities)
    assert (found.metric("f1_macro").gap_low, found.metric("f1_macro").gap_high) == (0, 0)
    assert "cannot tell the two apart" in found.notes[0]


def test_a_worse_model_is_called_worse() -> None:
    probabilities, truth = judged(skill=0.5)
    assert "worse by" in report(probabilities, truth, baseline=judged(skill=3)[0]).notes[0]


def test_pairs_make_the_interval_of_a_difference_narrower() -> None:
    probabilities, truth = judged()
    other = probabilities.copy()
    other[:10] = 1 / 3
    metric = report(probabilities, truth, baseline=other).metric("log_loss")
    assert metric.low is not None
    assert metric.high is not None
    assert metric.gap_low is not None
    assert metric.gap_high is not None
    assert metric.gap_high - metric.gap_low < (metric.high - metric.low) / 2


def test_a_class_without_test_rows_is_named_and_drawn_nowhere() -> None:
    probabilities, truth = judged()
    kept = truth != 2
    found = report(probabilities[kept], truth[kept])
    assert any("No test row has c" in note for note in found.notes)
    assert found.classes[2].roc_auc is None
    assert {curve.label for curve in found.curves if curve.kind == "roc"} == {"a", "b"}


def test_one_row_has_figures_and_no_intervals() -> None:
    found = report(np.array([[0.8, 0.1, 0.1]]), np.array([0]))
    assert found.metric("accuracy").value == 1
    assert found.metric("accuracy").low is None
    assert "roc_auc" not in {metric.name for metric in found.metrics}
    assert len(found.examples) == 1


def test_of_two_classes_the_second_is_ranked() -> None:
    probabilities, truth = judged(classes=2)
    found = report(probabilities, truth, ("no", "yes"))
    assert [curve.label for curve in found.curves] == ["yes", "yes", "likeliest class"]
    assert found.metric("roc_auc").value == pytest.approx(found.classes[1].roc_auc)


def test_examples_are_the_best_and_the_worst_and_none_twice() -> None:
    probabilities, truth = judged()
    found = report(probabilities, truth, images=lambda place: f"image {place}")
    of_truth = probabilities[np.arange(300), truth]
    worst = [one for one in found.examples if not one.best]
    assert [one.row for one in worst] == (np.argsort(of_truth)[:10] + 1).tolist()
    assert [one.row for one in found.examples if one.best] == (np.argsort(-of_truth)[:10] + 1).tolist()
    assert worst[0].image == f"image {worst[0].row - 1}"
    assert worst[0].truth == LABELS[truth[worst[0].row - 1]]


def test_only_the_images_that_are_shown_are_made() -> None:
    asked: list[int] = []
    report(*judged(), images=lambda place: asked.append(place) or "x")
    assert len(asked) == 20


def test_a_group_that_is_served_worse_is_found() -> None:
    probabilities, truth = judged(600)
    probabilities[:200] = judged(200, skill=0)[0]
    groups = ["phone"] * 200 + ["mail", "web"] * 200
    found = report(probabilities, truth, groups=groups)
    by_name = {one.group: one for one in found.groups}
    assert [one.rows for one in found.groups] == [200, 200, 200]
    assert by_name["phone"].gap < -0.2
    assert by_name["phone"].gap_high is not None
    assert by_name["phone"].gap_high < 0
    assert any("phone (200 rows)" in note and "mail" not in note for note in found.notes)


def test_many_groups_and_empty_ones_are_told_together() -> None:
    probabilities, truth = judged()
    names: list[Any] = [f"g{place % 40}" for place in range(300)]
    names[:20] = [None, float("nan"), "", " "] * 5
    found = report(probabilities, truth, groups=names)
    assert len(found.groups) == 20
    assert found.groups[0].group == "(none)"
    assert sum(one.rows for one in found.groups) == 300
    assert "smaller groups" in found.groups[-1].group


def test_one_group_is_no_comparison() -> None:
    assert report(*judged(), groups=["x"] * 300).groups == ()


@pytest.mark.parametrize(
    ("probabilities", "truth", "words"),
    [
        ([[0.5, np.nan, 0.5]], [0], "test row 1"),
        ([[0.5, 0.5, 0.5]], [0], "together 1"),
        ([[-0.5, 0.5, 1.0]], [0], "at least 0"),
        ([[1.0, 0.0]], [0], "3, one a label"),
        ([[1.0, 0.0, 0.0]], [3], "0 to 2"),
        ([[1.0, 0.0, 0.0]], [0, 1], "1, one for each test row"),
        (np.zeros((0, 3)), [], "one row at least"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities: Any, truth: list[int], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        report(np.asarray(probabilities, dtype=float), np.asarray(truth, dtype=int))


@pytest.mark.slow
def test_ten_thousand_rows_are_judged_in_seconds() -> None:
    probabilities, truth = judged(10_000)
    report(probabilities[:50], truth[:50])  # scikit-learn is loaded
    began = time.perf_counter()
    report(probabilities, truth, baseline=judged(10_000, skill=1)[0], groups=truth.tolist())
    assert time.perf_counter() - began < 6  # 2 on a free core

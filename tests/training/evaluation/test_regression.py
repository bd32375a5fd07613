from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.training.evaluation.bootstrap import draws
from core.training.evaluation.regression import MOST_POINTS, Predicted, regression_report
from core.training.evaluation.report import EvaluationReport, from_json


def report(predicted: Any, actual: Any, **more: Any) -> EvaluationReport:
    rows = range(1, len(actual) + 1)
    return regression_report(predicted, actual, rows=rows, shown=[f"row {row}" for row in rows], **more)


def test_figures_worked_out_by_hand() -> None:
    found = report([2.0, 4.0, 9.0], [1.0, 4.0, 7.0], unit="USD")  # off by 1, 0, 2; the target's spread is 18
    assert found.metric("rmse").value == pytest.approx((5 / 3) ** 0.5)
    assert found.metric("mae").value == pytest.approx(1)
    assert found.metric("median_error").value == pytest.approx(1)
    assert found.metric("r2").value == pytest.approx(1 - 5 / 18)
    assert found.metric("rmse").unit == "USD"
    assert found.points == ((1.0, 2.0), (4.0, 4.0), (7.0, 9.0))
    assert found.examples[0].row == 3
    assert found.examples[0].score == 2


def test_the_figures_of_a_draw_are_those_of_its_rows() -> None:
    random = np.random.default_rng(0)
    actual = random.normal(1e6, 3, 51)  # far from 0, so that sums of squares would lose their digits
    model = Predicted(actual + random.normal(0, 1, 51), actual)
    [counts] = draws(51, 20, seed=2)
    drawn = model.counted(counts)
    for place, count in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(51), count)
        exact = Predicted(model.predicted[rows], actual[rows]).figures()
        for name, value in exact.items():
            assert drawn[name][place] == pytest.approx(value, rel=1e-3), name


def test_a_constant_target_has_no_r2_and_says_so() -> None:
    found = report([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert "r2" not in {metric.name for metric in found.metrics}
    assert "no R²" in found.notes[-1]
    assert from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_one_row_has_figures_and_no_intervals() -> None:
    found = report([1.0], [3.0])
    assert found.metric("rmse").value == 2
    assert found.metric("rmse").low is None


def test_less_error_than_the_baseline_is_better() -> None:
    actual = np.random.default_rng(0).normal(0, 10, 200)
    found = report(actual + 1, actual, baseline=np.zeros(200), baseline_words="the mean")
    rmse = found.metric("rmse")
    assert rmse.gap_high is not None
    assert rmse.gap_high < 0
    assert "better by" in found.notes[0]
    assert "worse by" in report(np.zeros(200), actual, baseline=actual + 1).notes[0]


def test_a_group_with_larger_errors_is_found() -> None:
    actual = np.random.default_rng(0).normal(0, 10, 300)
    off = np.r_[np.full(100, 5.0), np.full(200, 1.0)]
    found = report(actual + off * np.tile([1, -1], 150), actual, groups=["far"] * 100 + ["near"] * 200)
    assert {one.group: one.value for one in found.groups} == pytest.approx({"near": 1, "far": 5})
    assert any("far (100 rows)" in note and "near" not in note for note in found.notes)


def test_points_are_bounded() -> None:
    actual = np.arange(5_000.0)
    found = report(actual, actual)
    assert len(found.points) == MOST_POINTS == len(set(found.points))


@pytest.mark.parametrize(
    ("predicted", "words"), [([1.0, np.nan], "row 2"), ([np.inf, 1.0], "row 1"), ([1.0], "2, one")]
)
def test_what_is_no_number_is_refused(predicted: list[float], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        report(predicted, [1.0, 2.0])

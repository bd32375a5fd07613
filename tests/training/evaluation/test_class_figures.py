"""Figures of tiny problems worked out by hand, and the figures of draws beside scikit-learn's of the drawn rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.training.evaluation.bootstrap import draws
from core.training.evaluation.class_figures import Classified, calibration_bins
from core.training.evaluation.ranking import Ranking, ranking_draws, thinned


def sure(said: list[int], classes: int, probability: float = 0.9) -> np.ndarray:
    """[row, class]: `probability` for the class that is said, the rest shared."""
    rest = (1 - probability) / (classes - 1)
    found = np.full((len(said), classes), rest)
    found[np.arange(len(said)), said] = probability
    return found


# true    a a a a b b b c c c
# said    a a a b b b c c c a   confusion: [[3,1,0],[0,2,1],[1,0,2]]
HAND = Classified(sure([0, 0, 0, 1, 1, 1, 2, 2, 2, 0], 3), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]))


def test_a_hand_made_confusion_gives_the_figures_worked_out_by_hand() -> None:
    found = HAND.figures()
    precision, recall = [3 / 4, 2 / 3, 2 / 3], [3 / 4, 2 / 3, 2 / 3]
    assert found["accuracy"] == pytest.approx(0.7)
    assert found["precision_macro"] == pytest.approx(sum(precision) / 3)
    assert found["recall_macro"] == pytest.approx(sum(recall) / 3)
    assert found["f1_macro"] == pytest.approx((3 / 4 + 2 / 3 + 2 / 3) / 3)
    assert found["f1_weighted"] == pytest.approx((4 * 3 / 4 + 3 * 2 / 3 + 3 * 2 / 3) / 10)
    assert found["f1_micro"] == found["precision_micro"] == found["recall_micro"] == pytest.approx(0.7)
    assert found["log_loss"] == pytest.approx(-(7 * math.log(0.9) + 3 * math.log(0.05)) / 10)
    # Right: 0.1² + 2 · 0.05². Wrong: 0.9² + 0.95² + 0.05².
    assert found["brier"] == pytest.approx((7 * 0.015 + 3 * (0.81 + 0.9025 + 0.0025)) / 10)
    assert found["ece"] == pytest.approx(0.9 - 0.7)


def test_a_class_that_is_never_said_has_a_precision_of_zero() -> None:
    found = Classified(sure([0, 0, 0], 2), np.array([0, 0, 1])).figures()
    assert found["precision_macro"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["f1_macro"] == pytest.approx((0.8 + 0) / 2)


def test_a_class_without_rows_does_not_count_in_the_averages() -> None:
    with_it = Classified(sure([0, 1, 1], 3), np.array([0, 1, 0])).figures()
    without = Classified(sure([0, 1, 1], 2), np.array([0, 1, 0])).figures()
    assert with_it["f1_macro"] == pytest.approx(without["f1_macro"])


def test_the_brier_score_of_two_classes_is_the_usual_one() -> None:
    model = Classified(np.array([[0.3, 0.7], [0.6, 0.4]]), np.array([1, 1]))
    assert model.figures()["brier"] == pytest.approx((0.3**2 + 0.6**2) / 2)


def test_a_probability_of_zero_for_the_truth_costs_a_finite_loss() -> None:
    assert 30 < Classified(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 0])).figures()["log_loss"] < 40


@pytest.mark.parametrize("classes", [2, 5])
def test_the_figures_of_a_draw_are_those_of_its_rows(classes: int) -> None:
    random = np.random.default_rng(classes)
    truth = random.integers(0, classes, 60)
    scores = np.round(random.dirichlet(np.ones(classes), 60) + 0.5 * np.eye(classes)[truth], 1)  # with ties
    model = Classified(scores / scores.sum(axis=1, keepdims=True), truth)
    [counts] = draws(60, 20, seed=1)
    drawn = model.counted(counts) | model.ranked(counts)
    for place, count in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(60), count)
        exact = Classified(model.probabilities[rows], truth[rows]).figures()
        for name, value in drawn.items():
            assert value[place] == pytest.approx(exact[name], abs=1e-5), name
        assert model.f1_macro(counts)[place] == pytest.approx(exact["f1_macro"])


@pytest.mark.parametrize(
    ("scores", "area", "precision"),
    [
        ([0.9, 0.8, 0.2, 0.1], 1.0, 1.0),
        ([0.1, 0.2, 0.8, 0.9], 0.0, (1 / 3 + 2 / 4) / 2),
        ([0.9, 0.4, 0.6, 0.1], 0.75, (1 + 2 / 3) / 2),  # one of four pairs the wrong way
        ([0.5, 0.5, 0.5, 0.5], 0.5, 0.5),
    ],
)
def test_known_rankings(scores: list[float], area: float, precision: float) -> None:
    ranking = Ranking(np.array(scores), np.array([True, True, False, False]))
    assert ranking.exact() == pytest.approx((area, precision))
    found = ranking.counted(np.ones((1, 4), dtype=np.float32))
    assert (found[0][0], found[1][0]) == pytest.approx((area, precision))


def test_two_normal_distributions_have_the_area_that_theory_gives() -> None:
    random = np.random.default_rng(0)
    scores = np.r_[random.normal(1.0, 1, 20_000), random.normal(0.0, 1, 20_000)]
    area, _ = Ranking(scores, np.arange(40_000) < 20_000).exact()
    assert area == pytest.approx(0.5 * (1 + math.erf(1 / 2)), abs=0.01)  # Φ(1/√2)


def test_a_draw_with_rows_of_one_kind_has_no_area() -> None:
    found = Ranking(np.array([0.1, 0.9]), np.array([False, True])).counted(np.array([[2, 0]], dtype=np.float32))
    assert np.isnan(found).all()


def test_probabilities_that_come_true_are_calibrated() -> None:
    random = np.random.default_rng(0)
    chance = random.random(30_000)
    model = Classified(np.stack([1 - chance, chance], axis=1), (random.random(30_000) < chance).astype(int))
    assert model.figures()["ece"] < 0.015
    stated, right, number = calibration_bins(model)
    assert number.sum() == 30_000
    assert np.abs(stated - right).max() < 0.05


def test_probabilities_that_say_too_much_are_not() -> None:
    random = np.random.default_rng(0)
    truth = (random.random(10_000) < 0.7).astype(int)
    model = Classified(np.tile([0.05, 0.95], (10_000, 1)), truth)
    assert model.figures()["ece"] == pytest.approx(0.25, abs=0.02)


def test_curves_are_thinned_but_keep_their_ends_and_their_area() -> None:
    random = np.random.default_rng(0)
    has = random.random(20_000) < 0.3
    ranking = Ranking(random.normal(size=20_000) + has, has)
    roc, precision = ranking.curves("x")
    assert len(roc.x) <= 200
    assert len(precision.x) <= 200
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(ranking.exact()[0], abs=0.003)
    assert (precision.x[0], precision.x[-1]) == (1, 0)


def test_a_short_curve_stays_whole() -> None:
    assert thinned(np.arange(5.0), np.zeros(5)).tolist() == [0, 1, 2, 3, 4]


def test_rankings_of_too_many_rows_and_classes_are_not_drawn() -> None:
    assert ranking_draws(1_000, 4) == 1_000
    assert ranking_draws(10_000, 10) == 400
    assert ranking_draws(100_000, 10) == 0
    assert ranking_draws(1, 1) == 0

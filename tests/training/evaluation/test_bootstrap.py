from __future__ import annotations

import math

import numpy as np
import pytest

from core.training.evaluation.bootstrap import Counts, Floats, bounds, draw_count, draws, replicates


def test_each_draw_has_as_many_rows_as_there_are() -> None:
    made = np.concatenate(list(draws(37, 50, seed=3)))
    assert made.shape == (50, 37)
    assert (made.sum(axis=1) == 37).all()
    assert (made == made.round()).all()


def test_a_row_is_left_out_of_a_draw_as_often_as_theory_says() -> None:
    made = np.concatenate(list(draws(400, 500, seed=0)))
    assert (made == 0).mean() == pytest.approx((1 - 1 / 400) ** 400, abs=0.003)


def test_the_first_draws_do_not_depend_on_how_many_follow() -> None:
    few, many = (np.concatenate(list(draws(30_000, count, seed=5))) for count in (33, 66))
    assert (few == many[:33]).all()


def test_the_number_of_draws_is_bounded() -> None:
    assert [draw_count(rows) for rows in (0, 1, 2, 20_000, 40_000, 10_000_000)] == [0, 0, 1_000, 1_000, 500, 200]


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(size=2_000)

    def mean(counts: Counts) -> dict[str, Floats]:
        return {"mean": counts @ values / counts.shape[1]}

    low, high = bounds(replicates(2_000, mean)["mean"])
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(2_000), rel=0.1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(11)
    held = 0
    for trial in range(200):
        hits = (random.random(150) < 0.8).astype(float)

        def share(counts: Counts, hits: Floats = hits) -> dict[str, Floats]:
            return {"share": counts @ hits / counts.shape[1]}

        low, high = bounds(replicates(150, share, seed=trial, count=300)["share"])
        held += low is not None and high is not None and low <= 0.8 <= high
    assert 0.90 <= held / 200 <= 0.99


def test_a_figure_that_most_draws_do_not_have_has_no_interval() -> None:
    assert bounds(np.array([1.0, np.nan, np.nan])) == (None, None)
    assert bounds(np.array([])) == (None, None)
    assert bounds(None) == (None, None)

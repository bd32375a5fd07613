"""The estimator against what others published: the same figures as the benchmark prints, and the issue's bars."""

from __future__ import annotations

import pytest

from core.estimate.accuracy import Held, errors, errors_left_out, errors_of_rule, held_runs, held_serving, held_steps
from core.estimate.ranges import Range


@pytest.fixture(scope="module")
def runs() -> tuple[Held, ...]:
    return held_runs()


def test_the_reference_runs_keep_the_bars(runs: tuple[Held, ...]) -> None:
    first = [row for row in runs if row.kind == "reference run"]
    found = errors(first)
    assert found.count == 12
    assert found.median <= 0.05
    assert found.worst <= 0.15
    assert found.inside is not None
    assert found.inside >= 0.9
    assert max(row.estimated.spread for row in first) <= 1.8
    assert found.median < errors_of_rule(first).median


def test_a_row_by_hand_says_what_the_table_and_the_rule_say(runs: tuple[Held, ...]) -> None:
    [days] = [row for row in runs if row.measure == "days" and row.published == 84 and "384" in row.where]
    assert days.rule == pytest.approx(6 * 174.6e9 * 300e9 / (0.4 * 312e12 * 384 * 86_400), rel=1e-3)
    assert days.source.startswith("arXiv 2104.04473")
    assert days.inside


def test_a_figure_left_out_of_the_fit_is_another_estimate(runs: tuple[Held, ...]) -> None:
    assert any(row.left_out is not None and row.left_out != row.estimated.expected for row in runs)
    assert errors_left_out(runs).count == len(runs)
    assert errors_left_out(runs).inside is None


def test_the_megatron_steps_are_within_ten_per_cent() -> None:
    megatron = [row for row in held_steps() if row.name in ("22B", "175B", "530B", "1T")]
    assert len(megatron) == 4
    assert errors(megatron).worst <= 0.1


def test_serving_rows_are_held_in_their_own_units() -> None:
    rows = held_serving()
    assert len(rows) > 100
    assert {row.unit for row in rows} == {"ms", "tokens/s"}
    assert errors(rows).median < 0.15


def test_nothing_held_is_no_error() -> None:
    assert errors([]).count == 0


def test_an_error_is_estimated_over_published() -> None:
    row = Held(
        kind="step", name="", where="", measure="step", unit="s", place=1, published=2.0,
        estimated=Range(2.1, 3.0, 4.0), left_out=None, rule=None, source="",
    )  # fmt: skip
    assert row.error == 0.5
    assert not row.inside
    assert errors([row]).worst == 0.5

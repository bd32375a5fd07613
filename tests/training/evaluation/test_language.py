from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.training.evaluation.language import language_report
from core.training.evaluation.report import Answer, EvaluationReport, from_json


def report(nats: Any, tokens: Any, **more: Any) -> EvaluationReport:
    rows = range(1, len(tokens) + 1)
    return language_report(nats, tokens, rows=rows, texts=[f"text {row}" for row in rows], **more)


def test_the_loss_is_of_tokens_and_not_of_rows() -> None:
    found = report([2.0, 30.0], [1, 9], text_bytes=[4, 36])
    assert found.metric("loss").value == pytest.approx(3.2)
    assert found.metric("perplexity").value == pytest.approx(math.exp(3.2))
    assert found.metric("bits_per_byte").value == pytest.approx(32 / math.log(2) / 40)


def test_a_uniform_guess_has_the_perplexity_of_its_vocabulary() -> None:
    tokens = np.array([3, 10, 7])
    assert report(tokens * math.log(256), tokens).metric("perplexity").value == pytest.approx(256)


def test_rows_are_drawn_whole() -> None:
    """Rows of one loss each: with tokens drawn one by one, the interval would be much narrower."""
    random = np.random.default_rng(0)
    tokens = np.full(50, 200)
    losses = random.normal(3, 0.5, 50)
    metric = report(tokens * losses, tokens).metric("loss")
    assert metric.low is not None
    assert metric.high is not None
    assert metric.high - metric.low == pytest.approx(2 * 1.96 * losses.std() / 50**0.5, rel=0.15)


def test_before_and_after_are_compared_in_pairs() -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(5, 50, 60)
    hardness = random.normal(3, 0.8, 60)
    found = report(tokens * hardness, tokens, before=tokens * (hardness + 0.2), answers=[Answer("p", "b", "a")])
    loss = found.metric("loss")
    assert loss.gained_high is not None
    assert loss.gained_high == pytest.approx(-0.2)
    assert "the model before training" in found.notes[0]
    assert "better by" in found.notes[0]
    assert from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_examples_are_ranked_by_loss_a_token_and_leave_empty_rows_out() -> None:
    found = report([1.0, 50.0, 0.0, 8.0], [1, 10, 0, 2])
    assert [(one.row, one.best) for one in found.examples] == [(2, False), (4, False), (1, True)]


def test_a_loss_beyond_all_bounds_stays_a_number() -> None:
    found = report([1e9, 1e9], [1, 1])
    assert math.isfinite(found.metric("perplexity").value)


def test_a_group_that_is_read_worse_is_found() -> None:
    tokens = np.full(120, 20)
    nats = tokens * np.r_[np.full(40, 4.0), np.full(80, 2.0)] + np.random.default_rng(0).normal(0, 1, 120)
    found = report(nats, tokens, groups=["de"] * 40 + ["en"] * 80)
    assert any("de (40 rows)" in note and "en (" not in note for note in found.notes)


def test_a_group_without_a_token_is_left_out() -> None:
    found = report([4.0, 3.0, 0.0], [2, 2, 0], groups=["a", "b", "c"])
    assert {one.group for one in found.groups} == {"a", "b"}
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("nats", "tokens", "words"),
    [
        ([1.0, np.nan], [1, 1], "row 2"),
        ([0.0, 0.0], [0, 0], "No test row"),
        ([], [], "no test rows"),
        ([1.0], [1, 2], "1, one"),
    ],
)
def test_what_is_no_loss_is_refused(nats: list[float], tokens: list[int], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        report(nats, tokens)

"""One query of a head: against a computation in plain Python, and what is said when a model does more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.interpret.steps import SAME, QuerySteps, is_root, steps_from

KEYS, LENGTH, POSITION = 7, 8, 4


def head(seed: int = 0) -> dict[str, Any]:
    """Arguments of `steps_from`, as a model in fp32 would give them."""
    random = np.random.default_rng(seed)
    query, keys, values = (
        random.normal(size=size).astype(np.float32) for size in ((LENGTH,), (KEYS, LENGTH), (KEYS, LENGTH))
    )
    allowed = np.arange(KEYS) <= POSITION
    grown = np.where(allowed, np.exp(keys @ query / np.float32(math.sqrt(LENGTH))), 0).astype(np.float32)
    return {
        "query": query, "keys": keys, "values": values, "allowed": allowed, "model_weights": grown / grown.sum(),
        "scaling": LENGTH**-0.5, "pieces": [f" {place}" for place in range(KEYS)], "position": POSITION,
        "layer": 3, "head": 1,
    }  # fmt: skip


def steps(**changes: Any) -> QuerySteps:
    return steps_from(**(head() | changes))


@pytest.mark.parametrize("seed", range(5))
def test_every_step_equals_a_sum_written_out(seed: int) -> None:
    given = head(seed)
    made = steps_from(**given)
    q, k, v = (given[name].astype(float).tolist() for name in ("query", "keys", "values"))
    scores = [sum(a * b for a, b in zip(q, key, strict=True)) for key in k]
    scaled = [score / math.sqrt(LENGTH) for score in scores]
    grown = [math.exp(score) if place <= POSITION else 0.0 for place, score in enumerate(scaled)]
    weights = [one / sum(grown) for one in grown]
    norms = [math.sqrt(sum(one * one for one in value)) for value in v]
    assert made.scores == pytest.approx(scores)
    assert made.scaled == pytest.approx(scaled)
    assert made.masked.tolist()[POSITION + 1 :] == [-math.inf] * (KEYS - POSITION - 1)
    assert made.weights == pytest.approx(weights)
    assert made.weights.sum() == pytest.approx(1)
    assert made.contribution == pytest.approx([weight * norm for weight, norm in zip(weights, norms, strict=True)])
    output = [sum(weights[key] * v[key][place] for key in range(KEYS)) for place in range(LENGTH)]
    assert made.output == pytest.approx(output)
    assert made.strongest == weights.index(max(weights))
    assert made.strongest_key.tolist() == k[made.strongest]
    assert made.textbook
    assert made.difference < 1e-6


def test_a_model_that_caps_its_scores_is_told_apart() -> None:
    """Gemma 2 puts scores through tanh before softmax."""
    given = head()
    capped = np.where(given["allowed"], 2 * np.tanh(given["keys"] @ given["query"] * given["scaling"] / 2), -np.inf)
    own = np.exp(capped) / np.exp(capped).sum()
    made = steps(model_weights=own)
    assert made.difference == pytest.approx(np.abs(made.weights - own).max())
    assert made.difference > SAME
    assert not made.textbook


def test_a_sink_that_takes_a_part_is_told_apart() -> None:
    assert not steps(model_weights=head()["model_weights"] * 0.9).textbook


def test_keys_are_ordered_by_weight_and_closed_ones_come_last() -> None:
    made = steps()
    order = made.order().tolist()
    assert sorted(order) == list(range(KEYS))
    assert order[POSITION + 1 :] == [5, 6]
    read = [made.weights[place] for place in order[: POSITION + 1]]
    assert read == sorted(read, reverse=True)


def test_a_score_that_is_closed_counts_for_nothing_however_large() -> None:
    keys = head()["keys"].copy()
    keys[6] = 100 * head()["query"]
    made = steps(keys=keys)
    assert made.scores[6] == made.scores.max()
    assert made.weights[6] == 0
    assert made.textbook


@pytest.mark.parametrize("name", ["query", "keys", "values", "model_weights"])
def test_numbers_that_are_not_finite_are_refused(name: str) -> None:
    broken = head()[name].copy()
    broken.flat[0] = np.nan
    with pytest.raises(InvalidInput, match="layer 3, head 1 has numbers that are not finite"):
        steps(**{name: broken})


def test_a_query_that_may_read_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="may read no token"):
        steps(allowed=np.zeros(KEYS, dtype=bool))


@pytest.mark.parametrize(
    "changes", [{"pieces": ["a"]}, {"query": np.ones(3)}, {"allowed": np.ones(2, dtype=bool)}, {"position": KEYS}]
)
def test_arrays_that_do_not_fit_together_are_a_slip_of_the_caller(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(q|query) "):
        steps(**changes)


def test_the_scaling_of_the_formula_is_recognised() -> None:
    assert is_root(float(np.float32(64**-0.5)), 64)
    assert not is_root(0.1, 64)

"""The sampler against the definitions of its parameters, computed the slow way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InvalidInput
from core.generation.request import SamplingParameters
from core.generation.sampler import Sampler, largest

LOGITS = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -3.0], dtype=np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return weights / weights.sum()


def frequencies(parameters: SamplingParameters, draws: int = 4000, logits: np.ndarray = LOGITS) -> np.ndarray:
    sampler = Sampler(parameters, seed=7)
    counts = np.bincount([sampler.choose(logits).token_id for _ in range(draws)], minlength=len(logits))
    return counts / draws


def distribution(parameters: SamplingParameters, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    below = logits - logits.max()
    weights = np.exp(below)
    return Sampler(parameters, seed=1)._distribution(logits, below, weights, float(weights.sum()))


def plain(**changes: object) -> SamplingParameters:
    defaults = {"temperature": 1.0, "top_p": 1.0, "top_logprobs": 6}
    return SamplingParameters(**(defaults | changes))  # type: ignore[arg-type]


def test_temperature_zero_takes_the_likeliest() -> None:
    choice = Sampler(plain(temperature=0), seed=1).choose(LOGITS)
    assert choice.token_id == 0
    assert choice.sampled_probability == 1.0


def test_a_temperature_too_low_for_fp32_takes_the_likeliest_token() -> None:
    choice = Sampler(plain(temperature=1e-60), seed=1).choose(LOGITS)
    assert (choice.token_id, choice.sampled_probability) == (0, 1.0)


def test_logprob_is_taken_before_sampling() -> None:
    choice = Sampler(plain(temperature=0.1, top_k=1), seed=1).choose(LOGITS)
    assert choice.logprob == pytest.approx(math.log(softmax(LOGITS)[0]), abs=1e-6)


def test_draws_follow_the_softmax() -> None:
    assert np.abs(frequencies(plain()) - softmax(LOGITS)).max() < 0.03


def test_draws_follow_the_temperature() -> None:
    assert np.abs(frequencies(plain(temperature=0.5)) - softmax(LOGITS / 0.5)).max() < 0.03


def test_top_k_renormalises_over_k_tokens() -> None:
    expected = np.zeros(6)
    expected[:3] = softmax(LOGITS)[:3] / softmax(LOGITS)[:3].sum()
    choice = Sampler(plain(top_k=3), seed=1).choose(LOGITS)
    after = {token_id: probability for token_id, _, probability in choice.alternatives}
    assert [after[i] for i in range(6)] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize(("top_p", "kept"), [(0.1, 1), (0.7, 2), (0.9, 4), (0.999, 6), (1.0, 6)])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: int) -> None:
    probabilities = softmax(LOGITS)
    if top_p < 1:
        assert probabilities[: kept - 1].sum() < top_p <= probabilities[:kept].sum()
    choice = Sampler(plain(top_p=top_p), seed=1).choose(LOGITS)
    assert sum(probability > 0 for *_, probability in choice.alternatives) == kept


def test_top_p_holds_on_a_flat_distribution_wider_than_the_first_threshold() -> None:
    logits = np.random.default_rng(0).normal(0, 4, 20_000).astype(np.float32)
    order = np.argsort(-logits)
    expected = int(np.searchsorted(np.cumsum(softmax(logits)[order]), 0.999)) + 1
    ids, _ = distribution(plain(top_p=0.999), logits)
    assert abs(len(ids) - expected) <= 1


def test_min_p_is_relative_to_the_likeliest() -> None:
    choice = Sampler(plain(min_p=0.3), seed=1).choose(LOGITS)
    kept = {token_id for token_id, _, probability in choice.alternatives if probability > 0}
    assert kept == {0, 1}  # e^-1 = 0.37 is kept, e^-1.5 = 0.22 is not


def test_min_p_without_top_p_matches_the_definition_on_a_large_vocabulary() -> None:
    logits = np.random.default_rng(1).normal(0, 3, 30_000).astype(np.float32)
    ids, _ = distribution(plain(min_p=0.0005), logits)
    probabilities = softmax(logits)
    assert set(ids) == set(np.flatnonzero(probabilities >= 0.0005 * probabilities.max()))


def test_repetition_penalty_divides_positive_and_multiplies_negative_logits() -> None:
    sampler = Sampler(plain(repetition_penalty=2.0), seed=1, prompt_ids=[0, 4])
    assert sampler._adjust(LOGITS)[[0, 1, 4]].tolist() == [1.0, 1.0, -2.0]


def test_frequency_and_presence_count_the_answer_only() -> None:
    sampler = Sampler(plain(frequency_penalty=0.5, presence_penalty=0.25), seed=1, prompt_ids=[0])
    sampler.accept(1)
    sampler.accept(1)
    assert sampler._adjust(LOGITS)[[0, 1]].tolist() == [2.0, pytest.approx(1.0 - 2 * 0.5 - 0.25)]


def test_bias_and_bans() -> None:
    choice = Sampler(plain(temperature=0, logit_bias={3: 50.0}, banned_tokens=(0,)), seed=1).choose(LOGITS)
    assert choice.token_id == 3
    after = {token_id: probability for token_id, _, probability in choice.alternatives}
    assert after[0] == 0.0


def test_a_seed_repeats_and_another_differs() -> None:
    logits = np.zeros(500, dtype=np.float32)
    runs = [[s.choose(logits).token_id for _ in range(20)] for s in (Sampler(plain(), seed=n) for n in (3, 3, 4))]
    assert runs[0] == runs[1] != runs[2]


def test_the_token_drawn_is_always_among_the_alternatives() -> None:
    sampler = Sampler(plain(top_logprobs=2, temperature=5.0), seed=5)
    for _ in range(200):
        choice = sampler.choose(LOGITS)
        assert choice.token_id in {token_id for token_id, *_ in choice.alternatives}


@pytest.mark.parametrize("count", [1, 5, 50, 999, 1000, 2000])
def test_largest_equals_a_full_sort(count: int) -> None:
    logits = np.random.default_rng(2).normal(size=1000).astype(np.float32)
    assert largest(logits, count).tolist() == np.argsort(-logits, kind="stable")[:count].tolist()


@pytest.mark.parametrize("count", [1, 5, 50])
def test_largest_equals_a_full_sort_on_a_wide_vocabulary(count: int) -> None:
    logits = np.random.default_rng(2).normal(size=49_153).astype(np.float32)
    assert largest(logits, count).tolist() == np.argsort(-logits, kind="stable")[:count].tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_p", 1.5),
        ("top_k", 2.5),
        ("max_new_tokens", 0),
        ("top_logprobs", 51),
        ("seed", -1),
        ("repetition_penalty", 0.0),
    ],
)
def test_out_of_range_names_the_parameter_the_value_and_the_range(name: str, value: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        SamplingParameters(**{name: value}).validate()  # type: ignore[arg-type]
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)
    assert " to " in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"temperature.*top_p"):
        SamplingParameters(temperature=9, top_p=2).validate()


def test_parameters_survive_json() -> None:
    parameters = SamplingParameters(logit_bias={5: -1.5}, banned_tokens=(1, 2), stop=("\n",), seed=4)
    assert SamplingParameters.from_json(parameters.to_json()) == parameters


def test_an_unknown_parameter_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="temprature"):
        SamplingParameters.from_json({"temprature": 1})

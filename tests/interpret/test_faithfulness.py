"""Deletion and insertion curves: their ends, their control, and the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.interpret.attribution import Attribution, attribute
from core.interpret.faithfulness import SHARES, Faithfulness, _judge, faithfulness
from core.interpret.scoring import scorer
from core.interpret.target import Target, next_token
from core.interpret.trace import Trace
from tests.interpret.conftest import IDS


@pytest.fixture
def judged(llama: Trace) -> Faithfulness:
    target = next_token(llama, 9, 12)
    return faithfulness(llama, target, [attribute(llama, target, name) for name in ("occlusion", "grad")])


def test_curves_begin_and_end_with_the_whole_text_and_the_baseline(llama: Trace, judged: Faithfulness) -> None:
    score = scorer(llama, judged.target)
    with torch.no_grad():
        whole = float(llama.opened.model(torch.tensor([IDS[:9]])).logits[0, -1].softmax(-1)[12])
        nothing = float(llama.opened.model(inputs_embeds=score.baseline).logits[0, -1].softmax(-1)[12])
    for method in ("occlusion", "grad", "random"):
        for kind, ends in (("deletion", (whole, nothing)), ("insertion", (nothing, whole))):
            found = judged.curve(method, kind).probabilities[[0, -1]]
            np.testing.assert_allclose(found, ends, rtol=1e-4)


def test_a_point_of_a_curve_equals_a_separate_pass(llama: Trace, judged: Faithfulness) -> None:
    scores = attribute(llama, judged.target, "occlusion").scores
    score = scorer(llama, judged.target)
    places = np.flatnonzero(score.removable)
    gone = places[np.argsort(-scores[places], kind="stable")][: round(0.5 * len(places))]
    given = score.embedded.clone()
    given[0, gone] = score.baseline[0, gone]
    with torch.no_grad():
        expected = float(llama.opened.model(inputs_embeds=given).logits[0, -1].softmax(-1)[12])
    found = judged.curve("occlusion", "deletion").probabilities[SHARES.index(0.5)]
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_area_is_the_trapezia_under_the_curve(judged: Faithfulness) -> None:
    for curve in judged.curves:
        assert curve.area == pytest.approx(float(np.trapezoid(curve.probabilities, curve.shares)), rel=1e-5)
        assert len(curve.probabilities) == len(curve.shares) == len(SHARES)


def test_gain_is_insertion_less_deletion(judged: Faithfulness) -> None:
    areas = {kind: judged.curve("grad", kind).area for kind in ("insertion", "deletion")}
    assert judged.gains["grad"] == pytest.approx(areas["insertion"] - areas["deletion"], abs=1e-6)


def test_contrast_follows_the_choice_between_the_two(llama: Trace) -> None:
    target = next_token(llama, 9, 12, against=40)
    made = faithfulness(llama, target, [attribute(llama, target, "occlusion")])
    with torch.no_grad():
        both = llama.opened.model(torch.tensor([IDS[:9]])).logits[0, -1].softmax(-1)[[12, 40]]
    assert float(made.curve("occlusion", "deletion").probabilities[0]) == pytest.approx(float(both[0] / both.sum()))


def test_random_orders_gain_nothing_on_average_but_scatter(judged: Faithfulness) -> None:
    areas = [judged.curve("random", kind).area for kind in ("insertion", "deletion")]
    assert areas[0] == pytest.approx(areas[1], abs=1e-6)
    assert judged.spread > 1e-6


def _made(gains: dict[str, float]) -> Faithfulness:
    """A verdict on curves of a straight shape: a method's insertion stands `gain` above its deletion."""
    rng = np.random.default_rng(0)
    rows = {}
    for method, gain in gains.items():
        noise = rng.normal(0, 0.01, 5 if method == "random" else 1)
        noise = np.concatenate([noise, -noise]) if method == "random" else noise * 0
        for kind, sign in (("insertion", 1), ("deletion", -1)):
            rows[method, kind] = np.repeat((0.5 + sign * (gain + noise) / 2)[:, None], len(SHARES), axis=1)
    return _judge(Target(9, 12, None, "next"), rows)


def test_verdict_names_the_best_and_those_no_better_than_chance() -> None:
    made = _made({"grad": 0.0, "occlusion": 0.6, "ig": 0.4, "random": 0.0})
    assert made.verdict == (
        "Trust occlusion most here: removing the tokens that it ranks first lowers the probability, and giving them "
        "back restores it, sooner than any other; gradient × input does no better than chance."
    )
    assert made.beats_chance("ig")
    assert not made.beats_chance("grad")


def test_verdict_trusts_none_where_none_beats_chance() -> None:
    assert _made({"grad": 0.0, "ig": -0.2, "random": 0.0}).verdict == (
        "Gradient × input and integrated gradients do no better than chance here: do not trust them on this word."
    )


def test_cancelled_work_leaves_the_model_as_it_was(llama: Trace) -> None:
    target = next_token(llama, 9, 12)
    one = attribute(llama, target, "occlusion")

    def cancel(fraction: float, words: str) -> None:
        raise Cancelled("The check")

    with pytest.raises(Cancelled):
        faithfulness(llama, target, [one], cancel)
    assert (attribute(llama, target, "occlusion").scores == one.scores).all()


def test_what_cannot_be_compared_is_named(llama: Trace) -> None:
    target = next_token(llama, 9, 12)
    one = attribute(llama, target, "occlusion")
    control = Attribution("random", target, one.scores, "")
    short = next_token(llama, 1, 12)
    for attributions, told in (
        ([], "no attribution"),
        ([control], "no attribution"),
        ([one, one], "2 times"),
        ([replace(one, target=next_token(llama, 8))], "another target"),
        ([replace(one, scores=one.scores[:3])], "has 3 scores.*has 9 tokens"),
    ):
        with pytest.raises(InvalidInput, match=told):
            faithfulness(llama, target, attributions)
    with pytest.raises(InvalidInput, match="Only 0 token"):
        faithfulness(llama, short, [attribute(llama, short, "grad")])


def test_luck_lies_around_the_random_orders_and_closes_at_the_ends(judged: Faithfulness) -> None:
    for kind in ("deletion", "insertion"):
        low, high = judged.by_luck(kind)
        middle = judged.curve("random", kind).probabilities
        assert (low <= middle).all()
        assert (middle <= high).all()
        np.testing.assert_allclose((high - low)[[0, -1]], 0.0, atol=1e-5)  # all orders begin and end alike
        assert (high - low).max() > 1e-4
    assert judged.needed == pytest.approx(2.57 * judged.spread)

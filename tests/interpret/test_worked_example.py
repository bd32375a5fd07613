"""The five-word example: numbers worked out by hand, the mask, the projections, and faults that are all named."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.interpret.worked_example import DEFAULT, WorkedExample, identity, softmax, work

BANK, RIVER = 1, 4


def example(**changes: object) -> WorkedExample:
    """Words of three numbers of which the first two are all there is to see."""
    given = WorkedExample(
        words=("a", "b", "c", "d", "e"),
        names=("x", "y", "z"),
        vectors=((1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 0), (2, 0, 0)),
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def test_the_default_bank_comes_out_as_one_of_water() -> None:
    """bank = (2, 2, 1, 0), river = (0, 3, 2, 0): bank·bank = 9, bank·river = 8, the rest 0; √4 = 2."""
    steps = work(DEFAULT)
    assert steps.scores[BANK].tolist() == [0, 9, 0, 0, 8]
    assert steps.scaling == 0.5
    assert steps.scaled[BANK].tolist() == [0, 4.5, 0, 0, 4]
    total = 3 + math.exp(4.5) + math.exp(4)
    own, read = math.exp(4.5) / total, math.exp(4) / total
    assert steps.weights[BANK] == pytest.approx([1 / total, own, 1 / total, 1 / total, read])
    assert steps.outputs[BANK] == pytest.approx([2 * own, 2 * own + 3 * read, own + 2 * read, 4 / total])
    money, water = steps.outputs[BANK][:2]
    assert money < 1.5 < 2 < water


def test_without_the_scale_scores_go_into_softmax_as_they_are() -> None:
    steps = work(replace(DEFAULT, scale=False))
    assert steps.scaling == 1
    assert steps.weights[BANK, BANK] / steps.weights[BANK, RIVER] == pytest.approx(math.e)


def test_under_the_causal_mask_nothing_later_is_read() -> None:
    steps = work(replace(DEFAULT, causal=True))
    assert np.array_equal(steps.allowed, np.tri(5, dtype=bool))
    assert np.array_equal(steps.weights[~steps.allowed], np.zeros(10))
    assert steps.weights[0].tolist() == [1, 0, 0, 0, 0]
    assert steps.outputs[BANK][:2] == pytest.approx([1.978, 1.978], abs=1e-3)  # bank does not know of the river
    assert steps.weights[RIVER] == pytest.approx(work(DEFAULT).weights[RIVER])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [False, True])
def test_every_row_of_weights_sums_to_one(causal: bool, scale: bool) -> None:
    assert work(replace(DEFAULT, causal=causal, scale=scale)).weights.sum(axis=1) == pytest.approx(np.ones(5))


def test_projections_change_who_is_found_and_what_is_handed_on() -> None:
    """W_K sends x to y: who looks for y finds what has x. W_V doubles."""
    steps = work(example(w_k=((0, 1, 0), (0, 0, 0), (0, 0, 0)), w_v=((2, 0, 0), (0, 2, 0), (0, 0, 2)), scale=False))
    assert steps.keys[0].tolist() == [0, 1, 0]
    assert steps.scores[1].tolist() == [1, 0, 1, 0, 2]
    assert steps.values[4].tolist() == [4, 0, 0]
    assert steps.outputs == pytest.approx(steps.weights @ (2 * steps.vectors))
    assert steps.value_names == ("v 1", "v 2", "v 3")


def test_the_identity_is_no_projection() -> None:
    same = identity(4)
    steps, plain = work(replace(DEFAULT, w_q=same, w_k=same, w_v=same)), work(DEFAULT)
    assert np.array_equal(steps.outputs, plain.outputs)
    assert steps.value_names == DEFAULT.names


def test_the_largest_numbers_do_not_overflow() -> None:
    full = ((100.0,) * 3,) * 3
    steps = work(example(vectors=((100.0,) * 3,) * 5, w_q=full, w_k=full, w_v=full, scale=False))
    assert steps.weights == pytest.approx(np.full((5, 5), 0.2))


def test_softmax_of_what_may_not_be_read_is_zero() -> None:
    assert softmax(np.array([1000.0, 1000.0, -np.inf])).tolist() == [0.5, 0.5, 0]


def test_every_fault_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        example(
            words=("a", " ", "c", "d", "e"),
            vectors=((1, 0, math.nan), (0, 101, 0), (1, -math.inf, 0), (0, 0, 0), (-100, 100, 0)),
            w_q=((1, 0, 0), (0, 1, 200), (0, 0, 1)),
        )
    told = str(caught.value)
    for fault in (
        "Word 2 is empty.",
        "Word 1, “a”: z is empty or not a number.",
        "Word 2: y is 101.",
        "Word 3, “c”: y is infinite.",
        "W_Q, row 2, column 3 is 200.",
    ):
        assert fault in told
    assert "Word 5" not in told
    assert "from −100 to 100" in told


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"words": ("a", "b")}, "There are 2 words and 5 vectors."),
        ({"words": ("a",) * 6, "vectors": ((1, 0, 0),) * 6}, "There are 6 words and 6 vectors."),
        ({"names": ("x", "y")}, "A word has 2 numbers."),
        ({"names": tuple("vwxyz"), "vectors": ((1,) * 5,) * 5}, "A word has 5 numbers."),
        ({"vectors": ((1, 0, 0),) * 4 + ((1, 0),)}, "Word 5, “e” has 2 numbers where 3 have a name."),
        ({"w_v": ((1, 0, 0),) * 2}, "W_V has 2 rows of 3 numbers instead of 3 of 3."),
        ({"w_k": ()}, "W_K has 0 rows of no numbers instead of 3 of 3."),
    ],
)
def test_a_wrong_length_is_named(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        example(**changes)
    assert fault in str(caught.value)

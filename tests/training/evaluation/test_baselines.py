from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.training.evaluation.baselines import image_baseline, number_baseline, text_baseline

WORDS = {0: "invoice payment refund", 1: "parcel courier late", 2: "password login locked"}


def texts(rows: int, seed: int = 0) -> tuple[list[str], list[int]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows).tolist()
    return [f"my {random.choice(WORDS[label].split())} please number{random.integers(50)}" for label in labels], labels


def test_words_that_tell_the_classes_apart_are_learned() -> None:
    train, labels = texts(200)
    test, truth = texts(60, seed=1)
    found = text_baseline(train, labels, test, 3)
    assert found.shape == (60, 3)
    assert found.sum(axis=1) == pytest.approx(np.ones(60))
    assert (found.argmax(axis=1) == truth).mean() > 0.95


def test_a_class_without_training_rows_gets_nothing() -> None:
    train, labels = texts(100)
    found = text_baseline(train, labels, ["my parcel"], 5)
    assert found[0, 3:].tolist() == [0, 0]
    assert found[0].argmax() == 1


@pytest.mark.parametrize(("train", "labels"), [(["!!", "??", "", "…"], [0, 1, 1, 1]), (["a b", "c d"], [1, 1])])
def test_with_nothing_to_learn_from_it_says_the_shares(train: list[str], labels: list[int]) -> None:
    found = text_baseline(train, labels, ["x", "y"], 2)
    assert found.tolist() == [[1 - np.mean(labels), np.mean(labels)]] * 2


def test_classes_too_small_to_choose_a_strength_are_learned_all_the_same() -> None:
    found = text_baseline(["red apple", "red cherry", "blue sky"], [0, 0, 1], ["red", "blue"], 2)
    assert found[1, 1] > found[0, 1] + 0.05


def test_a_label_that_is_no_class_is_refused() -> None:
    with pytest.raises(InvalidInput, match="0 to 1"):
        text_baseline(["a"], [2], ["b"], 2)


def test_pixels_tell_bright_from_dark() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(40) % 2
    pictures = random.random((40, 4, 4)) * 0.5 + labels[:, None, None] * 0.5
    found = image_baseline(pictures, labels, pictures, 2)
    assert (found.argmax(axis=1) == labels).mean() > 0.95


def test_least_squares_finds_the_line() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2)) * [1, 1000] + [5, 7]
    found = number_baseline(x[:40], 3 * x[:40, 0] - 2 * x[:40, 1] + 4, x[40:])
    assert found == pytest.approx(3 * x[40:, 0] - 2 * x[40:, 1] + 4)


def test_a_feature_that_never_changes_harms_nothing() -> None:
    x = np.stack([np.arange(10.0), np.full(10, 3.0)], axis=1)
    assert number_baseline(x, 2 * x[:, 0], x) == pytest.approx(2 * x[:, 0])


def test_the_mean_is_of_the_training_rows() -> None:
    assert number_baseline([[1.0], [2.0]], [10.0, 20.0], [[5.0], [6.0], [7.0]], "mean").tolist() == [15, 15, 15]

"""Changed copies of texts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.training.data.augment import augment, change_words
from core.training.data_config import Augmentation

TEXTS = [f"the {colour} cat sat on the {thing} and slept" for colour in ("red", "black") for thing in ("mat", "bed")]
FRAME = pd.DataFrame({"text": TEXTS, "label": ["a", "a", "b", "b"], "row": [4, 5, 6, 7]})


def test_copies_follow_their_originals_under_the_same_number_and_label() -> None:
    found, (step,) = augment(FRAME, "labelled", Augmentation(copies=3, word_dropout=0.3), seed=1)
    assert found["text"].head(4).tolist() == TEXTS
    assert step.changed == len(found) - 4 > 6
    assert found["text"].is_unique
    for _, copy in found.iloc[4:].iterrows():
        original = FRAME[FRAME["row"] == copy["row"]].iloc[0]
        assert copy["label"] == original["label"]
        assert set(copy["text"].split()) <= set(original["text"].split())


def test_a_seed_gives_the_same_copies() -> None:
    one, same, other = (augment(FRAME, "labelled", Augmentation(copies=1), seed)[0] for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_swapping_keeps_every_word_and_dropping_never_empties() -> None:
    generator = np.random.default_rng(0)
    assert sorted(change_words(TEXTS[0], 0.0, 0.5, generator).split()) == sorted(TEXTS[0].split())
    assert all(change_words("a b c", 0.5, 0.5, generator) for _ in range(200))
    assert change_words("two words", 0.5, 0.5, generator) == "two words"


def test_answers_of_a_chat_are_not_changed() -> None:
    chat = [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": TEXTS[1]}]
    found, _ = augment(
        pd.DataFrame({"messages": [chat], "row": [1]}), "chat", Augmentation(copies=4, word_dropout=0.5), seed=0
    )
    assert len(found) > 2
    assert {chat[1]["content"] for chat in found["messages"]} == {TEXTS[1]}
    assert chat[0]["content"] == TEXTS[0]  # the original is not touched


def test_numbers_and_no_copies_stay_as_they_are() -> None:
    assert augment(FRAME, "labelled", Augmentation(), seed=0) == (FRAME, ())
    assert augment(FRAME, "numbers", Augmentation(copies=2), seed=0)[1] == ()

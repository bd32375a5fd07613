"""Cleaning: each step does what it says, and counts it."""

from __future__ import annotations

import pandas as pd
import pytest

from core.training.data.clean import clean, normalise
from core.training.data_config import Cleaning

NOTHING = Cleaning(normalise=False, drop_empty=False, deduplicate=False)


def labelled(*pairs: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["text", "label"]).astype("str")
    return frame.assign(row=range(1, len(pairs) + 1))


def counts(frame: pd.DataFrame, asked: Cleaning) -> dict[str, tuple[int, int]]:
    return {step.name: (step.changed, step.dropped) for step in clean(frame, "labelled", asked)[1]}


@pytest.mark.parametrize(
    ("text", "clean_text"),
    [
        ("  two   words \t here ", "two words here"),
        ("one\r\ntwo \n\n\n\n three", "one\ntwo\n\nthree"),
        ("nul\0 bell\x07 zero\u200bwidth", "nul bell zerowidth"),
        ("cafe\u0301", "café"),
        ("no\u00a0break \ufeffmark", "no break mark"),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", "family \U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("naïve Ünicode", "naïve Ünicode"),
    ],
)
def test_normalise(text: str, clean_text: str) -> None:
    assert normalise(text) == clean_text
    assert normalise(clean_text) == clean_text


def test_steps_are_counted_and_rows_keep_their_numbers() -> None:
    frame = labelled(("Hello!", "a"), (" ", "a"), ("hello", "a"), ("hello", "b"), ("a  b", ""), ("c  d", "b"))
    kept, steps = clean(frame, "labelled", Cleaning())
    assert list(kept["row"]) == [1, 4, 6]  # the same text under another label is a conflict, not a copy
    assert [(step.name, step.changed, step.dropped) for step in steps] == [
        ("normalise", 3, 0),
        ("drop_empty", 0, 2),
        ("deduplicate", 0, 1),
    ]
    assert list(kept["text"]) == ["Hello!", "hello", "c d"]


def test_nothing_is_done_that_is_not_asked_for() -> None:
    frame = labelled(("x  ", "a"), ("", "a"), ("x  ", "a"))
    kept, steps = clean(frame, "labelled", NOTHING)
    pd.testing.assert_frame_equal(kept, frame)
    assert steps == ()


def test_texts_out_of_bounds_and_rare_labels_go() -> None:
    frame = labelled(("four", "a"), ("fifteen letters", "a"), ("a far too long text here", "a"), ("exactly ten", "b"))
    asked = Cleaning(shortest=5, longest=15, rarest_label=1)
    assert counts(frame, asked)["shortest"] == (0, 1)
    assert counts(frame, asked)["longest"] == (0, 1)
    assert list(clean(frame, "labelled", Cleaning(rarest_label=2))[0]["label"]) == ["a", "a", "a"]


def test_turns_of_a_chat_are_cleaned_each_by_itself() -> None:
    chat = [{"role": "user", "content": " a  b "}, {"role": "assistant", "content": "1.\n\n2."}]
    kept, steps = clean(pd.DataFrame({"messages": [chat, chat], "row": [1, 2]}), "chat", Cleaning())
    assert [turn["content"] for turn in kept["messages"][0]] == ["a b", "1.\n\n2."]
    assert [step.dropped for step in steps] == [0, 0, 1]


def test_rows_with_a_number_missing_or_infinite_go() -> None:
    frame = pd.DataFrame({"x": [1.0, float("nan"), 2.0, 3.0], "target": [1.0, 2.0, float("inf"), 3.0], "row": range(4)})
    assert list(clean(frame, "numbers", Cleaning())[0]["x"]) == [1.0, 3.0]

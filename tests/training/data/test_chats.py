"""Chats out of cells: every shape that people have, and what is wrong with those that are none."""

from __future__ import annotations

import json

import pytest

from core.training.data.chats import BadChat, read_chat

ASKED, ANSWERED = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
SYSTEM = {"role": "system", "content": "Be brief."}


def test_chats_of_both_shapes_and_as_text_are_read() -> None:
    assert read_chat([SYSTEM, ASKED, ANSWERED]) == [SYSTEM, ASKED, ANSWERED]
    assert read_chat(json.dumps([ASKED, ANSWERED])) == [ASKED, ANSWERED]
    assert read_chat([{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]) == [ASKED, ANSWERED]
    parts = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}, ANSWERED]
    assert read_chat(parts) == [ASKED, ANSWERED]
    assert read_chat([{"role": "system", "content": " "}, ASKED, ANSWERED]) == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("hello", "no JSON"),
        ("3", "no list"),
        (None, "no list"),
        ([], "no list"),
        (["hi"], "a turn is no object"),
        ([{"role": "tool", "content": "x"}, ANSWERED], "a role that is not"),
        ([{"role": "user"}, ANSWERED], "without content"),
        ([ASKED], "no answer"),
        ([SYSTEM], "no answer"),
        ([ANSWERED, ASKED], "take turns"),
        ([ASKED, ASKED, ANSWERED], "take turns"),
        ([ASKED, ANSWERED, SYSTEM, ANSWERED], "take turns"),
        ([ASKED, {"role": "assistant", "content": " \n"}], "an empty turn"),
        ([ASKED, ANSWERED, ASKED], "the last turn is no answer"),
    ],
)
def test_what_is_no_chat_says_why(cell: object, says: str) -> None:
    with pytest.raises(BadChat, match=says):
        read_chat(cell)

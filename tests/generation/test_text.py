"""Text is final when it is given out."""

from __future__ import annotations

import pytest

from core.generation.text import TextStream


def test_a_character_split_over_tokens_comes_out_whole() -> None:
    stream = TextStream()
    pieces = [stream.push(bytes([byte])) for byte in "é😀".encode()]
    assert pieces == ["", "é", "", "", "", "😀"]


def test_a_broken_character_at_the_end_becomes_a_replacement() -> None:
    stream = TextStream()
    assert stream.push("a😀".encode()[:3]) == "a"
    assert stream.finish() == "�"


def test_a_stop_string_over_several_tokens_is_cut_and_what_may_begin_it_is_held_back() -> None:
    stream = TextStream(stop=("END",))
    assert stream.push(b"one E") == "one "
    assert stream.push(b"N") == ""
    assert stream.push(b"D two") == "E"[:0]
    assert stream.stopped
    assert stream.finish() == ""


def test_held_text_is_given_out_when_it_was_no_stop_string() -> None:
    stream = TextStream(stop=("END",))
    assert stream.push(b"E") == ""
    assert stream.push(b"Nough") == "ENough"


def test_held_text_comes_with_the_finish() -> None:
    stream = TextStream(stop=("###",))
    assert stream.push(b"a##") == "a"
    assert stream.finish() == "##"


@pytest.mark.parametrize("stop", [("b", "abc"), ("abc", "b")])
def test_the_earliest_stop_string_wins(stop: tuple[str, ...]) -> None:
    stream = TextStream(stop=stop)
    assert stream.push(b"xabcx") == "x"
    assert stream.stopped

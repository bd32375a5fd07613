from __future__ import annotations

import pytest

from exports.attention_labels import LONGEST, escaped, label, plain, running, width
from tests.exports.attentions import HOSTILE


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        (" Paris", "Paris"),
        ("\n\n", "↵↵"),
        ("\ta", "⇥a"),
        ("  ", "␣␣"),
        ("", "empty"),
        ("\x00", "␀"),
        ("\x7f\x85", "␡⟨U+0085⟩"),
        ("\ud83d", "\ufffd"),
        ("\ud83d\ude80", "🚀"),  # a pair that came in two halves
        ("\u202eabc", "⟨U+202E⟩abc"),
        (" שלום", "שלום"),
        ("\ufffe", "\ufffd"),
        ("x" * 99, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_a_piece_becomes_one_short_line(piece: str, shown: str) -> None:
    assert label(piece) == shown


def test_running_text_keeps_its_spaces_and_breaks() -> None:
    assert running(" a\n b\x00") == " a↵\n b␀"


def test_nothing_closes_a_tag_or_a_quote() -> None:
    for piece in HOSTILE:
        text = escaped(piece)
        assert not set(text) & set("<>\"'\x00\x1b\ufffe")
        text.encode()
        assert plain(plain(piece)) == plain(piece)


def test_wide_signs_take_more_room() -> None:
    assert width("東京", 10) > width("ab", 10) > width("il", 10) > width("", 10) == 0
    assert width("e\u0301", 10) == width("e", 10)

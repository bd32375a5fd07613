"""`Span`: a piece of a text that is personal or secret, and what the words before it say."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEFORE = 40
"""Characters before a number in which a word may say what it is."""


@dataclass(frozen=True, slots=True)
class Span:
    """kind: as shown, such as "e-mail"."""

    start: int
    end: int
    kind: str


def words_before(text: str, start: int, words: re.Pattern[str]) -> bool:
    """Whether one of the words stands shortly before this place."""
    return words.search(text, max(start - _BEFORE, 0), start) is not None

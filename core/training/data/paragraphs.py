"""Plain text becomes rows: paragraphs, or lines where no blank line stands, and endless ones cut at a sentence."""

from __future__ import annotations

import re

LONGEST = 20_000
"""Characters; a longer paragraph (a text without line breaks) is cut."""

PIECE = 2_000
"""Characters of a piece of what is cut, about."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")


def paragraphs(text: str) -> list[str]:
    """The rows of a plain text, in order, none of them blank."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    parts = _BLANK_LINE.split(text) if _BLANK_LINE.search(text.strip()) else text.split("\n")
    return [piece for part in parts if part.strip() for piece in _pieces(part.strip("\n"))]


def _pieces(paragraph: str) -> list[str]:
    if len(paragraph) <= LONGEST:
        return [paragraph]
    pieces, current = [], ""
    for sentence in _SENTENCE_END.split(paragraph):
        for start in range(0, len(sentence), LONGEST):
            part = sentence[start : start + LONGEST]
            if current and len(current) + len(part) > PIECE:
                pieces.append(current)
                current = ""
            current = f"{current} {part}" if current else part
    return [*pieces, current] if current else pieces

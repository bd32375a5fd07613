"""Tokens as labels of a picture: one short line each, whatever bytes the piece holds; and text made fit for XML."""

from __future__ import annotations

import unicodedata
from html import escape

from core.models.tokenizer import well_formed

LONGEST = 24  # characters; the longest words of most vocabularies fit
_MARKS = {"\n": "↵", "\t": "⇥"}
_UNFIT = {"\ufffe", "\uffff"}
# They turn the text around them, and so would hide what stands in a file. Named, they do nothing.
_TURNS = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def label(piece: str, longest: int = LONGEST) -> str:
    """A piece in one line: without the spaces around it; line breaks, controls and a mere space as signs to be seen."""
    text = plain(piece)
    shown = "".join(_seen(sign) for sign in text.strip(" "))
    if not shown:
        shown = "␣" * len(text) if text else "empty"
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def plain(text: str) -> str:
    """The text as XML and UTF-8 take it: half a surrogate pair and what is no character become U+FFFD, and control
    characters the signs that stand for them; line breaks and tabs stay."""
    return "".join(sign if sign in "\n\t" else _fit(sign) for sign in well_formed(text))


def escaped(text: str) -> str:
    """The text between tags or quotes of XML or HTML."""
    return escape(plain(text))


def width(text: str, size: float) -> float:
    """About how wide a text is in a plain font, in the unit of its size; rather too wide than too narrow."""
    return size * sum(_ems(sign) for sign in text)


def _seen(sign: str) -> str:
    if sign in _MARKS:
        return _MARKS[sign]
    return f"⟨U+{ord(sign):04X}⟩" if ord(sign) in _TURNS else sign


def _fit(sign: str) -> str:
    code = ord(sign)
    if code < 0x20:
        return chr(0x2400 + code)
    if 0x7F <= code < 0xA0:
        return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
    return "\ufffd" if sign in _UNFIT or unicodedata.category(sign) == "Cs" else sign


def _ems(sign: str) -> float:
    if unicodedata.category(sign) in ("Mn", "Cf", "Me"):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.05
    if sign in "iljIft.,:;'|!()[] ":
        return 0.34
    return 0.92 if sign in "mwMW@%" else 0.7 if sign.isupper() or sign in "<>_" else 0.6


def running(piece: str) -> str:
    """A piece as part of running text: its spaces kept, a line break as a sign and a break."""
    return "".join("↵\n" if sign == "\n" else _seen(sign) for sign in plain(piece))

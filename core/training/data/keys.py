"""What makes two rows the same: exactly, or but for capitals, punctuation and blanks."""

from __future__ import annotations

import unicodedata

import pandas as pd

from core.training.data.chats import chat_text
from core.training.data.prepared import Kind


class _Words(dict[int, str]):
    """A table for `str.translate`: what is no letter or digit becomes a blank. Filled as signs turn up."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        # Marks belong to letters: vowels of Hindi and Thai are such.
        self[code] = sign if sign.isalnum() or unicodedata.category(sign).startswith("M") else " "
        return self[code]


_WORDS = _Words()


def exact_keys(frame: pd.DataFrame, kind: Kind) -> pd.Series:
    """[row]: equal for rows of the same content. Labels do not count."""
    if kind == "chat":
        return pd.Series([chat_text(chat) for chat in frame["messages"]], index=frame.index, dtype="str")
    if kind == "numbers":
        values = frame.drop(columns=[name for name in ("row", "group") if name in frame])
        return pd.Series(pd.util.hash_pandas_object(values, index=False).astype(str), index=frame.index)
    return frame["digest" if kind == "images" else "text"]


def near_keys(frame: pd.DataFrame, kind: Kind) -> pd.Series:
    """[row]: equal for rows that differ in capitals, punctuation and blanks at the most."""
    keys = exact_keys(frame, kind)
    if kind in ("numbers", "images"):
        return keys
    return pd.Series([near_key(text) for text in keys], index=keys.index, dtype="str")


def near_key(text: str) -> str:
    """Letters and digits alone, in one case. A text without any (":-)") is its own key."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_WORDS)
    return " ".join(folded.split()) or text.strip()

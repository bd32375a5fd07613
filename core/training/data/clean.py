"""`clean`: the steps that a configuration asks for, in their order, each recorded with what it changed and dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from core.training.data.chats import Chat, chat_text
from core.training.data.keys import near_keys
from core.training.data.prepared import CleaningStep, Kind
from core.training.data_config import Cleaning

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


def clean(frame: pd.DataFrame, kind: Kind, asked: Cleaning) -> tuple[pd.DataFrame, tuple[CleaningStep, ...]]:
    """The rows that stay, numbered anew, and the steps that were taken (those that found nothing to do, too)."""
    steps: list[CleaningStep] = []
    has_text = kind not in ("images", "numbers")
    if asked.normalise and has_text:
        frame, changed = on_texts(frame, kind, normalise)
        steps.append(CleaningStep("normalise", "Unicode, blanks and control characters made uniform", changed))
    if asked.drop_empty:
        frame = _keep(frame, ~empty(frame, kind), steps, "drop_empty", "Rows without content or label")
    if asked.deduplicate:
        keys = pd.DataFrame({"key": near_keys(frame, kind), "label": frame.get("label", "")}, index=frame.index)
        frame = _keep(frame, ~keys.duplicated(), steps, "deduplicate", "Rows that stand there before")
    if has_text:
        frame = _within_bounds(frame, kind, asked, steps)
    if asked.rarest_label and "label" in frame:
        counts = frame["label"].map(frame["label"].value_counts())
        told = f"Labels with fewer than {asked.rarest_label:,} rows"
        frame = _keep(frame, counts >= asked.rarest_label, steps, "rarest_label", told)
    return frame.reset_index(drop=True), tuple(steps)


def normalise(text: str) -> str:
    """NFC; odd spaces and runs of them as one, three line breaks and more as two, no control characters."""
    if text.isprintable() and "  " not in text:  # most texts: one line, nothing odd
        return unicodedata.normalize("NFC", text).strip()
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _LINES.sub("\n", _BLANKS.sub(" ", _CONTROL.sub("", text)))
    return _EMPTY_LINES.sub("\n\n", text).strip()


def on_texts(frame: pd.DataFrame, kind: Kind, change: Callable[[str], str]) -> tuple[pd.DataFrame, int]:
    """A copy with every text changed, each turn of a chat by itself; and how many rows became others."""
    name = "messages" if kind == "chat" else "text"
    old: list[Any] = list(frame[name])
    new: list[Any] = [change(text) for text in old] if kind != "chat" else [_chat(chat, change) for chat in old]
    changed = sum(before != after for before, after in zip(old, new, strict=True))
    dtype = object if kind == "chat" else "str"
    return frame.assign(**{name: pd.Series(new, index=frame.index, dtype=dtype)}), changed


def empty(frame: pd.DataFrame, kind: Kind) -> pd.Series:
    """[row]: without content or, where rows have one, without a label; of numbers, with one missing or infinite."""
    if kind == "numbers":
        values = frame.drop(columns=[name for name in ("row", "group") if name in frame])
        return ~np.isfinite(values).all(axis=1)
    if kind == "chat":
        found = pd.Series([not all(turn["content"].strip() for turn in chat) for chat in frame["messages"]])
        return found.set_axis(frame.index).astype(bool)
    found = pd.Series(False, index=frame.index) if kind == "images" else frame["text"].str.strip() == ""
    return found | (frame["label"] == "") if "label" in frame else found


def lengths(frame: pd.DataFrame, kind: Kind) -> pd.Series:
    """[row]: characters of the text that is learned from."""
    if kind == "chat":
        return pd.Series([len(chat_text(chat)) for chat in frame["messages"]], index=frame.index, dtype="int64")
    return frame["text"].str.len()


def _chat(chat: Chat, change: Callable[[str], str]) -> Chat:
    return [{**turn, "content": change(turn["content"])} for turn in chat]


def _within_bounds(frame: pd.DataFrame, kind: Kind, asked: Cleaning, steps: list[CleaningStep]) -> pd.DataFrame:
    if asked.shortest:
        told = f"Texts under {asked.shortest:,} characters"
        frame = _keep(frame, lengths(frame, kind) >= asked.shortest, steps, "shortest", told)
    if asked.longest:
        told = f"Texts over {asked.longest:,} characters"
        frame = _keep(frame, lengths(frame, kind) <= asked.longest, steps, "longest", told)
    return frame


def _keep(frame: pd.DataFrame, stays: pd.Series, steps: list[CleaningStep], name: str, told: str) -> pd.DataFrame:
    kept = frame[stays]
    steps.append(CleaningStep(name, told, dropped=len(frame) - len(kept)))
    return kept

"""`protect`: personal data and secrets are kept and told, masked, or their rows dropped; before the rows are split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.artefacts import Progress, no_progress
from core.training.data.prepared import CleaningStep, Kind, PrivacyFinding
from core.training.data.privacy import find_all, masked, summed_up
from core.training.data.spans import Span


@dataclass(frozen=True, slots=True)
class Guarded:
    """frames: as they are to be learned from. findings: of all frames. steps: what was done, if anything."""

    frames: list[pd.DataFrame]
    findings: tuple[PrivacyFinding, ...] = ()
    steps: tuple[CleaningStep, ...] = ()


def protect(frames: Sequence[pd.DataFrame], kind: Kind, done: str, progress: Progress = no_progress) -> Guarded:
    """The frames without what is not to be learned. done: keep, mask or drop."""
    if kind in ("images", "numbers"):
        return Guarded(list(frames))
    whole = pd.concat(list(frames), ignore_index=True)
    texts, owners = _texts(whole, kind)
    found = find_all(texts, progress)
    rows = whole["row"].tolist()
    told = summed_up(texts, found, [rows[owner] for owner in owners])
    touched = sorted({owners[place] for place in found})
    if done == "keep" or not found:
        return Guarded(list(frames), told)
    if done == "drop":
        whole = whole.drop(index=touched)
        step = CleaningStep("privacy", "Rows with personal data or secrets", dropped=len(touched))
    else:
        whole = _masked(whole, kind, texts, found)
        step = CleaningStep("privacy", "Personal data and secrets masked", changed=len(touched))
    first = len(frames[0])
    guarded = [whole[whole.index < first], whole[whole.index >= first]][: len(frames)]
    return Guarded([frame.reset_index(drop=True) for frame in guarded], told, (step,))


def _texts(frame: pd.DataFrame, kind: Kind) -> tuple[list[str], list[int]]:
    """Each text (of a chat: each turn), and the place of the row that it is of."""
    if kind != "chat":
        return frame["text"].tolist(), list(range(len(frame)))
    turns = [(turn["content"], place) for place, chat in enumerate(frame["messages"]) for turn in chat]
    return [content for content, _ in turns], [place for _, place in turns]


def _masked(frame: pd.DataFrame, kind: Kind, texts: Sequence[str], found: dict[int, list[Span]]) -> pd.DataFrame:
    new = iter([masked(text, found[place]) if place in found else text for place, text in enumerate(texts)])
    if kind != "chat":
        return frame.assign(text=pd.Series(list(new), index=frame.index, dtype="str"))
    chats = [[{**turn, "content": next(new)} for turn in chat] for chat in frame["messages"]]
    return frame.assign(messages=pd.Series(chats, index=frame.index, dtype=object))

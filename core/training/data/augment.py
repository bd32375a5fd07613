"""Changed copies of texts that are learned from: words dropped, words swapped with their neighbour; seeded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.training.data.keys import near_key
from core.training.data.prepared import CleaningStep, Kind
from core.training.data_config import Augmentation


def augment(
    train: pd.DataFrame, kind: Kind, asked: Augmentation, seed: int
) -> tuple[pd.DataFrame, tuple[CleaningStep, ...]]:
    """The rows with their copies behind them, each under the number of its original. Answers are never changed.

    A copy that came out like a row that is there is left out.
    """
    if not asked.copies or kind in ("images", "numbers"):
        return train, ()
    generator = np.random.default_rng(seed)
    parts = [train]
    seen = set() if kind == "chat" else {near_key(text) for text in train["text"]}
    for _ in range(asked.copies):
        parts.append(_copy(train, kind, asked, generator, seen))
    whole = pd.concat(parts, ignore_index=True)
    told = f"Changed copies: a word lost with {asked.word_dropout:.0%}, swapped with {asked.word_swap:.0%}"
    return whole, (CleaningStep("augment", told, changed=len(whole) - len(train)),)


def change_words(text: str, dropout: float, swap: float, generator: np.random.Generator) -> str:
    """The text with words lost and neighbours swapped; never empty."""
    words = text.split()
    if len(words) < 3:
        return text
    stays = generator.random(len(words)) >= dropout
    words = [word for word, kept in zip(words, stays, strict=True) if kept] or words
    place = 0
    while place < len(words) - 1:
        if generator.random() < swap:
            words[place], words[place + 1] = words[place + 1], words[place]
            place += 1  # a swapped word stays where it is now
        place += 1
    return " ".join(words)


def _copy(
    train: pd.DataFrame, kind: Kind, asked: Augmentation, generator: np.random.Generator, seen: set[str]
) -> pd.DataFrame:
    def change(text: str) -> str:
        return change_words(text, asked.word_dropout, asked.word_swap, generator)

    if kind == "chat":
        chats = [
            [{**turn, "content": change(turn["content"])} if turn["role"] == "user" else turn for turn in chat]
            for chat in train["messages"]
        ]
        new = [after != before for before, after in zip(train["messages"], chats, strict=True)]
        return train.assign(messages=pd.Series(chats, index=train.index, dtype=object))[new]
    texts = [change(text) for text in train["text"]]
    new = []
    for text in texts:
        key = near_key(text)
        new.append(key not in seen)
        seen.add(key)
    return train.assign(text=pd.Series(texts, index=train.index, dtype="str"))[new]

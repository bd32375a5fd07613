"""`Candidate`: a token that a model may choose, with its probability before and after something was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.models.tokenizer import Tokenizer

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """before, after: its probabilities. piece: its text for display."""

    token_id: int
    piece: str
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


def log_softmax(logits: npt.NDArray[np.floating]) -> Doubles:
    """log p over the last axis, in double precision."""
    exact = logits.astype(np.float64)
    exact -= exact.max(-1, keepdims=True)
    made: Doubles = exact - np.log(np.exp(exact).sum(-1, keepdims=True))
    return made


def rank_of(scores: npt.NDArray[np.floating], token_id: int) -> int:
    """1 for the likeliest; ties count in its favour."""
    return int((scores > scores[token_id]).sum()) + 1


def largest(scores: npt.NDArray[np.floating], count: int) -> list[int]:
    """The ids of the `count` largest, the largest first; of equal ones the smaller id."""
    count = min(count, len(scores))
    found = np.argpartition(-scores, count - 1)[:count]
    return [int(id_) for id_ in found[np.lexsort((found, -scores[found]))]]


def candidates(ids: Iterable[int], before: Doubles, after: Doubles, tokenizer: Tokenizer) -> tuple[Candidate, ...]:
    """before, after: [vocabulary] probabilities."""
    return tuple(Candidate(id_, tokenizer.token_text(id_), float(before[id_]), float(after[id_])) for id_ in ids)

"""`Shaping`: how weights are looked at: with or without the sink, by value norm, by token, word or sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import InvalidInput
from core.interpret.maps import AttentionMap
from core.interpret.subject import PART, Subject
from core.interpret.trace import Floats, Trace

Sink = Literal["keep", "hide", "renormalise"]
Unit = Literal["token", "word", "sentence"]
SINKS: tuple[Sink, ...] = ("keep", "hide", "renormalise")
UNITS: tuple[Unit, ...] = ("token", "word", "sentence")


@dataclass(frozen=True, slots=True)
class Shaping:
    """sink: what becomes of the weight on the first token, where heads put what they have no use for (Xiao et al.
    2023); an encoder's [SEP] collects it too (Clark et al. 2019). by_norm: weights times ‖W_O v‖ of what is read, rows
    scaled back to one (Kobayashi et al. 2020). unit: tokens summed over what is read, averaged over who reads (Clark et
    al. 2019)."""

    sink: Sink = "keep"
    by_norm: bool = False
    unit: Unit = "token"

    def __post_init__(self) -> None:
        for name, value, known in (("sink", self.sink, SINKS), ("unit", self.unit, UNITS)):
            if value not in known:
                raise InvalidInput(f"{name} is {value!r}.", allowed=f"It is one of {', '.join(known)}.")

    @property
    def words(self) -> str:
        """What is done, for a caption; "" when nothing is."""
        parts = {"hide": "first token hidden", "renormalise": "first token left out, the rest renormalised", "keep": ""}
        done = [parts[self.sink], "weighted by value norm" if self.by_norm else ""]
        done.append(f"by {self.unit}" if self.unit != "token" else "")
        return ", ".join(part for part in done if part)


PLAIN = Shaping()


def sinks(subject: Subject) -> list[int]:
    """Positions whose weight counts as unused: the first token, and an encoder's other special tokens."""
    if subject.causal:
        return [0]
    return sorted({0, *(place for place, special in enumerate(subject.special) if special)})


def shape_rows(weights: Floats, shaping: Shaping, norms: Floats | None, columns: Sequence[int]) -> Floats:
    """[head, query, key] as `shaping` wants it, tokens still apart. norms: [head, key]. columns: of the sink."""
    if shaping.by_norm and norms is not None:
        weights = weights * norms[:, None, :]
        weights = weights / np.maximum(weights.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
    if shaping.sink != "keep":
        weights = weights.copy()
        weights[..., list(columns)] = 0.0
        if shaping.sink == "renormalise":
            left = weights.sum(-1, keepdims=True)
            weights = np.divide(weights, left, out=np.zeros_like(weights), where=left > 1e-9)
    return weights


def head_map(trace: Trace, layer: int, heads: Sequence[int], shaping: Shaping = PLAIN) -> AttentionMap:
    """One head, or the mean of several, as a picture. Raises InvalidInput for a head that is not there."""
    chosen = tuple(sorted(set(heads)))
    if not chosen or chosen[0] < 0 or chosen[-1] >= trace.heads:
        raise InvalidInput(
            f"There is no head {', '.join(map(str, heads)) or '(none was named)'}.",
            allowed=f"{trace.opened.card.id} has heads 0 to {trace.heads - 1} in each layer.",
        )
    norms = trace.value_norms(layer) if shaping.by_norm else None
    columns = sinks(trace.subject)
    picked = list(chosen)
    mean = np.zeros((trace.tokens, trace.tokens), np.float32)
    for start, block in trace.blocks(layer):
        shaped = shape_rows(block[picked], shaping, None if norms is None else norms[picked], columns)
        mean[start : start + block.shape[1]] = shaped.mean(0)
    weights, labels = grouped(mean, trace.subject, shaping.unit)
    return AttentionMap(layer, chosen, weights, labels, labels, shaping.words, trace.subject.causal)


def grouped(weights: Floats, subject: Subject, unit: Unit) -> tuple[Floats, tuple[str, ...]]:
    """[group, group] of [query, key], and the groups' texts: what is read is summed, who reads is averaged."""
    if unit == "token":
        return weights, subject.pieces
    numbers = np.asarray(subject.words if unit == "word" else subject.sentences)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    summed = np.add.reduceat(weights, starts, axis=1)
    counts = np.diff([*starts, len(numbers)])[:, None].astype(np.float32)
    mean: Floats = (np.add.reduceat(summed, starts, axis=0) / counts).astype(np.float32)
    return mean, group_texts(subject, unit)


def group_texts(subject: Subject, unit: Unit) -> tuple[str, ...]:
    """The texts of the words or sentences."""
    numbers = subject.words if unit == "word" else subject.sentences
    if unit == "token":
        return subject.pieces
    texts: list[str] = [""] * (numbers[-1] + 1)
    for number, piece in zip(numbers, subject.pieces, strict=True):
        texts[number] += "" if piece == PART else piece
    return tuple(texts)


def group_of(subject: Subject, unit: Unit, position: int) -> int:
    """The row in a picture by `unit` in which a token's is."""
    return {"token": range(len(subject.ids)), "word": subject.words, "sentence": subject.sentences}[unit][position]

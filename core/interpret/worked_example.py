"""Attention on five words with a few numbers each, small enough to follow by hand: `work` gives every step of it.

softmax(Q Kᵀ / √d_k) V, equation 1 of Vaswani et al. 2017 (arXiv 1706.03762), for one head. Left alone, the projections
W_Q, W_K and W_V are the identity: q, k and v are then the word's own vector, and a score is how alike two words are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

Floats = npt.NDArray[np.float64]
Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

WORDS = 5
LENGTHS = (3, 4)  # numbers a word
LARGEST = 100.0
_PROJECTIONS = ("w_q", "w_k", "w_v")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedExample:
    """What the reader may change. vectors: [word, number]. names: what each number stands for. w_q, w_k, w_v:
    [number in, number out]; None is the identity. scale: divide the scores by √d_k. causal: a word reads itself and
    what is before it. Raises InvalidInput, which names every fault."""

    words: tuple[str, ...]
    vectors: Matrix
    names: tuple[str, ...]
    w_q: Matrix | None = None
    w_k: Matrix | None = None
    w_v: Matrix | None = None
    scale: bool = True
    causal: bool = False

    def __post_init__(self) -> None:
        found = _shape_faults(self) or _number_faults(self)
        if found:
            raise InvalidInput(
                " ".join(found),
                allowed=f"It takes {WORDS} words, each with {LENGTHS[0]} or {LENGTHS[1]} numbers from "
                f"−{LARGEST:g} to {LARGEST:g}.",
                next_step="Correct it in the table." if len(found) == 1 else "Correct them in the table.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Every array on the way. vectors, queries, keys, values: [word, number]; scores (q·k), scaled (× scaling), masked
    (−inf where nothing may be read), weights: [query, key]; outputs: [word, number]."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    vectors: Floats
    queries: Floats
    keys: Floats
    values: Floats
    scores: Floats
    scaling: float
    scaled: Floats
    masked: Floats
    weights: Floats
    outputs: Floats

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """[query, key]: whether it may be read."""
        return np.isfinite(self.masked)

    @property
    def value_names(self) -> tuple[str, ...]:
        """What the numbers of values and outputs stand for: as in the vectors, unless W_V mixes them."""
        same = np.array_equal(self.values, self.vectors)
        return self.names if same else tuple(f"v {place + 1}" for place in range(self.values.shape[1]))


def identity(length: int) -> Matrix:
    """A projection that changes nothing."""
    return tuple(tuple(float(row == column) for column in range(length)) for row in range(length))


def work(example: WorkedExample) -> Steps:
    """All steps, in the order of the formula."""
    vectors = np.array(example.vectors, dtype=np.float64)
    queries, keys, values = (vectors @ _projection(example, name) for name in _PROJECTIONS)
    scores = queries @ keys.T
    scaling = 1 / math.sqrt(keys.shape[1]) if example.scale else 1.0
    scaled = scores * scaling
    masked = np.where(np.tri(len(vectors), dtype=bool), scaled, -np.inf) if example.causal else scaled
    weights = softmax(masked)
    return Steps(
        words=example.words,
        names=example.names,
        vectors=vectors,
        queries=queries,
        keys=keys,
        values=values,
        scores=scores,
        scaling=scaling,
        scaled=scaled,
        masked=masked,
        weights=weights,
        outputs=weights @ values,
    )


def softmax(scores: Floats) -> Floats:
    """Along the last axis. The largest is taken off first: e^710 is more than a float holds, and no share changes."""
    grown = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = grown / grown.sum(axis=-1, keepdims=True)
    return shares


def _projection(example: WorkedExample, name: str) -> Floats:
    return np.array(getattr(example, name) or identity(len(example.names)), dtype=np.float64)


def _shape_faults(example: WorkedExample) -> list[str]:
    """What stands in the way of looking at the numbers one by one."""
    length, found = len(example.names), []
    if len(example.words) != WORDS or len(example.vectors) != len(example.words):
        found.append(f"There are {len(example.words)} words and {len(example.vectors)} vectors.")
    if length not in LENGTHS:
        found.append(f"A word has {length} number{'s' if length != 1 else ''}.")
    for place, vector in enumerate(example.vectors):
        if len(vector) != length:
            found.append(f"{_word(example, place)} has {len(vector)} numbers where {length} have a name.")
    for name in _PROJECTIONS:
        matrix = getattr(example, name)
        if matrix is not None and [len(row) for row in matrix] != [length] * length:
            shape = " and ".join(sorted({str(len(row)) for row in matrix})) or "no"
            found.append(f"{_upper(name)} has {len(matrix)} rows of {shape} numbers instead of {length} of {length}.")
    return found


def _number_faults(example: WorkedExample) -> list[str]:
    found = [f"Word {place + 1} is empty." for place, word in enumerate(example.words) if not word.strip()]
    for place, vector in enumerate(example.vectors):
        for name, value in zip(example.names, vector, strict=True):
            if told := _fault(value):
                found.append(f"{_word(example, place)}: {name or 'a number without a name'} {told}.")
    for name in _PROJECTIONS:
        for place, row in enumerate(getattr(example, name) or ()):
            for column, value in enumerate(row):
                if told := _fault(value):
                    found.append(f"{_upper(name)}, row {place + 1}, column {column + 1} {told}.")
    return found


def _fault(value: float) -> str:
    if not math.isfinite(value):
        return "is empty or not a number" if math.isnan(value) else "is infinite"
    return f"is {value:,.6g}" if abs(value) > LARGEST else ""


def _word(example: WorkedExample, place: int) -> str:
    word = example.words[place].strip() if place < len(example.words) else ""
    return f"Word {place + 1}, “{word}”" if word else f"Word {place + 1}"


def _upper(name: str) -> str:
    """w_q → W_Q."""
    return name.upper()


DEFAULT = WorkedExample(
    words=("the", "bank", "of", "the", "river"),
    names=("money", "water", "place", "grammar"),
    vectors=(
        (0.0, 0.0, 0.0, 1.0),
        (2.0, 2.0, 1.0, 0.0),  # of money as much as of water: the word alone does not tell
        (0.0, 0.0, 0.0, 2.0),
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 3.0, 2.0, 0.0),
    ),
)

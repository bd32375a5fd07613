"""`QuerySteps`: one query token of one head of a real model, from its dot products to its output, worked out anew.

It is worked out by equation 1 of Vaswani et al. 2017 (arXiv 1706.03762) and held beside the weights of the model's own
code. Where a model does more than that (it caps or biases its scores, or has a sink among its weights), the two differ,
and `difference` says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.interpret.worked_example import softmax

Floats = npt.NDArray[np.float64]
SAME = 1e-5  # of two weights in fp32 that come from the same formula


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySteps:
    """One entry a key, [key], unless it says otherwise.

    position: of the query among the keys. pieces: text of each key. query: q, [d_k]. scores: q·k. scaled: × scaling.
    masked: −inf where nothing may be read. weights: of the formula; model_weights: of the model's own code.
    value_norms: ‖v‖. contribution: weight × ‖v‖, how much a key adds to the output (after Kobayashi et al. 2020,
    arXiv 2004.10102, who measure it one step later, behind the output projection). strongest_key: k of the key with the
    largest weight, [d_k]. output: [d_v]. difference: largest distance between a weight and the model's own.
    """

    layer: int
    head: int
    position: int
    pieces: tuple[str, ...]
    query: Floats
    strongest_key: Floats
    scores: Floats
    scaling: float
    scaled: Floats
    masked: Floats
    weights: Floats
    model_weights: Floats
    value_norms: Floats
    contribution: Floats
    output: Floats
    difference: float

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which keys may be read."""
        return np.isfinite(self.masked)

    @property
    def strongest(self) -> int:
        """The key with the largest weight."""
        return int(self.weights.argmax())

    @property
    def textbook(self) -> bool:
        """Whether the formula is all that the model does."""
        return self.difference <= SAME

    def order(self) -> npt.NDArray[np.intp]:
        """Keys by weight, the largest first; those that may not be read come last, in the order of the text."""
        return np.lexsort((np.arange(len(self.weights)), -self.weights, ~self.allowed))


def steps_from(
    query: npt.ArrayLike,
    keys: npt.ArrayLike,
    values: npt.ArrayLike,
    allowed: npt.ArrayLike,
    model_weights: npt.ArrayLike,
    *,
    scaling: float,
    pieces: Sequence[str],
    position: int,
    layer: int,
    head: int,
) -> QuerySteps:
    """query: [d_k], keys: [key, d_k], both as they are multiplied, with what the model does to them for their place.
    values: [key, d_v]. allowed: [key]. model_weights: [key], of the model's own code.

    Raises InvalidInput for numbers that are not finite and for a query that may read nothing.
    """
    q, k, v, own = (np.asarray(one, dtype=np.float64) for one in (query, keys, values, model_weights))
    may = np.asarray(allowed, dtype=bool)
    _require_shapes(q, k, v, own, may, len(pieces), position)
    _require_sound((q, k, v, own), may, f"layer {layer}, head {head}", position)
    scores = k @ q
    scaled = scores * scaling
    masked = np.where(may, scaled, -np.inf)
    weights = softmax(masked)
    norms = np.linalg.norm(v, axis=1)
    return QuerySteps(
        layer=layer,
        head=head,
        position=position,
        pieces=tuple(pieces),
        query=q,
        strongest_key=k[weights.argmax()],
        scores=scores,
        scaling=scaling,
        scaled=scaled,
        masked=masked,
        weights=weights,
        model_weights=own,
        value_norms=norms,
        contribution=weights * norms,
        output=weights @ v,
        difference=float(np.abs(weights - own).max()),
    )


def _require_shapes(
    q: Floats, k: Floats, v: Floats, own: Floats, may: npt.NDArray[np.bool_], pieces: int, position: int
) -> None:
    """A slip of the caller's, not of the reader's."""
    if k.shape != (pieces, *q.shape) or v.ndim != 2 or {len(v), len(own), len(may)} != {pieces}:
        raise ValueError(
            f"q {q.shape}, k {k.shape}, v {v.shape}, weights {own.shape}, mask {may.shape}, {pieces} pieces"
        )
    if not 0 <= position < pieces:
        raise ValueError(f"query {position} of {pieces}")


def _require_sound(arrays: Sequence[Floats], may: npt.NDArray[np.bool_], where: str, position: int) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise InvalidInput(
            f"At token {position}, {where} has numbers that are not finite.",
            next_step="Look at another head or layer, or open the model in fp32.",
        )
    if not may.any():
        raise InvalidInput(
            f"At token {position}, {where} may read no token at all.",
            next_step="Choose another token, one of the text.",
        )


def is_root(scaling: float, length: int) -> bool:
    """Whether the scaling is 1/√d_k, as the formula has it."""
    return math.isclose(scaling, 1 / math.sqrt(length), rel_tol=1e-6)

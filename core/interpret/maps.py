"""`AttentionMap`: the attention of one head, or the mean of several, as one square of weights with its labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Who reads whom. weights: [query, key], not negative; a row sums to one unless `note` says what was done to it.

    layer: None for the mean of all. heads: those that are averaged. queries, keys: a label a row and a column. note:
    what was done, in words. causal: a row reads itself and what is before it, nothing after.
    """

    layer: int | None
    heads: tuple[int, ...]
    weights: npt.NDArray[np.float32]
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    note: str = ""
    causal: bool = True

    @property
    def title(self) -> str:
        return f"{'All layers' if self.layer is None else f'Layer {self.layer}'}, {heads_words(self.heads)}"


def heads_words(heads: tuple[int, ...]) -> str:
    """head 4; mean of heads 0 to 8; mean of heads 1, 4 and 7."""
    if len(heads) == 1:
        return f"head {heads[0]}"
    if heads == tuple(range(heads[0], heads[-1] + 1)):
        return f"mean of heads {heads[0]} to {heads[-1]}"
    return f"mean of heads {', '.join(map(str, heads[:-1]))} and {heads[-1]}"

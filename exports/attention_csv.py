"""Attention as tables: one row a weight of a map, one row a head of the overview.

With an origin there is one more column of that name, whose first cell holds it as JSON: a comment line would break the
table for most programs that read CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.interpret.maps import AttentionMap
from exports.attention_origin import Origin, as_json
from exports.cells import Cell, csv_bytes

if TYPE_CHECKING:  # it loads torch, which a file of numbers has no need of
    from core.interpret.overview import Overview

KEY_COLUMNS = ("key_position", "key", "weight")
MAP_COLUMNS = ("query_position", "query", *KEY_COLUMNS)
OVERVIEW_COLUMNS = (
    "layer",
    "head",
    "kind",
    "first_token",
    "previous_token",
    "own_token",
    "entropy_bits",
    "distance_tokens",
)


def map_csv(
    picture: AttentionMap,
    origin: Origin | None = None,
    *,
    threshold: float = 0.0,
    rows: str = "query",
    first_row: int = 0,
) -> bytes:
    """A row for each weight from `threshold` up, in full; what a mask forbids to read has no row. Positions from 0.

    rows: what a row of the picture is, for the names of the columns. first_row: the position of its first."""
    return _csv((f"{rows}_position", rows, *KEY_COLUMNS), _weights(picture, threshold, first_row), origin)


def overview_csv(overview: Overview, origin: Origin | None = None) -> bytes:
    """A row a head: its kind, mean weights on the first token, the one before and itself, entropy and distance."""
    layers, heads = overview.first_token.shape
    figures = (
        overview.first_token,
        overview.previous_token,
        overview.own_token,
        overview.entropy,
        overview.distance,
    )
    rows: Iterator[list[Cell]] = (
        [layer, head, overview.kind(layer, head), *(str(figure[layer, head]) for figure in figures)]
        for layer in range(layers)
        for head in range(heads)
    )
    return _csv(OVERVIEW_COLUMNS, rows, origin)


def _weights(picture: AttentionMap, threshold: float, first_row: int) -> Iterator[list[Cell]]:
    queries, keys = _encodable(picture.queries), _encodable(picture.keys)
    allowed = _readable(picture) & (picture.weights >= threshold)
    for query, row in enumerate(allowed):
        places = np.flatnonzero(row)
        # As text: the shortest that is this float32 again; as a Python float it would have twice the digits.
        for key, weight in zip(places.tolist(), picture.weights[query, places].astype(str).tolist(), strict=True):
            yield [first_row + query, queries[query], key, keys[key], weight]


def _readable(picture: AttentionMap) -> npt.NDArray[np.bool_]:
    """[query, key]: where a token may read. A decoder's reads itself and what is before it."""
    queries, keys = picture.weights.shape
    whole = np.ones((queries, keys), dtype=bool)
    return np.tril(whole) if picture.causal and queries == keys else whole


def _encodable(pieces: Sequence[str]) -> list[str]:
    """Half a surrogate pair is no character."""
    return [piece.encode("utf-8", "replace").decode("utf-8") for piece in pieces]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]], origin: Origin | None) -> bytes:
    if origin is None:
        return csv_bytes(columns, rows)
    origins: Iterator[str | None] = chain([as_json(origin)], repeat(None))
    return csv_bytes((*columns, "origin"), ([*row, cell] for row, cell in zip(rows, origins, strict=False)))

"""`Overview`: all heads at a glance: a small picture and a few figures of each, one layer in memory at a time.

A picture's cell is the largest weight in it, so that a thin line stays a line however long the text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.artefacts import Progress, no_progress
from core.interpret.shaping import PLAIN, Shaping, shape_rows, sinks
from core.interpret.trace import Floats, Trace

MOST_CELLS = 64  # along the edge of a picture
_WIDE_BITS = 0.6  # share of the largest entropy a row may have
_CLEAR = 0.5  # weight from which a head is named by what it reads


@dataclass(frozen=True, slots=True)
class Overview:
    """tiles: [layer, head, cell, cell], 255·√(largest weight in the cell). tokens_per_cell: along a cell's edge.

    first_token, previous_token, own_token: [layer, head], mean weight on it. entropy: mean of a row, bits. distance:
    mean distance that is read back (in an encoder, either way), tokens. All without the first row, which in a decoder
    has nothing else to read, and of the weights before shaping. note: how the pictures were shaped.
    """

    tiles: npt.NDArray[np.uint8]
    tokens: int
    tokens_per_cell: int
    first_token: Floats
    previous_token: Floats
    own_token: Floats
    entropy: Floats
    distance: Floats
    note: str = ""

    def kind(self, layer: int, head: int) -> str:
        """What a head mostly reads on this text, in words."""
        found = {
            "previous token": self.previous_token[layer, head],
            "itself": self.own_token[layer, head],
            "first token": self.first_token[layer, head],
        }
        name = max(found, key=lambda kind: found[kind])
        if found[name] >= _CLEAR:
            return name
        most = np.log2(max(self.tokens / 2, 2))
        return "wide" if self.entropy[layer, head] > _WIDE_BITS * most else "mixed"


KINDS = ("previous token", "itself", "first token", "wide", "mixed")


def overview(trace: Trace, shaping: Shaping = PLAIN, progress: Progress = no_progress) -> Overview:
    """Raises what `progress` raises (to cancel)."""
    per_cell = -(-trace.tokens // MOST_CELLS)
    cells = -(-trace.tokens // per_cell)
    tiles = np.zeros((trace.layers, trace.heads, cells, cells), np.uint8)
    figures = np.zeros((5, trace.layers, trace.heads), np.float64)
    columns = sinks(trace.subject)
    for layer in range(trace.layers):
        progress(layer / trace.layers, f"Looking at layer {layer + 1} of {trace.layers}")
        norms = trace.value_norms(layer) if shaping.by_norm else None
        largest = np.zeros((trace.heads, cells, cells), np.float32)
        for start, block in trace.blocks(layer):
            figures[:, layer] += _sums(block, start)
            _pool(largest, shape_rows(block, shaping, norms, columns), start, per_cell)
        tiles[layer] = np.rint(255 * np.sqrt(np.minimum(largest, 1.0)))
    means = (figures / max(trace.tokens - 1, 1)).astype(np.float32)
    return Overview(tiles, trace.tokens, per_cell, means[0], means[1], means[2], means[3], means[4], shaping.words)


def _sums(block: Floats, start: int) -> Floats:
    """[5, head] sums over the rows of a block, [head, query, key], the text's first row left out."""
    skip = 1 if start == 0 else 0
    rows = block[:, skip:]
    queries = np.arange(start + skip, start + block.shape[1])
    places = np.arange(len(queries))
    entropy = -(rows * np.log2(np.maximum(rows, 1e-12))).sum(-1)
    distance = np.abs(queries[:, None] - np.arange(block.shape[2])[None]).astype(np.float32)
    return np.stack(
        [
            rows[..., 0].sum(-1),
            rows[:, places, queries - 1].sum(-1),
            rows[:, places, queries].sum(-1),
            entropy.sum(-1),
            np.einsum("hqk,qk->h", rows, distance),
        ]
    )


def _pool(largest: Floats, weights: Floats, start: int, per_cell: int) -> None:
    """Take the rows [head, query, key] that begin at `start` into the cells."""
    heads, queries, keys = weights.shape
    cells = largest.shape[1]
    padded = np.pad(weights, ((0, 0), (0, 0), (0, cells * per_cell - keys)))
    by_key = padded.reshape(heads, queries, cells, per_cell).max(-1)
    rows = (np.arange(start, start + queries)) // per_cell
    firsts = np.flatnonzero(np.diff(rows, prepend=-1))
    pooled = np.maximum.reduceat(by_key, firsts, axis=1)
    found = rows[firsts]
    largest[:, found] = np.maximum(largest[:, found], pooled)

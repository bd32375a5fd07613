"""The attention of all heads at a glance: layers down, heads across, one thumbnail each; pick one to look into it.

A Streamlit component without an iframe. The thumbnails travel as one PNG, eight bits a pixel; the browser gives it the
theme's colours. What comes back is checked against the heads that there are.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.interpret.overview import Overview
from pages.widgets.component import component, no_callback
from pages.widgets.grey_png import grey_png

MOST_PIXELS = 2_500_000  # of all thumbnails together: about 2.5 MB on the way at worst

_component = component(__file__, '<div class="attention-grid"></div>', shared=("dom", "grey_picture"))


def attention_grid(overview: Overview, *, chosen: tuple[int, int] | None, key: str) -> tuple[int, int] | None:
    """Shows all heads. Returns (layer, head) on the one rerun after a thumbnail was picked.

    chosen: the head that is looked into now; it is outlined.
    """
    result = _component(key=key, data=packed(overview, chosen), on_pick_change=no_callback)
    return picked_head(result.pick, overview)


def packed(overview: Overview, chosen: tuple[int, int] | None) -> dict[str, Any]:
    """What travels to the browser. cells: along the edge of a thumbnail."""
    pixels, pooled = sprite(overview.tiles)
    digest, facts = hashlib.blake2b(pixels.tobytes(), digest_size=8), _facts(overview)
    digest.update(json.dumps(facts).encode())
    return {
        "digest": digest.hexdigest(),
        "picture": grey_png(pixels).text,
        "cells": len(pixels) // len(overview.tiles),
        "tokens_per_cell": overview.tokens_per_cell * pooled,
        "chosen": list(chosen) if chosen is not None else None,
        **facts,
    }


def sprite(tiles: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """One picture of all tiles [layer, head, cell, cell], a row a layer, and how many cells along an edge became one.

    With very many heads, 2 × 2 cells become one with the largest weight among them, until the picture is small enough.
    """
    pooled = 1
    while tiles.size > MOST_PIXELS and tiles.shape[2] > 1:
        odd = tiles.shape[2] % 2
        tiles = np.pad(tiles, ((0, 0), (0, 0), (0, odd), (0, odd)))
        tiles = np.maximum(tiles[:, :, ::2], tiles[:, :, 1::2])
        tiles = np.maximum(tiles[..., ::2], tiles[..., 1::2])
        pooled *= 2
    layers, heads, cells, _ = tiles.shape
    return np.ascontiguousarray(tiles.transpose(0, 2, 1, 3)).reshape(layers * cells, heads * cells), pooled


def _facts(overview: Overview) -> dict[str, Any]:
    """What is said of the heads, one entry a head, layer by layer. kind: a place in `kinds`."""
    layers, heads = overview.tiles.shape[:2]
    of_head = [overview.kind(layer, head) for layer in range(layers) for head in range(heads)]
    kinds = sorted(set(of_head), key=lambda kind: (-of_head.count(kind), kind))
    return {
        "layers": layers,
        "heads": heads,
        "tokens": overview.tokens,
        "causal": not np.triu(overview.tiles, 1).any(),  # nobody reads what comes later
        "note": overview.note,
        "kinds": kinds,
        "kind": [kinds.index(kind) for kind in of_head],
        "first_token": _rounded(overview.first_token),
        "distance": _rounded(overview.distance),
    }


def _rounded(values: npt.NDArray[np.float32]) -> list[float | None]:
    """Four digits are more than the page shows. JSON has no word for NaN."""
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values.ravel().tolist()]


def picked_head(value: object, overview: Overview) -> tuple[int, int] | None:
    """The browser's word, if it names a head that there is."""
    if not isinstance(value, Mapping):
        return None
    layer, head = value.get("layer"), value.get("head")
    if type(layer) is not int or type(head) is not int:  # a bool is no number of a layer
        return None
    layers, heads = overview.tiles.shape[:2]
    return (layer, head) if 0 <= layer < layers and 0 <= head < heads else None

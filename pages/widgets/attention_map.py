"""The attention of one head as a heat map to zoom into; pick a row to ask what its token read.

A Streamlit component without an iframe. The weights travel as one PNG of 255·√weight, coarser where that is too large,
and the browser gives it the theme's colours. Pieces of text are put on the page as text only. What comes back is
checked against the rows that there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.interpret.maps import AttentionMap
from pages.widgets.component import component, no_callback
from pages.widgets.grey_png import FULL, grey_png

MOST_BYTES = 1_080_000  # of the PNG: 1.44 MB on the way, so that with the pieces 1.5 MB are kept
LONGEST = 60  # characters of a piece: a whole sentence would fill the screen

_component = component(__file__, '<div class="attention-map"></div>', shared=("dom", "grey_picture"))


def attention_map(
    picture: AttentionMap,
    *,
    focus: int | None,
    key: str,
    row_words: str = "",
    pickable: bool = True,
    first_row: int = 0,
) -> int | None:
    """Shows one map. Returns the query row that was picked (of the picture, from 0), on the one rerun after.

    focus: the row of the token that is asked about; it is outlined. row_words: what a row is, in a sentence; as in one
    text before itself where it is empty. first_row: the place of the first row's token in the whole text.
    """
    data = packed(picture, focus, row_words=row_words, pickable=pickable, first_row=first_row)
    result = _component(key=key, data=data, on_pick_change=no_callback)
    return picked_row(result.pick, len(picture.queries)) if pickable else None


def packed(
    picture: AttentionMap, focus: int | None, *, row_words: str = "", pickable: bool = True, first_row: int = 0
) -> dict[str, Any]:
    """What travels to the browser. full: the weight of the darkest grey; levels: how many greys there are."""
    pixels, full = grey(picture.weights)
    image = grey_png(pixels, limit_bytes=MOST_BYTES)
    words = {
        "title": picture.title,
        "note": picture.note,
        "causal": picture.causal,
        "full": full,
        "row_words": row_words,
        "pickable": pickable,
        "first_row": first_row,
        "queries": _trimmed(picture.queries),
        "keys": None if picture.keys == picture.queries else _trimmed(picture.keys),  # mostly the same: sent once
    }
    digest = hashlib.blake2b(image.content, digest_size=8)
    digest.update(json.dumps(words).encode())
    return {
        "digest": digest.hexdigest(),
        "picture": image.text,
        "levels": image.levels if image.levels < FULL else None,
        "focus": focus if focus is not None and 0 <= focus < len(picture.queries) else None,
        **words,
    }


def grey(weights: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint8], float]:
    """255·√(weight / full), and full: one, or the largest weight where values weigh in and make it more."""
    full = max(float(weights.max(initial=0.0)), 1.0)
    return np.rint(255 * np.sqrt(np.clip(weights / full, 0, 1))).astype(np.uint8), full


def _trimmed(pieces: Sequence[str]) -> list[str]:
    return [piece if len(piece) <= LONGEST else f"{piece[: LONGEST - 1]}…" for piece in pieces]


def picked_row(value: object, rows: int) -> int | None:
    """The browser's word, if it names a row that there is."""
    row = value.get("row") if isinstance(value, Mapping) else None
    return row if type(row) is int and 0 <= row < rows else None  # a bool is no number of a row

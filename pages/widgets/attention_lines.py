"""The head view: who reads on the left, what is read on the right, a line for every weight that counts.

A Streamlit component without an iframe; the browser gets the strongest lines only and draws those in sight, so that
2,048 tokens scroll as twelve do. Pieces travel as data and are put on the page as text only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.interpret.maps import AttentionMap
from pages.widgets.component import component, no_callback

MOST_LINES = 40_000  # over all pictures: 200 kB

_component = component(__file__, '<div class="attention-lines"></div>', shared=("dom",))

Weights = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Which weights become lines. places: of each picture, positions in its flattened weights, rising.

    scale: the weight of the heaviest line, at least 1. above: how many weights are above zero. share: of all weight,
    that which the lines carry. cut: more of them reach the threshold than can be drawn.
    """

    places: tuple[Places, ...]
    scale: float
    above: int
    share: float
    cut: bool

    @property
    def count(self) -> int:
        return sum(map(len, self.places))


def attention_lines(pictures: Sequence[AttentionMap], *, focus: int | None, threshold: float, key: str) -> int | None:
    """Shows the heads over one another. Returns the query that was clicked, on the one rerun after.

    pictures: of the same tokens, at least one. threshold: lighter weights get no line.
    """
    queries, keys = pictures[0].queries, pictures[0].keys
    squares = [picture.weights for picture in pictures]
    drawn = strongest(squares, threshold)
    content = {
        "queries": queries,
        "keys": None if keys == queries else keys,
        "heads": [
            {"title": picture.title, "lines": packed(picture.weights, places, drawn.scale)}
            for picture, places in zip(pictures, drawn.places, strict=True)
        ],
        "scale": drawn.scale,
        "caption": caption(pictures, drawn, threshold),
    }
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
    shown = focus if focus is not None and 0 <= focus < len(queries) else None
    result = _component(key=key, data={"digest": digest, "focus": shown, **content}, on_pick_change=no_callback)
    return checked_pick(result.pick, len(queries))


def strongest(squares: Sequence[Weights], threshold: float, *, most: int = MOST_LINES) -> Drawn:
    """The weights of at least `threshold`, and of those the `most` largest over all squares, each [query, key]."""
    above = _count(squares, np.nextafter(np.float32(0), np.float32(1)))
    reaching = min(above, _count(squares, threshold))
    floor = _floor(squares, threshold, most)
    found = [np.flatnonzero((square > 0) & (square >= floor)) for square in squares]
    values = np.concatenate([square.ravel()[places] for square, places in zip(squares, found, strict=True)])
    if len(values) > most:
        kept = np.zeros(len(values), dtype=bool)
        kept[np.argpartition(values, -most)[-most:]] = True
        parts = np.split(kept, np.cumsum([len(places) for places in found])[:-1])
        found = [places[part] for places, part in zip(found, parts, strict=True)]
        values = values[kept]
    scale = max(1.0, float(values.max(initial=0.0)))
    return Drawn(tuple(found), scale, above, _share(values, squares), cut=reaching > most)


def _count(squares: Sequence[Weights], threshold: float | np.float32) -> int:
    return sum(int(np.count_nonzero(square >= np.float32(threshold))) for square in squares)


def _floor(squares: Sequence[Weights], threshold: float, most: int) -> float:
    """A threshold that leaves `most` or a few more: millions of weights that cannot be among them are never sorted."""
    floor, step = threshold, max(threshold, 1e-4)
    while step < 1 and _count(squares, step) >= most:
        floor, step = step, step * 2
    return floor


def _share(values: Weights, squares: Sequence[Weights]) -> float:
    total = sum(float(np.nansum(square, dtype=np.float64)) for square in squares)
    return min(float(values.sum(dtype=np.float64)) / total, 1.0) if total > 0 else 0.0


def packed(square: Weights, places: Places, scale: float) -> str:
    """Base64 of all queries, then all keys (little-endian uint16), then 255·√(weight/scale), one byte each.

    255 is kept for the whole scale, so that the browser writes no 100 % for what is only near it.
    """
    queries, keys = np.divmod(places, square.shape[1])
    parts = square.ravel()[places] / scale
    roots = np.where(parts > 1 - 1e-5, 255, np.clip(np.rint(255 * np.sqrt(parts)), 1, 254)).astype(np.uint8)
    return base64.b64encode(queries.astype("<u2").tobytes() + keys.astype("<u2").tobytes() + roots.tobytes()).decode()


def caption(pictures: Sequence[AttentionMap], drawn: Drawn, threshold: float) -> str:
    """How many of how many weights are drawn, the share of all weight that they carry, and what was done to them."""
    if not drawn.count:
        return f"No weight reaches {threshold:g}: lower the threshold to see lines."
    if drawn.count == drawn.above:
        return _with_notes(f"All {drawn.above:,} weights are drawn.", pictures)
    which = f"the largest; more reach {threshold:g}" if drawn.cut else f"those of at least {threshold:g}"
    told = f"{drawn.count:,} of {drawn.above:,} weights are drawn, {which}."
    return _with_notes(f"{told} They carry {_percent(drawn.share)} of all weight.", pictures)


def _percent(share: float) -> str:
    """Never 100 % for what is only near it."""
    return f"{min(share * 100, 99.9):.1f} %" if share > 0.99 else f"{share * 100:.0f} %"


def _with_notes(told: str, pictures: Sequence[AttentionMap]) -> str:
    notes = dict.fromkeys(picture.note for picture in pictures if picture.note)
    return " ".join([told, *(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in notes)])


def checked_pick(value: object, count: int) -> int | None:
    """The browser's word, if it names one of `count` tokens."""
    return value if type(value) is int and 0 <= value < count else None

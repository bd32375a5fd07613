"""The colours of pictures that leave the house: on white, for paper, and told apart by the colour-blind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.interpret.maps import AttentionMap

# The light theme's chartSequentialColors: one hue, more is darker.
SEQUENTIAL = (
    "#EAF3FA",
    "#D2E5F4",
    "#B3D4EC",
    "#8EBFE2",
    "#67A7D5",
    "#438EC5",
    "#2576B3",
    "#0F609D",
    "#074B80",
    "#053861",
)
# Okabe and Ito, Color Universal Design, 2008; without the yellow, which no thin line on white can be seen in.
HEADS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BAR_TICKS = (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)  # shares of the top; evenly spread once their roots are taken
_COMPARABLE = 0.25  # a map whose strongest weight is at least this keeps the scale from 0 to 1

Levels = npt.NDArray[np.uint8]


def clean(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The weights with 0 for what is no number or below zero."""
    finite = np.where(np.isfinite(weights), weights, np.float32(0))
    return np.maximum(finite, np.float32(0))


def top(picture: AttentionMap) -> float:
    """The weight of the darkest colour: 1, so that pictures compare, unless theirs are all small or larger than 1."""
    largest = float(clean(picture.weights).max(initial=0.0))
    return 1.0 if largest == 0 or _COMPARABLE <= largest <= 1.0 + 1e-6 else largest


def levels(picture: AttentionMap) -> Levels:
    """[query, key]: 255·√(weight/top); at least 1 for what is above zero, so that a mask (0, white) is told from a
    weight of nearly nothing."""
    weights = clean(picture.weights)
    roots = np.sqrt(np.minimum(weights / np.float32(top(picture)), 1.0))
    found: Levels = np.maximum(np.rint(255 * roots), weights > 0).astype(np.uint8)
    return found


def palette() -> npt.NDArray[np.uint8]:
    """[level, red-green-blue]: white for 0, then the sequential colours with what lies between them."""
    known = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in SEQUENTIAL])
    where = np.linspace(1, 255, len(SEQUENTIAL))
    mixed = np.stack([np.interp(np.arange(256), where, channel) for channel in known.T], axis=1)
    mixed[0] = 255
    colours: Levels = np.rint(mixed).astype(np.uint8)
    return colours


def colour_of(level: int) -> str:
    """As #RRGGBB."""
    return _NAMES[level]


def tick_step(count: int, most: int = 12) -> int:
    """Tokens between two numbered ticks: a round number, with `most` ticks at the most."""
    step = 10
    while count / step > most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2  # 10, 20, 50, 100 …
    return step


_NAMES = tuple("#{:02X}{:02X}{:02X}".format(*row) for row in palette().tolist())

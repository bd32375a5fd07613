"""How far a figure would move with other test rows: percentile bootstrap intervals, vectorised and seeded.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13: rows are drawn with replacement, the figure
is taken of each draw, and 95 % of the figures lie between the bounds. Draws are counts, [draw, row]: how often each row
was drawn. Two models judged on the same draws are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float32]  # [draw, row]; whole numbers, exact to 2^24
Measures = Callable[[Counts], dict[str, Floats]]
"""Figures by name, [draw] each, of counts [draw, row]. NaN: that draw has no such figure."""

MOST_DRAWS = 1_000
FEWEST_DRAWS = 200
BUDGET = 20_000_000  # rows drawn in all; more draws than this many rows allow are not made
LEVEL = 0.95
_CHUNK = 1_000_000  # counts held at a time: 4 MB


def draw_count(rows: int, *, budget: int = BUDGET) -> int:
    """How many draws are made of so many rows; 0 when they could not say anything."""
    return 0 if rows < 2 else min(MOST_DRAWS, max(FEWEST_DRAWS, budget // rows))


def draws(rows: int, count: int, seed: int) -> Iterator[Counts]:
    """Counts [draw, row] of `count` draws, some at a time. The same seed gives the same first draws."""
    random = np.random.default_rng(seed)
    at_once = max(1, _CHUNK // rows)
    for start in range(0, count, at_once):
        size = min(at_once, count - start)
        drawn = random.integers(0, rows, (size, rows))
        drawn += np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float32)


def replicates(rows: int, measures: Measures, *, seed: int = 0, count: int | None = None) -> dict[str, Floats]:
    """Each figure of every draw, [draw]; empty when there are too few rows to draw from."""
    made = [measures(counts) for counts in draws(rows, draw_count(rows) if count is None else count, seed)]
    return {name: np.concatenate([part[name] for part in made]) for name in made[0]} if made else {}


def bounds(figures: Floats | None) -> tuple[float, float] | tuple[None, None]:
    """The middle 95 % of a figure's replicates; (None, None) when fewer than half of the draws have the figure."""
    if figures is None or not len(figures):
        return None, None
    told = figures[np.isfinite(figures)]
    if len(told) < len(figures) / 2:
        return None, None
    low, high = np.quantile(told, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def ones(rows: int) -> Counts:
    """Every row once: the figure itself."""
    return np.ones((1, rows), dtype=np.float32)

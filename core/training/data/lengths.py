"""How long texts are in a model's tokens, and what a bound on them would cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_BINS = 40
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class LengthReport:
    """quantiles: tokens of a row at 0, 5, 25, 50, 75, 95 and 100 %. histogram: (first token count of a bin, rows).
    cut_rows, cut_tokens: how many rows are longer than the bound, and what they lose; 0 without a bound."""

    quantiles: tuple[float, ...]
    histogram: tuple[tuple[int, int], ...]
    max_tokens: int | None
    cut_rows: int
    cut_tokens: int
    total_tokens: int


def token_lengths(texts: Sequence[str], model_folder: Path) -> npt.NDArray[np.int64]:
    """[text]: tokens of each, without the special ones that a recipe adds. model_folder: a prepared model's.

    Raises ModelNotFound, CorruptFile for a folder without a tokenizer.
    """
    from core.models.tokenizer import load_fast, well_formed

    fast = load_fast(model_folder)
    found: list[int] = []
    for start in range(0, len(texts), _BATCH):
        batch: list[Any] = [well_formed(text) for text in texts[start : start + _BATCH]]
        found += [len(encoding.ids) for encoding in fast.encode_batch_fast(batch, add_special_tokens=False)]
    return np.array(found, dtype=np.int64)


def length_report(lengths: npt.NDArray[np.int64], max_tokens: int | None = None) -> LengthReport:
    """Quantiles, a histogram, and what `max_tokens` would cut."""
    if not len(lengths):
        return LengthReport((), (), max_tokens, 0, 0, 0)
    top = int(lengths.max())
    width = max(-(-(top + 1) // _BINS), 1)
    counts = np.bincount(lengths // width)
    over = np.maximum(lengths - max_tokens, 0) if max_tokens is not None else np.zeros_like(lengths)
    return LengthReport(
        quantiles=tuple(float(value) for value in np.quantile(lengths, QUANTILES)),
        histogram=tuple((index * width, int(count)) for index, count in enumerate(counts)),
        max_tokens=max_tokens,
        cut_rows=int((over > 0).sum()),
        cut_tokens=int(over.sum()),
        total_tokens=int(lengths.sum()),
    )

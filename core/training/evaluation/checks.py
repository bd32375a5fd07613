"""What is judged must be numbers, one for each row. Raises InvalidInput that says which row is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

Floats = npt.NDArray[np.float64]
_OFF = 1e-3  # by how much probabilities in half precision may miss a sum of 1


def numbers(values: Any, what: str, rows: int | None = None) -> Floats:
    """[row], finite, and `rows` of them where that is given."""
    found = np.asarray(values, dtype=np.float64).reshape(-1)
    if not len(found):
        raise InvalidInput("There are no test rows to judge.", next_step="Give `test` a share of the rows above 0.")
    _same(len(found), rows, what)
    _finite(found, what)
    return found


def probabilities(values: Any, what: str, rows: int | None = None, classes: int | None = None) -> Floats:
    """[row, class], finite, at least 0 and with a sum of 1 in each row, which is made exact."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not len(found):
        raise InvalidInput(f"{what} have the shape {list(found.shape)}.", allowed="[row, class], one row at least.")
    _same(len(found), rows, what)
    if classes is not None and found.shape[1] != classes:
        raise InvalidInput(f"{what} are of {found.shape[1]} classes.", allowed=f"{classes}, one a label.")
    _finite(found, what)
    sums = found.sum(axis=1)
    wrong = np.flatnonzero((found.min(axis=1) < -_OFF) | (np.abs(sums - 1) > _OFF))
    if len(wrong):
        raise InvalidInput(
            f"{what} of test row {wrong[0] + 1} are {np.round(found[wrong[0]], 4).tolist()[:8]}.",
            allowed="Each at least 0, together 1.",
        )
    clean = np.clip(found, 0.0, None)
    exact: Floats = clean / clean.sum(axis=1, keepdims=True)
    return exact


def classes_of(truth: Any, rows: int, classes: int) -> npt.NDArray[np.intp]:
    """[row]: the index of each row's true class."""
    found = np.asarray(truth)
    _same(len(found), rows, "The true classes")
    if found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= classes:
        raise InvalidInput(f"The true classes are {np.unique(found)[:8].tolist()}.", allowed=f"0 to {classes - 1}.")
    return found.astype(np.intp)


def described(rows: Sequence[int], shown: Sequence[str], count: int) -> None:
    """Every judged row has its number in the file and its words."""
    _same(len(rows), count, "The row numbers")
    _same(len(shown), count, "The texts")


def _same(found: int, rows: int | None, what: str) -> None:
    if rows is not None and found != rows:
        raise InvalidInput(f"{what} are of {found:,} rows.", allowed=f"{rows:,}, one for each test row.")


def _finite(found: Floats, what: str) -> None:
    if not np.isfinite(found).all():
        row = int(np.argwhere(~np.isfinite(found))[0][0])
        raise InvalidInput(
            f"{what} of test row {row + 1} hold {found[row].tolist() if found.ndim == 1 else 'a value'} that is no "
            "finite number.",
            next_step="The training has diverged: lower the learning rate, or clip the gradient, and train again.",
        )

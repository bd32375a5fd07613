"""`split`: rows to learn from, rows that choose, rows that judge; seeded, each class in its share.

Rows of the same content go together: none is learned from and judged by. Rows keep their order within a part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Split:
    """Places of the rows of each part, in rising order."""

    train: Places
    validation: Places
    test: Places


def split(keys: pd.Series, labels: pd.Series | None, validation: float, test: float, seed: int) -> Split:
    """keys [row]: equal for rows that stay together. labels [row]: stratified by, None for none.

    A class of one row is learned from; of two, one judges; of three and more, every part with a share gets one.
    """
    first = pd.factorize(keys)[0]
    units = pd.Series(np.arange(len(keys))).groupby(first).first().to_numpy()  # a unit's first row
    strata = pd.factorize(labels)[0][units] if labels is not None else np.zeros(len(units), dtype=np.intp)
    generator = np.random.default_rng(seed)
    part_of_unit = np.zeros(len(units), dtype=np.intp)
    for stratum in np.unique(strata):
        members = generator.permutation(np.flatnonzero(strata == stratum))
        chosen, judged = _counts(len(members), validation, test)
        part_of_unit[members[:judged]] = 2
        part_of_unit[members[judged : judged + chosen]] = 1
    part = part_of_unit[first]
    return Split(*(np.flatnonzero(part == place) for place in range(3)))


def _counts(units: int, validation: float, test: float) -> tuple[int, int]:
    """How many of a stratum's units choose and judge; at least one is left to learn from."""
    judged, chosen = round(units * test), round(units * validation)
    if units > 1 and test:
        judged = max(judged, 1)
    if units > 2 and validation:
        chosen = max(chosen, 1)
    while units and judged + chosen >= units:
        if chosen >= judged:
            chosen -= 1
        else:
            judged -= 1
    return chosen, judged

"""How well scores put one class's rows before all others: ROC-AUC, average precision, their curves.

Of many draws at once: scores are sorted once, rows of one score stand together, and running sums of the counts give
every draw's figure. Average precision is scikit-learn's: a step function, not the area under straight lines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.training.evaluation.bootstrap import FEWEST_DRAWS, MOST_DRAWS, Counts, Floats
from core.training.evaluation.report import Curve

MOST_POINTS = 200  # of a curve
MOST_CURVES = 12  # classes with a curve, those with the most rows
BUDGET = 40_000_000  # rows sorted in all draws, of all classes and models: about a second


def ranked_classes(truth: npt.NDArray[np.intp], classes: int) -> list[int]:
    """Classes that some rows have and some have not. Of two, the second says it all."""
    had = np.bincount(truth, minlength=classes)
    told = [index for index in range(classes) if 0 < had[index] < len(truth)]
    return told[-1:] if classes == 2 else told


def ranking_draws(rows: int, rankings: int) -> int:
    """How many draws can be ranked in the time there is; 0 when it is too short for an interval."""
    count = min(MOST_DRAWS, BUDGET // max(rows * rankings, 1)) if rows > 1 else 0
    return count if count >= FEWEST_DRAWS else 0


class Ranking:
    """Scores [row] of one class and whether each row has it."""

    def __init__(self, scores: Floats, has: npt.NDArray[np.bool_]) -> None:
        self._scores, self._has = scores, has
        self._order = np.argsort(-scores, kind="stable")
        falling = scores[self._order]
        self._starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])  # of each run of one score

    def exact(self) -> tuple[float, float]:
        """ROC-AUC and average precision of the rows as they are."""
        from sklearn.metrics import average_precision_score, roc_auc_score

        return float(roc_auc_score(self._has, self._scores)), float(average_precision_score(self._has, self._scores))

    def counted(self, counts: Counts) -> tuple[Floats, Floats]:
        """The same of draws, [draw] each; NaN for a draw with rows of one kind alone."""
        sorted_counts = counts[:, self._order]
        having = np.add.reduceat(sorted_counts * self._has[self._order], self._starts, axis=1)
        others = np.add.reduceat(sorted_counts, self._starts, axis=1) - having
        found, missed = np.cumsum(having, axis=1), np.cumsum(others, axis=1)
        all_having, all_others = found[:, -1].astype(np.float64), missed[:, -1].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            # A pair in the wrong order: one of the others stands before; of one score, half a pair.
            wrong = np.einsum("dr,dr->d", having, missed - others / 2, dtype=np.float64)
            roc = 1 - wrong / (all_having * all_others)
            precision = found / np.maximum(found + missed, 1)
            average = np.einsum("dr,dr->d", having, precision, dtype=np.float64) / all_having
        alone = (all_having == 0) | (all_others == 0)
        return np.where(alone, np.nan, roc), np.where(alone, np.nan, average)

    def curves(self, label: str) -> tuple[Curve, Curve]:
        """The ROC curve and the precision-recall curve, 200 points each at the most."""
        from sklearn.metrics import precision_recall_curve, roc_curve

        false, true, _ = roc_curve(self._has, self._scores)
        precision, recall, _ = precision_recall_curve(self._has, self._scores)
        kept_roc, kept_pr = thinned(false, true), thinned(recall, precision)
        return (
            Curve("roc", label, tuple(false[kept_roc].tolist()), tuple(true[kept_roc].tolist())),
            Curve("pr", label, tuple(recall[kept_pr].tolist()), tuple(precision[kept_pr].tolist())),
        )


def thinned(x: Floats, y: Floats, most: int = MOST_POINTS) -> npt.NDArray[np.intp]:
    """Which points to keep so that the picture stays: equally far apart along the curve, both ends among them."""
    if len(x) <= most:
        return np.arange(len(x))
    along = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    return np.unique(np.searchsorted(along, np.linspace(0.0, along[-1], most)).clip(0, len(x) - 1))

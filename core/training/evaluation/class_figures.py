"""A classifier's figures: of its test rows by scikit-learn, and of many draws of them at once for the intervals.

Both follow the same rules. Macro averages are over the classes that have rows (one without has no recall); a class that
was never predicted has a precision of 0. Micro averages of precision, recall and F1 are all the accuracy, as each row
has one class. Brier is halved for two classes, as it is there everywhere (Brier 1950 sums over the classes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.evaluation.bootstrap import Counts, Floats
from core.training.evaluation.ranking import Ranking, ranked_classes

AVERAGES = ("macro", "micro", "weighted")
PARTS = ("precision", "recall", "f1")
SMALLEST = float(np.finfo(np.float64).eps)  # a probability of 0 would cost an infinite log loss
ECE_BINS = 15  # equally wide, as in Guo et al. 2017 (arXiv:1706.04599)


@dataclass(frozen=True, slots=True)
class Classified:
    """One model's probabilities [row, class] for test rows of which `truth` [row] are the classes."""

    probabilities: Floats
    truth: npt.NDArray[np.intp]

    @property
    def said(self) -> npt.NDArray[np.intp]:
        """[row]: the likeliest class."""
        found: npt.NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return found

    @property
    def of_truth(self) -> Floats:
        """[row]: the probability of the true class."""
        found: Floats = self.probabilities[np.arange(len(self.truth)), self.truth]
        return found

    def figures(self) -> dict[str, float]:
        """Every figure of these rows, by name; without those that they do not have."""
        from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

        truth, said, classes = self.truth, self.said, self.probabilities.shape[1]
        found = {"accuracy": float(accuracy_score(truth, said))}
        for average in AVERAGES:
            parts = precision_recall_fscore_support(
                truth, said, labels=np.unique(truth) if average != "micro" else None, average=average, zero_division=0
            )
            found |= {f"{part}_{average}": float(value) for part, value in zip(PARTS, parts[:3], strict=True)}
        ranks = [ranking.exact() for ranking in self.rankings()]
        if ranks:
            found["roc_auc"], found["average_precision"] = (float(np.mean(one)) for one in zip(*ranks, strict=True))
        safe = np.clip(self.probabilities, SMALLEST, 1.0)
        safe /= safe.sum(axis=1, keepdims=True)
        found["log_loss"] = float(log_loss(truth, safe, labels=range(classes)))
        found["brier"] = float(self.squared().mean())
        found["ece"] = expected_calibration_error(self)
        return found

    def counted(self, counts: Counts) -> dict[str, Floats]:
        """The same figures of draws, [draw] each, but for those of rankings and the calibration error."""
        rows = counts.shape[1]
        had, given, hits = self._tallies(counts)
        parts = {
            "precision": hits / np.maximum(given, 1),
            "recall": hits / np.maximum(had, 1),
            "f1": 2 * hits / np.maximum(had + given, 1),
        }
        accuracy = hits.sum(axis=1) / rows
        found = {"accuracy": accuracy}
        present = had > 0
        for name, values in parts.items():
            found[f"{name}_macro"] = (values * present).sum(axis=1) / present.sum(axis=1)
            found[f"{name}_micro"] = accuracy
            found[f"{name}_weighted"] = (values * had).sum(axis=1) / rows
        found["log_loss"] = counts @ -np.log(np.clip(self.of_truth, SMALLEST, 1.0)) / rows
        found["brier"] = counts @ self.squared() / rows
        return found

    def f1_macro(self, counts: Counts) -> Floats:
        """The headline figure alone, [draw]; NaN for a draw without a row."""
        had, given, hits = self._tallies(counts)
        present = had > 0
        with np.errstate(invalid="ignore"):
            found: Floats = (2 * hits / np.maximum(had + given, 1) * present).sum(axis=1) / present.sum(axis=1)
        return found

    def ranked(self, counts: Counts) -> dict[str, Floats]:
        """ROC-AUC and average precision of draws, [draw] each: means over the classes that are ranked."""
        found = [ranking.counted(counts) for ranking in self.rankings()]
        roc, precision = (_mean_of_known(np.stack(one)) for one in zip(*found, strict=True))
        return {"roc_auc": roc, "average_precision": precision}

    def rankings(self) -> list[Ranking]:
        """One for each class that can be told from others: of two classes, the second alone."""
        return [
            Ranking(self.probabilities[:, index], self.truth == index)
            for index in ranked_classes(self.truth, self.probabilities.shape[1])
        ]

    def squared(self) -> Floats:
        """[row]: Brier's squared distance."""
        off = self.probabilities.copy()
        off[np.arange(len(self.truth)), self.truth] -= 1.0
        total: Floats = np.square(off).sum(axis=1)
        return total / 2 if off.shape[1] == 2 else total

    def _tallies(self, counts: Counts) -> tuple[Floats, Floats, Floats]:
        """[draw, class] each: rows that have a class, that were given it, and both."""
        said = self.said
        hits = self._by_class(counts * (said == self.truth), self.truth)
        return self._by_class(counts, self.truth), self._by_class(counts, said), hits

    def _by_class(self, counts: Counts, index: npt.NDArray[np.intp]) -> Floats:
        """[draw, class]: the counts of the rows of each class, in one pass however many classes there are."""
        order = np.argsort(index, kind="stable")
        present, starts = np.unique(index[order], return_index=True)
        found = np.zeros((len(counts), self.probabilities.shape[1]))
        found[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
        return found


def _mean_of_known(figures: Floats) -> Floats:
    """[draw] out of [class, draw], leaving out classes that a draw does not rank; NaN where it ranks none."""
    known = np.isfinite(figures)
    number = known.sum(axis=0)
    total = np.where(known, figures, 0.0).sum(axis=0)
    found: Floats = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return found


def expected_calibration_error(model: Classified) -> float:
    """How far the likeliest class's probability is from its share of hits, over bins (Guo et al. 2017, equation 3).

    It has no interval: drawn again, rows look worse calibrated than they are, so that the bounds would lie too high.
    """
    stated, hit, number = calibration_bins(model)
    return float((np.abs(stated - hit) * number).sum() / number.sum())


def calibration_bins(model: Classified) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Of each bin with rows: mean probability of the likeliest class, share of hits, number of rows."""
    confidence = model.probabilities.max(axis=1)
    index = np.minimum((confidence * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    number = np.bincount(index, minlength=ECE_BINS)
    stated = np.bincount(index, confidence, ECE_BINS)
    hit = np.bincount(index, model.said == model.truth, ECE_BINS)
    used = number > 0
    return stated[used] / number[used], hit[used] / number[used], number[used]

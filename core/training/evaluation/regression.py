"""What a predictor of numbers is worth on its test rows: RMSE, MAE, R², median error, with intervals and examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.training.evaluation import checks
from core.training.evaluation.bootstrap import Counts, Floats, replicates
from core.training.evaluation.comparing import NOTHING, Figures, Told, figure, metrics, verdict
from core.training.evaluation.examples import examples
from core.training.evaluation.groups import gap_notes, group_rows
from core.training.evaluation.report import EvaluationReport

HEADLINE = "rmse"
MOST_POINTS = 2_000


@dataclass(frozen=True, slots=True)
class Predicted:
    """One model's predictions [row] of `actual` [row]."""

    predicted: Floats
    actual: Floats

    def figures(self) -> dict[str, float]:
        """Every figure of these rows; no R² where the target never changes."""
        from sklearn.metrics import mean_absolute_error, median_absolute_error, r2_score, root_mean_squared_error

        found = {
            "rmse": float(root_mean_squared_error(self.actual, self.predicted)),
            "mae": float(mean_absolute_error(self.actual, self.predicted)),
            "median_error": float(median_absolute_error(self.actual, self.predicted)),
        }
        if np.ptp(self.actual) > 0:
            found["r2"] = float(r2_score(self.actual, self.predicted))
        return found

    def counted(self, counts: Counts) -> dict[str, Floats]:
        """The same of draws, [draw] each. R²: NaN for a draw whose target never changes."""
        rows = counts.shape[1]
        off = np.abs(self.predicted - self.actual)
        squared = counts @ np.square(off) / rows
        centred = self.actual - self.actual.mean()  # else the difference of two large sums loses its digits
        spread = counts @ np.square(centred) / rows - np.square(counts @ centred / rows)
        order = np.argsort(off)
        middle = (np.cumsum(counts[:, order], axis=1) >= rows / 2).argmax(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            explained = np.where(spread > 0, 1 - squared / spread, np.nan)
        return {
            "rmse": np.sqrt(squared),
            "mae": counts @ off / rows,
            "median_error": off[order][middle],
            "r2": explained,
        }


def regression_report(
    predicted: Any,
    actual: Any,
    *,
    rows: Sequence[int],
    shown: Sequence[str],
    groups: Sequence[Any] | None = None,
    baseline: Any = None,
    unit: str = "",
    baseline_words: str = "",
    seed: int = 0,
) -> EvaluationReport:
    """predicted, actual, baseline: [row]. rows: numbers in the file. shown: what a reader sees of a row. unit: of the
    target. Raises InvalidInput for what is no finite number."""
    target = checks.numbers(actual, "The actual values")
    count = len(target)
    model = Predicted(checks.numbers(predicted, "The predictions", count), target)
    checks.described(rows, shown, count)
    if groups is not None and len(groups) != count:
        raise InvalidInput(f"There are subgroups of {len(groups):,} rows.", allowed=f"{count:,}.")
    other = None
    if baseline is not None:
        other = Predicted(checks.numbers(baseline, "The baseline's predictions", count), target)
    told = metrics(
        (
            Told(HEADLINE, "RMSE", False, unit),
            Told("mae", "Mean absolute error", False, unit),
            Told("median_error", "Median absolute error", False, unit),
            Told("r2", "R²"),
        ),
        _figures(model, seed),
        NOTHING if other is None else _figures(other, seed),
    )
    by_group = group_rows(groups, _group_measure(model), count, seed=seed)
    return EvaluationReport(
        kind="regression",
        headline=HEADLINE,
        rows=count,
        metrics=told,
        groups=by_group,
        examples=examples(
            np.abs(model.predicted - target),
            rows=rows,
            shown=shown,
            truth=lambda place: figure(target[place]),
            said=lambda place: figure(model.predicted[place]),
            high_is_good=False,
        ),
        points=_points(model, seed),
        baseline=baseline_words,
        notes=(
            *verdict(told[0], count),
            *gap_notes(by_group, "RMSE", higher_is_better=False),
            *(() if np.ptp(target) > 0 else ("All test rows have one target, so there is no R².",)),
        ),
    )


def _figures(model: Predicted, seed: int) -> Figures:
    return Figures(model.figures(), replicates(len(model.actual), model.counted, seed=seed))


def _group_measure(model: Predicted) -> Any:
    squared = np.square(model.predicted - model.actual)

    def measure(counts: Counts, part: npt.NDArray[np.intp]) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.sqrt(counts @ squared[part] / counts.sum(axis=1))
        return found

    return measure


def _points(model: Predicted, seed: int) -> tuple[tuple[float, float], ...]:
    """(actual, predicted), a seeded choice of them when there are too many to draw."""
    places = np.arange(len(model.actual))
    if len(places) > MOST_POINTS:
        places = np.sort(np.random.default_rng(seed).choice(places, MOST_POINTS, replace=False))
    return tuple(zip(model.actual[places].tolist(), model.predicted[places].tolist(), strict=True))

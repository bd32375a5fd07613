"""A fine-tune as tables: its curves, figures, classes, confusion, examples, subgroups, findings; runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.store.training_points import TrainingPoint
from core.training.compare import Comparison
from core.training.data.prepared import DataRecord
from core.training.evaluation.report import EvaluationReport
from exports.cells import Cell, csv_bytes, rows_csv

METRIC_COLUMNS = (
    "name",
    "title",
    "unit",
    "value",
    "low",
    "high",
    "higher_is_better",
    "baseline",
    "gap_low",
    "gap_high",
    "before",
    "gained_low",
    "gained_high",
)
CLASS_COLUMNS = ("label", "precision", "recall", "f1", "support", "predicted", "roc_auc", "average_precision")
GROUP_COLUMNS = ("group", "rows", "value", "low", "high", "gap", "gap_low", "gap_high")
EXAMPLE_COLUMNS = ("row", "shown", "truth", "said", "score", "best")
CURVE_COLUMNS = ("kind", "label", "x", "y", "n")
FINDING_COLUMNS = ("source", "severity", "code", "told", "count", "rows", "next_step")


def points_csv(points: Sequence[TrainingPoint]) -> bytes:
    """One row a point of the training, in order; a column for each figure that any of them has. No sample texts."""
    return rows_csv(
        [
            {"step": one.step, "kind": one.kind, **{name: _cell(value) for name, value in one.values.items()}}
            for one in points
            if one.kind != "sample"
        ]
    )


def metrics_csv(report: EvaluationReport) -> bytes:
    """One row a figure. gap_low, gap_high: 95 % interval of value − baseline; gained_*: of value − before."""
    return _fields(METRIC_COLUMNS, report.metrics)


def classes_csv(report: EvaluationReport) -> bytes:
    """One row a class."""
    return _fields(CLASS_COLUMNS, report.classes)


def confusion_csv(report: EvaluationReport) -> bytes:
    """One row a true class, one column a predicted class, numbers of test rows."""
    return csv_bytes(
        ("true \\ predicted", *report.labels),
        ([label, *counts] for label, counts in zip(report.labels, report.confusion, strict=True)),
    )


def curves_csv(report: EvaluationReport) -> bytes:
    """One row a point of the ROC, precision-recall and calibration curves; (actual, predicted) of regression too."""
    rows: list[Sequence[Cell]] = [
        [curve.kind, curve.label, x, y, number]
        for curve in report.curves
        for x, y, number in zip(curve.x, curve.y, curve.n or (None,) * len(curve.x), strict=True)
    ]
    rows += [["actual and predicted", "", x, y, None] for x, y in report.points]
    return csv_bytes(CURVE_COLUMNS, rows)


def groups_csv(report: EvaluationReport) -> bytes:
    """One row a subgroup, in the headline figure."""
    return _fields(GROUP_COLUMNS, report.groups)


def examples_csv(report: EvaluationReport) -> bytes:
    """The worst and the best test rows."""
    return _fields(EXAMPLE_COLUMNS, report.examples)


def answers_csv(report: EvaluationReport) -> bytes:
    """One row a prompt, with the answers before and after training."""
    return _fields(("prompt", "before", "after"), report.answers)


def findings_csv(data: DataRecord) -> bytes:
    """What was found in the data, by the checks and by the privacy scan (whose examples are masked)."""
    rows: list[Sequence[Cell]] = [
        ["check", one.severity, one.code, one.told, one.count, _rows(one.rows), one.next_step] for one in data.findings
    ]
    rows += [
        ["privacy", data.privacy_done, one.kind, ", ".join(one.examples), one.count, _rows(one.rows), None]
        for one in data.privacy
    ]
    return csv_bytes(FINDING_COLUMNS, rows)


def comparison_csv(comparison: Comparison) -> bytes:
    """One row a key of the configurations or a figure, one column a run; `differs` says where they do."""
    names = [run.title or run.id for run in comparison.runs]
    rows: list[Sequence[Cell]] = [
        ["config", row.key, row.differs, *(_cell(value) for value in row.values)] for row in comparison.config
    ]
    for row in comparison.metrics:
        values = [None if one is None else one.value for one in row.values]
        rows.append(["metric", row.name, len(set(values)) > 1, *values])
    return csv_bytes(("part", "key", "differs", *names), rows)


def _fields(columns: Sequence[str], rows: Sequence[Any]) -> bytes:
    return csv_bytes(columns, ([getattr(row, name) for name in columns] for row in rows))


def _rows(rows: Sequence[int]) -> str:
    return " ".join(str(row) for row in rows)


def _cell(value: Any) -> Cell:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return value if value is None or isinstance(value, str | int | float) else str(value)

"""Predictions of a table, as the table itself with one column more."""

from __future__ import annotations

from core.training.predictions import PredictedTable
from exports.cells import Cell, csv_bytes


def predictions_csv(found: PredictedTable) -> bytes:
    """A CSV file; the last column is "predicted <target>", empty where a row could not be predicted."""
    columns = [str(column) for column in found.frame.columns]
    rows = found.frame.itertuples(index=False, name=None)
    return csv_bytes(
        ["row", *columns, f"predicted {found.target}"],
        (
            [number, *(_cell(value) for value in values), value_told]
            for number, values, value_told in zip(found.rows, rows, found.predicted, strict=True)
        ),
    )


def _cell(value: object) -> Cell:
    if value is None or value != value:  # NaN
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)

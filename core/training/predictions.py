"""A table of features becomes a table of predictions: what a regression model is for, on the page and in a terminal."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.artefacts import guarding_storage
from core.errors import InvalidInput
from core.onnx.network import Floats, NumberPredictor
from core.training.data.numbers import as_numbers
from core.training.data.read import read_table
from core.training.data.spool import safe_name

NAMED = 20
"""Rows that a message names."""


@dataclass(frozen=True, slots=True)
class PredictedTable:
    """frame: as it was read. rows: numbers in the file, from 1. predicted: None where a feature is missing. told:
    what was odd, a sentence each."""

    target: str
    frame: pd.DataFrame
    rows: tuple[int, ...]
    predicted: tuple[float | None, ...]
    told: tuple[str, ...]


def predict_table(predictor: NumberPredictor, path: Path) -> PredictedTable:
    """Predict every row of a file. Other columns than the features are left alone.

    Raises InvalidInput for a file without one of the features, or without a row that can be predicted.
    """
    table = read_table(path)
    inputs = _features(table.frame, predictor.shape.features, path.name)
    whole = np.array([bool(np.isfinite(row).all()) for row in inputs])
    rows = tuple(int(index) + 1 for index in table.frame.index)
    left = [row for row, is_whole in zip(rows, whole, strict=True) if not is_whole]
    if not whole.any():
        raise InvalidInput(
            f"No row of {path.name} has a number in every feature.",
            allowed=f"Numbers in {', '.join(predictor.shape.features[:NAMED])}.",
        )
    found = iter(predictor.predict(inputs[whole]).tolist())
    return PredictedTable(
        target=predictor.shape.target,
        frame=table.frame,
        rows=rows,
        predicted=tuple(next(found) if is_whole else None for is_whole in whole),
        told=(*(finding.told for finding in table.findings), *_left_out(left), *_outside(inputs[whole], predictor)),
    )


def predict_upload(predictor: NumberPredictor, name: str, content: bytes) -> PredictedTable:
    """The same for a file that was uploaded: it is on the disk while it is read, and no longer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / safe_name(name)
        with guarding_storage(file):
            file.write_bytes(content)
        return predict_table(predictor, file)


def _features(frame: pd.DataFrame, features: tuple[str, ...], name: str) -> Floats:
    """[row, feature] in the model's order; NaN where there is no number."""
    columns = {str(column).strip(): column for column in frame.columns}
    missing = [feature for feature in features if feature.strip() not in columns]
    if missing:
        raise InvalidInput(
            f"{name} has no column {', '.join(map(repr, missing[:NAMED]))}.",
            allowed=f"A column for each of: {', '.join(features[:NAMED])}{' …' if len(features) > NAMED else ''}. "
            f"It has: {', '.join(list(columns)[:NAMED])}{' …' if len(columns) > NAMED else ''}.",
            next_step="Give the columns the names that the model was trained with.",
        )
    return np.stack([as_numbers(frame[columns[feature.strip()]]).to_numpy() for feature in features], axis=1)


def _left_out(rows: list[int]) -> list[str]:
    if not rows:
        return []
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    named = ", ".join(f"{row:,}" for row in rows[:NAMED])
    one = len(rows) == 1
    return [
        f"{len(rows):,} {'row lacks' if one else 'rows lack'} a number in a feature and {'is' if one else 'are'} not "
        f"predicted: {named}{more}."
    ]


def _outside(inputs: Floats, predictor: NumberPredictor) -> list[str]:
    odd = sum(bool(predictor.outside(row)) for row in inputs.tolist())
    if not odd:
        return []
    return [
        f"In {odd:,} of {len(inputs):,} rows a feature lies outside of what the model has learned from: there it "
        "guesses on."
    ]

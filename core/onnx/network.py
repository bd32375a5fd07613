"""Exported small networks answer: classes of a picture, a number out of numbers. ONNX Runtime alone, no torch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CorruptFile, InvalidInput, ModelRefused
from core.models.admission import read_config
from core.models.network_config import SAMPLES, CnnConfig, MlpConfig, NetworkConfig, read_network_config
from core.models.pictures import Picture, read_picture
from core.models.tokenizer import read_json
from core.onnx.encoder import ClassScore, softmax
from core.onnx.graph import open_graph
from core.onnx.module import INPUT

BATCH = 256
Floats = npt.NDArray[np.float64]
_NEXT = "Export the model again."


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that came with the model, of a class that is known."""

    label: str
    png: bytes


class PictureClassifier:
    """A loaded CNN. Safe to share between threads. Raises CorruptFile when the export is damaged, ModelRefused for
    one of another task."""

    def __init__(self, export: Path, *, device: str, threads: int) -> None:
        shape = _shape(export, CnnConfig, "classifies no pictures")
        assert isinstance(shape, CnnConfig)
        self.shape = shape
        self.labels = shape.labels
        self._export = export
        self._session = open_graph(export, device=device, threads=threads)

    def samples(self) -> tuple[Sample, ...]:
        """Pictures to try it on, of its own test set; () where none came along."""
        file = self._export / SAMPLES
        try:
            found = read_json(file, _NEXT)
            return tuple(Sample(str(one["label"]), base64.b64decode(one["png"])) for one in found.get("samples", ()))
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptFile(f"{file} is damaged: {error}.", next_step=_NEXT) from error

    def read(self, source: Path | bytes, name: str = "") -> Picture:
        """A picture file as the network reads it. Raises CorruptFile, InvalidInput."""
        return read_picture(source, size=self.shape.size, colours=self.shape.colours, name=name)

    def classify(self, pictures: Sequence[Picture]) -> list[tuple[ClassScore, ...]]:
        """For each picture its classes, likeliest first."""
        if not pictures:
            raise InvalidInput("No picture was given.", next_step="Give at least one.")
        inputs = np.stack(pictures).astype(np.float32) / np.float32(255)
        probabilities = class_probabilities(_run(self._session, inputs))
        scores = ([ClassScore(label, float(p)) for label, p in zip(self.labels, row, strict=True)]
                  for row in probabilities)  # fmt: skip
        return [tuple(sorted(row, key=lambda score: -score.probability)) for row in scores]


class NumberPredictor:
    """A loaded MLP or linear model. Safe to share between threads. Raises as PictureClassifier does."""

    def __init__(self, export: Path, *, device: str, threads: int) -> None:
        shape = _shape(export, MlpConfig, "predicts no numbers")
        assert isinstance(shape, MlpConfig)
        self.shape = shape
        self._session = open_graph(export, device=device, threads=threads)

    def predict(self, rows: Sequence[Sequence[float]] | npt.NDArray[Any]) -> Floats:
        """[row] the target, of [row, feature] in the order of `shape.features`. Raises InvalidInput."""
        inputs = np.asarray(rows, dtype=np.float32)
        if inputs.ndim != 2 or not len(inputs) or inputs.shape[1] != len(self.shape.features):
            raise InvalidInput(
                f"The rows are {' x '.join(map(str, inputs.shape))} numbers.",
                allowed=f"Rows of {len(self.shape.features)}: {', '.join(self.shape.features[:8])}.",
            )
        if not np.isfinite(inputs).all():
            bad = np.flatnonzero(~np.isfinite(inputs).all(axis=1)) + 1
            raise InvalidInput(f"Row {bad[0]} holds a value that is no finite number.", next_step="Correct it.")
        found: Floats = _run(self._session, inputs)[:, 0].astype(np.float64)
        return found

    def outside(self, row: Sequence[float]) -> tuple[str, ...]:
        """Features whose value lies outside of all that the network has learned from."""
        bounds = zip(self.shape.features, row, self.shape.lowest, self.shape.highest, strict=True)
        return tuple(name for name, value, low, high in bounds if not low <= value <= high)


def class_probabilities(logits: npt.NDArray[Any]) -> Floats:
    """[row, class] of [row, class] logits: a softmax; of [row, 1], the logit of the second class of two: a sigmoid."""
    values = np.asarray(logits, dtype=np.float64)
    if values.shape[1] == 1:
        second = 0.5 * (1 + np.tanh(values / 2))
        return np.concatenate([1 - second, second], axis=1)
    return np.asarray(softmax(values), dtype=np.float64)  # type: ignore[arg-type]


def _shape(export: Path, kind: type[NetworkConfig], words: str) -> NetworkConfig:
    shape = read_network_config(read_config(export / "config.json"), str(export))
    if not isinstance(shape, kind):
        raise ModelRefused(f"This model {words}.", next_step="Choose a model for this task.")
    return shape


def _run(session: Any, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[row, output], a batch at a time."""
    starts = range(0, len(inputs), BATCH)
    found = [session.run(None, {INPUT: inputs[start : start + BATCH]})[0] for start in starts]
    return np.concatenate(found)

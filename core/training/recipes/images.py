"""Images: a CNN learns to tell classes of pictures apart, from random weights.

Every epoch sees the pictures turned, shifted, scaled and cropped anew; the best checkpoint is the one most accurate on
the validation rows. Two classes share one sigmoid output.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from core.artefacts import Progress, part_of
from core.errors import InvalidInput
from core.models.network_config import SAMPLES, CnnConfig
from core.models.networks import Cnn, save_network
from core.models.pictures import open_picture, png_bytes
from core.onnx.network import class_probabilities
from core.training.config import ImagesConfig
from core.training.data.prepared import PreparedData
from core.training.evaluation.baselines import IMAGE_BASELINE, image_baseline
from core.training.evaluation.classification import classification_report
from core.training.evaluation.report import EvaluationReport
from core.training.recipe import Built, Context
from core.training.recipes.picture_set import Changes, PictureSet

USUAL = Changes(rotation=10.0, shift=0.1, scale=0.1, crop=0.1)
LARGEST, SMALLEST = 64, 8
"""Sides in pixels that pictures are brought to when the configuration names none."""
LOOKED_AT = 200
"""Pictures that are looked at to choose size and colours."""
GRID = 25
KEPT = 12
"""Test pictures that go along with the model, to try it on; up to twice as many where there are more classes."""
SHOWN_PIXELS = 64
BASELINE_ROWS = 5_000


def build(config: ImagesConfig, data: PreparedData, context: Context) -> Built:
    shape = _shape(config, data)
    train, validation = (
        _pictures(frame, data, shape, progress, config if frame is data.train else None)
        for frame, progress in (
            (data.train, part_of(context.progress, 0.0, 0.8)),
            (data.validation, part_of(context.progress, 0.8, 1.0)),
        )
    )
    torch.manual_seed(config.training.seed)
    model = Cnn(shape)
    mean, spread = train.spread()
    model.mean.copy_(torch.from_numpy(mean).reshape(1, -1, 1, 1))
    model.spread.copy_(torch.from_numpy(spread).reshape(1, -1, 1, 1))
    return Built(
        model=model,
        train=train,
        validation=validation,
        collate=collate,
        metric="accuracy",
        higher_is_better=True,
        measures=measures,
        unit="images",
        units=lambda batch: len(batch["labels"]),
    )


def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
    """{"inputs": [batch, colours, size, size], "labels": [batch]}."""
    return {
        "inputs": torch.stack([item["inputs"] for item in items]),
        "labels": torch.tensor([item["labels"] for item in items]),
    }


def measures(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> dict[str, float]:
    """Share of pictures whose likeliest class is theirs."""
    return {"accuracy": float(np.mean(class_probabilities(logits).argmax(axis=1) == labels))}


def evaluate(built: Built, config: ImagesConfig, data: PreparedData, context: Context) -> EvaluationReport:
    model = built.model
    test = _pictures(data.test, data, model.shape, part_of(context.progress, 0.0, 0.3))
    probabilities = _predict(model, test, part_of(context.progress, 0.3, 0.7))
    truth = _numbers(data.test, data.labels)
    context.progress(0.7, "Training the baseline")
    report = classification_report(
        probabilities,
        truth,
        data.labels,
        rows=data.test["row"].tolist(),
        texts=data.test["image"].tolist(),
        groups=data.test["group"].tolist() if "group" in data.test else None,
        baseline=_baseline(built.train, test, data),
        images=lambda index: _base64(test, index),
        baseline_words=IMAGE_BASELINE,
        seed=config.training.seed,
    )
    kept = f"The saved model carries some test pictures to try it, in {SAMPLES}: delete that file if they may not go."
    grid = _grid(test, data, probabilities, truth, config)
    return replace(report, notes=(*report.notes, kept), extra={**report.extra, "grid": grid})


def save(built: Built, config: ImagesConfig, data: PreparedData, folder: Path) -> None:
    save_network(built.model, folder)
    shape = built.model.shape
    rows = data.test if len(data.test) else data.train
    first = np.lexsort((_numbers(rows, data.labels), rows.groupby("label").cumcount()))  # each class before its second
    shown = rows.iloc[first[: int(np.clip(len(data.labels), KEPT, 2 * KEPT))]]
    pictures = _pictures(shown, data, shape)
    samples = [{"label": label, "png": _base64(pictures, index)} for index, label in enumerate(shown["label"])]
    (folder / SAMPLES).write_text(json.dumps({"samples": samples}, ensure_ascii=False), encoding="utf-8")


def _shape(config: ImagesConfig, data: PreparedData) -> CnnConfig:
    """With what the configuration leaves open. Raises InvalidInput for a network that does not fit the pictures."""
    if len(data.labels) < 2:
        raise InvalidInput(f"The pictures have {len(data.labels)} classes.", allowed="Two at least.")
    wish = config.network
    chosen = np.unique(np.linspace(0, len(data.train) - 1, LOOKED_AT).astype(int))
    looked = [open_picture(path) for path in _files(data.train.iloc[chosen], data)]
    sides = [max(image.size) for image in looked]
    size = wish.size or int(np.clip(np.median(sides), SMALLEST, LARGEST))
    colours = 3 if (any(map(_is_coloured, looked)) if wish.colour is None else wish.colour) else 1
    most = size.bit_length() - 1
    if len(wish.channels) > most:
        raise InvalidInput(
            f"{len(wish.channels)} blocks halve {size} pixels to nothing.",
            allowed=f"At most {most} blocks for pictures of {size} pixels.",
            next_step="Give network.channels fewer entries, or a larger network.size.",
        )
    return CnnConfig(
        labels=data.labels,
        channels=wish.channels,
        dense=wish.dense,
        dropout=wish.dropout,
        size=size,
        colours=3 if colours == 3 else 1,
    )


def _is_coloured(image: Any) -> bool:
    if image.mode in ("1", "L", "LA") or image.mode.startswith(("I", "F")):
        return False
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return bool((np.ptp(pixels, axis=2) > 8).mean() > 0.001)  # JPEG gives grey a little colour


def _pictures(
    frame: pd.DataFrame,
    data: PreparedData,
    shape: CnnConfig,
    progress: Progress = lambda fraction, text: None,
    changing: ImagesConfig | None = None,
) -> PictureSet:
    """changing: the pictures are trained on, and change from epoch to epoch."""
    changes = None
    if changing is not None:
        wish = changing.data.augment
        given = {name: getattr(wish, name) for name in ("rotation", "shift", "scale", "crop")}
        changes = replace(USUAL, **{name: value for name, value in given.items() if value is not None})
    seed = changing.training.seed if changing is not None else 0
    labels = _numbers(frame, data.labels).tolist()
    return PictureSet(
        _files(frame, data), labels, size=shape.size, colours=shape.colours, changes=changes, seed=seed,
        progress=progress,
    )  # fmt: skip


def _files(frame: pd.DataFrame, data: PreparedData) -> list[Path]:
    assert data.folder is not None
    return [data.folder / name for name in frame["image"]]


def _numbers(frame: pd.DataFrame, labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places[label] for label in frame["label"]], dtype=np.int64)


def _predict(model: Any, pictures: PictureSet, progress: Progress) -> npt.NDArray[np.float64]:
    """[picture, class] probabilities."""
    model.eval()
    device = next(model.parameters()).device
    found = []
    with torch.inference_mode():
        for start in range(0, len(pictures), 256):
            progress(start / len(pictures), f"Reading test picture {start + 1:,} of {len(pictures):,}")
            items = [pictures[index] for index in range(start, min(start + 256, len(pictures)))]
            found.append(model(collate(items)["inputs"].to(device)).float().cpu().numpy())
    return class_probabilities(np.concatenate(found))


def _baseline(train: PictureSet, test: PictureSet, data: PreparedData) -> npt.NDArray[np.float64]:
    """[picture, class] probabilities of the baseline, which learns from the pictures as they are in the files."""
    chosen = np.unique(np.linspace(0, len(train) - 1, BASELINE_ROWS).astype(int))
    labels = _numbers(data.train.iloc[chosen], data.labels)
    flat, flat_test = (
        np.stack([pictures.picture(int(index)).reshape(-1) / 255.0 for index in places])
        for pictures, places in ((train, chosen), (test, range(len(test))))
    )
    return image_baseline(flat, labels, flat_test, len(data.labels))


def _grid(
    test: PictureSet,
    data: PreparedData,
    probabilities: npt.NDArray[np.float64],
    truth: npt.NDArray[np.int64],
    config: ImagesConfig,
) -> list[dict[str, Any]]:
    """25 test pictures drawn by chance (of the seed), each with its class and what the network said."""
    drawn = np.random.default_rng(config.training.seed).permutation(len(test))[:GRID]
    said = probabilities.argmax(axis=1)
    return [
        {
            "row": int(data.test["row"].iloc[index]),
            "image": _base64(test, int(index)),
            "truth": data.labels[truth[index]],
            "said": data.labels[said[index]],
            "probability": float(probabilities[index, said[index]]),
        }
        for index in drawn
    ]


def _base64(pictures: PictureSet, index: int) -> str:
    return base64.b64encode(png_bytes(pictures.picture(index), side=SHOWN_PIXELS)).decode()

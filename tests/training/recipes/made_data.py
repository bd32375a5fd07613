"""Prepared data by hand, out of what scikit-learn ships: the recipes' own border, without a file to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.training.data.prepared import DataRecord, PreparedData

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def split(frame: pd.DataFrame, seed: int = 0) -> Parts:
    """70, 10 and 20 % of the rows, shuffled."""
    shuffled = frame.iloc[np.random.default_rng(seed).permutation(len(frame))].reset_index(drop=True)
    first, second = int(0.7 * len(frame)), int(0.8 * len(frame))
    parts = shuffled.iloc[:first], shuffled.iloc[first:second], shuffled.iloc[second:]
    one, two, three = (part.reset_index(drop=True) for part in parts)
    return one, two, three


def digits(folder: Path, *, classes: int = 10, rows: int | None = None, seed: int = 0) -> PreparedData:
    """scikit-learn's 8 x 8 digits as PNG files, light on dark. classes: the first so many digits."""
    from sklearn.datasets import load_digits

    found = load_digits()
    chosen = np.flatnonzero(found.target < classes)[:rows]
    names = []
    for place in chosen:
        name = f"{found.target[place]}/{place}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((found.images[place] * 255 / 16).astype(np.uint8)).save(folder / name)
        names.append(name)
    labels = tuple(str(label) for label in range(classes))
    frame = pd.DataFrame({"image": names, "label": found.target[chosen].astype(str), "row": range(1, len(names) + 1)})
    return _prepared("images", split(frame, seed), labels=labels, folder=folder)


def pictures(folder: Path) -> PreparedData:
    """Every PNG below a folder of folders, each of which is a class."""
    files = sorted(folder.rglob("*.png"))
    labels = tuple(sorted({file.parent.name for file in files}))
    frame = pd.DataFrame(
        {
            "image": [str(file.relative_to(folder)) for file in files],
            "label": [file.parent.name for file in files],
            "row": range(1, len(files) + 1),
        }
    )
    return _prepared("images", split(frame), labels=labels, folder=folder)


def diabetes(features: int = 10) -> PreparedData:
    """scikit-learn's 442 patients: how far a disease has come in a year, from measures in their own units."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    names = tuple(found.feature_names[:features])
    frame = pd.DataFrame(found.data[:, :features], columns=list(names))
    frame["target"], frame["row"] = found.target, range(1, len(frame) + 1)
    frame["group"] = np.where(frame.get("sex", 1) == 1, "one", "two")
    return _prepared("numbers", split(frame), features=names, columns={"target": "progression"})


def line(rows: int = 200) -> PreparedData:
    """y = 3 x + 20 with a little noise, x from 0 to 50."""
    random = np.random.default_rng(0)
    x = random.uniform(0, 50, rows)
    frame = pd.DataFrame({"x": x, "target": 3 * x + 20 + random.normal(0, 2, rows), "row": range(1, rows + 1)})
    return _prepared("numbers", split(frame), features=("x",), columns={"target": "y"})


def _prepared(
    kind: str,
    parts: Parts,
    *,
    labels: tuple[str, ...] = (),
    features: tuple[str, ...] = (),
    columns: dict[str, str] | None = None,
    folder: Path | None = None,
) -> PreparedData:
    train, validation, test = parts
    rows = len(train) + len(validation) + len(test)
    record = DataRecord(
        "by hand", kind, "0" * 64, rows, len(train), len(validation), len(test), columns=dict(columns or {})
    )
    return PreparedData(kind, train, validation, test, record, labels, features, folder)

"""`PictureSet`: the images of a table, decoded once, changed anew at every epoch while they are trained on.

What a picture is changed by is drawn from (seed, epoch, index) and from nothing else: a training that is resumed sees
the same pictures as one that was never stopped, and the order in which they are asked for does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.artefacts import Progress, no_progress
from core.models.pictures import Picture, read_picture, to_image, to_square

HELD_BYTES = 1_000_000_000
"""Decoded pictures that are kept in memory; of more than that, each is read from the disk when it is asked for."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The most that a picture is changed by. rotation: degrees to either side. shift, crop: shares of the side.
    scale: share of the size, larger or smaller."""

    rotation: float
    shift: float
    scale: float
    crop: float


class PictureSet(torch.utils.data.Dataset[dict[str, Any]]):
    """Items: `inputs` [colours, size, size] in 0 to 1 and `labels`, a class number. changes None: as they are."""

    def __init__(
        self,
        files: Sequence[Path],
        labels: Sequence[int],
        *,
        size: int,
        colours: int,
        changes: Changes | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
    ) -> None:
        self._files, self._labels = list(files), list(labels)
        self._size, self._colours = size, colours
        self._changes, self._seed, self._epoch = changes, seed, 0
        held = len(self._files) * size * size * colours <= HELD_BYTES
        self._pictures: list[Picture] = []
        for place, file in enumerate(self._files if held else ()):
            self._pictures.append(read_picture(file, size=size, colours=colours))
            if place % 200 == 0:
                progress(place / len(self._files), f"Reading picture {place + 1:,} of {len(self._files):,}")

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        picture = self.picture(index)
        if self._changes is not None:
            random = np.random.default_rng([self._seed, self._epoch, index])
            picture = changed(picture, self._changes, random)
        return {"inputs": torch.from_numpy(picture).to(torch.float32) / 255, "labels": self._labels[index]}

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each pass."""
        self._epoch = int(epoch)

    def picture(self, index: int) -> Picture:
        """As it is in the file, at the network's size."""
        if self._pictures:
            return self._pictures[index]
        return read_picture(self._files[index], size=self._size, colours=self._colours)

    def spread(self, most: int = 5_000) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """(mean, standard deviation) of each colour in 0 to 1, of `most` pictures spread over the set."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(int))
        sums = np.zeros((2, self._colours))
        for index in chosen:
            values = self.picture(int(index)).reshape(self._colours, -1) / 255
            sums += (values.mean(axis=1), (values**2).mean(axis=1))
        mean, square = sums / len(chosen)
        return mean, np.sqrt(np.maximum(square - mean**2, 1e-6))


def changed(picture: Picture, changes: Changes, random: np.random.Generator) -> Picture:
    """Turned, scaled, shifted and cropped in one pass; what comes in from outside has the colour of the border."""
    from PIL import Image

    angle, scale, right, down, crop, left, top = random.uniform(-1, 1, 7)
    side = picture.shape[1]
    kept = 1 - changes.crop * (crop + 1) / 2  # of the side; the window lies anywhere in the picture
    zoom = kept / (1 + changes.scale * scale)
    cos, sin = (f(math.radians(changes.rotation * angle)) * zoom for f in (math.cos, math.sin))
    centre = (side - 1) / 2 + 0.5
    from_x = centre + side * ((1 - kept) / 2 * left - changes.shift * right)
    from_y = centre + side * ((1 - kept) / 2 * top - changes.shift * down)
    matrix = (cos, -sin, from_x - cos * centre + sin * centre, sin, cos, from_y - sin * centre - cos * centre)
    border = np.concatenate([picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1]], axis=1)
    around = tuple(int(value) for value in np.median(border, axis=1))
    image = to_image(picture).transform(
        (side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR,
        fillcolor=around if len(around) > 1 else around[0],
    )  # fmt: skip
    return to_square(image, side)

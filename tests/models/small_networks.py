"""Small networks on disk, with weights by hand or by chance, for tests of what is done with them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import torch

from core.models.network_config import SAMPLES, CnnConfig, MlpConfig
from core.models.networks import Cnn, Mlp, save_network
from core.models.pictures import png_bytes

LABELS = ("cat", "dog", "owl")


def save_cnn(folder: Path, *, labels: tuple[str, ...] = LABELS, colours: int = 1, size: int = 8) -> Path:
    """A CNN with random weights and two sample pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    shape = CnnConfig(
        labels=labels, channels=(4, 8), dense=16, dropout=0.3, size=size, colours=3 if colours == 3 else 1
    )
    save_network(Cnn(shape), folder)
    pictures = np.random.default_rng(0).integers(0, 256, (2, colours, size, size)).astype(np.uint8)
    samples = [
        {"label": label, "png": base64.b64encode(png_bytes(picture)).decode()}
        for label, picture in zip(labels, pictures, strict=False)
    ]
    (folder / SAMPLES).write_text(json.dumps({"samples": samples}))
    return folder


def save_linear(folder: Path) -> Path:
    """price = 1,000 · area + 50,000 · rooms + 20,000, exactly."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = MlpConfig(
        features=("area", "rooms"),
        target="price",
        layers=(),
        typical=(100.0, 3.0),
        lowest=(30.0, 1.0),
        highest=(250.0, 8.0),
    )
    model = Mlp(shape)
    with torch.no_grad():
        model.mean.copy_(torch.tensor([[100.0, 3.0]]))
        model.spread.copy_(torch.tensor([[40.0, 1.5]]))
        model.target_mean.fill_(270_000.0)
        model.target_spread.fill_(100_000.0)
        model.head.weight.copy_(torch.tensor([[0.4, 0.75]]))
        model.head.bias.fill_(0.0)
    save_network(model, folder)
    return folder

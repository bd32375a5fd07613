"""The small networks in torch: `Cnn` classifies images, `Mlp` (a linear model, without hidden layers) gives a number.

What brings raw input to mean 0 and spread 1 is part of the network, as buffers: files, graphs, pages take raw values.
With labels `forward` gives a dict with the loss, as HF Trainer wants it; without, the plain output, as an export does.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from core.errors import CorruptFile
from core.models.admission import read_config
from core.models.network_config import CnnConfig, MlpConfig, NetworkConfig, read_network_config
from core.models.weights import SINGLE

_FLAT = 4
"""Longest side, about, of what the dense layer reads: larger maps are averaged down to it first."""


class Network(nn.Module):
    """What both have in common. shape: as in config.json."""

    shape: NetworkConfig
    blocks: nn.ModuleList

    def __init__(self) -> None:
        super().__init__()
        self._checkpointing = False

    def through_blocks(self, inputs: Tensor) -> Tensor:
        for block in self.blocks:
            if self._checkpointing and self.training:
                inputs = checkpoint(block, inputs, use_reentrant=False)
            else:
                inputs = block(inputs)
        return inputs

    def activation_checkpointing_enable(self, **_: Any) -> None:
        """Called by HF Trainer. A block runs twice then, so batch norm may take in only what makes one run's worth:
        (1 - m)² = 1 - momentum."""
        self._checkpointing = True
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and module.momentum is not None:
                module.momentum = 1 - (1 - module.momentum) ** 0.5


class Cnn(Network):
    """[batch, colours, size, size] in 0 to 1 → logits [batch, classes], or [batch, 1] of the second class of two."""

    mean: Tensor
    spread: Tensor

    def __init__(self, shape: CnnConfig) -> None:
        super().__init__()
        self.shape: CnnConfig = shape
        self.register_buffer("mean", torch.zeros(1, shape.colours, 1, 1))
        self.register_buffer("spread", torch.ones(1, shape.colours, 1, 1))
        widths = (shape.colours, *shape.channels)
        self.blocks = nn.ModuleList(_block(a, b) for a, b in pairwise(widths))
        side = shape.size >> len(shape.channels)
        step = max(1, side // _FLAT)
        self.pool = nn.AvgPool2d(step) if step > 1 else nn.Identity()
        flat = shape.channels[-1] * (side // step) ** 2
        self.dense = nn.Linear(flat, shape.dense)
        self.dropout = nn.Dropout(shape.dropout)
        self.head = nn.Linear(shape.dense, shape.outputs)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """labels: [batch] class numbers."""
        maps = self.pool(self.through_blocks((inputs - self.mean) / self.spread))
        logits: Tensor = self.head(self.dropout(functional.relu(self.dense(maps.flatten(1)))))
        if labels is None:
            return logits
        if self.shape.outputs == 1:
            loss = functional.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
        else:
            loss = functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


class Mlp(Network):
    """[batch, features] raw → [batch, 1], the target in its own unit. The loss is the squared error in units of the
    target's spread: 1 is what the mean alone would get."""

    mean: Tensor
    spread: Tensor
    target_mean: Tensor
    target_spread: Tensor

    def __init__(self, shape: MlpConfig) -> None:
        super().__init__()
        self.shape: MlpConfig = shape
        count = len(shape.features)
        self.register_buffer("mean", torch.zeros(1, count))
        self.register_buffer("spread", torch.ones(1, count))
        self.register_buffer("target_mean", torch.zeros(1))
        self.register_buffer("target_spread", torch.ones(1))
        widths = (count, *shape.layers)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], 1)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """labels: [batch] of the target."""
        scaled: Tensor = self.head(self.through_blocks((inputs - self.mean) / self.spread))
        logits = scaled * self.target_spread + self.target_mean
        if labels is None:
            return logits
        wanted = (labels - self.target_mean) / self.target_spread
        return {"loss": functional.mse_loss(scaled[:, 0], wanted), "logits": logits}


def build_network(shape: NetworkConfig) -> Network:
    """With random weights, of torch's generator."""
    return Cnn(shape) if isinstance(shape, CnnConfig) else Mlp(shape)


def save_network(network: Network, folder: Path) -> None:
    """config.json and model.safetensors."""
    from safetensors.torch import save_file

    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, str(folder / SINGLE), metadata={"format": "pt"})
    text = json.dumps(network.shape.to_json(), indent=2, ensure_ascii=False)
    (folder / "config.json").write_text(text, encoding="utf-8")


def load_network(folder: Path) -> Network:
    """In evaluation mode, on the CPU. Raises ModelRefused, CorruptFile for files that do not belong together."""
    from safetensors.torch import load_file

    network = build_network(read_network_config(read_config(folder / "config.json"), str(folder)))
    try:
        state = load_file(str(folder / SINGLE))
        network.load_state_dict(state)
    except Exception as error:  # safetensors has its own type, torch raises RuntimeError
        raise CorruptFile(
            f"The weights in {folder} are not of the network in its config.json: {' '.join(str(error).split())[:300]}",
            next_step="Get both files again.",
        ) from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise CorruptFile(f"The weights in {folder} hold values that are no numbers.", next_step="Train it again.")
    return network.eval()


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution, batch norm and ReLU twice, then the larger of every 2 x 2 (Simonyan & Zisserman 2015; Ioffe &
    Szegedy 2015)."""
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))

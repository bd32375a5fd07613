"""A small network becomes an ONNX graph, proved on the pictures that came with it, or on rows of what it learned from.

Runs torch, so it is only called from `core export`.
"""

from __future__ import annotations

import base64
import math
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.artefacts import Progress
from core.models.cards import Task
from core.models.network_config import SAMPLES, CnnConfig, MlpConfig
from core.models.pictures import read_picture
from core.models.tokenizer import read_json
from core.onnx.graph_proof import GraphProof
from core.onnx.module import export_module
from core.settings import get_settings

ROWS = 32
Inputs = npt.NDArray[np.float32]


def export_network(task: Task, source: Path, folder: Path, *, device: str, progress: Progress) -> GraphProof:
    """Write model.onnx and what inference needs beside it into `folder`. source: a prepared folder.

    Raises CorruptFile, and ExportFailed when the graph is not the same model.
    """
    from core.models.networks import load_network

    progress(0.1, "Tracing the network")
    network = load_network(source)
    if isinstance(network.shape, CnnConfig):
        inputs, unit = _pictures(source, network.shape), 1.0
    else:
        inputs, unit = _rows(network.shape), float(network.get_buffer("target_spread")[0])
    made = folder / "made"
    proof = export_module(
        network,
        inputs,
        made,
        threads=get_settings().threads,
        device=device,
        unit=unit if math.isfinite(unit) and unit > 0 else 1.0,
        task=task.value,
    )
    for file in made.iterdir():
        file.rename(folder / file.name)
    made.rmdir()
    (folder / "made.lock").unlink(missing_ok=True)
    if (source / SAMPLES).is_file():
        shutil.copyfile(source / SAMPLES, folder / SAMPLES)
    progress(0.98, "Proved against torch")
    return proof


def _pictures(source: Path, shape: CnnConfig) -> Inputs:
    """[batch, colours, size, size]: those that came with it, and noise."""
    noise = np.random.default_rng(0).random((ROWS, shape.colours, shape.size, shape.size), dtype=np.float32)
    found = read_json(source / SAMPLES).get("samples", ())
    known = [read_picture(base64.b64decode(one["png"]), size=shape.size, colours=shape.colours) for one in found]
    return np.concatenate([np.stack(known).astype(np.float32) / 255, noise]) if known else noise


def _rows(shape: MlpConfig) -> Inputs:
    """[batch, feature]: the mean row, and rows drawn between the bounds of what it learned from."""
    low, high = np.array(shape.lowest), np.array(shape.highest)
    drawn = low + (high - low) * np.random.default_rng(0).random((ROWS, len(low)))
    return np.concatenate([[shape.typical], drawn]).astype(np.float32)

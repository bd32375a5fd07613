"""Checkpoints that are whole or do not count: weights, optimizer, schedule and random state, as safetensors and JSON.

A checkpoint is a folder `checkpoint-<step>`; its last file lists all others with their sizes, and one without it is
what a killed process left. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CorruptFile

MARK = "complete.json"
OPTIMIZER, SCHEDULE, RANDOM = "optimizer", "schedule.json", "random"
_PREFIX = "checkpoint-"


def whole_checkpoints(folder: Path) -> list[Path]:
    """Those below `folder` that were finished, the earliest first."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdigit()]
    return sorted((path for path in found if _is_whole(path)), key=step_of)


def step_of(checkpoint: Path) -> int:
    """The number of optimizer steps taken when it was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def sweep_unfinished(folder: Path) -> None:
    """Delete what a killed process left. Only for who owns the folder."""
    for path in folder.glob(f"{_PREFIX}*"):
        if not _is_whole(path):
            shutil.rmtree(path, ignore_errors=True)


def finish_checkpoint(checkpoint: Path) -> None:
    """Mark it as whole. All of it is on the disk before the mark is."""
    sizes = {}
    for file in sorted(checkpoint.rglob("*")):
        if file.is_file() and file.name != MARK:
            _flush(file)
            sizes[str(file.relative_to(checkpoint))] = file.stat().st_size
    partial = checkpoint / f"{MARK}.partial"
    partial.write_text(json.dumps(sizes), encoding="utf-8")
    _flush(partial)
    partial.replace(checkpoint / MARK)


def keep_last(folder: Path, count: int, best: Path | None) -> None:
    """Delete whole checkpoints but the last `count` and the best one."""
    kept = whole_checkpoints(folder)[-count:]
    for path in whole_checkpoints(folder):
        if path not in kept and path != best:
            (path / MARK).unlink()  # first: a half-deleted one must not look whole
            shutil.rmtree(path, ignore_errors=True)


def save_state(name: str, state: dict[str, Any], folder: Path) -> None:
    """A state dict of tensors, numbers, lists and dicts as `name`.safetensors and `name`.json."""
    from safetensors.torch import save_file

    tensors: dict[str, Any] = {}
    plain = _without_tensors(state, "", tensors)
    save_file(tensors, str(folder / f"{name}.safetensors"))
    (folder / f"{name}.json").write_text(json.dumps(plain), encoding="utf-8")


def load_state(name: str, folder: Path) -> Any:
    """What `save_state` was given. Raises CorruptFile."""
    from safetensors.torch import load_file

    try:
        tensors = load_file(str(folder / f"{name}.safetensors"))
        return _with_tensors(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")), tensors)
    except Exception as error:  # safetensors has its own type
        raise CorruptFile(f"The checkpoint {folder} is damaged: {error}.", next_step="Start the run anew.") from error


def random_state(cuda: bool) -> dict[str, Any]:
    """The state of every generator of random numbers of this process."""
    import torch

    version, internal, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(internal), gauss],
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(cached)],
        "torch": torch.random.get_rng_state(),
        "cuda": torch.cuda.random.get_rng_state_all() if cuda else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Go on where `random_state` was taken."""
    import torch

    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    torch.random.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.random.set_rng_state_all(state["cuda"])


def _without_tensors(value: Any, path: str, tensors: dict[str, Any]) -> Any:
    """JSON with {"tensor": name} in place of tensors, and [key, value] pairs for dicts, whose keys may be numbers."""
    import torch

    if isinstance(value, torch.Tensor):
        tensors[path] = value.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(value, dict):
        return {"dict": [[key, _without_tensors(part, f"{path}/{key}", tensors)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        parts = [_without_tensors(part, f"{path}/{index}", tensors) for index, part in enumerate(value)]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    return value


def _with_tensors(value: Any, tensors: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_with_tensors(part, tensors) for part in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        if "tuple" in value:
            return tuple(_with_tensors(part, tensors) for part in value["tuple"])
        return {key: _with_tensors(part, tensors) for key, part in value["dict"]}
    return value


def _is_whole(checkpoint: Path) -> bool:
    try:
        sizes = json.loads((checkpoint / MARK).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _flush(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())

"""What the device of a training is, and the lock by which one job at a time has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from core.errors import Busy
from core.onnx.devices import gpus, resolve_device
from core.settings import get_settings


def training_device() -> str:
    """cpu or cuda: what the settings wish for, and this machine and this torch have."""
    wish = get_settings().device
    if wish == "cpu" or (wish == "auto" and not gpus()[0]):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else resolve_device("cpu" if wish == "auto" else wish)


def has_bf16(device: str) -> bool:
    """Whether matrices are multiplied in bf16 by hardware."""
    if device != "cuda":
        return False
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


@contextmanager
def holding(device: str, wait_s: float = 20.0) -> Iterator[None]:
    """Have the device to oneself; the system lets go of it when this process dies. Raises Busy after `wait_s`."""
    folder = get_settings().jobs_dir
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(folder / f"training-{device}.lock"))
    try:
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise Busy(
            f"Another training has the {device} of this machine.",
            next_step="This one waits in the queue and starts when that one ends.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def set_up_torch(threads: int | None) -> None:
    """Let torch compute on so many cores (None: as the settings say), and transformers be quiet."""
    import torch
    import transformers

    torch.set_num_threads(threads or get_settings().threads)
    transformers.utils.logging.disable_progress_bar()  # bars make no log
    transformers.utils.logging.set_verbosity_error()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

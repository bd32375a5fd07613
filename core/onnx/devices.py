"""Which device a model runs on, which precisions exist there, and why a wish cannot be met.

A GPU is looked for through NVIDIA's management library, not through torch: the serving path imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.errors import DeviceUnavailable
from core.models.cards import Task
from core.settings import get_settings

PRECISIONS: dict[str, tuple[str, ...]] = {
    "cpu": ("int8", "fp32", "int4"),  # the first is the default
    "cuda": ("fp16", "bf16", "int8", "int4"),
}
GRAPH_PRECISIONS: dict[str, tuple[str, ...]] = {"cpu": ("int8", "fp32"), "cuda": ("fp16", "fp32")}  # of encoders
NETWORK_PRECISIONS: dict[str, tuple[str, ...]] = {"cpu": ("fp32",), "cuda": ("fp32",)}  # small: nothing to be saved
TORCH_PRECISIONS: dict[str, tuple[str, ...]] = {"cpu": ("fp32",), "cuda": ("fp16", "bf16", "fp32")}


OFFERED = {"onnx": PRECISIONS, "graph": GRAPH_PRECISIONS, "network": NETWORK_PRECISIONS, "torch": TORCH_PRECISIONS}
_KINDS = {"graph": "encoders", "network": "networks that read no text"}


def made_as(task: Task) -> str:
    """The kind of export that a model of this task gets, as OFFERED names it."""
    if task is Task.TEXT_GENERATION:
        return "onnx"
    return "graph" if task.reads_text else "network"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as its driver reports it. memory_bytes: in total."""

    name: str
    memory_bytes: int


@lru_cache(maxsize=1)
def gpus() -> tuple[tuple[Gpu, ...], str]:
    """(GPUs, reason): the reason says why there are none, "" when there are."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception as error:  # the binding raises its own types, and OSError where no driver is
        return (), f"no NVIDIA driver answers ({type(error).__name__})"
    try:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            name = pynvml.nvmlDeviceGetName(handle)
            found.append(
                Gpu(name if isinstance(name, str) else name.decode(), pynvml.nvmlDeviceGetMemoryInfo(handle).total)
            )
        return tuple(found), "" if found else "the NVIDIA driver reports no GPU"
    finally:
        pynvml.nvmlShutdown()


@lru_cache(maxsize=1)
def cuda_reason() -> str:
    """ "" when ONNX Runtime can use a GPU here, else why not."""
    _, reason = gpus()
    if reason:
        return reason
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "the installed ONNX Runtime has no CUDA provider"
    return ""


def resolve_device(wish: str = "auto") -> str:
    """ "cpu" or "cuda". A wish of the request goes before GROUNDWORK_DEVICE, and that before what the machine has.

    Raises DeviceUnavailable when cuda is wished for and cannot be had.
    """
    wanted = wish if wish != "auto" else get_settings().device
    if wanted == "cpu":
        return "cpu"
    reason = cuda_reason()
    if wanted == "cuda" and reason:
        raise DeviceUnavailable(
            f"Device 'cuda' cannot be used: {reason}.",
            allowed="This machine has: cpu.",
            next_step="Choose device cpu or auto, or install an NVIDIA driver.",
        )
    if wanted not in ("auto", "cuda"):
        raise DeviceUnavailable(f"Device {wanted!r} is unknown.", allowed="Known: auto, cpu, cuda.")
    return "cpu" if reason else "cuda"


def resolve_precision(wish: str, device: str, backend: str = "onnx") -> str:
    """The precision to run in; "auto" takes the device's default. Raises DeviceUnavailable for one it does not have."""
    offered = OFFERED[backend][device]
    if wish == "auto":
        return offered[0]
    if wish not in offered:
        raise DeviceUnavailable(
            f"Precision {wish!r} is not offered for {_KINDS.get(backend, backend)} on {device}.",
            allowed=f"Offered: {', '.join(offered)}.",
            next_step="Choose one of these, or another device.",
        )
    return wish

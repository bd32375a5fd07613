"""Where a measurement was taken: machine, system and versions, as far as they move its figures."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from core import __version__
from core.onnx.devices import gpus
from core.settings import usable_cores

# The GPU's and the CPU's build of a package go by different names.
_PACKAGES = {
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime"),
    "onnxruntime-genai": ("onnxruntime-genai-cuda", "onnxruntime-genai"),
    "torch": ("torch",),
    "transformers": ("transformers",),
}


def environment() -> dict[str, Any]:
    """As JSON. cores: that this process may use. memory_bytes: of the machine. A package that is not there is null."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "versions": {"groundwork": __version__} | {name: _version(names) for name, names in _PACKAGES.items()},
    }


def device_name(device: str) -> str:
    """Of the processor, or of the first GPU."""
    found, _ = gpus()
    return found[0].name if device == "cuda" and found else cpu_name()


def cpu_name() -> str:
    """As Linux tells it; elsewhere what Python knows."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None

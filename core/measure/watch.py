"""What goes on while something is measured: the most memory that it takes, and how much other work runs beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

import psutil

LOOK_EVERY_SECONDS = 0.01


class Watch:
    """A context manager around what is measured. used: tells the bytes in use.

    peak_bytes: the most that `used` told, at entry and exit too. other_work: the share of the machine's cores, from 0
    to 1, that other processes took between entry and exit; what the host of a virtual machine kept back is counted.
    """

    def __init__(self, used: Callable[[], int]) -> None:
        self._used = used
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_bytes = 0
        self.other_work = 0.0

    def __enter__(self) -> Watch:
        self._begun = _processor_seconds()
        self.peak_bytes = self._used()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self.peak_bytes = max(self.peak_bytes, self._used())
        every, idle, own = (now - then for now, then in zip(_processor_seconds(), self._begun, strict=True))
        self.other_work = min(1.0, max(0.0, (every - idle - own) / every)) if every > 0 else 0.0

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            self.peak_bytes = max(self.peak_bytes, self._used())


def memory_of(device: str) -> Callable[[], int]:
    """Tells bytes in use: resident memory of this process, or what the GPU has given out since this call."""
    if device == "cpu":
        process = psutil.Process()
        return lambda: int(process.memory_info().rss)
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    before = pynvml.nvmlDeviceGetMemoryInfo(handle).used
    return lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).used - before)


def _processor_seconds() -> tuple[float, float, float]:
    """(of all cores, of them idle, of this process at work)."""
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # Linux counts them as user's too
    return sum(times) - guests, times.idle + getattr(times, "iowait", 0.0), own.user + own.system

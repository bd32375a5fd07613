"""Energy that the machine reports: a GPU's own counter through NVML, a processor's through Intel's RAPL on Linux.

(AMD's processors report in the same place.) Both count for everything that runs there, not for one process. A machine
that reports none, as most virtual ones, says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True)
class Meter:
    """source: what is read, or why nothing is. joules: since a moment of the meter's own; None where nothing is."""

    source: str
    joules: Callable[[], float] | None

    def read(self) -> float | None:
        return None if self.joules is None else self.joules()


def open_meter(device: str) -> Meter:
    """The meter of "cuda" or "cpu"."""
    return _gpu_meter() if device == "cuda" else rapl_meter(POWERCAP)


def rapl_meter(powercap: Path) -> Meter:
    """All packages of the processor together, from the files of the kernel's powercap interface."""
    packages = sorted(path for path in powercap.glob("intel-rapl:*") if path.name.count(":") == 1)
    if not packages:
        return Meter(
            "none: this machine has no RAPL counter (virtual machines and systems beside Linux rarely do)", None
        )
    try:
        counters = [_Counter(package) for package in packages]
    except (OSError, ValueError) as error:
        return Meter(f"none: the RAPL counter cannot be read ({error}); the system lets only its administrator", None)
    return Meter("RAPL, the processor's packages with all that runs there", lambda: sum(map(_Counter.read, counters)))


class _Counter:
    """One package in joules from 0 on. It is read often enough to see each turn of the register, minutes apart."""

    def __init__(self, package: Path) -> None:
        self._file = package / "energy_uj"
        self._range = int((package / "max_energy_range_uj").read_text())  # microjoules, and then from 0 again
        self._last = int(self._file.read_text())
        self._total = 0

    def read(self) -> float:
        now = int(self._file.read_text())
        self._total += now - self._last if now >= self._last else now + self._range - self._last
        self._last = now
        return self._total / 1e6


def _gpu_meter() -> Meter:
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)  # GPUs before Volta do not count
    except Exception as error:  # the binding raises its own types, and OSError where no driver is
        return Meter(f"none: the GPU reports no energy ({type(error).__name__})", None)
    return Meter(
        "NVML, the GPU's energy counter", lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    )

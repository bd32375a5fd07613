"""A measurement in a process of its own, within a limit of time and of memory, and what memory it took at its peak.

The process prints JSON objects, one a line, as it learns things: what it told before it was stopped is kept. A line
{"ready": true} starts the clock and the memory's account: what was there by then (imports, the model) is not counted.
{"failure": "why"} ends it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psutil

Found = TypeVar("Found")
LOOK_S = 0.02  # between two looks at memory
FAMILY_S = 0.5  # between two looks for new children: they are dear, and a process of a browser lives longer
READY_S = 120  # to be ready


@dataclass(frozen=True, slots=True)
class Outcome:
    """told: all that it printed, joined. peak_bytes: most resident memory over what it had when it was ready.
    failure: which limit it met, or the last line of its error; "" when it went well."""

    told: Mapping[str, Any] = field(default_factory=dict)
    peak_bytes: int = 0
    failure: str = ""


class PeakMemory:
    """Resident bytes of a process, and of its children where asked, watched until `stop`. `over`: peak over start.

    Pages that several processes share count in each of them; the start, which is taken off, has most of those.
    """

    def __init__(self, pid: int, *, children: bool = False, limit_bytes: float = float("inf")) -> None:
        self._root = psutil.Process(pid)
        self._children = children
        self.limit_bytes = limit_bytes
        self._family: list[psutil.Process] = []
        self._looked = 0.0
        self._stopped = threading.Event()
        self.exceeded = False
        self.reset()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Count from here."""
        self.start_bytes = self.peak_bytes = self._resident()

    @property
    def over(self) -> int:
        return self.peak_bytes - self.start_bytes

    def stop(self) -> int:
        """The peak over the start."""
        self._stopped.set()
        self._thread.join()
        return self.over

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self.peak_bytes = max(self.peak_bytes, self._resident())
            if self.peak_bytes > self.limit_bytes:
                self.exceeded = True
                return

    def _resident(self) -> int:
        if self._children and time.monotonic() - self._looked > FAMILY_S:
            self._family = _quietly(partial(self._root.children, recursive=True), [])
            self._looked = time.monotonic()
        return sum(_quietly(partial(_rss, one), 0) for one in [self._root, *self._family])


def measured(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    seconds: float,
    limit_bytes: float,
    children: bool = False,
) -> Outcome:
    """Run it. Never raises for what the process does."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        told: dict[str, Any] = {}
        reader = threading.Thread(target=_read, args=(process, told), daemon=True)
        memory = PeakMemory(process.pid, children=children, limit_bytes=limit_bytes)
        reader.start()
        failure = _wait(process, told, memory, seconds)
        _end(process)
        reader.join()
        peak = memory.stop()
        if not failure and process.returncode:
            errors.seek(0)
            failure = ([line for line in errors.read().splitlines() if line.strip()] or ["it ended without a word"])[-1]
    return Outcome(told, peak, failure or str(told.get("failure", "")))


def _wait(process: subprocess.Popen[str], told: Mapping[str, Any], memory: PeakMemory, seconds: float) -> str:
    """The limit that was met, or the failure that it told; "" when it ended by itself."""
    end, counting = time.monotonic() + READY_S, False
    while process.poll() is None:
        if "failure" in told:
            return str(told["failure"])
        if "ready" in told and not counting:
            memory.reset()
            end, counting = time.monotonic() + seconds, True
        if memory.exceeded:
            return f"more than {memory.limit_bytes / 1e9:.0f} GB"
        if time.monotonic() > end:
            return f"more than {seconds if counting else READY_S:.0f} s"
        time.sleep(LOOK_S)
    return ""


def _read(process: subprocess.Popen[str], told: dict[str, Any]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            told.update(json.loads(line))


def _end(process: subprocess.Popen[str]) -> None:
    """It and what it started."""
    family: list[psutil.Process] = _quietly(lambda: psutil.Process(process.pid).children(recursive=True), [])
    for one in family:
        _quietly(one.kill, None)
    process.kill()
    process.wait()


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _quietly(look: Callable[[], Found], otherwise: Found) -> Found:
    """Processes come and go while they are looked at."""
    try:
        return look()
    except psutil.Error:
        return otherwise

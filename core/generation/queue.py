"""A bounded, fair queue in front of one model. Who waits sees a position."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import Busy, Cancelled


class AdmissionQueue:
    """At most `running` holders at once; at most `waiting` more in line, first come, first served."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self._running = running
        self._waiting = waiting
        self._active = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def idle(self) -> bool:
        """Nobody runs or waits."""
        return self._active == 0 and not self._line

    @contextmanager
    def admitted(self, *, cancel: threading.Event, on_position: Callable[[int], None]) -> Iterator[float]:
        """Wait for a turn; gives the seconds waited. on_position: 1 is next, called when it changes.

        Raises Busy when the line is full, Cancelled when `cancel` is set while waiting.
        """
        ticket = object()
        started = time.perf_counter()
        with self._changed:
            if self._active >= self._running and len(self._line) >= self._waiting:
                raise Busy(
                    f"{len(self._line)} runs wait for this model already.",
                    allowed=f"At most {self._waiting} may wait (GROUNDWORK_MAX_WAITING).",
                    next_step="Try again in a moment.",
                )
            self._line.append(ticket)
            told = -1
            try:
                while self._line[0] is not ticket or self._active >= self._running:
                    if cancel.is_set():
                        raise Cancelled("The run")
                    position = self._line.index(ticket) + 1
                    if position != told:
                        told = position
                        on_position(position)
                    self._changed.wait(0.05)
                self._active += 1
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()
        try:
            yield time.perf_counter() - started
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

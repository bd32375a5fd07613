"""A run in the background that a page can watch, leave and come back to. It outlives the script run that started it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import GroundworkError
from core.generation.engine import Engine
from core.generation.record import RecordedRun
from core.generation.request import Completion, GenerationRequest, Stage, Status, TokenEvent
from core.store.database import Database

_RUNS: weakref.WeakValueDictionary[str, LiveRun] = weakref.WeakValueDictionary()


def find(run_id: str) -> LiveRun | None:
    """A run of this process that somebody still holds: being written, or just ended."""
    return _RUNS.get(run_id)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a watcher sees now. elapsed_s: since the run was started. error: in the user's words, "" when none."""

    status: Status
    text: str
    tokens: int
    ttft_s: float | None
    tokens_per_s: float | None
    elapsed_s: float
    finished: bool
    error: str
    completion: Completion | None


class LiveRun:
    """One generation on a thread of its own. Faults of the request are raised by the constructor."""

    def __init__(self, engine: Engine, db: Database, request: GenerationRequest, *, start: bool = True) -> None:
        self._cancel = threading.Event()
        self._lock = threading.Lock()
        self._status = Status(Stage.QUEUEING)
        self._text: list[str] = []
        self._times: list[float] = []
        self._error = ""
        self._finished = False
        self._completion: Completion | None = None
        self._prefix = len(request.answer_prefix)
        self._started = time.perf_counter()
        self._recorded = RecordedRun(engine, db, request, cancel=self._cancel, on_status=self._on_status)
        self.run_id = self._recorded.run_id
        _RUNS[self.run_id] = self
        self._thread = threading.Thread(target=self._work, name=f"run-{self.run_id[:8]}", daemon=True)
        self.on_finished: Callable[[str], None] = lambda text: None
        if start:
            self.start()

    def start(self) -> None:
        """Begin. `on_finished` is called with the whole text before a watcher sees the end."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop within one token."""
        self._cancel.set()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)

    def snapshot(self) -> Snapshot:
        with self._lock:
            new = self._times
            span = new[-1] - new[0] if len(new) > 1 else 0.0
            return Snapshot(
                status=self._status,
                text="".join(self._text),
                tokens=len(new),
                ttft_s=self._completion.ttft_s if self._completion else (new[0] if new else None),
                tokens_per_s=(len(new) - 1) / span if span > 0 else None,
                elapsed_s=time.perf_counter() - self._started,
                finished=self._finished,
                error=self._error,
                completion=self._completion,
            )

    def _on_status(self, status: Status) -> None:
        with self._lock:
            self._status = status

    def _work(self) -> None:
        try:
            for event in self._recorded.events():
                self._take(event)
        except GroundworkError as error:
            self._error = str(error)
        except Exception as error:  # told to the user, and on record with its type
            self._error = f"The run failed: {type(error).__name__}: {error}. What was written so far is kept."
        finally:
            try:
                self.on_finished(self._recorded.completion.text)
            except Exception as error:  # a watcher must see the end all the same
                self._error = self._error or f"The answer could not be put on record: {error}"
            with self._lock:
                self._completion = self._recorded.completion
                self._text = [self._completion.text]
                self._status = Status(Stage.DONE)
                self._finished = True

    def _take(self, event: TokenEvent) -> None:
        with self._lock:
            self._text.append(event.text)
            if event.index >= self._prefix:
                self._times.append(event.time_s)

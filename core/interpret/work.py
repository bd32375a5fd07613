"""`Work`: something slow on the one thread that looks into models, with progress, a cancel flag and a result to fetch.

Whoever started it may go away and come back: it is found again by its key. One thread, since one pass takes all cores.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Literal, TypeVar

from core.artefacts import Progress
from core.errors import Cancelled, GroundworkError

Result = TypeVar("Result")
State = Literal["waiting", "running", "done", "failed", "cancelled"]
KEPT = 64  # results of finished work


class Work(Generic[Result]):
    """One piece of it. result: None until `state` is done. error: what went wrong, to be told as it is."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.state: State = "waiting"
        self.fraction = 0.0
        self.step = "Waiting for its turn"
        self.result: Result | None = None
        self.error: GroundworkError | None = None
        self.took_s = 0.0
        self._cancel = threading.Event()
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def cancel(self) -> None:
        """Stop at its next sign of progress."""
        self._cancel.set()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        return self._ended.wait(seconds)

    def outcome(self) -> Result:
        """The result; raises the error of failed or cancelled work. Call it when it has ended."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result

    def run(self, function: Callable[[Progress], Result]) -> None:
        """Do it, on this thread. Never raises."""
        started = time.perf_counter()
        self.state = "running"
        try:
            self._progress(0.0, "Starting")
            self.result = function(self._progress)
            self.state = "done"
        except Cancelled as stopped:
            self.error, self.state = stopped, "cancelled"
        except GroundworkError as error:
            self.error, self.state = error, "failed"
        except MemoryError:
            self.error, self.state = _no_memory(), "failed"
        except Exception as error:  # told to the reader, who can do nothing about its type
            self.error, self.state = _unexpected(error), "failed"
        finally:
            self.took_s = time.perf_counter() - started
            self._ended.set()

    def _progress(self, fraction: float, text: str) -> None:
        if self._cancel.is_set():
            raise Cancelled("This look inside")
        self.fraction, self.step = min(max(fraction, 0.0), 1.0), text


class Works:
    """What is going on and what was found, by key. Thread-safe."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, Work[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="interpret")

    def start(self, key: str, function: Callable[[Progress], Result]) -> Work[Result]:
        """The work of this key, however it stands, else a new one: what failed or was stopped is begun again only
        after `forget`."""
        with self._lock:
            found = self._all.get(key)
            if found is not None:
                self._all.move_to_end(key)
                return found
            work: Work[Result] = Work(key)
            self._all[key] = work
            self._forget_old()
        self._thread.submit(work.run, function)
        return work

    def find(self, key: str) -> Work[Any] | None:
        with self._lock:
            return self._all.get(key)

    def forget(self, key: str) -> None:
        """Drop a piece of work, so that the next `start` begins again."""
        with self._lock:
            self._all.pop(key, None)

    def _forget_old(self) -> None:
        ended = [key for key, work in self._all.items() if work.ended]
        for key in ended[: max(len(self._all) - KEPT, 0)]:
            del self._all[key]


def _no_memory() -> GroundworkError:
    return GroundworkError("This machine ran out of memory.", next_step="Take a shorter text, or a smaller model.")


def _unexpected(error: Exception) -> GroundworkError:
    if "out of memory" in str(error).lower() or "can't allocate" in str(error).lower():
        return _no_memory()
    return GroundworkError(f"This look inside failed: {type(error).__name__}: {error}.", next_step="Try another text.")

"""Runs a function in a process of its own and hands out what it tells, one thing at a time.

Fresh, not forked: what a model takes in memory, and how long it loads, is then its own. Whoever stops listening, or is
cancelled while it waits, ends the process.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from core import errors
from core.errors import GroundworkError

LOOK_EVERY_SECONDS = 0.2
NEXT_STEP = (
    "If the machine ran out of memory, ask for a smaller batch, a shorter prompt or another precision. "
    "What was measured before is recorded."
)
Tell = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _Fault:
    """A GroundworkError on its way between processes; not every one of them can be pickled."""

    kind: str
    happened: str
    allowed: str
    next_step: str

    def as_error(self) -> GroundworkError:
        kind = getattr(errors, self.kind, GroundworkError)
        error = GroundworkError(self.happened, allowed=self.allowed, next_step=self.next_step)
        with contextlib.suppress(TypeError):  # a kind that is made from other things than words
            error = kind(self.happened, allowed=self.allowed, next_step=self.next_step)
        return error


class _Done:
    """The function has returned."""


def in_a_process(
    work: Callable[..., None], *arguments: Any, what: str, watch: Callable[[], None]
) -> Generator[Any, None, None]:
    """Everything that `work(tell, *arguments)` tells. work: a function of a module, whose arguments can be pickled.

    what: the work in the user's words, for the message when its process dies. watch: called a few times a second
    while nothing is told; what it raises ends the process. Errors of `work` are raised here.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(theirs, what, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            if not ours.poll(LOOK_EVERY_SECONDS):
                watch()
                continue
            try:
                told = ours.recv()
            except EOFError:
                process.join()
                raise _died(what, process.exitcode) from None
            if isinstance(told, _Done):
                return
            if isinstance(told, _Fault):
                raise told.as_error()
            yield told
    finally:
        process.kill()
        process.join()
        ours.close()


def _main(pipe: Connection, what: str, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        work(pipe.send, *arguments)
        pipe.send(_Done())
    except GroundworkError as error:
        pipe.send(_Fault(type(error).__name__, error.happened, error.allowed, error.next_step))
    except BrokenPipeError:
        pass  # the parent has gone
    except Exception as error:  # ONNX Runtime's faults share no base class
        words = " ".join(str(error).split())[:300] or type(error).__name__
        pipe.send(_Fault("GroundworkError", f"The process for {what} failed: {words}.", "", NEXT_STEP))


def _died(what: str, code: int | None) -> GroundworkError:
    """In words. code: the exit status, a signal's number below zero."""
    why = f"ended with status {code}"
    if code is not None and code < 0:
        why = f"was killed ({signal.Signals(-code).name})"
    return GroundworkError(
        f"The process for {what} {why}.",
        next_step=NEXT_STEP,
    )

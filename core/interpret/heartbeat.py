"""Signs of life from within a pass: a call before each layer, which tells how far the work is and may stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from core.artefacts import Progress
from core.interpret.open_model import OpenModel


class Beat:
    """Progress through work of a known size: every call is `weight` of `total` done. words: what is going on."""

    def __init__(self, progress: Progress, total: float, words: str = "") -> None:
        self._progress = progress
        self._total = max(total, 1.0)
        self._done = 0.0
        self.weight = 1.0
        self.words = words

    def __call__(self) -> None:
        self._progress(min(self._done / self._total, 1.0), self.words)
        self._done += self.weight


@contextmanager
def beating(opened: OpenModel, beat: Callable[[], None], *, start: int = 0) -> Iterator[None]:
    """`beat()` before each container from `start` on; what it raises goes through the pass."""

    def hook(module: Any, given: Any) -> None:
        beat()

    with ExitStack() as undo:
        for container in opened.containers[start:]:
            undo.callback(container.register_forward_pre_hook(hook).remove)
        yield

"""What a command tells of its progress, on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.artefacts import Progress


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """Progress to stderr: one line that is written over on a terminal, a line a step elsewhere."""
    live = sys.stderr.isatty()
    last = [""]

    def show(fraction: float, text: str) -> None:
        if text == "Ready" and not last[0]:
            return  # there was nothing to do
        if live:
            sys.stderr.write(f"\r\033[K{fraction:4.0%}  {text}")
        elif _without_counts(text) != last[0]:
            sys.stderr.write(f"{fraction:4.0%}  {text}\n")
        last[0] = _without_counts(text)
        sys.stderr.flush()

    yield show
    if live and last[0]:
        sys.stderr.write("\n")


def _without_counts(text: str) -> str:
    """The step, whatever number it has come to."""
    return re.sub(r"[\d,]+", "", text)

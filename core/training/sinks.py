"""Where a training tells how it goes, and where it hears what the reader wishes: the record, or files of a cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.training_points import PointKind, TrainingPointRepository

Point = tuple[int, PointKind, dict[str, Any]]
"""Step, kind, values."""
Wish = Literal["", "stop", "cancel"]
LINE_EVERY_S = 5.0


class Sink(Protocol):
    """points: new ones. fraction: of the training. figures: the latest."""

    def write(self, points: Sequence[Point], fraction: float, words: str, figures: dict[str, Any]) -> None: ...

    def wish(self) -> Wish: ...

    def forget_after(self, step: int) -> None: ...


class Silent:
    """Of the processes that train beside the first."""

    def write(self, points: Sequence[Point], fraction: float, words: str, figures: dict[str, Any]) -> None: ...

    def wish(self) -> Wish:
        return ""

    def forget_after(self, step: int) -> None: ...


class RecordSink:
    """The rows of a job. part: of the job's progress that the training is. Prints a line now and then, for the log."""

    def __init__(self, db: Database, job_id: str, part: tuple[float, float]) -> None:
        self._jobs, self._points = JobRepository(db), TrainingPointRepository(db)
        self._id, self._part = job_id, part
        self._told = 0.0

    def write(self, points: Sequence[Point], fraction: float, words: str, figures: dict[str, Any]) -> None:
        if points:
            self._points.add(self._id, points)
        low, high = self._part
        self._jobs.progress(self._id, low + (high - low) * fraction, words, figures)
        judged = [values for _, kind, values in points if kind == "eval"]
        if judged or time.monotonic() - self._told > LINE_EVERY_S:
            self._told = time.monotonic()
            print(_line(words, judged[-1] if judged else figures, evaluated=bool(judged)), flush=True)

    def wish(self) -> Wish:
        job = self._jobs.get(self._id)
        return "cancel" if job.cancel_requested else "stop" if job.stop_requested else ""

    def forget_after(self, step: int) -> None:
        self._points.forget_after(self._id, step)


class FileSink:
    """Files in a folder that several machines share: `live.jsonl`, a line a write; `wish`, a word from outside."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lines, self._wish = folder / "live.jsonl", folder / "wish"
        self._told = 0.0
        with self._lines.open("a+b") as lines:  # a writer that was killed may have left half a line
            if lines.tell() and lines.seek(-1, 2) and lines.read(1) != b"\n":
                lines.write(b"\n")

    def write(self, points: Sequence[Point], fraction: float, words: str, figures: dict[str, Any]) -> None:
        self._add({"points": list(points), "fraction": fraction, "words": words, "figures": figures})

    def wish(self) -> Wish:
        found = self._wish.read_text(encoding="utf-8").strip() if self._wish.is_file() else ""
        return "cancel" if found == "cancel" else "stop" if found == "stop" else ""

    def forget_after(self, step: int) -> None:
        self._add({"forget_after": step})

    def progress(self, fraction: float, words: str) -> None:
        """Of the whole job, before and after the training; twice a second at most."""
        if time.monotonic() - self._told >= 0.5:
            self._told = time.monotonic()
            self._add({"whole": fraction, "words": words})

    def workers(self, found: Sequence[dict[str, Any]]) -> None:
        """Who trains together from now on."""
        self._add({"workers": list(found)})

    def _add(self, line: dict[str, Any]) -> None:
        with self._lines.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def _line(words: str, figures: dict[str, Any], *, evaluated: bool) -> str:
    shown = {name: value for name, value in figures.items() if isinstance(value, float)}
    told = ", ".join(f"{name} {value:.4g}" for name, value in shown.items() if name != "epoch")
    return f"{time.strftime('%H:%M:%S')}  {words}{' · evaluation' if evaluated else ''}: {told}"

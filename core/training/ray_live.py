"""`LiveReader`: what a training on a cluster writes into live.jsonl becomes the rows of its job.

The file is the whole story, of all its processes. Whoever begins to read it, after a crash for instance, replays it
from the start, so that no point is told twice or left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.store.database import Database
from core.store.jobs import JobRepository
from core.training.run import TRAIN
from core.training.sinks import Point, RecordSink


@dataclass(slots=True)
class News:
    """What lines say together. forget_after: a step; points behind it are void. trained: the last line of the training.
    beside: the last of what comes before and after it, if that is later. workers: of each start."""

    points: list[Point] = field(default_factory=list)
    forget_after: int | None = None
    trained: dict[str, Any] | None = None
    beside: dict[str, Any] | None = None
    workers: list[list[dict[str, Any]]] = field(default_factory=list)


class LiveReader:
    """has_news: whether the cluster has said anything at all. starts: of the workers, each as a list of them."""

    def __init__(self, path: Path, db: Database, job_id: str) -> None:
        self._path, self._id = path, job_id
        self._jobs, self._sink = JobRepository(db), RecordSink(db, job_id, TRAIN)
        self._offset = 0
        self.starts: list[list[dict[str, Any]]] = []

    @property
    def has_news(self) -> bool:
        return self._offset > 0

    def catch_up(self) -> None:
        """Read what is new and write it down; a sign of life where there is nothing."""
        first = self._offset == 0
        news = read_news(self._new_lines())
        if first and self._offset:
            self._sink.forget_after(-1)
        elif news.forget_after is not None:
            self._sink.forget_after(news.forget_after)
        for workers in news.workers:
            places = ", ".join(sorted({str(worker["node"]) for worker in workers}))
            print(f"{len(workers)} workers train together, on {places}", flush=True)
        self.starts += news.workers
        if (line := news.trained) is not None:
            self._sink.write(news.points, line["fraction"], line["words"], line["figures"])
        if (line := news.beside) is not None:
            self._jobs.progress(self._id, line["whole"], line["words"])
        if news.trained is news.beside is None:
            self._jobs.touch(self._id)

    def _new_lines(self) -> list[bytes]:
        """Whole ones; the last may still be being written."""
        try:
            with self._path.open("rb") as lines:
                lines.seek(self._offset)
                found, newline, _ = lines.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._offset += len(found) + len(newline)
        return found.splitlines()


def read_news(lines: Iterable[bytes]) -> News:
    """A line that a killed writer left half is passed over."""
    news = News()
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if "forget_after" in told:
            step = told["forget_after"]
            news.points = [point for point in news.points if point[0] <= step]
            news.forget_after = step if news.forget_after is None else min(step, news.forget_after)
        news.points += [(step, kind, values) for step, kind, values in told.get("points", ())]
        if "workers" in told:
            news.workers.append(told["workers"])
        elif "whole" in told:
            news.beside = told
        elif "figures" in told:
            news.trained, news.beside = told, None
    return news

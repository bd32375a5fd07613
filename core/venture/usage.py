"""Recorded usage becomes the tokens of a task: the means of complete runs, with the ids of the runs behind them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import InvalidInput
from core.store.database import Database
from core.store.runs import RunRecord, RunRepository
from core.venture.products import MOST_RUN_IDS, TaskSpec

LOOKED_AT = 500  # newest runs: what a page can read while somebody waits


@dataclass(frozen=True, slots=True)
class Spread:
    """Of tokens a run."""

    mean: float
    p50: float
    p90: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) == 1:
            return cls(*[float(values[0])] * 4)
        tenths = statistics.quantiles(values, n=10, method="inclusive")
        return cls(statistics.fmean(values), statistics.median(values), tenths[8], float(max(values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What complete runs read and wrote. prompt: all input, cached tokens too. model_ids: with how many runs each, the
    most first. left_out: runs that did not end, or whose prompt was not counted."""

    run_ids: tuple[str, ...]
    prompt: Spread
    completion: Spread
    cached: Spread
    cached_share: float
    model_ids: tuple[tuple[str, int], ...]
    first: datetime
    last: datetime
    left_out: int

    @property
    def count(self) -> int:
        return len(self.run_ids)

    @property
    def notes(self) -> tuple[str, ...]:
        told = []
        if self.left_out:
            runs = "1 further run is" if self.left_out == 1 else f"{self.left_out:,} further runs are"
            told.append(f"{runs} left out: stopped before the end, failed, or with a prompt that was not counted.")
        if self.count > MOST_RUN_IDS:
            told.append(f"The means are of all {self.count:,} runs; the ids of the newest {MOST_RUN_IDS} are kept.")
        if len(self.model_ids) > 1:
            told.append("These are runs of several models, which count tokens differently.")
        return tuple(told)

    def task(self, name: str, runs_per_user: float = 0) -> TaskSpec:
        """A suggestion: the mean run."""
        return TaskSpec(
            name=name,
            runs_per_user=runs_per_user,
            input_tokens=round(self.prompt.mean, 1),
            output_tokens=round(self.completion.mean, 1),
            cached_share=round(self.cached_share, 4),
            run_ids=self.run_ids[:MOST_RUN_IDS],
        )


def recorded_models(db: Database) -> tuple[tuple[str, int], ...]:
    """Models with complete runs among the newest, and how many, the most first."""
    runs = RunRepository(db).list(limit=LOOKED_AT)
    return tuple(Counter(run.model_id for run in runs if is_complete(run)).most_common())


def recorded(
    db: Database, *, model_id: str | None = None, session_id: str | None = None, since: datetime | None = None
) -> Usage:
    """Of the newest LOOKED_AT runs that fit. since: with a time zone. Raises InvalidInput where none is complete."""
    runs = RunRepository(db).list(limit=LOOKED_AT, model_id=model_id, session_id=session_id)
    return of_runs([run for run in runs if since is None or run.created_at >= since])


def of_runs(runs: Sequence[RunRecord]) -> Usage:
    """Raises InvalidInput where none of them is complete."""
    used = [run for run in runs if is_complete(run)]
    if not used:
        seen = f"{len(runs):,} were found that did not end. " if runs else ""
        raise InvalidInput(
            f"No complete run is recorded. {seen}".strip(),
            next_step="Ask the model something in the Playground as your users would, then take the usage from there.",
        )
    prompts = [float(run.prompt_tokens or 0) for run in used]
    cached = [float(min(run.cached_tokens or 0, run.prompt_tokens or 0)) for run in used]
    return Usage(
        run_ids=tuple(run.id for run in used),
        prompt=Spread.of(prompts),
        completion=Spread.of([float(run.completion_tokens) for run in used]),
        cached=Spread.of(cached),
        cached_share=sum(cached) / sum(prompts) if sum(prompts) else 0.0,
        model_ids=tuple(Counter(run.model_id for run in used).most_common()),
        first=min(run.created_at for run in used),
        last=max(run.created_at for run in used),
        left_out=len(runs) - len(used),
    )


def is_complete(run: RunRecord) -> bool:
    """It ended of itself, and its prompt was counted."""
    return run.status == "done" and run.prompt_tokens is not None


def edited(before: Sequence[TaskSpec], after: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks as they were typed, each with the run ids that it still stands on: a task whose tokens were changed by hand
    stands on no runs any more. The same place or the same name makes the same task."""
    found = []
    for place, row in enumerate(after):
        same = [one for one in before if one.name == row.get("name")] or before[place : place + 1]
        found.append(row | {"run_ids": list(same[0].run_ids) if same and _same_tokens(same[0], row) else []})
    return found


def _same_tokens(task: TaskSpec, row: dict[str, Any]) -> bool:
    names = ("input_tokens", "output_tokens", "cached_share")
    return all(abs(float(row.get(name) or 0) - getattr(task, name)) < 1e-9 for name in names)

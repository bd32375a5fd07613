"""Runs side by side: every key of their configurations, what differs, and the figures of their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.training.evaluation.report import EvaluationReport, Metric, from_json

ABSENT = "—"
"""In place of a value that a run's recipe does not have."""

SAME_ROWS = ("data.path", "data.evaluation_path", "data.test", "data.validation", "data.seed")
"""Keys that decide which rows judge. Where they differ, figures are of other rows."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run as it is stored: its configuration and its report as plain values, None before it has one."""

    id: str
    title: str
    config: Mapping[str, Any]
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """One key, as `training.epochs`, with each run's value in the order of the runs."""

    key: str
    values: tuple[Any, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure of each run, None where it has none. best: place of the best, None where that says nothing.

    clear: whether its interval lies apart from those of all others. That is strict: overlapping intervals may hide a
    difference, but ones that are apart do not make one up.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    values: tuple[Metric | None, ...]
    best: int | None
    clear: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """config: rows in the order of the first run's configuration. metrics: the headline figures first."""

    runs: tuple[ComparedRun, ...]
    config: tuple[ConfigRow, ...]
    metrics: tuple[MetricRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def differing(self) -> tuple[ConfigRow, ...]:
        return tuple(row for row in self.config if row.differs)


def compare(runs: Sequence[ComparedRun]) -> Comparison:
    """Raises InvalidInput for fewer than two runs."""
    if len(runs) < 2:
        raise InvalidInput(f"There is {len(runs)} run to compare.", allowed="Two or more.", next_step="Choose another.")
    flat = [flattened(run.config) for run in runs]
    keys = dict.fromkeys(key for one in flat for key in one)
    config = tuple(_config_row(key, [one.get(key, ABSENT) for one in flat]) for key in keys)
    reports = [None if run.report is None else from_json(dict(run.report)) for run in runs]
    return Comparison(tuple(runs), config, _metric_rows(reports), _notes(runs, config, reports))


def flattened(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`; lists are values."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flattened(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = tuple(value) if isinstance(value, list | tuple) else value
    return found


def _config_row(key: str, values: list[Any]) -> ConfigRow:
    # 1 and True are equal in Python and not in a configuration; 1 and 1.0 are the same.
    differs = any(one != values[0] or isinstance(one, bool) != isinstance(values[0], bool) for one in values[1:])
    return ConfigRow(key, tuple(values), differs)


def _metric_rows(reports: Sequence[EvaluationReport | None]) -> tuple[MetricRow, ...]:
    by_run = [{} if one is None else {metric.name: metric for metric in one.metrics} for one in reports]
    headlines = [one.headline for one in reports if one is not None]
    names = dict.fromkeys([*headlines, *(name for one in by_run for name in one)])
    return tuple(
        _metric_row(tuple(one.get(name) for one in by_run)) for name in names if any(name in one for one in by_run)
    )


def _metric_row(values: tuple[Metric | None, ...]) -> MetricRow:
    known = [(place, one) for place, one in enumerate(values) if one is not None]
    like = known[0][1]
    ordered = sorted(known, key=lambda one: one[1].value, reverse=like.higher_is_better)
    tied = len(ordered) < 2 or ordered[0][1].value == ordered[1][1].value
    best = None if tied else ordered[0][0]
    clear = best is not None and all(_apart(ordered[0][1], other) for _, other in ordered[1:])
    return MetricRow(like.name, like.title, like.unit, like.higher_is_better, values, best, clear)


def _apart(best: Metric, other: Metric) -> bool:
    if best.low is None or best.high is None or other.low is None or other.high is None:
        return False
    return best.low > other.high if best.higher_is_better else best.high < other.low


def _notes(
    runs: Sequence[ComparedRun], config: tuple[ConfigRow, ...], reports: Sequence[EvaluationReport | None]
) -> tuple[str, ...]:
    moved = [row.key for row in config if row.differs and (row.key in SAME_ROWS or row.key.startswith("data.clean."))]
    told = []
    if moved:
        told.append(
            f"The runs were not judged on the same rows ({', '.join(moved)} differ): compare figures with care."
        )
    elif len({one.rows for one in reports if one is not None}) > 1:
        told.append("The runs were judged on different numbers of rows: compare figures with care.")
    waiting = [run.title or run.id for run, report in zip(runs, reports, strict=True) if report is None]
    if waiting:
        told.append(f"No report yet: {', '.join(waiting)}.")
    return tuple(told)

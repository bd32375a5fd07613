"""The sections of a fine-tune's documents as Markdown: the model card and the report are made of them.

What a user or a model wrote stays text: it cannot become a heading, a link or a formula.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from core.store.columns import utc_now
from core.training.data.prepared import DataRecord
from core.training.evaluation.comparing import figure
from core.training.evaluation.report import EvaluationReport
from exports.estimate_markdown import escaped
from exports.training_document import (
    COMMAND,
    TrainedRun,
    answer,
    config_yaml,
    facts,
    interval,
    limits,
    made,
    privacy_words,
    title,
    value,
)

MOST_LABELS = 40  # listed one by one


def training_markdown(run: TrainedRun, *, at: datetime | None = None) -> bytes:
    """The report to read, in UTF-8. at: when it was made; default, now."""
    parts = [f"# {escaped(title(run))}", escaped(answer(run.report)), *sections(run)]
    if run.report is not None:
        parts += [_answers(run.report), _examples(run.report)]
    parts.append(f"{made(at or utc_now())}. Intervals are 95 % bootstrap intervals over test rows.")
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", errors="replace")


def sections(run: TrainedRun) -> list[str]:
    """Run, evaluation, data, privacy, limits, configuration; those that there are."""
    parts = ["## The run", _list([f"**{name}**: {escaped(words)}" for name, words in facts(run)])]
    if run.report is not None:
        parts += ["## Evaluation", *_evaluation(run.report)]
    if run.data is not None:
        parts += ["## Data", *_data(run.data), "## Privacy", escaped(privacy_words(run.data)), _privacy(run.data)]
    if told := limits(run):
        parts += ["## Limits", _list([escaped(one) for one in told])]
    parts += ["## Repeat it", f"Save this as `CONFIG.yaml`, then run `{COMMAND}`.", fenced(config_yaml(run), "yaml")]
    return [part for part in parts if part]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are escaped here. Columns after the first are numbers, so they are aligned right."""
    lines = [[escaped(one) for one in head], ["---", *["---:"] * (len(head) - 1)]]
    lines += [[escaped(one) for one in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """A block of code that nothing in the text can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _evaluation(report: EvaluationReport) -> list[str]:
    rows = [
        [
            one.title,
            value(one),
            interval(one),
            "" if one.baseline is None else value(one, one.baseline),
            "" if one.before is None else value(one, one.before),
        ]
        for one in report.metrics
    ]
    parts = [table(["Figure", "Value", "95 % interval", "Baseline", "Before training"], rows)]
    if report.baseline:
        parts.append(f"Baseline: {escaped(report.baseline)}.")
    if report.classes:
        parts += ["### By class", _classes(report)]
    if report.groups:
        parts += ["### By subgroup", _groups(report)]
    return parts


def _classes(report: EvaluationReport) -> str:
    return table(
        ["Class", "Precision", "Recall", "F1", "Test rows"],
        [
            [one.label, figure(one.precision), figure(one.recall), figure(one.f1), f"{one.support:,}"]
            for one in report.classes
        ],
    )


def _groups(report: EvaluationReport) -> str:
    rows = []
    for one in report.groups:
        span = "" if one.low is None or one.high is None else f"{figure(one.low)} to {figure(one.high)}"
        rows.append([one.group, f"{one.rows:,}", figure(one.value), span, figure(one.gap)])
    head = ["Subgroup", "Test rows", report.metric(report.headline).title, "95 % interval", "Gap to all"]
    return table(head, rows)


def _data(data: DataRecord) -> list[str]:
    about = [
        f"**Source**: {escaped(data.source)}",
        f"**SHA-256**: `{data.digest}`",
        f"**Rows**: {data.rows:,} in the file; {data.train:,} to train on, {data.validation:,} to choose the best "
        f"checkpoint, {data.test:,} to judge",
    ]
    if data.licence:
        about.append(f"**Licence**: {escaped(data.licence)}")
    parts = [_list(about)]
    if data.labels:
        shown = list(data.labels.items())[:MOST_LABELS]
        parts.append(table(["Label", "Rows"], [[label, f"{number:,}"] for label, number in shown]))
        if len(data.labels) > MOST_LABELS:
            parts.append(f"… and {len(data.labels) - MOST_LABELS:,} more labels.")
    if data.steps:
        steps = [[one.told or one.name, f"{one.changed:,}", f"{one.dropped:,}"] for one in data.steps]
        parts.append(table(["Cleaning", "Rows changed", "Rows dropped"], steps))
    if data.findings:
        parts.append(_list([escaped(one.told) for one in data.findings]))
    return parts


def _privacy(data: DataRecord) -> str:
    """Kinds and counts alone: even a masked example has no place in a card that is published."""
    rows = [[one.kind, f"{one.count:,}"] for one in data.privacy]
    return table(["Kind", "Found"], rows) if rows else ""


def _answers(report: EvaluationReport) -> str:
    parts = ["## Answers before and after"] if report.answers else []
    for one in report.answers:
        parts += [f"### {escaped(one.prompt)}", "Before:", fenced(one.before), "After:", fenced(one.after)]
    return "\n\n".join(parts)


def _examples(report: EvaluationReport) -> str:
    parts = []
    for best, heading in ((False, "## Worst examples"), (True, "## Best examples")):
        rows = [
            [f"{one.row:,}", one.shown, one.truth, one.said, figure(one.score)]
            for one in report.examples
            if one.best is best
        ]
        if rows:
            parts += [heading, table(["Row", "Shown", "Truth", "Said", "Score"], rows)]
    return "\n\n".join(parts)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)

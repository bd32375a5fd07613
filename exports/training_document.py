"""What every document of a fine-tune carries, whatever its format: the run, its worth in a sentence, its limits, and
how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from core import __version__
from core.estimate.words import said
from core.store.training_points import TrainingPoint
from core.training.data.prepared import DataRecord
from core.training.evaluation.comparing import figure
from core.training.evaluation.report import EvaluationReport, Metric
from core.training.table import recipe

COMMAND = "python -m core finetune CONFIG.yaml"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the record knows of a run beside its configuration. What is not known is None or "".

    base_model: id of the model it began from, "" for none. base_source: where that is from, such as its id on a hub.
    licence: of the trained model, as SPDX writes it. parameters, trained: weights in all, and those that learned.
    seconds: of all attempts together.
    """

    job_id: str = ""
    title: str = ""
    base_model: str = ""
    base_source: str = ""
    licence: str = ""
    device: str = ""
    seconds: float | None = None
    steps: int | None = None
    best_step: int | None = None
    parameters: int | None = None
    trained: int | None = None
    finished_at: datetime | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A run as documents tell it. config: as `to_values` gives it. points: of its training, in order."""

    facts: RunFacts
    config: Mapping[str, Any]
    data: DataRecord | None = None
    report: EvaluationReport | None = None
    points: Sequence[TrainingPoint] = ()


def title(run: TrainedRun) -> str:
    """Its own, else the recipe's."""
    name = run.facts.title or str(run.config.get("name") or "")
    return " ".join(name.split()) or recipe(str(run.config["recipe"])).title


def answer(report: EvaluationReport | None) -> str:
    """What it is worth, in a sentence."""
    if report is None:
        return "This run has no evaluation yet."
    metric = report.metric(report.headline)
    beside = [
        f"{name} {value(metric, other)}"
        for name, other in (("baseline", metric.baseline), ("before training", metric.before))
        if other is not None
    ]
    told = f"; {', '.join(beside)}" if beside else ""
    span = f" (95 % interval {interval(metric)})" if interval(metric) else ""
    return f"{metric.title} {value(metric)}{span} on {report.rows:,} test row{'s' * (report.rows != 1)}{told}."


def value(metric: Metric, other: float | None = None) -> str:
    """The metric's value, or another of its kind, with its unit."""
    told = figure(metric.value if other is None else other)
    return f"{told} {metric.unit}".strip()


def interval(metric: Metric) -> str:
    """Low to high; "" where there is none."""
    return "" if metric.low is None or metric.high is None else f"{figure(metric.low)} to {figure(metric.high)}"


def facts(run: TrainedRun) -> tuple[tuple[str, str], ...]:
    """What it was made with, as (name, words)."""
    known, made = run.facts, []
    attempts = f" in {known.attempts} attempts" if known.attempts > 1 else ""
    made.append(("Recipe", recipe(str(run.config["recipe"])).title))
    if known.base_model:
        made.append(("Began from", known.base_model + (f" ({known.base_source})" if known.base_source else "")))
    if known.parameters is not None:
        learned = "" if known.trained in (None, known.parameters) else f", {known.trained:,} of them trained"
        made.append(("Parameters", f"{known.parameters:,}{learned}"))
    if known.device:
        made.append(("Device", known.device))
    if known.seconds is not None:
        made.append(("Training took", said(known.seconds, "s") + attempts))
    elif attempts:
        made.append(("Trained", attempts.strip()))
    if known.steps is not None:
        best = "" if known.best_step is None else f"; the best, kept, was {known.best_step:,}"
        made.append(("Steps", f"{known.steps:,}{best}"))
    if known.job_id:
        made.append(("Job", known.job_id))
    if known.licence:
        made.append(("Licence", known.licence))
    return tuple(made)


def limits(run: TrainedRun) -> tuple[str, ...]:
    """What a reader must not take the figures for."""
    report, data = run.report, run.data
    told = []
    if report is not None:
        told.append(
            f"The figures are of {report.rows:,} test rows from {data.source if data else 'its own data'}: on texts, "
            "pictures or numbers of another kind they can be worse."
        )
        if report.rows < 100:
            told.append("So few test rows make wide intervals: a difference of a few points may be chance.")
        told += report.notes
    if data is not None and data.privacy and data.privacy_done == "keep":
        told.append("Personal data or secrets were found in the training texts and kept; the model may repeat them.")
    if str(run.config["recipe"]) in ("causal", "gpt"):
        told.append("A language model can state what is false, and repeat what stands in its training texts.")
    if data is not None and data.kind in ("labelled", "images"):
        told.append("It knows these classes alone and puts everything, however foreign, into one of them.")
    return tuple(told)


def privacy_words(data: DataRecord) -> str:
    """What was done about personal data, in a sentence."""
    found = sum(one.count for one in data.privacy)
    if data.kind in ("images", "numbers"):
        return "The privacy scan reads texts; this data has none."
    if not found:
        return "The privacy scan found no personal data and no secrets. It knows patterns, not meanings."
    done = {"keep": "kept as they are", "mask": "masked before training", "drop": "dropped with their rows"}
    return f"The privacy scan found {found:,} pieces of personal data or secrets, {done[data.privacy_done]}."


def config_yaml(run: TrainedRun) -> str:
    """The configuration that `COMMAND` reads."""
    text: str = yaml.safe_dump(_plain(run.config), sort_keys=False, allow_unicode=True, width=120)
    return text.rstrip("\n")


def made(at: datetime) -> str:
    """By what, and when."""
    return f"Groundwork {__version__}, {at:%Y-%m-%d %H:%M} UTC"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value

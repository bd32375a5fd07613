"""`Recipe`: what each kind of training answers. A recipe builds, saves and judges; HF Trainer does the training.

`core.training.table` holds the one table of them. Nothing here imports torch: pages read the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from core.artefacts import Progress
from core.training.config import AnyConfig
from core.training.data.prepared import Kind, PreparedData
from core.training.evaluation.report import EvaluationReport


@dataclass(frozen=True, slots=True)
class Context:
    """Where a recipe works. folder: the run's own (`home/finetunes/<job id>`). device: cpu or cuda. progress: of the
    part of the work that is asked for. cancelled by raising from `progress`."""

    folder: Path
    device: str
    progress: Progress


@dataclass(slots=True)
class Built:
    """All that HF Trainer needs. Mutable: the trainer changes the model in place.

    train, validation: map-style datasets whose items `collate` makes batches of: dicts with what the model's forward
    takes, `labels` among them. metric: decides the best checkpoint; "loss" or a name that `measures` gives.
    measures: (logits [row, …], labels [row, …]) as numpy → figures of an evaluation, by name. unit: what speed is
    counted in; units: a batch's count of them. sample: answers of the model as it is now, as (prompt, text).
    each_step: called after every optimizer step with (model, step): the path of a descent. extra: what build wants to
    hand to save and evaluate. tokenizer: of transformers, saved beside the model.
    """

    model: Any
    train: Any
    validation: Any
    collate: Callable[[list[Any]], dict[str, Any]]
    metric: str = "loss"
    higher_is_better: bool = False
    measures: Callable[[Any, Any], dict[str, float]] | None = None
    unit: Literal["tokens", "rows", "images"] = "rows"
    units: Callable[[dict[str, Any]], int] | None = None
    sample: Callable[[Any], list[tuple[str, str]]] | None = None
    each_step: Callable[[Any, int], None] | None = None
    tokenizer: Any = None
    extra: dict[str, Any] = field(default_factory=dict)


class Build(Protocol):
    def __call__(self, config: Any, data: PreparedData, context: Context) -> Built: ...


class Evaluate(Protocol):
    """Judges `built.model` on `data.test`; with the baseline, and with the model before training where there is one."""

    def __call__(self, built: Built, config: Any, data: PreparedData, context: Context) -> EvaluationReport: ...


class Save(Protocol):
    """Fills a folder with the model as the catalogue adds it: safetensors, config.json, tokenizer files."""

    def __call__(self, built: Built, config: Any, data: PreparedData, folder: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class Steps:
    """A recipe's functions, loaded when they are needed."""

    build: Build
    evaluate: Evaluate
    save: Save


@dataclass(frozen=True, slots=True)
class Recipe:
    """name: as in a configuration. question: what a reader wants when this is the one. takes: the file, in words.
    module: of its `build`, `evaluate`, `save`. kinds: of data that it takes; which one, its columns say."""

    name: str
    title: str
    question: str
    takes: str
    kinds: tuple[Kind, ...]
    module: str
    config: type[AnyConfig]

    def steps(self) -> Steps:
        """Imports torch."""
        import importlib

        found = importlib.import_module(self.module)
        return Steps(build=found.build, evaluate=found.evaluate, save=found.save)

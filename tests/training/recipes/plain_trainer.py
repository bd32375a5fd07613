"""A recipe run by HF Trainer as it comes, without a job around it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from types import ModuleType
from typing import Any

from transformers import Trainer, TrainerCallback, TrainingArguments

from core.artefacts import no_progress
from core.training.config import AnyConfig, parse_config
from core.training.data.prepared import PreparedData
from core.training.recipe import Built, Context


class _EachStep(TrainerCallback):
    def __init__(self, built: Built) -> None:
        self.built = built

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if self.built.each_step is not None:
            self.built.each_step(more["model"], state.global_step)


def config_of(recipe: str, **values: Any) -> AnyConfig:
    return parse_config({"recipe": recipe, "data": {"path": "by-hand"}} | values)


def context_of(folder: Path) -> Context:
    folder.mkdir(parents=True, exist_ok=True)
    return Context(folder, "cpu", no_progress)


def train(
    recipe: ModuleType, config: AnyConfig, data: PreparedData, folder: Path, *, steps: int, batch: int = 32, **more: Any
) -> tuple[Built, Trainer]:
    """Built and trained for so many steps; more: of TrainingArguments."""
    built = recipe.build(config, data, context_of(folder))
    usual = {"learning_rate": 3e-3, "eval_strategy": "no", "save_strategy": "no", "logging_steps": 10}
    arguments = TrainingArguments(
        output_dir=str(folder / "out"),
        use_cpu=True,
        max_steps=steps,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=batch,
        label_names=["labels"],
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
        seed=config.training.seed,
        **(usual | more),
    )

    def measured(found: Any) -> dict[str, float]:
        return built.measures(found.predictions, found.label_ids) if built.measures else {}

    trainer = Trainer(
        model=built.model,
        args=arguments,
        train_dataset=built.train,
        eval_dataset=built.validation,
        data_collator=built.collate,
        compute_metrics=measured,
        callbacks=[_EachStep(built)],
    )
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    return built, trainer

"""HF Trainer with the optimizers and schedules of our recipes, and with checkpoints that hold no pickle.

Training itself, evaluation, accumulation, mixed precision and data-parallel workers are the library's own. What is
overridden is named in its documentation as a place to do so, but for the six methods that read and write a checkpoint's
state: they are the pinned version's, and a test trains through all of them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments, get_scheduler

from core.training.checkpoints import (
    OPTIMIZER,
    RANDOM,
    SCHEDULE,
    finish_checkpoint,
    keep_last,
    load_state,
    random_state,
    restore_random_state,
    save_state,
)
from core.training.config import TrainingConfig
from core.training.recipe import Built

LAST_RATE = 0.01
"""What an exponential schedule ends at, as a share of the highest rate."""
KEPT = 2
"""Checkpoints kept beside the best: the one before the last is whole while the last is being written."""


class GroundworkTrainer(Trainer):  # type: ignore[misc]  # transformers is not typed
    """config: how it is trained. units: of a batch, what speed is counted in; `units_seen` of this process so far."""

    def __init__(self, built: Built, config: TrainingConfig, arguments: TrainingArguments, **more: Any) -> None:
        self._config = config
        self._units = built.units
        self.units_seen = 0
        self.optimizer: Any
        self.lr_scheduler: Any
        super().__init__(
            model=built.model,
            args=arguments,
            train_dataset=built.train,
            eval_dataset=built.validation,
            data_collator=built.collate,
            processing_class=built.tokenizer,
            compute_metrics=_measures(built),
            **more,
        )

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        if self._units is not None:
            self.units_seen += self._units(inputs)
        return super().training_step(model, inputs, num_items_in_batch)

    def create_optimizer(self, model: Any = None) -> Any:
        """Weight decay is for matrices alone, not for biases and norms."""
        if self.optimizer is None:
            self.optimizer = make_optimizer(self.model if model is None else model, self._config, self)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        if self.lr_scheduler is None:
            self.lr_scheduler = make_schedule(optimizer or self.optimizer, self._config, num_training_steps)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Of two that score the same, the one with the lower loss is better: few rows often score the same."""
        better = bool(super()._determine_best_metric(metrics, trial))
        loss = metrics.get("eval_loss", float("inf"))
        same = metrics.get(self.args.metric_for_best_model) == self.state.best_metric
        if better or (same and loss < self._loss_of_best()):
            self.state.best_global_step, better = self.state.global_step, True
        return better

    def _loss_of_best(self) -> float:
        """From the log, which a resumed training has too."""
        logged = [row for row in self.state.log_history if row.get("step") == self.state.best_global_step]
        return min((row["eval_loss"] for row in logged if "eval_loss" in row), default=float("inf"))

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        (Path(output_dir or self.args.output_dir) / "training_args.bin").unlink(missing_ok=True)  # a pickle

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            shutil.rmtree(folder, ignore_errors=True)
        self.accelerator.wait_for_everyone()  # or it takes what the others have written already
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()  # each process writes its random state
        if self.args.should_save:
            finish_checkpoint(folder)
            best = self.state.best_model_checkpoint
            keep_last(folder.parent, KEPT, Path(best) if best else None)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.args.should_save:
            save_state(OPTIMIZER, self.optimizer.state_dict(), Path(output_dir))
            (Path(output_dir) / SCHEDULE).write_text(json.dumps(_schedule_state(self.lr_scheduler)), encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.optimizer.load_state_dict(load_state(OPTIMIZER, Path(checkpoint)))
            schedule = json.loads((Path(checkpoint) / SCHEDULE).read_text(encoding="utf-8"))
            self.lr_scheduler.load_state_dict(schedule | {"lr_lambdas": [None] * len(self.lr_scheduler.lr_lambdas)})

    def _save_rng_state(self, output_dir: str) -> None:
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        save_state(f"{RANDOM}-{self.args.process_index}", random_state(self._on_cuda()), Path(output_dir))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        name = f"{RANDOM}-{self.args.process_index}"
        if checkpoint is not None and (Path(checkpoint) / f"{name}.json").is_file():  # another number of workers
            restore_random_state(load_state(name, Path(checkpoint)))

    def _save_scaler(self, output_dir: str) -> None:
        if self.args.should_save and self.accelerator.scaler is not None:
            (Path(output_dir) / "scaler.json").write_text(json.dumps(self.accelerator.scaler.state_dict()))

    def _load_scaler(self, checkpoint: str | None) -> None:
        file = Path(checkpoint or "") / "scaler.json"
        if checkpoint is not None and self.accelerator.scaler is not None and file.is_file():
            self.accelerator.scaler.load_state_dict(json.loads(file.read_text(encoding="utf-8")))

    def _on_cuda(self) -> bool:
        return bool(self.args.device.type == "cuda")


def make_arguments(
    config: TrainingConfig, built: Built, folder: Path, *, device: str, steps: int, evaluate_every: int
) -> TrainingArguments:
    """HF Trainer's settings. config: nothing left open. steps: optimizer steps in all."""
    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=device == "cpu",
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulation,
        max_steps=steps,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip_norm,
        bf16=config.mixed_precision == "bf16",
        fp16=config.mixed_precision == "fp16",
        activation_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        data_seed=config.seed,
        eval_strategy="steps",
        eval_steps=evaluate_every,
        save_strategy="steps",
        save_steps=evaluate_every,
        logging_steps=max(1, steps // 1_000),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that ran away is told as it is
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{built.metric}",
        greater_is_better=built.higher_is_better,
        prediction_loss_only=built.measures is None,
        label_names=["labels"],
        remove_unused_columns=False,
        restore_callback_states_from_checkpoint=True,
        dataloader_pin_memory=device != "cpu",
        disable_tqdm=True,
        report_to=[],
    )


def make_optimizer(model: Any, config: TrainingConfig, trainer: Any = None) -> torch.optim.Optimizer:
    """torch's optimizer of that name over the weights that train. trainer: knows which of them decay."""
    names = set(trainer.get_decay_parameter_names(model)) if trainer is not None else set()
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for name, weight in trained if name in names], "weight_decay": config.weight_decay},
        {"params": [weight for name, weight in trained if name not in names], "weight_decay": 0.0},
    ]
    rate = config.learning_rate
    assert rate is not None
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=config.momentum, fused=True)
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, momentum=config.momentum)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate, fused=True)


def make_schedule(optimizer: Any, config: TrainingConfig, steps: int) -> Any:
    """The learning rate by step. exponential: falls by the same factor each step, to LAST_RATE of the highest."""
    warmup = int(config.warmup * steps)
    if config.schedule != "exponential":
        name = "constant_with_warmup" if config.schedule == "constant" else config.schedule
        return get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=steps)

    def factor(step: int) -> float:
        if step < warmup:
            return step / max(1, warmup)
        return float(LAST_RATE ** ((step - warmup) / max(1, steps - warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def _measures(built: Built) -> Any:
    measures = built.measures
    if measures is None:
        return None

    def compute(found: Any) -> dict[str, float]:
        logits = found.predictions[0] if isinstance(found.predictions, tuple) else found.predictions
        return measures(logits, found.label_ids)

    return compute


def _schedule_state(schedule: Any) -> dict[str, Any]:
    """Without the functions, which are made again."""
    return {name: value for name, value in schedule.state_dict().items() if name != "lr_lambdas"}

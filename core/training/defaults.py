"""What a configuration leaves open, chosen for the recipe, the device and the data; every choice with its reason.

The values are common practice for models of this kind (learning rates of full fine-tuning and of LoRA differ by an
order of magnitude: Hu et al. 2021, section 5), brought down to what a laptop's cores do in minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core.training.config import AnyConfig, CausalConfig, ClassificationConfig, MaskedConfig, TrainingConfig

EVALUATIONS = 10
"""Evaluations of a run that says nothing of them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before a choice. rows: to train on. longest_tokens: that 95 % of the rows do not pass, None where
    rows are no texts. context: of the model, in tokens. bf16: whether the device multiplies in it."""

    rows: int
    longest_tokens: int | None = None
    context: int | None = None
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that was left open. key: as in the configuration."""

    key: str
    value: Any
    why: str


def complete(config: AnyConfig, device: str, facts: Facts) -> tuple[AnyConfig, tuple[Choice, ...]]:
    """The configuration with nothing left open but the steps, which `plan_steps` counts; and what was chosen."""
    chosen = [choice for choice in _choices(config, device, facts) if choice is not None]
    training = {choice.key.removeprefix("training."): choice.value for choice in chosen if "." in choice.key}
    own = {choice.key: choice.value for choice in chosen if "." not in choice.key}
    complete_training = config.training.model_copy(update=training)
    return config.model_copy(update={**own, "training": complete_training}), tuple(chosen)


def plan_steps(training: TrainingConfig, rows: int, workers: int = 1) -> tuple[int, int]:
    """(optimizer steps, steps between evaluations) for so many rows, or sequences, of training data."""
    batch = (training.batch_size or 1) * training.accumulation * workers
    per_epoch = max(1, math.ceil(rows / batch))
    steps = training.steps or max(1, round((training.epochs or 1.0) * per_epoch))
    return steps, min(training.evaluate_every or max(1, math.ceil(steps / EVALUATIONS)), steps)


def _choices(config: AnyConfig, device: str, facts: Facts) -> list[Choice | None]:
    training = config.training
    gpu = device == "cuda"
    found: list[Choice | None] = []
    if training.learning_rate is None:
        found.append(Choice("training.learning_rate", *_learning_rate(config)))
    if training.batch_size is None:
        size = min(_batch_size(config, gpu), max(1, facts.rows))
        found.append(Choice("training.batch_size", size, f"fits {'a GPU' if gpu else 'a few CPU cores'}"))
    if training.epochs is None and training.steps is None:
        found.append(_length(config, facts))
    if training.mixed_precision == "auto":
        found.append(_precision(gpu, facts.bf16))
    if isinstance(config, (CausalConfig, ClassificationConfig, MaskedConfig)) and config.max_tokens is None:
        found.append(_max_tokens(config, gpu, facts))
    return found


def _learning_rate(config: AnyConfig) -> tuple[float, str]:
    if config.training.optimizer == "sgd":
        rate = {"regression": 0.05, "images": 0.05}.get(config.recipe, 0.01)
        return rate, "usual for SGD"
    if config.recipe in ("causal", "classification") and getattr(config, "lora", None) is not None:
        return (2e-4 if config.recipe == "causal" else 5e-4), "usual for LoRA, whose few weights move further"
    if config.recipe == "causal":
        return 2e-5, "all weights move: small steps keep what the model knows"
    if config.recipe == "classification":
        return 1e-4, "usual for a small encoder with a new head"
    if config.recipe == "masked":
        scratch = isinstance(config, MaskedConfig) and config.network is not None
        return (1e-3, "from random weights") if scratch else (1e-4, "going on from a trained encoder")
    return {"gpt": 3e-3, "images": 3e-3}.get(config.recipe, 0.02), "usual for a small network from random weights"


def _batch_size(config: AnyConfig, gpu: bool) -> int:
    small, large = {
        "causal": (4, 16),
        "gpt": (16, 64),
        "classification": (16, 64),
        "masked": (16, 64),
        "images": (64, 256),
        "regression": (32, 256),
    }[config.recipe]
    return large if gpu else small


def _length(config: AnyConfig, facts: Facts) -> Choice:
    if config.recipe == "gpt":
        return Choice("training.epochs", 6.0, "a small network sees a short text several times")
    epochs = {"causal": 3.0, "classification": 4.0, "masked": 3.0, "images": 40.0, "regression": 100.0}[config.recipe]
    if config.recipe in ("causal", "classification") and facts.rows > 20_000:
        return Choice("training.epochs", 1.0, "many rows: one pass teaches most of it")
    return Choice("training.epochs", epochs, "passes over the data; the best checkpoint is kept")


def _precision(gpu: bool, bf16: bool) -> Choice:
    if not gpu:
        return Choice("training.mixed_precision", "off", "a CPU trains in fp32")
    if bf16:
        return Choice("training.mixed_precision", "bf16", "this GPU multiplies in bf16, which needs no loss scaling")
    return Choice("training.mixed_precision", "fp16", "this GPU has no bf16")


def _max_tokens(config: AnyConfig, gpu: bool, facts: Facts) -> Choice | None:
    if facts.longest_tokens is None:
        return None
    ceiling = min(facts.context or 512, 2_048 if gpu else 512)
    needed = max(16, math.ceil(facts.longest_tokens / 8) * 8)
    if needed <= ceiling:
        return Choice("max_tokens", needed, f"95 % of the rows have at most {facts.longest_tokens:,} tokens")
    return Choice("max_tokens", ceiling, "as much as is quick on this device; longer rows are cut")

"""Optimizers, schedules and what else a training can be asked for do what their names say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.config import TrainingConfig
from core.training.trainer import LAST_RATE, make_optimizer, make_schedule

pytestmark = pytest.mark.slow


def rates(steps: int = 100, **changes: Any) -> list[float]:
    config = TrainingConfig.model_validate({"learning_rate": 0.1, "warmup": 0.1} | changes)
    optimizer = make_optimizer(torch.nn.Linear(2, 1), config)
    schedule = make_schedule(optimizer, config, steps)
    found = []
    for _ in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant", "exponential"])
def test_the_rate_rises_in_the_warm_up_and_then_follows_its_schedule(schedule: str) -> None:
    found = rates(schedule=schedule)
    assert found[:11] == pytest.approx([0.01 * step for step in range(11)])
    after = found[10:]
    expected = {
        "linear": [0.1 * (1 - step / 90) for step in range(90)],
        "cosine": [0.05 * (1 + math.cos(math.pi * step / 90)) for step in range(90)],
        "constant": [0.1] * 90,
        "exponential": [0.1 * LAST_RATE ** (step / 90) for step in range(90)],
    }[schedule]
    assert after == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
    ],
)
def test_each_optimizer_is_torchs_own_and_gets_down(name: str, kind: type) -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    config = TrainingConfig.model_validate({"optimizer": name, "learning_rate": 0.01, "momentum": 0.5})
    optimizer = make_optimizer(model, config)
    assert type(optimizer) is kind
    inputs, target = torch.randn(64, 3), torch.randn(64, 1) * 0.01 + 2.0
    losses = []
    for _ in range(300):
        optimizer.zero_grad()
        loss = ((model(inputs) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 3


def test_decay_is_for_matrices_alone(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, Trainer, TrainingArguments

    small = BertConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, vocab_size=20)
    model = BertModel(small)
    trainer = Trainer(model=model, args=TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to=[]))
    config = TrainingConfig.model_validate({"learning_rate": 0.1, "weight_decay": 0.3})
    decayed, spared = make_optimizer(model, config, trainer).param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.3, 0.0)
    assert all(weight.ndim == 2 for weight in decayed["params"])
    assert all(weight.ndim == 1 for weight in spared["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))

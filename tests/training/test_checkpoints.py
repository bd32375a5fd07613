"""Checkpoints are whole or do not count, and hold no pickle."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import CorruptFile
from core.training.checkpoints import (
    MARK,
    finish_checkpoint,
    keep_last,
    load_state,
    random_state,
    restore_random_state,
    save_state,
    sweep_unfinished,
    whole_checkpoints,
)


def checkpoint(folder: Path, step: int, *, whole: bool = True) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"x" * 100)
    if whole:
        finish_checkpoint(path)
    return path


def test_one_that_was_not_finished_does_not_count_and_is_swept(tmp_path: Path) -> None:
    kept, left = checkpoint(tmp_path, 5), checkpoint(tmp_path, 10, whole=False)
    assert whole_checkpoints(tmp_path) == [kept]
    sweep_unfinished(tmp_path)
    assert not left.exists()
    assert kept.exists()


def test_one_with_a_file_cut_short_does_not_count(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 5)
    (path / "model.safetensors").write_bytes(b"x" * 99)
    assert whole_checkpoints(tmp_path) == []


def test_they_are_ordered_by_step_not_by_name(tmp_path: Path) -> None:
    made = [checkpoint(tmp_path, step) for step in (100, 9, 20)]
    assert whole_checkpoints(tmp_path) == [made[1], made[2], made[0]]


def test_the_last_ones_and_the_best_are_kept(tmp_path: Path) -> None:
    made = {step: checkpoint(tmp_path, step) for step in (1, 2, 3, 4)}
    keep_last(tmp_path, 2, made[1])
    assert whole_checkpoints(tmp_path) == [made[1], made[3], made[4]]
    assert not made[2].exists()


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.RMSprop, torch.optim.SGD])
def test_an_optimizer_goes_on_where_it_was(tmp_path: Path, kind: type[torch.optim.Optimizer]) -> None:
    def steps(weights: torch.nn.Parameter, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (weights**2).sum().backward()
            optimizer.step()

    def make(value: torch.Tensor) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
        weights = torch.nn.Parameter(value.clone())
        return weights, kind([weights], lr=0.1, momentum=0.9) if kind is not torch.optim.AdamW else kind([weights])  # type: ignore[call-arg]

    weights, optimizer = make(torch.arange(4.0))
    steps(weights, optimizer, 3)
    save_state("optimizer", optimizer.state_dict(), tmp_path)
    again, other = make(weights.detach())
    other.load_state_dict(load_state("optimizer", tmp_path))
    steps(weights, optimizer, 3)
    steps(again, other, 3)
    assert torch.equal(weights, again)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    np.random.default_rng()
    save_state("random", random_state(cuda=False), tmp_path)
    drawn = (random.random(), float(np.random.rand()), float(torch.rand(1)))
    restore_random_state(load_state("random", tmp_path))
    assert drawn == (random.random(), float(np.random.rand()), float(torch.rand(1)))


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    save_state("optimizer", {"a": torch.ones(3)}, tmp_path)
    (tmp_path / "optimizer.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CorruptFile, match="damaged"):
        load_state("optimizer", tmp_path)


def test_the_mark_is_written_last(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 1)
    newest = max(path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert newest.name == MARK

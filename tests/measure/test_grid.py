from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.measure.grid import Grid, default_grid
from core.models import catalogue
from core.models.cards import ModelCard
from tests.real_models import MINILM, SMOLLM2

GRID = Grid((16, 64), (1, 2), ("fp32",), new_tokens=8, repeats=1)


def test_cells_are_taken_by_size_each_once() -> None:
    assert Grid((64, 16, 16), (4, 1), ("fp32",)).cells == ((16, 1), (16, 4), (64, 1), (64, 4))


def test_a_grid_in_bounds_passes(card: ModelCard) -> None:
    GRID.validate(card, "cpu")
    replace(GRID, prompt_tokens=(248,)).validate(card, "cpu")


def test_every_fault_is_named_with_its_bounds(card: ModelCard) -> None:
    grid = Grid((0, 9_000, 16), (0, 1_000), ("int8", "int3", "fp16"), new_tokens=1, repeats=0)
    with pytest.raises(InvalidInput) as told:
        grid.validate(card, "cpu")
    for fault in (
        "prompt tokens 0, 9,000 (1 to 255)",
        "batch 0, 1,000 (1 to 32)",
        "repeats 0 (1 to 1,000)",
        "precision int3 (int8, fp32, int4 on cpu)",
        "precision fp16",
        "new tokens 1 (2 to 255)",
        "reads 256 tokens",
    ):
        assert fault in str(told.value)
    assert "int8 (" not in str(told.value)


def test_an_empty_grid_is_told(card: ModelCard) -> None:
    with pytest.raises(InvalidInput, match="no prompt tokens; no batch; no precision"):
        Grid((), (), ()).validate(card, "cpu")


def test_a_grid_that_does_not_fit_in_memory_is_told(card: ModelCard) -> None:
    big = replace(card, architecture=replace(card.architecture, context=10**7, layers=500))
    with pytest.raises(InvalidInput, match=r"needs .* GB of memory beside the weights\. .* GB are free"):
        Grid((10**6,), (32,), ("fp32",)).validate(big, "cpu")


def test_an_encoder_has_no_room_to_leave_for_an_answer(home: Path) -> None:
    encoder = catalogue.get(MINILM)
    Grid((encoder.architecture.context,), (1,), ("int8",), new_tokens=0).validate(encoder, "cpu")
    with pytest.raises(InvalidInput, match="precision int4"):
        Grid((16,), (1,), ("int4",)).validate(encoder, "cpu")


def test_by_default_what_is_exported_is_measured_as_far_as_the_context_goes(card: ModelCard) -> None:
    assert default_grid(card, "cpu") == Grid((32, 128, 224), (1, 4), ("fp32",))
    assert default_grid(card, "cpu", new_tokens=2).prompt_tokens == (32, 128, 254)


def test_by_default_without_an_export_the_default_precision(home: Path) -> None:
    assert default_grid(catalogue.get(SMOLLM2), "cpu") == Grid((32, 128, 512), (1, 4), ("int8",))
    assert default_grid(catalogue.get(MINILM), "cpu") == Grid((32, 128, 512), (1, 4), ("int8",))

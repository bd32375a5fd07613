from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.measure.rounds import Loaded, Measured, Wish, measure_export, pieces, rows_of
from core.measure.watch import Watch
from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.onnx.exports import ensure_export, find_export
from tests.models import tiny


def wish(card: ModelCard, *cells: tuple[int, int], new_tokens: int = 6, repeats: int = 2) -> Wish:
    export = find_export(card, "fp32", "cpu")
    assert export
    return Wish(export.path, Task.TEXT_GENERATION, "cpu", 2, cells, new_tokens, repeats)


def test_a_prompt_alone_is_read_in_pieces_and_a_batch_as_a_whole() -> None:
    assert pieces(130, 1) == (64, 64, 2)
    assert pieces(64, 1) == (64,)
    assert pieces(130, 2) == (130,)


def test_rows_go_round_the_text_from_different_places() -> None:
    rows = rows_of(range(100), 120, 3)
    assert rows.shape == (3, 120)
    assert rows[0].tolist() == [*range(100), *range(20)]
    assert rows[1, 0] == 37
    assert len({tuple(row) for row in rows.tolist()}) == 3


def test_a_cell_has_its_rounds_without_the_warm_up(card: ModelCard) -> None:
    told: list[object] = []
    measure_export(told.append, wish(card, (16, 1), (70, 3)))
    loaded, *cells = told
    assert isinstance(loaded, Loaded)
    assert loaded.load_s > 0
    for cell, (tokens, batch) in zip(cells, ((16, 1), (70, 3)), strict=True):
        assert isinstance(cell, Measured)
        assert (cell.prompt_tokens, cell.batch, len(cell.rounds)) == (tokens, batch, 2)
        assert cell.peak_memory_bytes > 10e6
        assert 0 <= cell.other_work <= 1
        for one in cell.rounds:
            assert 0 < one.prefill_s <= one.ttft_s
            assert one.decode_s > 0


def test_to_the_end_of_the_context(card: ModelCard) -> None:
    told: list[object] = []
    measure_export(told.append, wish(card, (250, 1), (250, 2), repeats=1))
    assert len(told) == 3


def test_the_most_memory_is_seen_also_when_it_is_given_back() -> None:
    used = [5]
    with Watch(lambda: used[0]) as watch:
        used[0] = 90
        time.sleep(0.2)
        used[0] = 7
    assert watch.peak_bytes == 90


@pytest.mark.slow
def test_a_graph_that_was_traced_for_one_prompt_refuses_a_batch(home: Path, tmp_path: Path) -> None:
    catalogue.add(str(tiny.save_gpt2(tmp_path / "source")), model_id="gpt2")
    export = ensure_export("gpt2", precision="fp32", device="cpu")
    told: list[object] = []
    asked = Wish(export.path, Task.TEXT_GENERATION, "cpu", 2, ((16, 1),), 4, 1)
    measure_export(told.append, asked)
    assert isinstance(told[1], Measured)
    with pytest.raises(InvalidInput, match="A batch of 2 cannot be measured"):
        measure_export(told.append, Wish(export.path, Task.TEXT_GENERATION, "cpu", 2, ((16, 1), (16, 2)), 4, 1))

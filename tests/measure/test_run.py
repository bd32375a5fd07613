"""Whole grids, each precision in a process of its own. Speeds are never asserted: the machine is not ours alone."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from core.errors import Cancelled, ExportFailed, GroundworkError, InvalidInput
from core.measure import run as module
from core.measure.grid import Grid
from core.measure.probe import Limits
from core.measure.roofline import PHASES, point, share_of_limit
from core.measure.run import measure
from core.models.cards import ModelCard
from core.store.measurements import NewMeasurement
from tests.conftest import TINY
from tests.real_models import MINILM, SMOLLM2

GRID = Grid((16, 80), (1, 2), ("fp32",), new_tokens=6, repeats=3)


def check(row: NewMeasurement) -> None:
    """What holds for every row, whatever the machine."""
    rounds = row.samples
    assert row.repeats == len(rounds["prefill_s"]) == len(rounds["ttft_s"])
    read = row.batch * row.prompt_tokens
    assert row.prefill_tokens_per_s == pytest.approx(statistics.median(read / s for s in rounds["prefill_s"]))
    assert min(rounds["ttft_s"]) <= row.ttft_p50_s <= row.ttft_p95_s <= max(rounds["ttft_s"])
    assert row.peak_memory_bytes > 10e6
    assert row.load_s > 0
    assert row.tokens_per_joule is None or row.tokens_per_joule > 0
    assert row.power_source.startswith("none: ") == (row.tokens_per_joule is None)
    for phase in PHASES:
        found, share = point(row, phase), share_of_limit(row, phase)
        assert (found is None) == (share is None) == (phase == "decode" and row.decode_tokens_per_s is None)
        assert share is None or share > 0
    json.dumps(asdict(row))


def measuring() -> list[psutil.Process]:
    """The processes of ours that measure; multiprocessing keeps another one to tidy up."""
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def test_a_row_for_every_cell_with_all_that_repeats_it(card: ModelCard, quick_probe: Limits) -> None:
    said: list[tuple[float, str]] = []
    rows = list(measure(TINY, GRID, device="cpu", progress=lambda *told: said.append(told)))
    assert [(row.prompt_tokens, row.batch) for row in rows] == [(16, 1), (16, 2), (80, 1), (80, 2)]
    for row in rows:
        check(row)
        made = row.batch * (6 - 1)
        assert row.decode_tokens_per_s == pytest.approx(statistics.median(made / s for s in row.samples["decode_s"]))
        assert (row.model_id, row.revision, row.precision, row.device, row.backend) == (
            *(TINY, card.revision, "fp32", "cpu"),
            "onnx",
        )
        assert (row.bandwidth_bytes_per_s, row.flop_per_s_limit) == (20e9, 200e9)
        assert row.environment["export"]["sha256"].keys() == {"model.onnx", "model.onnx.data"}
        assert row.environment["versions"]["onnxruntime"]
        assert row.command["arguments"][-1] == "cpu"
    assert len({row.batch_id for row in rows}) == len({row.load_s for row in rows}) == 1
    fractions = [fraction for fraction, _ in said]
    assert fractions == sorted(fractions)
    assert said[-1] == (1.0, "Measured")


def test_a_cancelled_grid_keeps_what_it_has(card: ModelCard, quick_probe: Limits) -> None:
    kept: list[NewMeasurement] = []

    def progress(fraction: float, text: str) -> None:
        if len(kept) == 2:
            raise Cancelled("The grid")

    with pytest.raises(Cancelled):
        kept.extend(measure(TINY, GRID, device="cpu", progress=progress))
    assert len(kept) == 2
    assert not measuring()


def test_a_killed_process_is_told_in_words_and_its_rows_are_kept(card: ModelCard, quick_probe: Limits) -> None:
    kept: list[NewMeasurement] = []

    def progress(fraction: float, text: str) -> None:
        for child in measuring() if kept else []:
            child.kill()

    long = Grid((2, 250), (1, 32), ("fp32",), new_tokens=2, repeats=60)
    with pytest.raises(GroundworkError, match=r"process for measuring fp32 was killed \(SIGKILL\)"):
        kept.extend(measure(TINY, long, device="cpu", progress=progress))
    assert len(kept) == 1


def test_a_grid_out_of_bounds_is_refused_before_anything_runs(card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "in_a_process", pytest.fail)
    with pytest.raises(InvalidInput, match="9,000"):
        next(measure(TINY, Grid((9_000,), (1,), ("fp32",)), device="cpu"))


@pytest.mark.slow
def test_an_export_that_is_not_there_is_made_first(card: ModelCard, tiny_home: Path, quick_probe: Limits) -> None:
    [link] = (tiny_home / "exports" / TINY).glob("*/cpu-fp32")
    link.unlink()
    said: list[str] = []
    grid = Grid((16,), (1,), ("fp32",), new_tokens=4, repeats=1)
    [row] = measure(TINY, grid, device="cpu", progress=lambda _, text: said.append(text))
    check(row)
    assert any("Building" in text for text in said)
    assert (link / "export.json").is_file()


@pytest.mark.slow
def test_an_export_past_its_bar_is_not_measured(
    card: ModelCard, quick_probe: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "list_exports", lambda *_: ())
    monkeypatch.setattr(module, "_export", _fails)
    with pytest.raises(ExportFailed, match="not the same model"):
        next(measure(TINY, GRID, device="cpu"))


def _fails(tell: object, *_: object) -> None:
    raise ExportFailed("It is not the same model.")


@pytest.mark.slow
def test_smollm2_on_this_machine(real_home: Path) -> None:
    rows = list(measure(SMOLLM2, Grid((64,), (1, 2), ("int8",), new_tokens=8, repeats=2), device="cpu"))
    assert [row.batch for row in rows] == [1, 2]
    for row in rows:
        check(row)
        assert row.new_tokens == 8
        assert 100e6 < row.peak_memory_bytes < 2e9
        assert row.decode_bytes is not None
        assert 140e6 < row.decode_bytes < 160e6  # the weights at a byte each, their scales, and a little cache


@pytest.mark.slow
def test_an_encoder_on_this_machine(real_home: Path, monkeypatch: pytest.MonkeyPatch, quick_probe: Limits) -> None:
    own = real_home / "exports"  # a link to what must stay as it is
    own.unlink()
    own.mkdir()
    rows = list(measure(MINILM, Grid((32, 64), (1, 2), ("int8",), repeats=2), device="cpu"))
    assert len(rows) == 4
    for row in rows:
        check(row)
        assert (row.task, row.new_tokens) == ("feature-extraction", 0)
        assert (row.decode_tokens_per_s, row.decode_flop, row.decode_bytes) == (None, None, None)
        assert row.samples["ttft_s"] == row.samples["prefill_s"]

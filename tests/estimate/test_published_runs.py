"""Published runs as shares of the peak: the papers' own shares come out of their times, operations and devices."""

from __future__ import annotations

import pytest

from core.estimate.published_runs import PublishedRun, runs, steps

REFERENCE = 9  # the first rows of tables/training_runs.csv are those that every estimator is held against
MEGATRON = 4  # of tables/training_steps.csv


def test_the_reference_rows_stand_first_and_as_published() -> None:
    names = [row.name for row in runs()[:REFERENCE]]
    assert names == [
        *["Megatron-LM 2021 GPT 174.6B"] * 3,
        "GPT-3 175B",
        "LLaMA 7B",
        "LLaMA 65B",
        "Llama 2 7B",
        "Llama 2 70B",
        "Llama 3 405B",
    ]
    assert [row.row["days"] for row in runs()[:3]] == ["84", "43", "23"]
    assert [row.name for row in steps()[:MEGATRON]] == ["22B", "175B", "530B", "1T"]


@pytest.mark.parametrize("row", steps()[:MEGATRON], ids=lambda row: row.name)
def test_the_megatron_steps_give_their_published_hfu(row: PublishedRun) -> None:
    """arXiv 2205.05198, table 5; it counts the attention's products twice, and no update of the weights."""
    assert row.hfu == pytest.approx(float(row.row["hfu"]), rel=0.04)


def test_tflops_and_days_of_one_row_agree() -> None:
    """384 A100 at 153 TFLOP/s took 84 days (arXiv 2104.04473, table 2)."""
    row = runs()[0]
    assert row.gpu is not None
    assert row.hfu == pytest.approx(153 / 312, rel=0.02)
    hours = float(row.row["days"]) * 24 * row.gpus
    useful = 4 / 3 * 6 * 174.6e9 * 300e9  # a forward pass more
    assert useful / (hours * 3600 * 312e12) == pytest.approx(153 / 312, rel=0.06)


def test_the_share_of_a_run_in_gpu_hours_comes_from_operations_over_peak_hours() -> None:
    """LLaMA 7B: 6ND and the attention, over 82,432 hours (arXiv 2302.13971, table 15)."""
    row = next(one for one in runs() if one.name == "LLaMA 7B")
    simple = 6 * 6.7e9 * 1e12 / (82_432 * 3600 * 312e12)
    assert row.hfu is not None
    assert simple < row.hfu < 1.15 * simple


def test_no_row_passes_the_peak_of_its_device() -> None:
    for row in (*runs(), *steps()):
        assert all((row.source, row.group, row.gpus >= 1)), row
        if row.hfu is not None and row.used:
            assert 0.08 < row.hfu < (0.95 if row.precision == "fp8" else 0.85), row


def test_a_publication_is_one_group() -> None:
    llama = {row.group for row in runs() if row.name in ("LLaMA 7B", "LLaMA 65B", "LLaMA-13B", "LLaMA-33B")}
    assert len(llama) == 1


def test_rows_that_cannot_be_relied_on_say_why() -> None:
    assert all(row.row["note"] for row in runs() if not row.used)

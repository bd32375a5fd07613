"""The reference tables as data: every row has a source, every number can be, and every name that one uses exists."""

from __future__ import annotations

import csv
import math
from typing import Any

import pytest

from core.estimate.hardware import published
from core.estimate.tables_csv import TABLES, number, rows

NAMES = sorted(path.stem for path in TABLES.glob("*.csv"))
GPUS = {row["id"] for row in rows("gpus")}
CELLS = [
    (name, index, column, value)
    for name in NAMES
    for index, row in enumerate(rows(name), start=2)
    for column, value in row.items()
]
KEYS = {
    "gpus": ("id",),
    "nodes": ("gpu",),
    "known_models": ("id",),
    "grid_intensity": ("region",),
    "electricity_prices": ("region", "customers", "as_of", "source"),
    "sizes": ("model", "what", "precision"),
}
NUMBERS = {
    "gpus": ("memory_bytes", "memory_bandwidth_bytes_per_s", "fp16_flops_per_s"),
    "nodes": ("node_gpus",),
    "known_models": ("layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocabulary", "context", "parameters"),
    "training_runs": ("parameters",),
    "grid_intensity": ("grams_co2e_per_kwh",),
    "electricity_prices": ("usd_per_kwh",),
    "gpu_prices": ("usd_per_gpu_hour_low", "usd_per_gpu_hour_high"),
    "purchase_prices": ("usd_low", "usd_high"),
    "serving": ("value",),
    "sizes": ("bytes",),
}
WORDS = {"id", "name", "kind", "model", "gpu", "source", "note", "notes", "group", "what", "measure", "unit", "engine"}
DATED = ("gpu_prices", "purchase_prices", "electricity_prices")


def as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def test_there_are_the_tables_that_the_estimates_stand_on() -> None:
    assert {"gpus", "nodes", "gpu_prices", "known_models", "training_runs", "training_steps", "serving", "sizes"} <= {
        *NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_a_source_and_as_many_cells_as_the_heading(name: str) -> None:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert len(lines) > 1
    assert len(set(lines[0])) == len(lines[0])
    assert not [line for line in lines if len(line) != len(lines[0])]
    assert not [row for row in rows(name) if not row["source"].strip()]


def test_no_number_of_any_table_is_negative_or_endless() -> None:
    assert not [
        cell
        for cell in CELLS
        if cell[2] not in WORDS
        and (value := as_number(cell[3])) is not None
        and (not math.isfinite(value) or value < 0)
    ]


def test_no_cell_has_space_around_it() -> None:
    assert not [cell for cell in CELLS if cell[3] != cell[3].strip()]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_that_every_row_needs_are_there_and_positive(name: str) -> None:
    for row in rows(name):
        for column in NUMBERS[name]:
            assert (number(row[column]) or 0) > 0, (row, column)


@pytest.mark.parametrize("name", KEYS)
def test_no_two_rows_are_of_the_same_thing(name: str) -> None:
    keys = [tuple(row[column] for column in KEYS[name]) for row in rows(name)]
    assert len(set(keys)) == len(keys)


def test_no_row_stands_twice() -> None:
    for name in NAMES:
        whole = [tuple(row.items()) for row in rows(name)]
        assert len(set(whole)) == len(whole), name


@pytest.mark.parametrize("name", [name for name in NAMES if "gpu" in rows(name)[0]])
def test_every_gpu_that_a_table_names_is_in_the_hardware_table(name: str) -> None:
    assert not {row["gpu"] for row in rows(name) if row["gpu"]} - GPUS


@pytest.mark.parametrize("name", DATED)
def test_every_price_is_dated(name: str) -> None:
    assert not [row for row in rows(name) if not row["as_of"][:4].isdigit()]


def test_no_price_has_its_ends_turned_round() -> None:
    for row in rows("gpu_prices"):
        assert float(row["usd_per_gpu_hour_low"]) <= float(row["usd_per_gpu_hour_high"]) < 100, row
    for row in rows("purchase_prices"):
        assert 100 < float(row["usd_low"]) <= float(row["usd_high"]) < 1e6, row


def test_peaks_are_dense_and_in_a_plausible_order() -> None:
    """A sparse figure copied by mistake would be twice as high: four times fp16 in fp8, or 500 operations a byte."""
    for one in published():
        assert 1e9 < one.memory_bytes < 1e12, one.id
        assert 1e11 < one.memory_bandwidth_bytes_per_s < 2e13, one.id
        assert 1e12 < one.fp16_flops_per_s < 1e16, one.id
        assert one.fp8_flops_per_s <= 2.1 * one.fp16_flops_per_s, one.id
        assert one.fp32_flops_per_s <= one.fp16_flops_per_s, one.id
        assert one.fp16_flops_per_s / one.memory_bandwidth_bytes_per_s < (800 if one.kind == "cpu" else 600), one.id
        assert one.tdp_watts < 2_000, one.id
        assert one.kind in ("gpu", "tpu", "cpu"), one.id


def test_devices_of_one_rack_or_server_have_their_links() -> None:
    """A datacentre GPU without a row in nodes.csv would be given a desktop's links."""
    linked = {row["gpu"] for row in rows("nodes")}
    wanted = [id for id in GPUS if any(part in id for part in ("sxm", "gb200", "gb300", "b300", "mi3", "tpu", "gaudi"))]
    assert not {*wanted} - linked


def test_runs_have_what_their_share_of_the_peak_is_made_from() -> None:
    for row in rows("training_runs"):
        assert row["tokens"], row
        assert any(row[column] for column in ("days", "gpu_hours", "tflops_per_gpu", "mfu", "total_flops")), row
        assert row["recompute"] in ("", "none", "selective", "full")
    for row in rows("training_steps"):
        speeds = ("step_s", "tflops_per_gpu", "tokens_per_s_per_gpu", "mfu", "hfu")
        assert any(row[column] for column in speeds), row
        assert (row["layers"] and row["hidden"] and row["heads"]) or row["parameters"], row
        assert all(0 < value <= 1 for column in ("mfu", "hfu") if (value := number(row[column])) is not None), row


def test_days_and_gpu_hours_of_one_run_agree() -> None:
    for row in rows("training_runs"):
        days, hours, gpus = (number(row[column]) for column in ("days", "gpu_hours", "gpus"))
        if days and hours and gpus:
            assert days * 24 * gpus == pytest.approx(hours, rel=0.1), row["name"]


def test_intensities_are_of_grids() -> None:
    assert all(0 < float(row["grams_co2e_per_kwh"]) < 1_500 for row in rows("grid_intensity"))


def test_a_table_is_read_once() -> None:
    assert rows("gpus") is rows("gpus")
    assert number("  ") is None
    assert number("1e3") == 1_000


def test_heads_and_widths_of_published_models_go_together() -> None:
    shapes: list[dict[str, Any]] = [dict(row) for row in rows("known_models")]
    for row in shapes:
        assert int(row["heads"]) % int(row["kv_heads"]) == 0, row["id"]
        assert row["gated"] in ("yes", "no"), row["id"]
        assert row["tied_embeddings"] in ("yes", "no"), row["id"]
        assert bool(row["experts"]) == bool(row["experts_per_token"]), row["id"]
    assert {row["kind"] for row in shapes} == {"decoder", "encoder", "moe"}

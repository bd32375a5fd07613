"""Memory, serving and break-even from a configuration to a report, and this machine by its measurements."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.estimates import estimate
from core.estimate.local_machine import device
from core.estimate.serve_estimate import estimate_serve
from core.store.database import Database
from core.store.measurements import MeasurementRepository
from tests.measurements import NEW

LLAMA = {"model": "llama-3.1-8b"}
SERVED = {**LLAMA, "gpu": "h100-sxm-80gb"}
API = {**SERVED, "monthly_tokens": "5B", "usd_per_million_input": 0.15, "usd_per_million_output": 0.6}


def told(kind: str, **given: Any) -> dict[str, Any]:
    return json.loads(json.dumps(estimate(kind, given).to_json()))  # what a script reads


def test_memory_gives_the_published_size_of_the_weights_and_of_the_cache() -> None:
    found = told("memory", **LLAMA, batch=1, context=131_072)
    assert found["weights_bytes"]["expected"] == pytest.approx(2 * 8_030_261_248)
    assert found["kv_cache_bytes"]["expected"] == 131_072 * 128 * 1024  # 128 KiB a token


def test_memory_of_what_does_not_fit_says_what_would() -> None:
    report = estimate("memory", {"model": "llama-3.1-70b", "gpu": "h100-sxm-80gb"})
    assert "does not fit" in report.sentence
    assert any("What would make it fit" in note for note in report.notes)


def test_deepspeeds_estimate_comes_from_a_count_and_a_largest_layer() -> None:
    found = told(
        "memory", parameters="6805M", purpose="train", precision="fp16", zero=3, data_parallel=4,
        largest_layer_parameters="131M",
    )  # fmt: skip
    assert found["states_bytes"]["expected"] == pytest.approx(31_149_000_000, rel=0.01)


def test_a_demand_by_users_by_the_hour_and_at_the_peak_gives_replicas() -> None:
    by_users = told("serve", **SERVED, users=20_000)
    assert by_users["fleet_usd_per_user_month"]["expected"] > 0
    flat = told("serve", **SERVED, hourly_requests_per_s=[5] * 24)
    peak = told("serve", **SERVED, requests_per_s=5)
    assert flat["fleet_replicas"] == peak["fleet_replicas"]
    assert flat["fleet_mean_utilisation"]["expected"] > peak["fleet_mean_utilisation"]["expected"]


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("serve", {**SERVED, "users": 0}, "no demand"),
        ("serve", {**SERVED, "users": 5, "requests_per_s": 2}, "give one of them"),
        ("serve", {**SERVED, "hourly_requests_per_s": [1, 2]}, "24 are needed"),
        ("serve", {**SERVED, "ttft_target_s": 1}, "without a demand"),
        ("serve", {"model": "llama-3.1-405b", "gpu": "t4-16gb"}, "fit"),
        ("serve", {**LLAMA, "gpu": "h900-sxm"}, "Nearest"),
        ("breakeven", {**API, "monthly_tokens": 0}, "no demand"),
        ("breakeven", {**SERVED, "monthly_tokens": "1B"}, "price is missing"),
        ("breakeven", {**API, "gpu": "tpu-v4-32gb"}, "unknown is not free"),
        ("breakeven", {**SERVED, "monthly_tokens": "1B", "api_provider": "openai", "api_model": "gpt-99"}, "gpt-99"),
        ("memory", {**LLAMA, "precision": "int3"}, "int3"),
        ("memory", {**LLAMA, "batch": -1}, "batch"),
    ],
)
def test_bad_input_says_what_is_wrong(kind: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        estimate(kind, given)


def test_an_unknown_price_is_no_cost_rather_than_none_at_all() -> None:
    report = estimate("serve", {**LLAMA, "gpu": "tpu-v4-32gb", "tensor_parallel": 4, "concurrency": 4})
    assert not [figure for figure in report.figures if "USD" in figure.unit]
    assert report.get("tokens_per_s_per_gpu") is not None
    assert any("No rental price is known" in note for note in report.notes)


def test_break_even_is_null_where_own_hosting_never_pays() -> None:
    cheap = {**API, "usd_per_million_input": 0.001, "usd_per_million_output": 0.001}
    found = told("breakeven", **cheap)
    assert found["breakeven_tokens_per_month"]["expected"] is None
    assert found["saving_usd_per_month"]["high"] < 0
    assert "does not pay" in found["sentence"]


def test_own_hardware_replaces_the_rental_table() -> None:
    own = {"purchase_usd": 30_000, "server_factor": 1, "years": 4, "usd_per_kwh": 0.1, "pue": 1.2}
    rented, owned = told("serve", **SERVED), told("serve", **SERVED, own=own)
    output = "usd_per_million_output_tokens"
    assert owned[output]["expected"] < rented[output]["expected"]
    assert owned["tokens_per_s_per_gpu"] == rented["tokens_per_s_per_gpu"]


def test_this_machine_asks_to_be_measured_first(home: Path) -> None:
    with pytest.raises(InvalidInput, match="core measure"):
        device("this machine", "int8")


def test_this_machine_is_what_its_measurements_show_and_they_are_named(db: Database) -> None:
    kept = MeasurementRepository(db)
    saved = [kept.add(replace(NEW, host=socket.gethostname(), prompt_tokens=tokens, batch=1)) for tokens in (128, 256)]
    given = {
        "model": "smollm2-135m", "gpu": "this machine", "precision": NEW.precision, "prompt_tokens": 128,
        "output_tokens": 64, "concurrency": 1, "usd_per_gpu_hour": 0.1,
    }  # fmt: skip
    report, answer = estimate_serve(given, kept.list())
    assert set(report.measurement_ids) == {one.id for one in saved}
    assert answer.calibration is not None
    speed = report.get("tokens_per_s_per_gpu")
    assert speed is not None
    assert set(speed.measurement_ids) == {one.id for one in saved}

"""Memory, serving and break-even from a configuration to a report, and this machine by its measurements."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.estimates import estimate
from core.estimate.fitting import fits
from core.estimate.inference_memory import InferencePlan
from core.estimate.local_machine import device
from core.estimate.memory_estimate import estimate_memory
from core.estimate.serve_estimate import estimate_serve
from core.store.database import Database
from core.store.measurements import MeasurementRepository
from tests.measurements import NEW

LLAMA = {"model": "llama-3.1-8b"}
SERVED = {**LLAMA, "gpu": "h100-sxm-80gb"}
BERT = {
    "architecture": {
        "layers": 24,
        "hidden": 1024,
        "heads": 16,
        "kind": "encoder",
        "vocabulary": 30_522,
        "context": 512,
    },
    "gpu": "t4-16gb",
}
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


def test_the_largest_batch_has_the_range_of_the_memory_and_says_what_drives_it() -> None:
    _, answer = estimate_memory({**SERVED, "context": 8_192})
    report, _ = estimate_memory({**SERVED, "context": 8_192})
    batch = report.get("largest_batch")
    assert batch is not None
    assert batch.value.low < batch.value.expected < batch.value.high
    assert answer.gpu is not None
    for end, most in (
        ("high", batch.value.low),
        ("low", batch.value.high),
    ):  # what fits at the high total is the low end
        plan = InferencePlan(context=8_192, batch=int(most))
        assert fits(answer.shape, plan, answer.gpu, end=end)  # type: ignore[arg-type]
        assert not fits(answer.shape, replace(plan, batch=int(most) + 1), answer.gpu, end=end)  # type: ignore[arg-type]
    assert {one.name for one in batch.drivers} <= {"Framework", "Activations"}
    for driver in batch.drivers:
        assert batch.value.low <= driver.low < driver.high <= batch.value.high


def test_what_fits_only_at_the_expected_total_most_likely_fits() -> None:
    report, answer = estimate_memory({**SERVED, "batch": 25, "context": 16_000})
    assert answer.fits
    assert "most likely fits" in report.sentence
    assert "of 73.6 GB)" in report.sentence
    assert "it fits" in estimate("memory", SERVED).sentence


def test_the_largest_model_is_told_of_dense_decoders_alone() -> None:
    largest = estimate("memory", SERVED).get("largest_model_parameters")
    assert largest is not None
    assert largest.label == "Largest dense model that fits, at this batch and context"
    assert estimate("memory", BERT).get("largest_model_parameters") is None


def test_a_context_beyond_the_models_own_is_refused_of_an_encoder_and_noted_of_a_decoder() -> None:
    with pytest.raises(InvalidInput, match="Up to 512 tokens"):
        estimate("memory", {**BERT, "context": 600})
    assert any("was made for 131,072" in note for note in estimate("memory", {**SERVED, "context": 200_000}).notes)
    estimate("memory", {**BERT, "purpose": "train"})  # its sequences are no longer than it reads, unless one says so


def test_the_longest_context_ends_at_the_models_own_and_says_so() -> None:
    report = estimate("memory", SERVED)
    longest = report.get("largest_context_tokens")
    assert longest is not None
    assert longest.value.high == 131_072
    assert any("the model's own" in note for note in report.notes)


def test_a_gpu_has_one_price_in_every_estimate() -> None:
    _, answer = estimate_memory(SERVED)
    _, served = estimate_serve(SERVED)
    assert served.price.usd_per_gpu_hour is not None
    machine = next(one for one in answer.machines if one.accelerator.id == SERVED["gpu"])
    assert machine.usd_per_hour == pytest.approx(machine.gpus * served.price.usd_per_gpu_hour.expected)


def test_deepspeeds_estimate_comes_from_a_count_and_a_largest_layer() -> None:
    found = told(
        "memory", parameters="6805M", purpose="train", precision="fp16", zero=3, data_parallel=4,
        largest_layer_parameters="131M",
    )  # fmt: skip
    assert found["states_bytes"]["expected"] == pytest.approx(31_149_000_000, rel=0.01)


def test_a_demand_by_users_by_the_hour_and_at_the_peak_gives_replicas() -> None:
    by_users = told("serve", **SERVED, users="20K")
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


def sentence(**given: Any) -> str:
    return estimate("serve", given).sentence


def test_the_expected_replicas_come_first_and_what_a_user_costs_with_its_range() -> None:
    found = sentence(**SERVED, users=200_000, time_per_token_target_s=0.0075)
    assert re.search(r"takes \d+ replicas \(\d+ to \d+\), \$[\d.]+ per user and month \(\$[\d.]+ to \$[\d.]+\)", found)
    assert re.search(r"takes 1 replica, \$[\d.]+ per user", sentence(**SERVED, users=200))
    assert "per user" not in sentence(**SERVED, requests_per_s=1)


def test_a_target_that_is_missed_at_the_concurrency_asked_for_is_a_warning() -> None:
    report = estimate("serve", {**SERVED, "users": 20_000, "concurrency": 16, "time_per_token_target_s": 0.0075})
    batch, now = report.get("fleet_batch"), report.get("time_per_token_s")
    assert batch and now  # noqa: PT018
    assert report.notes[0].startswith(f"What would meet the target: {batch.value.expected:.0f} at once")
    assert f"{1e3 * now.value.expected:.3g} ms per token against 7.5 ms" in report.notes[0]
    easy = estimate("serve", {**SERVED, "users": 20_000, "concurrency": 16, "time_per_token_target_s": 0.5})
    assert not any(note.startswith("What would") for note in easy.notes)
    assert "the figures of one are for 16" in easy.notes[0]


def test_labels_of_all_replicas_keep_the_case_of_what_is_no_word() -> None:
    report = estimate("serve", {**SERVED, "users": 20_000})
    labels = {one.key: one.label for one in report.figures}
    assert labels["fleet_gpus"] == "All replicas: GPUs"
    assert labels["fleet_replicas"] == "All replicas: how many"
    assert labels["fleet_usd_per_month"].startswith("All replicas: $ a month")
    assert labels["fleet_ttft_s"] == "All replicas: time to first token"


def test_an_encoder_speaks_of_no_output_tokens_whatever_is_asked() -> None:
    for output in (0, 64):
        report = estimate(
            "serve",
            {
                "model": "bert-base-uncased",
                "gpu": "l4-24gb",
                "prompt_tokens": 128,
                "output_tokens": output,
                "users": 1_000,
                "ttft_target_s": 1,
            },
        )
        said = json.dumps(report.to_json()) + " ".join(f"{one.label} {one.inputs}" for one in report.figures)
        assert "utput tokens" not in said
        assert "irst token" not in said
        labels = {one.key: one.label for one in report.figures}
        assert labels["tokens_per_s_per_gpu"] == "Tokens read a second and GPU"
        assert labels["ttft_s"] == "Time of a pass"


def test_a_cpu_is_no_gpu() -> None:
    report = estimate("serve", {**LLAMA, "gpu": "epyc-9654", "concurrency": 2, "users": 10, "usd_per_gpu_hour": 1})
    assert "a GPU" not in report.sentence
    labels = " ".join(one.label for one in report.figures)
    assert "and GPU" not in labels
    assert "GPUs" not in labels
    assert " a GPU (" in sentence(**SERVED)

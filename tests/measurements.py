"""A measurement to begin with: plausible in every column."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.store.measurements import MeasurementRecord, NewMeasurement

NEW = NewMeasurement(
    batch_id="b" * 32,
    job_id=None,
    model_id="smollm2-135m-instruct",
    revision="b179c9523d0e",
    precision="int8",
    backend="onnx",
    device="cpu",
    device_name="AMD EPYC",
    host="here",
    threads=2,
    task="text-generation",
    prompt_tokens=64,
    batch=1,
    new_tokens=32,
    repeats=2,
    prefill_tokens_per_s=1_100.0,
    decode_tokens_per_s=140.0,
    ttft_p50_s=0.06,
    ttft_p95_s=0.07,
    peak_memory_bytes=5_000_000_000,
    load_s=0.4,
    tokens_per_joule=None,
    power_source="none: no counter",
    flop_per_s_limit=880e9,
    bandwidth_bytes_per_s=40e9,
    prefill_flop=13.7e9,
    prefill_bytes=0.145e9,
    decode_flop=0.27e9,
    decode_bytes=0.145e9,
    samples={"prefill_s": [0.058, 0.059], "ttft_s": [0.06, 0.07], "decode_s": [0.2, 0.21]},
    environment={"python": "3.11.7", "other_work": 0.01, "versions": {"onnxruntime": "1.31.1", "torch": None}},
    command={"arguments": ["measure", "--model", "smollm2-135m-instruct"], "environment": {"GROUNDWORK_THREADS": "2"}},
)


def record(**changes: Any) -> MeasurementRecord:
    """A recorded one, with some columns changed."""
    stamped = {"id": "a" * 32, "created_at": datetime(2026, 11, 22, 12, tzinfo=UTC)}
    return MeasurementRecord(**(asdict(NEW) | stamped | changes))

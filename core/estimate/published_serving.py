"""The published serving rows (`tables/serving.csv`), and what this estimator says to each from what was known before.

A batch of "max" was the engine's choice: the largest that fits, up to 2,048 (TensorRT-LLM's default).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.estimate.hardware import find, published
from core.estimate.ranges import Range
from core.estimate.serve_setup import ServeSetup, largest_batch
from core.estimate.serving import ServeEstimate, estimate
from core.estimate.serving_factors import usable_memory
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.tables_csv import rows

MOST_CHOSEN = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingRow:
    """measure: prefill and decode (ms of a pass), ttft (ms), prefill, decode and whole throughput (tokens/s, of all
    GPUs together; output tokens, for prefill prompt tokens)."""

    name: str
    setup: ServeSetup
    measure: str
    value: float
    unit: str
    engine: str
    source: str


def published_serving() -> tuple[ServingRow, ...]:
    return tuple(_row(row) for row in rows("serving"))


def predicted(row: ServingRow) -> Range:
    """In the row's unit."""
    made = estimate(row.setup)
    gpus = row.setup.tensor_parallel
    found = _MEASURES[row.measure](made)
    return found * gpus if row.measure == "throughput" else found


def _of(made: ServeEstimate, key: str) -> Range:
    return next(one.value for one in made.figures if one.key == key)


_MEASURES = {
    "prefill": lambda made: _of(made, "prefill_s") * 1e3,
    "decode": lambda made: _of(made, "step_s") * 1e3,
    "ttft": lambda made: _of(made, "ttft_s") * 1e3,
    "prefill throughput": lambda made: _of(made, "prefill_tokens_per_s"),
    "decode throughput": lambda made: _of(made, "step_s").inverse(),
    "throughput": lambda made: _of(made, "tokens_per_s_per_gpu"),
}


def _row(row: dict[str, str]) -> ServingRow:
    chosen = row["batch"] == "max"
    setup = ServeSetup(
        shape=_shape(row),
        gpu=find(row["gpu"], published()),
        precision=row["precision"],
        cache_precision=row["cache_precision"],
        prompt_tokens=int(row["prompt_tokens"]),
        output_tokens=int(row["output_tokens"] or 1),
        concurrency=1 if chosen else int(row["batch"]),
        tensor_parallel=int(row["gpus"]),
        usd_per_gpu_hour=Range.exactly(1.0),
    )
    if chosen:
        setup = setup.at_batch(min(MOST_CHOSEN, largest_batch(setup, usable_memory(setup.gpu).expected)))
    lengths = f"{row['prompt_tokens']}/{row['output_tokens']}"
    return ServingRow(
        name=f"{row['model']}, {row['gpus']} × {row['gpu']}, {row['precision']}, {lengths}, batch {row['batch']}",
        setup=setup,
        measure=row["measure"],
        value=float(row["value"]),
        unit=row["unit"],
        engine=row["engine"],
        source=row["source"],
    )


def _shape(row: dict[str, str]) -> ModelShape:
    def whole(name: str) -> int:
        return int(row[name] or 0)

    return shape_by_hand(
        name=row["model"],
        layers=whole("layers"),
        hidden=whole("hidden"),
        heads=whole("heads"),
        kv_heads=whole("kv_heads"),
        head_dim=whole("head_dim") or None,
        ffn=whole("ffn"),
        gated=row["gated"] == "1",
        vocabulary=whole("vocabulary"),
        tied=row["tied"] == "1",
        experts=whole("experts"),
        experts_per_token=whole("experts_per_token"),
        expert_ffn=whole("expert_ffn") or None,
        context=0,
        source=row["source"],
    )

"""Sizes and serving rows of `estimate_accuracy`: bytes as published, prefill and decode as others measured them."""

from __future__ import annotations

import statistics
from dataclasses import replace

from core.estimate.memory import inference_memory, training_memory
from core.estimate.published_serving import predicted, published_serving
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_guess import shape_from_parameters
from core.estimate.tables_csv import rows

# bert-base-cased (its config.json), and the 6,805M-parameter model of the issue, whose largest layer has 131M.
BERT = shape_by_hand(
    name="bert-base-cased", kind="encoder", layers=12, hidden=768, heads=12, ffn=3_072, gated=False, vocabulary=28_996,
    positions=512 + 2,  # and two token types
)  # fmt: skip
LARGEST_LAYER = 131e6


def print_sizes() -> None:
    print("\nSizes\n")
    print("| model | what | published bytes | ours | error |")
    print("| --- | --- | ---: | ---: | ---: |")
    for row in rows("sizes"):
        truth, ours = float(row["bytes"]), _bytes(row)
        print(f"| {row['model'][:40]} | {row['what']} | {truth:,.0f} | {ours:,.0f} | {ours / truth - 1:+.2%} |")


def _bytes(row: dict[str, str]) -> float:
    if row["what"] == "weights":
        return inference_memory(BERT, precision="fp32", cache_precision="fp32").part("weights_bytes").value.expected
    if row["what"].startswith("training"):
        return training_memory(BERT, precision="fp32", gradient_bytes=4).states_bytes
    offload = "offload" in row["what"] and "no offload" not in row["what"]
    shape = _with_largest_layer(shape_from_parameters(6_805e6))
    return training_memory(
        shape, precision="fp16", zero=3, data_parallel=4, offload_optimizer=offload, gradient_bytes=4
    ).states_bytes


def _with_largest_layer(shape: ModelShape) -> ModelShape:
    return replace(shape, largest_layer_parameters=round(LARGEST_LAYER))


def print_serving() -> None:
    """The first three rows are those of the reference table; the others of engines' own benchmarks."""
    found = [(row, predicted(row)) for row in published_serving()]
    print("\nServing\n")
    print("| row | measure | published | ours (range) | error |")
    print("| --- | --- | ---: | ---: | ---: |")
    for row, ours in found[:3]:
        error = f"{ours.expected / row.value - 1:+.1%}"
        value = f"{ours.expected:.4g} ({ours.low:.3g}–{ours.high:.3g})"
        print(f"| {row.name} | {row.measure}, {row.unit} | {row.value:g} | {value} | {error} |")
    errors = [abs(ours.expected / row.value - 1) for row, ours in found]
    inside = [ours.low <= row.value <= ours.high for row, ours in found]
    print(f"\nall {len(found)} rows: median {statistics.median(errors):.1%}, inside {statistics.fmean(inside):.0%}")

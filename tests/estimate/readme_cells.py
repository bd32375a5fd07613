"""The six cells of README, "How fast": measured by `core measure` on two CPU cores, rebuilt as records.

Floating-point operations and bytes as `core.measure.work` counts them, from the weights of SmolLM2-135M (30 layers of
884,736 + 2,654,208 matrix weights, a head of 49,152 · 576 read once), int8 with a 4-byte scale for 64.
"""

from __future__ import annotations

from core.estimate.shape_by_hand import shape_by_hand
from core.measure.rounds import pieces
from core.measure.work import Weights, decode_work, prefill_work
from core.models.cards import Architecture
from core.store.measurements import MeasurementRecord
from tests.measurements import record

SMOLLM2 = shape_by_hand(
    name="SmolLM2-135M",
    layers=30,
    hidden=576,
    heads=9,
    kv_heads=3,
    ffn=1536,
    vocabulary=49152,
    tied=True,
    gated=True,
    context=8192,
)
_ARCHITECTURE = Architecture(
    model_type="llama",
    layers=30,
    heads=9,
    kv_heads=3,
    hidden=576,
    head_dim=64,
    intermediate=1536,
    vocabulary=49152,
    context=8192,
    parameters=134_515_008,
)
_HEAD = 49_152 * 576
_MATRIX = 30 * (884_736 + 2_654_208) + _HEAD
NEW_TOKENS = 32

# precision, prompt, batch, prefill tokens/s, decode tokens/s, first token in ms, memory in MB
_TABLE = (
    ("int8", 128, 1, 1_082, 124.5, 119, 296),
    ("int8", 128, 4, 1_024, 294.9, 502, 345),
    ("int8", 512, 1, 876, 100.2, 586, 348),
    ("fp32", 128, 1, 542, 44.5, 237, 783),
    ("fp32", 128, 4, 805, 139.2, 638, 827),
    ("fp32", 512, 1, 646, 39.0, 794, 827),
)


def _cell(
    precision: str, prompt: int, batch: int, prefill: float, decode: float, ttft_ms: float, memory_mb: float
) -> MeasurementRecord:
    width = 4.0 if precision == "fp32" else 1 + 4 / 64
    weights = Weights(_MATRIX, _HEAD, head_once=True, stream_bytes=int(_MATRIX * width), cache_item_bytes=4)
    read = prefill_work(weights, _ARCHITECTURE, batch=batch, pieces=pieces(prompt, batch))
    made = decode_work(weights, _ARCHITECTURE, batch=batch, prompt_tokens=prompt, new_tokens=NEW_TOKENS)
    return record(
        id=f"{precision}-{prompt}-{batch}",
        precision=precision,
        prompt_tokens=prompt,
        batch=batch,
        new_tokens=NEW_TOKENS,
        prefill_tokens_per_s=float(prefill),
        decode_tokens_per_s=decode,
        ttft_p50_s=ttft_ms / 1e3,
        ttft_p95_s=ttft_ms / 1e3,
        peak_memory_bytes=int(memory_mb * 1e6),
        bandwidth_bytes_per_s=37e9,
        flop_per_s_limit=220e9 if precision == "fp32" else 832e9,
        prefill_flop=read.flop,
        prefill_bytes=read.bytes_moved,
        decode_flop=made.flop,
        decode_bytes=made.bytes_moved,
    )


README_CELLS = tuple(_cell(*row) for row in _TABLE)

"""Memory of one GPU that runs a model: weights by format, KV cache by heads, window and latent, activations, framework.

The cache holds keys and values of every layer (2 · layers · KV heads · head width numbers a token); a sliding-window
layer no more than its window (Mistral, arXiv 2310.06825, § 2), multi-head latent attention one latent and one rotary
key for all heads (DeepSeek-V2, arXiv 2405.04434, § 2.1), which every GPU of a tensor-parallel group holds whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from core.errors import InvalidInput
from core.estimate.figures import Driver, Figure, Input
from core.estimate.memory_parts import GPU_CONTEXT, SOURCE_JUDGEMENT, total_figure
from core.estimate.parallel import Split, split_faults, stage_layers, stage_parameters
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.weight_formats import PLAIN, SOURCES, check_format, stored_weights

CACHE_BYTES: Mapping[str, float] = MappingProxyType(
    {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1 + 2 / 64, "int4": 0.5 + 2.5 / 128}
)
PREFILL_TOKENS = 8_192  # of one pass, where prompts are cut into pieces (vLLM's default on large GPUs)
_GRAPHS = Range(0.0, 0.5e9, 2e9)  # CUDA graphs and workspaces of a server; judgement from vLLM's start-up reports
_LIVE_OF_SAVED = Range(0.02, 0.1, 1.0)  # judgement: of what training would save, what one pass holds at once


@dataclass(frozen=True, slots=True, kw_only=True)
class InferencePlan:
    """precision: a format of `weight_formats`. block: weights a scale; 0 for the usual. wide_tables: embeddings and
    head stay in 16 bits beside quantised matrices. batch: requests at once, each of `context` tokens, prompt and
    answer. prefill_tokens: of one pass at most."""

    precision: str = "bf16"
    cache_precision: str = "bf16"
    batch: int = 1
    context: int = 4_096
    block: int = 0
    wide_tables: bool = True
    prefill_tokens: int = PREFILL_TOKENS
    tensor_parallel: int = 1
    pipeline_parallel: int = 1

    @property
    def split(self) -> Split:
        return Split(tensor_parallel=self.tensor_parallel, pipeline_parallel=self.pipeline_parallel)


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceMemory:
    """Bytes of one GPU. parts: weights_bytes, kv_cache_bytes, activations_bytes, overhead_bytes. cache_bytes_per_token:
    of the whole model, one token in every layer."""

    plan: InferencePlan
    parts: tuple[Figure, ...]
    total: Figure
    cache_bytes_per_token: float

    def part(self, key: str) -> Figure:
        return next(part for part in self.parts if part.key == key)


def inference_memory(shape: ModelShape, plan: InferencePlan | None = None, **changes: Any) -> InferenceMemory:
    """plan: default, bf16, one request of 4,096 tokens. changes: fields of it. Raises InvalidInput with every fault."""
    plan = replace(plan or InferencePlan(), **changes)
    check_inference(shape, plan)
    parts = tuple(_figure(shape, plan, key, value) for key, value in inference_parts(shape, plan).items())
    return InferenceMemory(
        plan=plan,
        parts=parts,
        total=total_figure(parts, "memory_per_gpu_bytes", "Memory of one GPU"),
        cache_bytes_per_token=shape.kv_elements_per_token * CACHE_BYTES[plan.cache_precision],
    )


def inference_parts(shape: ModelShape, plan: InferencePlan) -> dict[str, Range]:
    """The numbers alone, of a plan that was checked."""
    stored = stored_weights(shape, plan.precision, block=plan.block, wide_tables=plan.wide_tables)
    fullest = max(stage_parameters(shape, plan.split, last=last) for last in (False, True))
    return {
        "weights_bytes": Range.exactly(stored.total_bytes * fullest / shape.parameters),
        "kv_cache_bytes": Range.exactly(_cache_of_gpu(shape, plan)),
        "activations_bytes": _activations(shape, plan),
        "overhead_bytes": GPU_CONTEXT + _GRAPHS,
    }


def cache_bytes(shape: ModelShape, tokens: float, cache_precision: str = "bf16") -> float:
    """Of one request of so many tokens, all layers, all GPUs together."""
    if not shape.layers:
        return 0.0
    short = min(tokens, shape.window) if shape.window else tokens
    held = (shape.layers - shape.window_layers) * tokens + shape.window_layers * short
    return shape.kv_elements_per_token / shape.layers * held * CACHE_BYTES[cache_precision]


def cache_shared_by(shape: ModelShape, tensor_parallel: int) -> int:
    """GPUs over which a token's keys and values divide: as many as there are KV heads; a latent is held whole."""
    whole_heads = 2 * shape.kv_heads * shape.head_dim
    latent = bool(whole_heads) and shape.kv_elements_per_token % whole_heads != 0
    return 1 if latent else max(min(tensor_parallel, shape.kv_heads), 1)


def _cache_of_gpu(shape: ModelShape, plan: InferencePlan) -> float:
    stages = stage_layers(shape, plan.split) / shape.layers if shape.layers else 1.0
    whole = plan.batch * cache_bytes(shape, plan.context, plan.cache_precision)
    return whole * stages / cache_shared_by(shape, plan.tensor_parallel)


def _activations(shape: ModelShape, plan: InferencePlan) -> Range:
    """Of one pass: the residual stream, the widest point of one layer, and 32-bit logits of each request's last token.

    Low: one layer's tensors are freed as they are used; high: gate, up and product with a copy of each.
    """
    width = PLAIN.get(plan.precision, 2.0)
    if shape.kind == "other":
        return _LIVE_OF_SAVED * (shape.activation_elements_per_sample * plan.batch * width)
    tokens = min(plan.batch * plan.context, max(plan.prefill_tokens, plan.batch)) if shape.kind == "decoder" else 0
    tokens = tokens or plan.batch * plan.context
    experts = max(shape.experts_per_token, 1)
    hidden_units = (3 if shape.gated else 2) * shape.ffn * experts
    attention = (2 * shape.heads + 2 * shape.kv_heads) * shape.head_dim
    inner = max(hidden_units, attention) / plan.tensor_parallel
    expected = tokens * (2 * shape.hidden + inner) * width
    logits = plan.batch * shape.vocabulary * 4.0 if shape.head_parameters else 0.0
    return Range(0.5 * expected, expected, 2 * expected) + logits / plan.tensor_parallel


def _figure(shape: ModelShape, plan: InferencePlan, key: str, value: Range) -> Figure:
    label, formula, source, driver = _LABELS[key]
    inputs = (
        Input("parameters", shape.parameters, "", shape.source),
        Input("precision", plan.precision),
        Input("KV cache precision", plan.cache_precision),
        Input("requests at once", plan.batch),
        Input("context", plan.context, "tokens"),
        Input("tensor, pipeline parallel", f"{plan.tensor_parallel}, {plan.pipeline_parallel}"),
    )
    return Figure(
        key=key,
        label=label,
        unit="bytes",
        value=value,
        formula=formula,
        source=SOURCES.get(plan.precision, source) if key == "weights_bytes" else source,
        inputs=inputs,
        drivers=(Driver(driver, value.low, value.high),) if value.low < value.high else (),
    )


def check_inference(shape: ModelShape, plan: InferencePlan) -> None:
    """Raises InvalidInput with every fault of the plan for this network."""
    faults = check_format(plan.precision) + split_faults(shape, plan.split)
    if plan.cache_precision not in CACHE_BYTES:
        faults.append(f"cache_precision is {plan.cache_precision!r} (one of {', '.join(CACHE_BYTES)})")
    faults += [
        f"{name} is {value:,} (from {least:,} to {most:,})"
        for name, value, least, most in (
            ("batch", plan.batch, 1, 10_000_000),
            ("context", plan.context, 1, 100_000_000),
            ("block", plan.block, 0, 65_536),
            ("prefill_tokens", plan.prefill_tokens, 1, 100_000_000),
        )
        if not least <= value <= most
    ]
    if faults:
        raise InvalidInput(f"Not a way to run {shape.name}: {'; '.join(faults)}.", next_step="Change these values.")


# key → label, formula, source, what its range comes from
_LABELS: dict[str, tuple[str, str, str, str]] = {
    "weights_bytes": (
        "Weights",
        r"\left(P_\text{matrices}(b + b_\text{scale} / n_\text{block}) + 2 P_\text{tables}\right) / (t\,p)",
        "parameters by the format's bytes (ggml-common.h for GGUF's blocks)",
        "",
    ),
    "kv_cache_bytes": (
        "KV cache",
        r"2\, n_\text{requests}\, n_\text{KV}\, d\, b_c \sum_\text{layers} \min(s, w) / \min(t, n_\text{KV})",
        "Ainslie et al. 2023 (GQA), arXiv 2305.13245; window: arXiv 2310.06825; latent: arXiv 2405.04434, § 2.1",
        "",
    ),
    "activations_bytes": (
        "Activations",
        r"n_\text{tokens}\left(2h + 3 f k / t\right) b + 4\, n_\text{requests} V / t",
        "widest point of one pass; factor 2 to both sides by judgement",
        "how soon a framework frees what it used",
    ),
    "overhead_bytes": (
        "Framework",
        r"C_\text{context} + C_\text{graphs}",
        SOURCE_JUDGEMENT,
        "driver, captured graphs and workspaces",
    ),
}

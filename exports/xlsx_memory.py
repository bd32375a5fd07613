"""The workbook of memory: the parts of one GPU as formulas, from counts and bytes to their total.

The largest batch, context and model that fit are searched for by the engine, so these stay values.
"""

from __future__ import annotations

from core.estimate.inference_memory import _GRAPHS, _LIVE_OF_SAVED, CACHE_BYTES, cache_shared_by
from core.estimate.memory import InferencePlan, TrainingMemory
from core.estimate.memory_estimate import MemoryAnswer
from core.estimate.memory_parts import GPU_CONTEXT, SOURCE_JUDGEMENT
from core.estimate.ranges import Range
from core.estimate.report import Report
from core.estimate.shape import ModelShape
from core.estimate.weight_formats import PLAIN, StoredWeights, stored_weights, vector_parameters
from exports.xlsx_book import Book, Result, Row, Section
from exports.xlsx_memory_train import train_memory_book
from exports.xlsx_rows import given, held_by_gpu, model_section, ranged, step
from exports.xlsx_serve_passes import cache_bytes

SEARCHED = "What fits at most is searched for, not computed: those figures are values."
PARTS = ("weights", "kv_cache", "activations", "overhead")


def memory_book(report: Report, answer: MemoryAnswer) -> Book:
    """report: for whether it says what fits."""
    notes = (SEARCHED,) if report.get("largest_batch") else ()
    if isinstance(answer.memory, TrainingMemory):
        return train_memory_book(answer.shape, answer.memory.plan, notes)
    return _inference_book(answer.shape, answer.memory.plan, notes)


def _inference_book(shape: ModelShape, plan: InferencePlan, notes: tuple[str, ...]) -> Book:
    results = {f"{part}_bytes": Result.of(f"{part}_part") for part in PARTS}
    return Book(
        inputs=(_load(plan), _formats(shape, plan), _framework(shape), model_section(shape)),
        steps=(_weights(), _cache(), _passing(shape), _whole()),
        results=results | {"memory_per_gpu_bytes": Result.of("whole")},
        notes=notes,
    )


def _load(plan: InferencePlan) -> Section:
    rows = (
        ("requests", "Requests at once", plan.batch, ""),
        ("context_tokens", "Tokens of each, prompt and answer", plan.context, "tokens"),
        ("prefill_tokens", "Tokens of one pass at most", plan.prefill_tokens, "tokens"),
        ("tensor_parallel", "Tensor parallel over GPUs", plan.tensor_parallel, ""),
        ("pipeline_parallel", "Pipeline stages", plan.pipeline_parallel, ""),
    )
    return Section("The load", tuple(Row(name=n, label=label, expected=v, unit=unit) for n, label, v, unit in rows))


def _formats(shape: ModelShape, plan: InferencePlan) -> Section:
    """Bytes of a number. A format that is not the same in every matrix is given by its mean."""
    stored = stored_weights(shape, plan.precision, block=plan.block, wide_tables=plan.wide_tables)
    matrices, tables, vectors = _means(shape, stored)
    whole = float(cache_shared_by(shape, 2) == 1 < shape.kv_heads)
    rows = (
        ("matrix_bytes_per_weight", f"Of a weight of the matrices, {plan.precision}", matrices, "bytes"),
        ("table_bytes_per_weight", "Of a weight of embeddings and head", tables, "bytes"),
        ("vector_bytes_per_weight", "Of a weight of norms and biases", vectors, "bytes"),
        (
            "cache_bytes_per_number",
            f"Of a number of the KV cache, {plan.cache_precision}",
            CACHE_BYTES[plan.cache_precision],
            "bytes",
        ),
        ("activation_bytes", "Of a number that passes through", PLAIN.get(plan.precision, 2.0), "bytes"),
        ("cache_is_whole", "1 where each GPU holds the whole cache (a latent)", whole, ""),
    )
    return Section("Bytes", tuple(Row(name=n, label=label, expected=v, unit=unit) for n, label, v, unit in rows))


def _means(shape: ModelShape, stored: StoredWeights) -> tuple[float, float, float]:
    tables = shape.embedding_parameters + shape.head_parameters
    vectors = min(vector_parameters(shape), shape.parameters - tables)
    counts = (shape.parameters - tables - vectors, tables, vectors)
    found = (stored.matrices_bytes, stored.tables_bytes, stored.vectors_bytes)
    matrices, of_tables, of_vectors = (
        size / count if count else 0.0 for size, count in zip(found, counts, strict=True)
    )
    return matrices, of_tables, of_vectors


def _framework(shape: ModelShape) -> Section:
    live = _LIVE_OF_SAVED if shape.kind == "other" else Range(0.5, 1.0, 2.0)
    return Section(
        "What a framework takes",
        (
            given("gpu_context", "Context, libraries, kernels", GPU_CONTEXT, "bytes", SOURCE_JUDGEMENT),
            given("graphs", "CUDA graphs and workspaces of a server", _GRAPHS, "bytes", "judgement"),
            given("live_share", "Of what a pass makes, held at once", live, "", "judgement"),
            Row(
                name="sample_numbers",
                label="Numbers that a sample leaves, where there are no layers",
                expected=shape.activation_elements_per_sample,
            ),
        ),
    )


def _weights() -> Section:
    vectors = "MIN((2*layers+1)*hidden,parameters-embedding_parameters-head_parameters)"
    stored = (
        "(parameters-embedding_parameters-head_parameters-vector_parameters)*matrix_bytes_per_weight"
        "+(embedding_parameters+head_parameters)*table_bytes_per_weight+vector_parameters*vector_bytes_per_weight"
    )
    fullest = held_by_gpu("MAX(embedding_parameters,head_parameters)")
    return Section(
        "Weights",
        (
            step("vector_parameters", "Norms and biases", vectors),
            step("stored_bytes", "Stored, all", stored, "bytes"),
            step("held_parameters", "Of the fullest GPU", fullest),
            ranged("weights_part", "Weights", "stored_bytes*held_parameters/parameters", unit="bytes"),
        ),
    )


def _cache() -> Section:
    layers = "IF(layers>0,ROUNDUP(layers/pipeline_parallel,0)/MAX(layers,1),1)"
    split = "IF(cache_is_whole=1,1,MAX(1,MIN(tensor_parallel,kv_heads)))"
    return Section(
        "KV cache",
        (
            step("request_bytes", "Of one request, all GPUs", cache_bytes("context_tokens"), "bytes"),
            step("stage_share", "Of the layers, on one GPU", layers, "share"),
            step("cache_split", "GPUs over which a token's keys and values divide", split),
            ranged("kv_cache_part", "KV cache", "requests*request_bytes*stage_share/cache_split", unit="bytes"),
        ),
    )


def _passing(shape: ModelShape) -> Section:
    if shape.kind == "other":
        made = "sample_numbers*requests*activation_bytes"
        rows = (step("pass_bytes", "Made by a pass", made, "bytes"), step("logits_bytes", "Logits", "0", "bytes"))
    else:
        whole = "requests*context_tokens"
        tokens = f"MIN({whole},MAX(prefill_tokens,requests))" if shape.kind == "decoder" else whole
        widest = "MAX(ffn_matrices*ffn*MAX(experts_per_token,1),2*(heads+kv_heads)*head_dim)/tensor_parallel"
        logits = "IF(head_parameters>0,requests*vocabulary*4,0)/tensor_parallel"
        rows = (
            step("pass_bytes", "Made by a pass", f"{tokens}*(2*hidden+{widest})*activation_bytes", "bytes"),
            step("logits_bytes", "Logits of each request's last token", logits, "bytes"),
        )
    return Section(
        "Activations",
        (*rows, ranged("activations_part", "Activations", "pass_bytes*live_share{0}+logits_bytes", unit="bytes")),
    )


def _whole() -> Section:
    total = "+".join(f"{part}_part{{0}}" for part in PARTS)
    return Section(
        "All of it",
        (
            ranged("overhead_part", "Framework", "gpu_context{0}+graphs{0}", unit="bytes"),
            ranged("whole", "Memory of one GPU", total, unit="bytes"),
        ),
    )

"""The inputs of the four estimates: what matters in sight, the rest behind "More"; each fills a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.estimate.energy import regions
from core.estimate.local_machine import THIS_MACHINE
from pages.widgets import cost_api, cost_model, cost_price
from pages.widgets import cost_fields as fields

AS_USUAL = "as usual"
WEIGHTS = ("bf16", "fp16", "fp8", "int8", "int4", "fp32")
TRAINED = ("bf16", "fp16", "fp8", "fp32")
METHODS = {"full": "All weights", "lora": "LoRA", "qlora": "QLoRA"}
RECOMPUTES = {AS_USUAL: "as published runs of this size", "none": "none", "selective": "selective", "full": "full"}
NO_REGION = "not said"


def draw(kind: str, *, measured: bool) -> dict[str, Any]:
    """The whole configuration of one kind. measured: whether this machine can be chosen."""
    return _INPUTS[kind](measured)


def _train(measured: bool) -> dict[str, Any]:
    spec = cost_model.draw()
    first = st.columns(4)
    with first[0]:
        spec["method"] = fields.choice("method", "Method", list(METHODS), "full", names=METHODS.__getitem__)
    with first[1]:
        spec["tokens"] = fields.text("tokens", "Tokens", "1T", help="In all, repetitions counted: 300B, 15T, 20M.")
    with first[2]:
        spec["gpu"] = cost_price.gpu()
    with first[3]:
        gpus = fields.number("gpus", "GPUs", None, most=1_000_000, help="Empty: as many as take about 30 days.")
    spec |= cost_price.draw(spec["gpu"])
    with st.expander("More: batch, sequence, precision, recomputation, grid"):
        second, third = st.columns(4), st.columns(4)
        with second[0]:
            sequence = fields.number("sequence_length", "Sequence, tokens", None)
        with second[1]:
            batch = fields.number("global_batch", "Batch, sequences a step", None)
        with second[2]:
            spec["precision"] = fields.choice("train_precision", "Precision", TRAINED, "bf16")
        with second[3]:
            recompute = fields.choice(
                "recompute", "Recomputation", list(RECOMPUTES), AS_USUAL, names=RECOMPUTES.__getitem__
            )
        with third[0]:
            tensor = fields.number("train_tensor", "Tensor parallel", None, most=4_096)
        with third[1]:
            rank = fields.number("lora_rank", "LoRA rank", 16, most=8_192)
        with third[2]:
            region = fields.choice(
                "region",
                "Grid, for CO₂e",
                [NO_REGION, *_region_names()],
                NO_REGION,
                names=lambda one: _region_names().get(one, one),
            )
        with third[3]:
            share = fields.text(
                "hfu", "Measured share of the peak", help="Your own, as 0.4 or 0.35–0.45; replaces ours."
            )
    return spec | fields.filled(
        gpus=gpus,
        sequence_length=sequence,
        global_batch=batch,
        recompute=None if recompute == AS_USUAL else recompute,
        tensor_parallel=tensor,
        lora_rank=rank if spec["method"] != "full" else None,
        region=None if region == NO_REGION else region,
        hfu=share,
    )


def _memory(measured: bool) -> dict[str, Any]:
    spec = cost_model.draw()
    purposes = {"inference": "Running it", "train": "Training it"}
    first = st.columns([2, 2, 1])
    with first[0]:
        spec["purpose"] = fields.pick("purpose", "Memory for", list(purposes), "inference", names=purposes)
    with first[1]:
        spec["gpu"] = cost_price.gpu()
    with first[2]:
        spec["gpus"] = fields.number("memory_gpus", "GPUs", 1, most=4_096) or 1
    return spec | (_running() if spec["purpose"] == "inference" else _training_memory())


def _running() -> dict[str, Any]:
    row = st.columns(4)
    with row[0]:
        precision = fields.choice("precision", "Weights", WEIGHTS, "bf16")
    with row[1]:
        batch = fields.number("batch", "Requests at once", 8)
    with row[2]:
        context = fields.number("context", "Tokens of each", 8_192, help="Prompt and answer together.")
    with row[3]:
        cache = fields.choice("cache_precision", "KV cache", ("bf16", "fp8", "int8", "int4", "fp32"), "bf16")
    with st.expander("More: blocks, tensor and pipeline parallel"):
        row = st.columns(4)
        with row[0]:
            block = fields.number("block", "Weights a scale", 0, least=0, most=4_096, help="0: as the format has it.")
        with row[1]:
            tensor = fields.number("tensor_parallel", "Tensor parallel", 1, most=4_096)
        with row[2]:
            pipeline = fields.number("pipeline_parallel", "Pipeline parallel", 1, most=4_096)
        with row[3]:
            wide = fields.switch("wide_tables", "Embeddings stay in 16 bits", True)
    return fields.filled(
        precision=precision, batch=batch, context=context, cache_precision=cache, block=block,
        tensor_parallel=tensor, pipeline_parallel=pipeline, wide_tables=wide,
    )  # fmt: skip


def _training_memory() -> dict[str, Any]:
    row, more = st.columns(4), st.columns(4)
    with row[0]:
        method = fields.choice("method", "Method", list(METHODS), "full", names=METHODS.__getitem__)
    with row[1]:
        optimizer = fields.choice(
            "optimizer", "Optimizer", ("adam", "adam8bit", "sgd", "sgd_momentum", "adafactor"), "adam"
        )
    with row[2]:
        batch = fields.number("micro_batch", "Sequences at once", 1)
    with row[3]:
        sequence = fields.number("memory_sequence", "Tokens of each", 2_048)
    with more[0]:
        recompute = fields.choice("memory_recompute", "Recomputation", ("none", "selective", "full"), "none")
    with more[1]:
        zero = fields.choice("zero", "ZeRO stage", ("0", "1", "2", "3"), "0")
    with more[2]:
        data = fields.number("data_parallel", "Data parallel", 1, most=100_000)
    with more[3]:
        precision = fields.choice("train_precision", "Precision", TRAINED, "bf16")
    with st.expander("More: parallelism, gradients, offload"):
        row, more = st.columns(4), st.columns(4)
        with row[0]:
            tensor = fields.number("tensor_parallel", "Tensor parallel", 1, most=4_096)
        with row[1]:
            pipeline = fields.number("pipeline_parallel", "Pipeline parallel", 1, most=4_096)
        with row[2]:
            gradients = fields.choice("gradient_bytes", "Bytes of a gradient", ("4", "2"), "4")
        with row[3]:
            rank = fields.number("lora_rank", "LoRA rank", 16, most=8_192)
        with more[0]:
            sequence_parallel = fields.switch("sequence_parallel", "Sequence parallel")
        with more[1]:
            flash = fields.switch("flash_attention", "Flash attention", True)
        with more[2]:
            offload = fields.switch("offload_optimizer", "Offload the optimizer")
    return fields.filled(
        method=method, optimizer=optimizer, micro_batch=batch, sequence_length=sequence, recompute=recompute,
        zero=int(zero), data_parallel=data, precision=precision, tensor_parallel=tensor, pipeline_parallel=pipeline,
        gradient_bytes=int(gradients), lora_rank=rank, sequence_parallel=sequence_parallel, flash_attention=flash,
        offload_optimizer=offload,
    )  # fmt: skip


def _served(measured: bool, concurrency: int) -> dict[str, Any]:
    """What serving and break-even share."""
    spec = cost_model.draw()
    first, second = st.columns(4), st.columns(4)
    with first[0]:
        spec["gpu"] = cost_price.gpu(measured=measured)
    with first[1]:
        tensor = fields.number("tensor_parallel", "GPUs a replica", 1, most=4_096, help="Tensor parallel.")
    with first[2]:
        here = spec["gpu"] == THIS_MACHINE
        key, usual = ("here_precision", "int8") if here else ("precision", "bf16")
        precision = fields.choice(key, "Weights", WEIGHTS, usual)
    with first[3]:
        running = fields.number("concurrency", "Requests at once", concurrency, help="On one replica: the batch.")
    with second[0]:
        prompt = fields.number("prompt_tokens", "Prompt, tokens", 1_000)
    with second[1]:
        output = fields.number("output_tokens", "Answer, tokens", 300, least=0)
    with second[2]:
        cached = fields.number("cached_percent", "Prompt from the cache, %", 0, least=0, most=100)
    with second[3]:
        used = fields.text("utilisation", "Utilisation", "0.25 / 0.4 / 0.6", help="Share of the capacity that is used.")
    spec |= cost_price.draw(spec["gpu"])
    return spec | fields.filled(
        tensor_parallel=tensor, precision=precision, concurrency=running, prompt_tokens=prompt, output_tokens=output,
        cached_share=(cached or 0) / 100, utilisation=used,
    )  # fmt: skip


def _serve(measured: bool) -> dict[str, Any]:
    spec = _served(measured, 32)
    with st.expander("Demand and latency: how many replicas?"):
        row = st.columns(4)
        with row[0]:
            users = fields.text("users", "Users", help="10000, 50K; empty: no demand is planned for.")
        with row[1]:
            requests = fields.text("requests_per_user_and_day", "Requests a user and day", "10")
        with row[2]:
            first_token = fields.text("ttft_target_s", "First token within, s", help="Empty: whatever it takes.")
        with row[3]:
            each = fields.text("time_per_token_target_s", "Each token within, s")
        hourly = fields.text(
            "hourly",
            "Or the requests a second of each hour, 24 values",
            help="From midnight on, with spaces or commas between; in place of users.",
        )
    if hourly:
        spec |= fields.filled(
            hourly_requests_per_s=hourly.replace(",", " ").split(),
            ttft_target_s=first_token,
            time_per_token_target_s=each,
        )
    elif users:
        spec |= fields.filled(
            users=users, requests_per_user_and_day=requests, ttft_target_s=first_token, time_per_token_target_s=each
        )
    return spec


def _breakeven(measured: bool) -> dict[str, Any]:
    volume = fields.text("monthly_tokens", "Tokens a month, prompt and answer", "5B", help="5B, or a range: 2B–8B.")
    spec = {"monthly_tokens": volume} | cost_api.draw() | _served(measured, 32)
    with st.expander("More: people, commitment, replicas"):
        row = st.columns(4)
        with row[0]:
            people = fields.text("people_usd_per_month", "People, USD a month", "0", help="What hosting takes of them.")
        with row[1]:
            replicas = fields.number("minimum_replicas", "Replicas at least", 1, least=0, help="0: paid while used.")
        with row[2]:
            discount = fields.number("reserved_percent", "Reserved discount, %", 0, least=0, most=99)
        with row[3]:
            months = fields.number("months_committed", "Months committed", 0, least=0, most=240)
    return spec | fields.filled(
        people_usd_per_month=people, minimum_replicas=replicas, reserved_discount=(discount or 0) / 100,
        months_committed=months,
    )  # fmt: skip


def _region_names() -> dict[str, str]:
    return {one.id: one.name for one in regions()}


_INPUTS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "train": _train,
    "memory": _memory,
    "serve": _serve,
    "breakeven": _breakeven,
}

"""Estimates to take away: one made by hand out of awkward text, and configurations of real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.estimate.breakeven_estimate import estimate_breakeven
from core.estimate.figures import Driver, Figure, Input
from core.estimate.memory_estimate import estimate_memory
from core.estimate.ranges import Range
from core.estimate.report import Report
from core.estimate.serve_estimate import estimate_serve
from core.estimate.train_estimate import estimate_train

Estimate = Callable[[dict[str, Any]], tuple[Report, Any]]
ESTIMATES: dict[str, Estimate] = {
    "train": estimate_train,
    "memory": estimate_memory,
    "serve": estimate_serve,
    "breakeven": estimate_breakeven,
}

EVIL = '=HYPERLINK("http://evil.example","x")'
TAG = "<script>alert(1)</script>"

DAYS = Figure(
    key="days",
    label=f"Time | of *the* run {TAG}",
    unit="days",
    value=Range(8.5, 10.0, 12.25),
    formula=r"T = \frac{D}{B} < 5",
    source="Kaplan et al. 2020, arXiv 2001.08361, § 2.1; https://example.org/a_b?c=1&d=2; doi 10.1145/1498765.1498785",
    inputs=(Input("D, tokens", 2_048.0, "tokens", "arXiv 2302.13971"), Input("recomputation", EVIL)),
    drivers=(Driver("efficiency", 12.25, 8.5), Driver("restarts", 9.9, 10.2)),
    measurement_ids=("a" * 32, "b" * 32),
)
FLOP = Figure(
    key="total_flops",
    label="Operations",
    unit="FLOP",
    value=Range.exactly(8.4e22),
    formula="C = 6ND",
    source="",
)
REPORT = Report(
    kind="train",
    spec={"name": EVIL, "parameters": "7B", "tokens": 1.4e12, "gpu": "a100-sxm-80gb", "notes": "```\n# no heading"},
    sentence=f"Training {TAG} takes 10 days and costs $5 to $6.",
    figures=(DAYS, FLOP),
    notes=("-1 is no number of GPUs", f"# {TAG} [x](javascript:alert(1))"),
)
OTHER = Report(
    kind="memory",
    spec={"parameters": "7B"},
    sentence="Running it takes 16 GB.",
    figures=(
        Figure(key="total_flops", label="Operations", unit="FLOP", value=Range.exactly(4.2e22), formula="", source=""),
        Figure(key="days", label="Days", unit="s", value=Range.exactly(1.0), formula="", source=""),  # another unit
    ),
)

_LLAMA: dict[str, Any] = {"model": "llama-3.1-8b"}
_ENCODER: dict[str, Any] = {
    "layers": 24,
    "hidden": 1024,
    "heads": 16,
    "kind": "encoder",
    "vocabulary": 30_522,
    "context": 512,
    "gpu": "t4-16gb",
    "precision": "fp16",
}
_SERVE = _LLAMA | {"gpu": "h100-sxm-80gb", "usd_per_gpu_hour": {"low": 2, "expected": 2.5, "high": 4}}
_API = {
    "monthly_tokens": {"low": 1e9, "expected": 3e9, "high": 9e9},
    "usd_per_million_input": 0.3,
    "usd_per_million_output": {"low": 1.2, "expected": 1.5, "high": 2},
    "people_usd_per_month": {"low": 1000, "expected": 3000, "high": 8000},
}
SPECS: dict[str, tuple[str, dict[str, Any]]] = {
    "pretraining": ("train", _LLAMA | {"tokens": "1T", "gpu": "a100-sxm-80gb", "gpus": 2048, "region": "de"}),
    "recomputing": (
        "train",
        {"model": "gpt3-175b", "tokens": "300B", "gpu": "a100-sxm-80gb", "gpus": 1024, "recompute": "full"},
    ),
    "fp8": ("train", {"parameters": "70B", "tokens": "1T", "gpu": "h100-sxm-80gb", "gpus": 8192, "precision": "fp8"}),
    "slow links": ("train", {"parameters": "30B", "tokens": "1B", "gpu": "a100-pcie-80gb", "gpus": 64}),
    "LoRA of experts": (
        "train",
        {"model": "mixtral-8x7b", "tokens": "1B", "gpu": "a100-pcie-80gb", "gpus": 16, "method": "lora"},
    ),
    "QLoRA": ("train", {"parameters": "8B", "tokens": "1B", "gpu": "rtx4090-24gb", "gpus": 1, "method": "qlora"}),
    "measured efficiency and a window": (
        "train",
        {
            "model": "mistral-7b-v0.1",
            "tokens": "1T",
            "gpu": "h100-sxm-80gb",
            "gpus": 64,
            "hfu": {"low": 0.3, "expected": 0.4, "high": 0.45},
            "sequence_length": 16_384,
            "recompute": "none",
        },
    ),
    "inference memory": ("memory", _LLAMA | {"precision": "int4", "batch": 16, "context": 8192, "tensor_parallel": 2}),
    "GGUF in a pipeline": ("memory", {"model": "llama-3.1-70b", "precision": "q4_k_m", "pipeline_parallel": 4}),
    "a latent cache": ("memory", {"model": "deepseek-v3", "precision": "fp8", "tensor_parallel": 8}),
    "training memory": ("memory", _LLAMA | {"purpose": "train", "data_parallel": 8, "zero": 2}),
    "memory of GPT-3": (
        "memory",
        {
            "model": "gpt3-175b",
            "purpose": "train",
            "tensor_parallel": 8,
            "pipeline_parallel": 8,
            "data_parallel": 16,
            "zero": 1,
            "recompute": "selective",
            "flash_attention": False,
            "sequence_parallel": True,
        },
    ),
    "memory of QLoRA": ("memory", _LLAMA | {"purpose": "train", "method": "qlora", "micro_batch": 4}),
    "memory with ZeRO-3": (
        "memory",
        {"model": "mixtral-8x7b", "purpose": "train", "data_parallel": 64, "zero": 3, "optimizer": "adam8bit"},
    ),
    "memory, fp8 recomputed": ("memory", _LLAMA | {"purpose": "train", "precision": "fp8", "recompute": "full"}),
    "memory, Adafactor offloaded": (
        "memory",
        {
            "model": "gpt2-xl",
            "purpose": "train",
            "data_parallel": 8,
            "zero": 0,
            "optimizer": "adafactor",
            "flash_attention": False,
            "offload_optimizer": True,
        },
    ),
    "serving": ("serve", _SERVE),
    "serving experts": (
        "serve",
        {"model": "mixtral-8x7b", "gpu": "a100-sxm-80gb", "tensor_parallel": 2, "precision": "int8"},
    ),
    "serving a prefix in fp8": (
        "serve",
        _SERVE | {"precision": "fp8", "tensor_parallel": 4, "cached_share": 0.5, "concurrency": 64},
    ),
    "serving on a CPU": (
        "serve",
        {"model": "llama-3.2-1b", "gpu": "epyc-9654", "precision": "int8", "concurrency": 2},
    ),
    "serving an encoder": ("serve", _ENCODER | {"output_tokens": 0, "prompt_tokens": 400}),
    "serving a window": ("serve", {"model": "gemma-2-9b", "gpu": "l40s-48gb", "prompt_tokens": 6000}),
    "API or own": ("breakeven", _SERVE | _API),
    "API or own, paid by use": ("breakeven", _SERVE | _API | {"minimum_replicas": 0}),
    "API or own, reserved": (
        "breakeven",
        _SERVE
        | _API
        | {"reserved_discount": {"low": 0.2, "expected": 0.3, "high": 0.4}, "months_committed": 12}
        | {"usd_per_million_cached_input": 0.1, "cached_share": 0.4},
    ),
}
"""Kind and configuration, by what is special about it."""

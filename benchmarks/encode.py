"""Sentence embeddings on one machine: our int8 export beside transformers in eager fp32, in turns, as a ratio:
`.venv/bin/python -m core bench encode`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from core.models import catalogue
from core.models.tokenizer import load_fast
from core.onnx.encoder import Encoder
from core.onnx.exports import ensure_export
from core.onnx.graph_proof import proof_texts
from core.settings import get_settings

BATCH = 32
TOKENS = 64


def run(model_id: str, *, repeats: int) -> dict[str, Any]:
    """Medians of seconds for one batch of 32 sentences of 64 tokens, tokenising included, and the cosine between."""
    threads = get_settings().threads
    texts = _texts(model_id)
    export = ensure_export(model_id, precision="int8", device="cpu")
    encoder = Encoder(export.path, device="cpu", threads=threads)
    theirs = _transformers(model_id, threads)
    contenders: dict[str, Callable[[list[str]], Any]] = {"ours_int8": encoder.embed, "transformers_fp32": theirs}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    ours, reference = (contender(texts) for contender in contenders.values())
    for _ in range(repeats):
        for name, contender in contenders.items():
            started = time.perf_counter()
            contender(texts)
            seconds[name].append(time.perf_counter() - started)
    cosines = (ours * reference).sum(axis=1)
    pairs = [b / a for a, b in zip(seconds["ours_int8"], seconds["transformers_fp32"], strict=True)]
    return {
        "model": model_id,
        "threads": threads,
        "rounds": repeats,
        "sentences": BATCH,
        "tokens_a_sentence": TOKENS,
        "seconds_a_batch": {name: statistics.median(values) for name, values in seconds.items()},
        "all_seconds": seconds,
        "ratio_to_transformers": statistics.median(pairs),
        "mean_cosine": float(cosines.mean()),
        "min_cosine": float(cosines.min()),
    }


def as_table(figures: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    ours, theirs = figures["seconds_a_batch"]["ours_int8"], figures["seconds_a_batch"]["transformers_fp32"]
    return (
        f"{figures['model']}, {figures['threads']} threads, {BATCH} sentences of {TOKENS} tokens, "
        f"median of {figures['rounds']} rounds\n\n"
        "| | ms a batch | sentences/s | speed of ours ÷ it |\n| --- | ---: | ---: | ---: |\n"
        f"| Groundwork, ONNX int8 | {1000 * ours:.0f} | {BATCH / ours:.0f} | 1.00 |\n"
        f"| transformers, eager fp32 | {1000 * theirs:.0f} | {BATCH / theirs:.0f} | "
        f"{figures['ratio_to_transformers']:.2f} |\n\n"
        f"Cosine to transformers: mean {figures['mean_cosine']:.4f}, least {figures['min_cosine']:.4f}."
    )


def _texts(model_id: str) -> list[str]:
    """Real sentences, joined and cut to exactly 64 tokens with the model's own tokenizer."""
    tokenizer = load_fast(catalogue.prepare(model_id))
    sentences = proof_texts(None)
    texts = []
    for start in range(BATCH):
        long = " ".join(sentences[(start + i) % len(sentences)] for i in range(12))
        end = tokenizer.encode(long).offsets[TOKENS - 2][1]  # the first and the last token are the tokenizer's own
        texts.append(long[:end])
    return texts


def _transformers(model_id: str, threads: int) -> Callable[[list[str]], Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(threads)
    folder = catalogue.folder(model_id)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, attn_implementation="eager"
    ).eval()

    def contender(texts: list[str]) -> Any:
        fed = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**fed)[0]
        weights = fed["attention_mask"].unsqueeze(-1).float()
        pooled = ((hidden * weights).sum(1) / weights.sum(1)).numpy()
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    return contender

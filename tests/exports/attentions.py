"""Attention as a model's would be: causal rows that sum to one, and every kind of awkward piece."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from core.interpret.maps import AttentionMap
from core.interpret.overview import Overview
from core.interpret.subject import Subject
from exports.attention_origin import Origin

HOSTILE = (
    "<script>alert(1)</script>",
    "</svg>",
    "]]>&amp;\"'",
    "\x00",
    "\x1b[31m",
    "\ud83d",
    " שלום",
    "\u202eabc",
    "\ufffe",
    "=1+1",
    "\n",
    "  ",
    "",
    " 東京",
    "🚀",
)
ORIGIN = Origin(
    model_id="org/<model>",
    revision="abc123",
    precision="fp32",
    run_id="",
    title="The capital of </title> & \ud83d",
    transformers="5.23.0",
    torch="2.13.0",
    app_version="0.1.0",
    made_at=datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
    command='python -m core attend --text "<b> & \x07"',
    note="the revision that was pinned",
)


def words(count: int) -> tuple[str, ...]:
    return tuple(f" word{place}" for place in range(count))


def causal(tokens: int, seed: int = 0) -> np.ndarray:
    """[query, key] float32: rows sum to one, nothing above the diagonal."""
    scores = np.random.default_rng(seed).normal(0, 2, (tokens, tokens))
    weights = np.tril(np.exp(scores))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def attention(pieces: tuple[str, ...], *, layer: int = 12, head: int = 4, note: str = "") -> AttentionMap:
    return AttentionMap(layer, (head,), causal(len(pieces), seed=head), pieces, pieces, note)


def subject(pieces: tuple[str, ...], *, answer_start: int | None = None) -> Subject:
    count = len(pieces)
    return Subject(
        model_id="org/<model>",
        revision="abc123",
        ids=tuple(range(100, 100 + count)),
        pieces=pieces,
        special=tuple(place == 0 for place in range(count)),
        words=tuple(range(count)),
        sentences=(0,) * count,
        causal=True,
        answer_start=answer_start,
    )


def overview(layers: int = 3, heads: int = 2, cells: int = 5) -> Overview:
    """Head 0 reads the token before, the others spread out."""
    tiles = np.stack(
        [
            [np.rint(255 * np.sqrt(causal(cells, layer * heads + head))) for head in range(heads)]
            for layer in range(layers)
        ]
    ).astype(np.uint8)
    figures = np.random.default_rng(1).uniform(0, 0.3, (5, layers, heads)).astype(np.float32)
    figures[1, :, 0] = 0.75
    return Overview(tiles, cells, 1, *figures)

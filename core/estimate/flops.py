"""Floating-point operations of a pass, exact (attention and logits counted) and by the rule 6ND.

A weight costs a multiplication and an addition a token, 2 operations (Kaplan et al. 2020, arXiv 2001.08361, § 2.1);
attention 4 · layers · heads · head_dim · (tokens attended to), queries times keys and probabilities times values. The
backward pass costs twice the forward pass (arXiv 2104.04473, § 5.1, whose totals this reproduces).
"""

from __future__ import annotations

from core.estimate.shape import ModelShape


def attended_tokens(sequence_length: int, window: int, *, causal: bool) -> float:
    """Mean over a sequence of how many tokens one token attends to, itself included."""
    s, w = sequence_length, min(window or sequence_length, sequence_length)
    if not causal:
        return float(min(2 * w, s) if window else s)
    return (w * (w + 1) / 2 + (s - w) * w) / s


def attention_flop_per_token(shape: ModelShape, sequence_length: int, *, causal: bool | None = None) -> float:
    """Forward, all layers. causal: by the model's kind; False counts the whole square, as published MFU figures do
    (PaLM, arXiv 2204.02311, appendix B; arXiv 2104.04473)."""
    causal = shape.kind == "decoder" if causal is None else causal
    whole = attended_tokens(sequence_length, 0, causal=causal)
    windowed = attended_tokens(sequence_length, shape.window, causal=causal)
    layers = (shape.layers - shape.window_layers) * whole + shape.window_layers * windowed
    return 4 * shape.heads * shape.head_dim * layers


def forward_flop_per_token(shape: ModelShape, sequence_length: int, *, causal: bool | None = None) -> float:
    """Matrices, logits and attention. Of an "other" network, of one sample."""
    if shape.kind == "other":
        return shape.flop_per_sample
    return 2 * shape.matrix_parameters + attention_flop_per_token(shape, sequence_length, causal=causal)


def training_flop_per_token(shape: ModelShape, sequence_length: int, *, causal: bool | None = None) -> float:
    """Forward and backward of full training, nothing computed twice: 3 × forward."""
    return 3 * forward_flop_per_token(shape, sequence_length, causal=causal)


def six_nd(shape: ModelShape, tokens: float) -> float:
    """6 · N · D: the rule by which published totals are made (arXiv 2001.08361, § 2.1). N: parameters of a token."""
    if shape.kind == "other":
        return 3 * shape.flop_per_sample * tokens
    return 6.0 * shape.active_parameters * tokens

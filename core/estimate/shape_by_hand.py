"""A `ModelShape` from layers, widths and experts, with the exact parameter count of a transformer so described.

Each layer has the attention's four matrices, the FFN's two (three when gated) for each expert, and norms; then come the
embeddings, the head unless tied, and a last norm (Vaswani et al. 2017, arXiv 1706.03762; Shazeer 2020, arXiv 2002.05202
for the gate; Jiang et al. 2024, arXiv 2401.04088 for experts).
"""

from __future__ import annotations

from core.errors import InvalidInput
from core.estimate.shape import Kind, ModelShape


def shape_by_hand(
    *,
    layers: int,
    hidden: int,
    heads: int,
    vocabulary: int,
    name: str = "by hand",
    kind: Kind = "decoder",
    kv_heads: int | None = None,
    head_dim: int | None = None,
    ffn: int | None = None,
    gated: bool | None = None,
    tied: bool = False,
    bias: bool | None = None,
    qkv_bias: bool = False,
    positions: int = 0,
    experts: int = 0,
    experts_per_token: int = 0,
    shared_experts: int = 0,
    expert_ffn: int | None = None,
    dense_layers: int = 0,
    window: int = 0,
    window_every: int = 1,
    context: int = 4_096,
    source: str = "",
) -> ModelShape:
    """kv_heads: default heads. head_dim: default hidden ÷ heads. ffn: default 4 · hidden, plain; with an ffn given,
    gated unless it is 4 · hidden. bias: of every matrix and norm (GPT-2, BERT); default: when not gated. qkv_bias: of
    queries, keys and values alone (Qwen 2). positions: learned embeddings. dense_layers: first layers without
    experts. expert_ffn: default ffn. window_every: 2 means every other layer has the window. Raises InvalidInput with
    every fault found."""
    kv_heads = heads if kv_heads is None else kv_heads
    width = 4 * hidden if ffn is None else ffn
    is_gated = (ffn is not None and width != 4 * hidden) if gated is None else gated
    biased = not is_gated if bias is None else bias
    head_dim = head_dim or (hidden // heads if heads > 0 else 0)
    _check(
        {
            "layers": (layers, 1, 10_000),
            "hidden": (hidden, 1, 1_000_000),
            "heads": (heads, 1, 10_000),
            "kv_heads": (kv_heads, 1, 10_000),
            "head_dim": (head_dim, 1, 100_000),
            "ffn": (width, 1, 10_000_000),
            "vocabulary": (vocabulary, 1, 100_000_000),
            "context": (context, 0, 1_000_000_000),
            "positions": (positions, 0, 100_000_000),
            "experts": (experts, 0, 100_000),
            "experts_per_token": (experts_per_token, 1 if experts else 0, experts),
            "shared_experts": (shared_experts, 0, 1_000),
            "expert_ffn": (expert_ffn or width, 1, 10_000_000),
            "dense_layers": (dense_layers, 0, max(layers - 1 if experts else layers, 0)),
            "window": (window, 0, 1_000_000_000),
            "window_every": (window_every, 1, max(layers, 1)),
        }
    )
    queries, keys = heads * head_dim, kv_heads * head_dim
    attention = 2 * hidden * queries + 2 * hidden * keys
    attention += (queries + 2 * keys) if biased or qkv_bias else 0
    attention += hidden if biased else 0
    norms = 2 * hidden * (2 if biased else 1)

    def mlp(size: int) -> int:
        return (3 if is_gated else 2) * hidden * size + ((2 if is_gated else 1) * size + hidden if biased else 0)

    moe_layers = layers - dense_layers if experts else 0
    one_expert = mlp(expert_ffn or width) if experts else 0
    routed = moe_layers * experts * one_expert
    always = moe_layers * (shared_experts * one_expert + hidden * experts) + (layers - moe_layers) * mlp(width)
    table, last = vocabulary * hidden, hidden * (2 if biased else 1)
    has_head = kind == "decoder"
    body = layers * (attention + norms) + always + last + positions * hidden
    parameters = body + routed + table + (table if has_head and not tied else 0)
    active = parameters - routed + moe_layers * experts_per_token * one_expert
    lookup = positions * hidden + (0 if has_head and tied else table)
    layer = attention + norms + max(mlp(width), (experts + shared_experts) * one_expert + hidden * experts)
    return ModelShape(
        name=name,
        kind=kind,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ffn=width,
        vocabulary=vocabulary,
        context=context,
        parameters=parameters,
        active_parameters=active,
        embedding_parameters=lookup,
        head_parameters=table if has_head else 0,
        gated=is_gated,
        experts=experts,
        experts_per_token=experts_per_token,
        expert_parameters=routed,
        window=window,
        window_layers=layers // window_every if window else 0,
        kv_elements_per_token=2 * layers * keys if has_head else 0,
        largest_layer_parameters=max(layer, table),
        source=source,
    )


def _check(values: dict[str, tuple[int, int, int]]) -> None:
    """Each value with its least and its most."""
    faults = [
        f"{name} is {value:,} (from {least:,} to {most:,})"
        for name, (value, least, most) in values.items()
        if not least <= value <= most
    ]
    heads, kv_heads = values["heads"][0], values["kv_heads"][0]
    if heads > 0 and kv_heads > 0 and heads % kv_heads:
        faults.append(f"kv_heads is {kv_heads}, which does not divide heads, {heads}")
    if faults:
        raise InvalidInput(f"Not a network: {'; '.join(faults)}.", next_step="Take the values from its config.json.")

"""What an estimate asks of a transformers configuration, under whichever name an architecture gives it.

`text` is the configuration of the layers that read text. 0 means that it does not say.
"""

from __future__ import annotations

from typing import Any

from core.estimate.config_network import Counts

LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers")
HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
HEADS = ("num_attention_heads", "num_heads", "n_head", "n_heads")
FFN = ("intermediate_size", "ffn_dim", "n_inner", "d_ff", "hidden_dim", "ffn_hidden_size")
CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")

_SLIDING = ("sliding_attention", "chunked_attention")
_STATE = ("linear_attention", "mamba", "mamba2", "recurrent", "conv", "ssm")


def number(text: Any, *names: str) -> int:
    """The first of these that the configuration has, the largest where it differs from layer to layer; 0 without."""
    for name in names:
        value = getattr(text, name, None)
        if isinstance(value, (list, tuple)) and value and all(isinstance(one, int) for one in value):
            return int(max(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def head_dim(text: Any, hidden: int, heads: int) -> int:
    """Of MLA, the mean of what queries meet keys in and what values have (DeepSeek-V2, arXiv 2405.04434, § 2.1)."""
    if not heads:
        return 0
    if number(text, "kv_lora_rank"):
        keys = number(text, "qk_nope_head_dim") + number(text, "qk_rope_head_dim")
        return (keys + number(text, "v_head_dim")) // 2
    return number(text, "head_dim") or hidden // heads


def kv_heads(text: Any, heads: int) -> int:
    if getattr(text, "multi_query", False) and not getattr(text, "new_decoder_architecture", False):
        return 1  # Falcon-7B, StarCoder
    return number(text, "num_key_value_heads", "num_kv_heads", "n_kv_heads") or heads


def experts(text: Any) -> int:
    names = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
    return max(number(text, *names), number(getattr(text, "ffn_config", None), "moe_num_experts"), 1)


def experts_per_token(text: Any) -> int:
    names = ("num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_topk", "top_k_experts")
    found = max(number(text, *names), number(getattr(text, "ffn_config", None), "moe_top_k"), 1)
    return min(found, experts(text))


def windows(text: Any, layers: int, head_dim: int) -> tuple[int, int, int]:
    """(tokens of the window, layers that have it, layers with a state in place of a cache).

    A linear-attention layer keeps head_dim × head_dim numbers a head, which is the cache and the work of a window of
    head_dim tokens (arXiv 2006.16236, § 3.2); it counts as one where no layer slides.
    """
    types = getattr(text, "layer_types", None) or getattr(text, "layers_block_type", None) or []
    sliding = sum(one in _SLIDING for one in types)
    stateful = sum(one in _STATE for one in types)
    window = number(text, "sliding_window", "attention_chunk_size")
    if not types and window and getattr(text, "use_sliding_window", True):
        return window, layers, 0
    if sliding and window:
        return window, sliding, stateful
    if local := number(text, "attention_window", "local_attention"):  # Longformer, ModernBERT: to both sides
        return local // 2, sliding or layers, 0
    if stateful and head_dim:
        return head_dim, stateful, 0
    return 0, 0, stateful


def kv_elements(text: Any, counts: Counts, layers: int, width: int) -> int:
    """MLA keeps one latent and one rotary key for all heads (arXiv 2405.04434, § 2.1.2); shared layers keep nothing."""
    if rank := number(text, "kv_lora_rank"):
        return layers * (rank + number(text, "qk_rope_head_dim"))
    layers -= number(text, "num_kv_shared_layers")
    return counts.kv_width if counts.kv_width and counts.kv_layers == layers else 2 * layers * width

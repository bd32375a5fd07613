"""Saved activations against the paper's table, and against what torch really keeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from core.estimate.activations import (
    STORED,
    STORED_WRITTEN_OUT,
    Step,
    ffn_width_per_token,
    layer_bytes,
    logits_bytes,
    recomputed_bytes,
)
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_from_config import shape_from_config

GPT_3 = shape_by_hand(layers=96, hidden=12_288, heads=96, vocabulary=51_200)
MT_NLG = shape_by_hand(layers=105, hidden=20_480, heads=128, vocabulary=51_200)
BATCH, LENGTH, HIDDEN, HEADS = 2, 64, 128, 4


@pytest.mark.parametrize(
    ("t", "sequence", "recompute", "per_sbh"),
    [  # arXiv 2205.05198, table 2, with 5as/h = 80 for GPT-3
        (1, False, "none", 34 + 80),
        (8, False, "none", 10 + 24 / 8 + 80 / 8),
        (8, True, "none", (34 + 80) / 8),
        (8, False, "selective", 10 + 24 / 8),
        (8, True, "selective", 34 / 8),
        (8, False, "full", 2),
    ],
)
def test_table_2_comes_out(t: int, sequence: bool, recompute: Any, per_sbh: float) -> None:
    step = _paper(tensor_parallel=t, sequence_parallel=sequence, recompute=recompute)
    assert layer_bytes(GPT_3, step) == pytest.approx(per_sbh * 2048 * 12_288)


@pytest.mark.parametrize(("shape", "saved"), [(GPT_3, 0.70), (MT_NLG, 0.65)])
def test_selective_recomputation_saves_what_section_5_says(shape: Any, saved: float) -> None:
    none, selective = (layer_bytes(shape, _paper(recompute=kind)) for kind in ("none", "selective"))
    assert 1 - selective / none == pytest.approx(saved, abs=0.006)


def test_gpt_3_keeps_gigabytes_a_layer() -> None:
    assert layer_bytes(GPT_3, _paper()) == pytest.approx(2.87e9, rel=0.001)  # 114 · 2048 · 12288 bytes


def test_flash_attention_has_no_square_term() -> None:
    def kept(length: int) -> float:
        return layer_bytes(GPT_3, Step(micro_batch=1, sequence_length=length)) / length

    assert kept(65_536) == kept(1_024)


def test_experts_multiply_the_ffn_by_those_of_a_token() -> None:
    def mixtral(k: int) -> float:
        return ffn_width_per_token(
            shape_by_hand(
                layers=32,
                hidden=4096,
                heads=32,
                kv_heads=8,
                ffn=14_336,
                gated=True,
                vocabulary=32_000,
                experts=8,
                experts_per_token=k,
            )
        )

    assert mixtral(2) == pytest.approx(2 * 14_336, rel=0.001)
    assert mixtral(1) == pytest.approx(14_336, rel=0.001)


def test_shared_experts_and_dense_layers_are_in_the_width() -> None:
    shape = shape_by_hand(
        layers=10,
        hidden=1024,
        heads=8,
        ffn=8192,
        gated=True,
        vocabulary=32_000,
        experts=64,
        experts_per_token=4,
        shared_experts=2,
        expert_ffn=512,
        dense_layers=1,
    )
    assert ffn_width_per_token(shape) == pytest.approx((9 * 6 * 512 + 8192) / 10, rel=0.01)


def test_no_head_means_no_logits() -> None:
    bert = shape_by_hand(layers=12, hidden=768, heads=12, vocabulary=30_000, kind="encoder")
    assert logits_bytes(bert, _paper()).high == 0


# --- what torch keeps


class Layer(nn.Module):
    """A Megatron layer without dropout: norms, one matrix for queries, keys and values, softmax written out, GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(HIDDEN), nn.LayerNorm(HIDDEN)
        self.q, self.k, self.v, self.o = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.up, self.down = nn.Linear(HIDDEN, 4 * HIDDEN), nn.Linear(4 * HIDDEN, HIDDEN)
        self.recompute = "none"

    def core(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.softmax(q @ (k / math.sqrt(HIDDEN // HEADS)).transpose(-1, -2), -1) @ v

    def block(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.first(x)
        q, k, v = (one(normed).view(BATCH, LENGTH, HEADS, -1).transpose(1, 2) for one in (self.q, self.k, self.v))
        if self.recompute == "selective":
            met = checkpoint(self.core, q, k, v, use_reentrant=False)
        else:
            met = self.core(q, k, v)
        x = x + self.o(met.transpose(1, 2).reshape(BATCH, LENGTH, HIDDEN))
        return x + self.down(nn.functional.gelu(self.up(self.second(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return checkpoint(self.block, x, use_reentrant=False) if self.recompute == "full" else self.block(x)


@pytest.mark.slow
@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
def test_a_real_layer_keeps_what_is_predicted(recompute: Any) -> None:
    """Training on this machine's CPU in fp32, loss and backward pass included: within 3 % in each mode."""

    def kept(layers: int) -> float:
        network = nn.Sequential(*(Layer() for _ in range(layers)))
        for layer in network:
            layer.recompute = recompute
        return _kept(network, lambda: network(torch.randn(BATCH, LENGTH, HIDDEN, requires_grad=True)))

    per_layer = (kept(6) - kept(2)) / 4
    shape = shape_by_hand(layers=6, hidden=HIDDEN, heads=HEADS, vocabulary=100)
    step = Step(micro_batch=BATCH, sequence_length=LENGTH, element_bytes=4, recompute=recompute, flash_attention=False)
    assert per_layer == pytest.approx(layer_bytes(shape, step), rel=0.03)


def test_the_recomputed_layer_is_what_recomputation_saved() -> None:
    shape = shape_by_hand(layers=6, hidden=HIDDEN, heads=HEADS, vocabulary=100)
    none, selective = (
        Step(micro_batch=1, sequence_length=64, recompute=kind, flash_attention=False) for kind in ("none", "selective")
    )
    assert recomputed_bytes(shape, selective) == layer_bytes(shape, none) - layer_bytes(shape, selective)


_LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 100,
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
_GPT_2 = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 256, "n_head": 4, "vocab_size": 100}
_BERT = {
    "model_type": "bert",
    "architectures": ["BertForMaskedLM"],
    "hidden_size": 256,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "vocab_size": 100,
}


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(
    "config",
    [
        _LLAMA,
        _GPT_2,
        _BERT,
        _LLAMA | {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 64},
        _LLAMA | {"model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": 4},
    ],
    ids=lambda config: config["model_type"],
)
def test_transformers_networks_keep_what_the_range_says(config: dict[str, Any], attention: str) -> None:
    import transformers

    def kept(layers: int) -> float:
        named = config | {"n_layer" if config is _GPT_2 else "num_hidden_layers": layers}
        cls = getattr(transformers, config["architectures"][0])
        settings = cls.config_class.from_dict(named)
        settings._attn_implementation, settings.use_cache = attention, False
        network = cls(settings).to(torch.bfloat16).eval()  # no dropout: on a CPU its masks are not bytes
        return _kept(network, lambda: network.base_model(input_ids=torch.zeros((2, 256), dtype=torch.long))[0])

    shape = shape_from_config(config)
    step = Step(micro_batch=2, sequence_length=256, flash_attention=attention == "sdpa")
    allowed = (STORED if attention == "sdpa" else STORED_WRITTEN_OUT) * layer_bytes(shape, step)
    per_layer = (kept(3) - kept(1)) / 2
    assert allowed.low <= per_layer <= allowed.high * 1.005


def _kept(network: nn.Module, forward: Callable[[], torch.Tensor]) -> float:
    """Bytes that are kept between forward and backward pass, parameters and buffers aside; each storage once."""
    own = {one.untyped_storage().data_ptr() for one in [*network.parameters(), *network.buffers()]}
    saved: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = forward()
    total = float(sum(storage.nbytes() for storage in saved.values()))
    out.float().sum().backward()
    return total


def _paper(**changes: Any) -> Step:
    return Step(micro_batch=1, sequence_length=2048, flash_attention=False, dropout=True, **changes)

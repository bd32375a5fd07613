"""Operations against the Megatron formula, torch's own counter on real networks, published totals, and paper."""

from __future__ import annotations

from typing import Any

import pytest

from core.estimate.flops import (
    attended_tokens,
    attention_flop_per_token,
    forward_flop_per_token,
    six_nd,
    training_flop_per_token,
)
from core.estimate.hardware import find
from core.estimate.known_models import known_model
from core.estimate.recompute import default_recompute, recomputed_flop_per_token
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_guess import shape_from_parameters

MEGATRON = [(24, 2304, 24), (36, 4096, 32), (48, 8192, 64), (96, 12288, 96), (105, 20480, 128), (128, 25600, 160)]
TINY: dict[str, Any] = {"layers": 3, "hidden": 128, "heads": 8, "kv_heads": 2, "ffn": 384, "vocabulary": 512}


@pytest.mark.parametrize(("layers", "hidden", "heads"), MEGATRON)
def test_with_full_recomputation_the_formula_of_megatron_comes_out(layers: int, hidden: int, heads: int) -> None:
    """96·B·s·l·h²·(1 + s/6h + V/16lh), arXiv 2104.04473, § 5.1: three passes, and the layers' forward once more."""
    s, v = 2_048, 51_200
    shape = shape_by_hand(layers=layers, hidden=hidden, heads=heads, vocabulary=v, tied=True, positions=s)
    ours = training_flop_per_token(shape, s, causal=False)
    ours += recomputed_flop_per_token(shape, s, "full", causal=False)
    paper = 96 * layers * hidden**2 * (1 + s / (6 * hidden) + v / (16 * layers * hidden))
    assert ours == pytest.approx(paper, rel=1e-3)  # norms and biases, which the paper leaves out


def test_selective_recomputation_repeats_the_two_products_of_the_attention() -> None:
    """4·s·h a layer and token (arXiv 2205.05198, § 5), which for the 22B model is 1 % of the whole."""
    shape = shape_by_hand(layers=48, hidden=6144, heads=64, vocabulary=51_200, tied=True)
    again = recomputed_flop_per_token(shape, 2_048, "selective", causal=False)
    assert again == 4 * 2_048 * 6_144 * 48
    assert recomputed_flop_per_token(shape, 2_048, "none", causal=False) == 0
    assert again < recomputed_flop_per_token(shape, 2_048, "full", causal=False)


def test_only_runs_of_more_than_100_billion_parameters_before_hopper_are_taken_to_recompute_all() -> None:
    a100, h100 = find("a100-sxm-80gb"), find("h100-sxm-80gb")
    assert default_recompute(shape_from_parameters(175e9), a100) == "full"
    assert default_recompute(shape_from_parameters(70e9), a100) == "selective"
    assert default_recompute(shape_from_parameters(405e9), h100) == "selective"
    assert default_recompute(shape_from_parameters(671e9, active_parameters=37e9), a100) == "selective"


@pytest.mark.parametrize(("parameters", "tokens", "published"), [(174.6e9, 300e9, 3.14e23), (405e9, 15.6e12, 3.8e25)])
def test_published_totals_of_gpt_3_and_llama_3_405b(parameters: float, tokens: float, published: float) -> None:
    assert six_nd(shape_from_parameters(parameters), tokens) == pytest.approx(published, rel=0.02)


def test_the_total_of_llama_3_405b_holds_from_its_architecture_too() -> None:
    shape = known_model("Llama 3.1 405B")
    assert six_nd(shape, 15.6e12) == pytest.approx(3.8e25, rel=0.02)
    assert training_flop_per_token(shape, 8_192) * 15.6e12 == pytest.approx(3.8e25, rel=0.04)  # attention counted


@pytest.mark.parametrize("window", [0, 1, 3, 10, 11, 50])
@pytest.mark.parametrize("length", [1, 2, 10, 33])
def test_what_a_token_attends_to_is_what_the_mask_has(window: int, length: int) -> None:
    mask = [[k <= q and (not window or k > q - window) for k in range(length)] for q in range(length)]
    assert attended_tokens(length, window, causal=True) == pytest.approx(sum(map(sum, mask)) / length)
    assert attended_tokens(length, 0, causal=False) == length


def test_a_window_bounds_the_attention_of_its_layers_alone() -> None:
    """At 64 times the window, a windowed layer costs a 32nd of the causal half square."""
    plain = shape_by_hand(**(TINY | {"layers": 4}))
    half = shape_by_hand(**(TINY | {"layers": 4}), window=64, window_every=2)
    length = 64 * 64
    whole, mixed = attention_flop_per_token(plain, length), attention_flop_per_token(half, length)
    assert mixed / whole == pytest.approx(0.5 + 0.5 / 32, rel=0.01)
    assert attention_flop_per_token(half, 64) == attention_flop_per_token(plain, 64)


def test_only_the_experts_of_a_token_are_counted() -> None:
    shape = known_model("Mixtral 8x7B")
    assert six_nd(shape, 1e12) == 6 * shape.active_parameters * 1e12
    assert forward_flop_per_token(shape, 1) == pytest.approx(2 * 12.9e9, rel=0.02)


def test_a_causal_model_has_half_the_square_and_an_encoder_all_of_it() -> None:
    decoder, encoder = shape_by_hand(**TINY), shape_by_hand(**TINY, kind="encoder")
    assert attention_flop_per_token(decoder, 999) / attention_flop_per_token(encoder, 999) == pytest.approx(1000 / 1998)
    assert attention_flop_per_token(decoder, 999, causal=False) == attention_flop_per_token(encoder, 999)


# --- against torch's counter, on real classes and without weights


def counted(network: Any, *, backward: bool = False, **inputs: Any) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        out = network(**inputs)
        if backward:
            (out.logits if hasattr(out, "logits") else out.last_hidden_state).sum().backward()
    return int(counter.get_total_flops())


def llama() -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=512,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=8,
        num_key_value_heads=2,
        attn_implementation="eager",
    )
    with torch.device("meta"):
        return LlamaForCausalLM(config)


@pytest.mark.slow
def test_a_real_llama_costs_what_torch_counts_forward_and_backward() -> None:
    import torch

    network, shape = llama(), shape_by_hand(**TINY)
    ids = torch.zeros(2, 96, dtype=torch.long, device="meta")
    assert sum(one.numel() for one in network.parameters()) == shape.parameters
    ours = forward_flop_per_token(shape, 96, causal=False) * 2 * 96
    assert ours == pytest.approx(counted(network, input_ids=ids), rel=2e-3)  # norms are no products
    ours = training_flop_per_token(shape, 96, causal=False) * 2 * 96
    assert ours == pytest.approx(counted(network, backward=True, input_ids=ids), rel=2e-3)


def test_frozen_weights_leave_out_the_gradients_that_torch_leaves_out() -> None:
    import torch

    from core.estimate.training import TrainSetup, flop_per_token, resolve

    network, shape = llama().requires_grad_(False), shape_by_hand(**TINY)
    given = torch.zeros(2, 96, 128, device="meta", requires_grad=True)
    gpu = find("h100-sxm-80gb")
    plan = resolve(TrainSetup(shape=shape, gpu=gpu, tokens=1e6, gpus=1, sequence_length=96, method="lora"))
    model, _ = flop_per_token(plan, causal=False)
    ours = (model - 6 * plan.adapters_per_token) * 2 * 96
    assert ours == pytest.approx(counted(network, backward=True, inputs_embeds=given), rel=2e-3)


def test_a_real_encoder_costs_what_torch_counts() -> None:
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=512,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=3,
        num_attention_heads=8,
        max_position_embeddings=96,
        attn_implementation="eager",
    )
    with torch.device("meta"):
        network = BertModel(config, add_pooling_layer=False)
    ids = torch.zeros(2, 96, dtype=torch.long, device="meta")
    shape = shape_by_hand(layers=3, hidden=128, heads=8, vocabulary=512, positions=96, kind="encoder")
    ours = forward_flop_per_token(shape, 96) * 2 * 96
    assert ours == pytest.approx(counted(network, input_ids=ids), rel=1e-2)  # 13·h biases and norms to 12·h²


def test_real_experts_cost_what_torch_counts() -> None:
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=512,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=8,
        num_key_value_heads=2,
        num_local_experts=4,
        num_experts_per_tok=2,
        attn_implementation="eager",
        experts_implementation="eager",
    )
    network = MixtralForCausalLM(config)
    shape = shape_by_hand(**(TINY | {"layers": 2}), experts=4, experts_per_token=2)
    assert sum(one.numel() for one in network.parameters()) == shape.parameters
    ours = forward_flop_per_token(shape, 64, causal=False) * 64
    assert ours == pytest.approx(counted(network, input_ids=torch.zeros(1, 64, dtype=torch.long)), rel=5e-3)

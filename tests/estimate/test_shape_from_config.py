"""Shapes from config.json: parameter counts as publishers print them, refusals, and the cards of the catalogue."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import GroundworkError, InvalidInput, ModelRefused
from core.estimate.flops import forward_flop_per_token
from core.estimate.shape_from_config import shape_from_card, shape_from_config
from core.models import catalogue
from tests.models import tiny

LLAMA_3_8B: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": False,
}
MISTRAL = LLAMA_3_8B | {
    "model_type": "mistral",
    "architectures": ["MistralForCausalLM"],
    "vocab_size": 32_000,
    "sliding_window": 4096,
}
MIXTRAL = MISTRAL | {
    "model_type": "mixtral",
    "architectures": ["MixtralForCausalLM"],
    "sliding_window": None,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}
QWEN3_MOE = {
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "hidden_size": 4096,
    "num_hidden_layers": 94,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "moe_intermediate_size": 1536,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "vocab_size": 151_936,
    "intermediate_size": 12_288,
}
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3",
    "architectures": ["DeepseekV3ForCausalLM"],
    "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config"},
    "quantization_config": {"quant_method": "fp8"},
    "vocab_size": 129_280,
    "hidden_size": 7168,
    "intermediate_size": 18_432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "n_shared_experts": 1,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "n_group": 8,
    "topk_group": 4,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "max_position_embeddings": 163_840,
    "tie_word_embeddings": False,
}


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (LLAMA_3_8B, 8_030_261_248),  # as its safetensors index counts
        (MISTRAL, 7_241_732_096),
        (MIXTRAL, 46_702_792_704),
        (QWEN3_MOE, 235_093_634_560),
        (DEEPSEEK_V3, 671_026_404_352),  # 671,026,419,200 with 58 · 256 routing biases, which are no weights here
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, 124_439_808),
        ({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 28_996}, 108_310_272),
        ({"model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"]}, 2_614_341_888),
        (
            {"model_type": "resnet", "architectures": ["ResNetForImageClassification"], "num_labels": 1000},
            25_557_032,
        ),
        ({"model_type": "vit", "architectures": ["ViTForImageClassification"], "num_labels": 1000}, 86_567_656),
        ({"model_type": "bart"}, 406_291_456),
    ],
    ids=lambda value: value["model_type"] if isinstance(value, dict) else "",
)
def test_parameters_are_those_that_publishers_print(config: dict[str, Any], parameters: int) -> None:
    assert shape_from_config(config).parameters == parameters


@pytest.mark.parametrize(
    ("config", "active_billions"),
    [(MIXTRAL, 12.9), (QWEN3_MOE, 22.2), (DEEPSEEK_V3, 37.55)],  # 13B, A22B, 37B: as their names and papers say
)
def test_a_token_passes_through_its_experts_alone(config: dict[str, Any], active_billions: float) -> None:
    assert shape_from_config(config).active_parameters / 1e9 == pytest.approx(active_billions, rel=0.005)


@pytest.mark.parametrize(
    ("config", "cache_bytes"),
    [
        (LLAMA_3_8B, 128 * 1024),
        (LLAMA_3_8B | {"hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64}, 320 * 1024),
        (DEEPSEEK_V3, 70_272),  # (512 + 64) · 61 · 2: DeepSeek-V3's report, and its reviewers', per token in bf16
        ({"model_type": "falcon", "multi_query": True}, 2 * 32 * 64 * 2),
        ({"model_type": "bert"}, 0),
    ],
)
def test_cache_per_token_counts_what_is_kept(config: dict[str, Any], cache_bytes: int) -> None:
    assert shape_from_config(config).kv_elements_per_token * 2 == cache_bytes


@pytest.mark.parametrize(
    ("config", "window", "layers"),
    [
        (MISTRAL, 4096, 32),
        (MIXTRAL, 0, 0),
        ({"model_type": "gemma2"}, 4096, 13),  # every other of 26
        ({"model_type": "gpt_oss"}, 128, 18),
        ({"model_type": "qwen2", "use_sliding_window": False, "sliding_window": 4096}, 0, 0),
        ({"model_type": "modernbert"}, 64, 14),  # to each side, two of three layers
    ],
)
def test_windows_are_those_of_the_layers(config: dict[str, Any], window: int, layers: int) -> None:
    shape = shape_from_config(config)
    assert (shape.window, shape.window_layers) == (window, layers)


def test_tied_and_untied_heads_are_told_apart() -> None:
    tied, untied = shape_from_config(LLAMA_3_8B | {"tie_word_embeddings": True}), shape_from_config(LLAMA_3_8B)
    table = 128_256 * 4096
    assert (tied.embedding_parameters, tied.head_parameters) == (0, table)
    assert (untied.embedding_parameters, untied.head_parameters) == (table, table)
    assert untied.parameters - tied.parameters == table


def test_a_gate_is_seen_whether_or_not_it_is_fused() -> None:
    gated = {"llama": True, "phi3": True, "modernbert": True, "gpt2": False, "bert": False, "falcon": False}
    assert {name: shape_from_config({"model_type": name}).gated for name in gated} == gated


def test_the_largest_block_is_a_layer_or_a_table() -> None:
    assert shape_from_config(LLAMA_3_8B).largest_layer_parameters == 128_256 * 4096
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14_336 + 2 * 4096
    assert shape_from_config(LLAMA_3_8B | {"vocab_size": 32_000}).largest_layer_parameters == layer


def test_image_towers_do_not_count_as_active_for_text() -> None:
    shape = shape_from_config({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"]})
    assert shape.kind == "decoder"
    assert shape.parameters - shape.active_parameters > 300e6  # CLIP's vision tower and the projector


def test_a_state_space_model_has_no_cache_and_no_attention() -> None:
    shape = shape_from_config({"model_type": "mamba"})
    assert (shape.heads, shape.kv_elements_per_token) == (0, 0)
    assert forward_flop_per_token(shape, 4096) == 2 * shape.matrix_parameters


def test_other_networks_carry_their_operations() -> None:
    shape = shape_from_config({"model_type": "vit", "architectures": ["ViTForImageClassification"]})
    assert shape.kind == "other"
    assert shape.flop_per_sample == pytest.approx(2 * 17.6e9, rel=0.01)  # Dosovitskiy et al.'s network, in timm's table
    assert "1 × 3 × 224 × 224" in shape.source


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"num_hidden_layers": 10_001}, "num_hidden_layers is 10,001"),
        ({"num_hidden_layers": -1}, "num_hidden_layers is -1"),
        ({"hidden_size": 10**12}, "hidden_size"),
        ({"num_labels": 10**9}, "num_labels"),
        ({"vocab_size": 10**12}, "vocab_size"),
        ({"text_config": {"num_hidden_layers": 10**9}}, "num_hidden_layers"),
        ({"layer_types": ["full_attention"] * 200_000}, "layer_types lists"),
    ],
)
def test_absurd_sizes_are_refused_before_anything_is_built(change: dict[str, Any], named: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidInput, match=named):
        shape_from_config(LLAMA_3_8B | change)
    assert time.perf_counter() - started < 0.5


def test_all_absurd_sizes_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        shape_from_config(LLAMA_3_8B | {"num_hidden_layers": 0, "hidden_size": 10**9})
    assert "num_hidden_layers" in str(caught.value)
    assert "hidden_size" in str(caught.value)


def test_positions_written_in_a_python_loop_cannot_hang() -> None:
    config = {"model_type": "distilbert", "sinusoidal_pos_embds": True, "max_position_embeddings": 50_000_000}
    with pytest.raises(InvalidInput, match="positions"):
        shape_from_config(config)


def test_building_stops_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.estimate.config_limits.MOST_TENSORS", 50)
    with pytest.raises(InvalidInput, match="more than 50 weight tensors"):
        shape_from_config(LLAMA_3_8B | {"num_hidden_layers": 31})


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({}, InvalidInput),
        ({"model_type": 5}, InvalidInput),
        ([], InvalidInput),
        ({"model_type": "nonsense"}, ModelRefused),
        ({"model_type": "nonsense", "auto_map": {"AutoConfig": "a.B"}}, ModelRefused),
        (LLAMA_3_8B | {"num_hidden_layers": "many"}, ModelRefused),
        (LLAMA_3_8B | {"hidden_size": None}, ModelRefused),
        (LLAMA_3_8B | {"num_attention_heads": 0}, InvalidInput),
    ],
)
def test_what_is_no_configuration_is_refused_with_a_next_step(config: Any, error: type[GroundworkError]) -> None:
    with pytest.raises(error) as caught:
        shape_from_config(config)
    assert "by hand" in str(caught.value)


def test_a_configuration_cannot_ask_for_kernels_or_code() -> None:
    config = LLAMA_3_8B | {"attn_implementation": "someone/kernels", "_attn_implementation": "flash_attention_2"}
    assert shape_from_config(config | {"auto_map": {"AutoModel": "a.B"}}).parameters == 8_030_261_248


def test_asking_again_is_quick() -> None:
    shape_from_config(LLAMA_3_8B)
    started = time.perf_counter()
    shape_from_config(dict(reversed(LLAMA_3_8B.items())))
    assert time.perf_counter() - started < 0.02


@pytest.mark.parametrize("model_id", ["smollm2-135m-instruct", "minilm-l6"])
def test_builtin_cards_give_their_exact_count(model_id: str) -> None:
    card = catalogue.get(model_id)
    shape = shape_from_card(card)
    assert shape.parameters == card.architecture.parameters
    assert shape.exact
    assert shape.layers == card.architecture.layers
    assert shape.kind == ("decoder" if model_id.startswith("smol") else "encoder")


def test_a_tied_card_without_its_config_has_no_separate_embeddings() -> None:
    shape = shape_from_card(catalogue.get("smollm2-135m-instruct"))
    assert (shape.embedding_parameters, shape.gated) == (0, True)
    assert shape.kv_elements_per_token == 2 * 30 * 3 * 64


def test_an_added_folder_is_read_from_its_config(home: Path) -> None:
    card = catalogue.add(str(tiny.save_llama(home / "source", hidden=64, context=256)))
    shape = shape_from_card(card)
    config = json.loads((home / "source" / "config.json").read_text())
    assert shape.parameters == card.architecture.parameters
    assert shape.hidden == config["hidden_size"]
    assert "config.json" in shape.source

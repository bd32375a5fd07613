"""Parameter counts by hand against published models, arithmetic on paper, and what no network can be."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.shape_by_hand import shape_by_hand

# Counts of the released checkpoints, as transformers prints them (num_parameters) and the model cards repeat.
PUBLISHED: dict[str, tuple[int, dict[str, Any]]] = {
    "GPT-2": (
        124_439_808,
        {"layers": 12, "hidden": 768, "heads": 12, "vocabulary": 50_257, "positions": 1_024, "tied": True},
    ),
    "GPT-2 XL": (
        1_557_611_200,
        {"layers": 48, "hidden": 1600, "heads": 25, "vocabulary": 50_257, "positions": 1_024, "tied": True},
    ),
    "Llama 2 7B": (6_738_415_616, {"layers": 32, "hidden": 4096, "heads": 32, "ffn": 11_008, "vocabulary": 32_000}),
    "Llama 2 70B": (
        68_976_648_192,
        {"layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "ffn": 28_672, "vocabulary": 32_000},
    ),
    "Llama 3 8B": (
        8_030_261_248,
        {"layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 14_336, "vocabulary": 128_256},
    ),
    "Llama 3.1 405B": (
        405_853_388_800,
        {"layers": 126, "hidden": 16_384, "heads": 128, "kv_heads": 8, "ffn": 53_248, "vocabulary": 128_256},
    ),
    "Llama 3.2 1B, tied": (
        1_235_814_400,
        {
            "layers": 16,
            "hidden": 2048,
            "heads": 32,
            "kv_heads": 8,
            "ffn": 8_192,
            "gated": True,
            "vocabulary": 128_256,
            "tied": True,
        },
    ),
    "Mistral 7B": (
        7_241_732_096,
        {
            "layers": 32,
            "hidden": 4096,
            "heads": 32,
            "kv_heads": 8,
            "ffn": 14_336,
            "vocabulary": 32_000,
            "window": 4_096,
        },
    ),
    "Mixtral 8x7B": (
        46_702_792_704,
        {
            "layers": 32,
            "hidden": 4096,
            "heads": 32,
            "kv_heads": 8,
            "ffn": 14_336,
            "vocabulary": 32_000,
            "experts": 8,
            "experts_per_token": 2,
        },
    ),
    "Qwen2.5 0.5B, biased queries": (
        494_032_768,
        {
            "layers": 24,
            "hidden": 896,
            "heads": 14,
            "kv_heads": 2,
            "ffn": 4_864,
            "vocabulary": 151_936,
            "tied": True,
            "qkv_bias": True,
        },
    ),
    "Qwen2.5 7B": (
        7_615_616_512,
        {
            "layers": 28,
            "hidden": 3584,
            "heads": 28,
            "kv_heads": 4,
            "ffn": 18_944,
            "vocabulary": 152_064,
            "qkv_bias": True,
        },
    ),
    "SmolLM2 135M": (
        134_515_008,
        {"layers": 30, "hidden": 576, "heads": 9, "kv_heads": 3, "ffn": 1_536, "vocabulary": 49_152, "tied": True},
    ),
    "TinyLlama 1.1B": (
        1_100_048_384,
        {"layers": 22, "hidden": 2048, "heads": 32, "kv_heads": 4, "ffn": 5_632, "vocabulary": 32_000},
    ),
    "Pythia 12B": (11_846_072_320, {"layers": 36, "hidden": 5120, "heads": 40, "vocabulary": 50_688}),
    "Phi-3-mini": (3_821_079_552, {"layers": 32, "hidden": 3072, "heads": 32, "ffn": 8_192, "vocabulary": 32_064}),
    "StarCoder2 15B": (
        15_957_889_024,
        {"layers": 40, "hidden": 6144, "heads": 48, "kv_heads": 4, "vocabulary": 49_152},
    ),
    "DistilBERT, without a head": (
        66_362_880,
        {"layers": 6, "hidden": 768, "heads": 12, "vocabulary": 30_522, "positions": 512, "kind": "encoder"},
    ),
}
TINY: dict[str, Any] = {"layers": 4, "hidden": 64, "heads": 4, "vocabulary": 100}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_are_counted_to_the_last_parameter(name: str) -> None:
    wanted, described = PUBLISHED[name]
    if name.startswith("Qwen") or "tied" in name or name.startswith(("SmolLM2", "TinyLlama", "Phi")):
        described = {"gated": True} | described
    assert shape_by_hand(**described).parameters == wanted


def test_the_count_is_the_sum_that_one_makes_on_paper() -> None:
    """4 matrices, 2 of an FFN, biases, 2 norms with shift; table, head, last norm."""
    layer = 4 * 64 * 64 + 4 * 64 + 2 * 64 * 256 + 256 + 64 + 2 * 2 * 64
    assert shape_by_hand(**TINY).parameters == 4 * layer + 2 * 100 * 64 + 2 * 64


def test_a_tied_table_is_counted_once_and_multiplied() -> None:
    tied, untied = shape_by_hand(**TINY, tied=True), shape_by_hand(**TINY)
    assert untied.parameters - tied.parameters == 100 * 64
    assert tied.matrix_parameters == untied.matrix_parameters
    assert (tied.embedding_parameters, untied.embedding_parameters) == (0, 100 * 64)


def test_a_token_of_mixtral_passes_12_9_billion_parameters() -> None:
    shape = shape_by_hand(**PUBLISHED["Mixtral 8x7B"][1])
    assert shape.active_parameters == 12_879_925_248  # mistral.ai: 12.9 B
    assert shape.expert_parameters == 32 * 8 * 3 * 4096 * 14_336
    assert shape.parameters - shape.active_parameters == shape.expert_parameters * 6 // 8
    assert shape.is_moe


def test_with_all_experts_chosen_a_token_passes_everything() -> None:
    shape = shape_by_hand(**TINY, experts=4, experts_per_token=4)
    assert shape.active_parameters == shape.parameters


def test_dense_layers_and_shared_experts_are_of_every_token() -> None:
    common: dict[str, Any] = TINY | {"ffn": 96, "experts": 8, "experts_per_token": 2, "expert_ffn": 32}
    one_expert = 3 * 64 * 32
    plain, mixed = shape_by_hand(**common), shape_by_hand(**common, dense_layers=1, shared_experts=1)
    assert plain.expert_parameters == 4 * 8 * one_expert
    assert mixed.expert_parameters == 3 * 8 * one_expert
    always = 3 * one_expert + 3 * 64 * 96 - 64 * 8  # shared experts, a dense FFN, and a router less
    assert mixed.parameters == plain.parameters - 8 * one_expert + always
    assert mixed.active_parameters == plain.active_parameters - 2 * one_expert + always


def test_grouped_queries_shrink_the_cache_and_the_matrices_alike() -> None:
    many, few = shape_by_hand(**TINY), shape_by_hand(**TINY, kv_heads=1)
    assert (many.kv_elements_per_token, few.kv_elements_per_token) == (2 * 4 * 64, 2 * 4 * 16)
    assert many.parameters - few.parameters == 4 * 2 * (64 + 1) * (64 - 16)


def test_an_encoder_keeps_no_cache_and_makes_no_logits() -> None:
    shape = shape_by_hand(**TINY, kind="encoder", positions=32)
    assert (shape.kv_elements_per_token, shape.head_parameters) == (0, 0)
    assert shape.embedding_parameters == (100 + 32) * 64


@pytest.mark.parametrize(("every", "windowed"), [(1, 4), (2, 2), (4, 1)])
def test_a_window_of_every_nth_layer(every: int, windowed: int) -> None:
    shape = shape_by_hand(**TINY, window=16, window_every=every)
    assert (shape.window, shape.window_layers) == (16, windowed)


def test_an_ffn_that_is_not_four_times_the_width_is_taken_to_be_gated() -> None:
    assert not shape_by_hand(**TINY).gated
    assert not shape_by_hand(**TINY, ffn=256).gated
    assert shape_by_hand(**TINY, ffn=192).gated
    assert not shape_by_hand(**TINY, ffn=192, gated=False).gated


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"layers": 0}, "layers is 0"),
        ({"layers": 10**30}, "from 1 to 10,000"),
        ({"hidden": -64}, "hidden is -64"),
        ({"heads": 0}, "heads is 0"),
        ({"kv_heads": 3}, "does not divide heads, 4"),
        ({"vocabulary": 0}, "vocabulary is 0"),
        ({"ffn": -1}, "ffn is -1"),
        ({"experts": 4}, "experts_per_token is 0 (from 1 to 4)"),
        ({"experts": 4, "experts_per_token": 5}, "experts_per_token is 5 (from 1 to 4)"),
        ({"experts_per_token": 2}, "experts_per_token is 2 (from 0 to 0)"),
        ({"experts": 4, "experts_per_token": 1, "dense_layers": 4}, "dense_layers is 4 (from 0 to 3)"),
        ({"experts": 4, "experts_per_token": 1, "expert_ffn": 10**12}, "expert_ffn is 1,000,000,000,000"),
        ({"shared_experts": -1}, "shared_experts is -1"),
        ({"positions": -1}, "positions is -1"),
        ({"window": -5}, "window is -5"),
        ({"window": 5, "window_every": 5}, "window_every is 5 (from 1 to 4)"),
    ],
)
def test_what_no_network_can_be_is_named_with_what_is_allowed(fault: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        shape_by_hand(**(TINY | fault))
    assert told in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        shape_by_hand(layers=0, hidden=64, heads=3, kv_heads=2, vocabulary=-1)
    assert all(name in str(refused.value) for name in ("layers is 0", "vocabulary is -1", "does not divide"))

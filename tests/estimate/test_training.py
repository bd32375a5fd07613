"""Training runs against published ones, from what a planner knows before the run; LoRA; and what cannot be."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.hardware import find
from core.estimate.known_models import known_model
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_guess import shape_from_parameters
from core.estimate.tables_csv import number, rows
from core.estimate.train_estimate import estimate_train
from core.estimate.training import DAYS, Training, TrainSetup, train
from core.estimate.training_plan import ATTENTION_TARGETS, FFN_TARGETS, lora_parameters

REFERENCE = rows("training_runs")[:9]
MEGATRON = rows("training_steps")[:4]
MEASURES = ("days", "gpu_hours", "tflops_per_gpu", "mfu")
A100, H100 = find("a100-sxm-80gb"), find("h100-sxm-80gb")
SEVEN = shape_from_parameters(7e9)
CNN = ModelShape(
    name="a CNN",
    kind="other",
    layers=0,
    hidden=0,
    heads=0,
    kv_heads=0,
    head_dim=0,
    ffn=0,
    vocabulary=0,
    context=1,
    parameters=25_600_000,
    active_parameters=25_600_000,
    embedding_parameters=0,
    head_parameters=0,
    gated=False,
    flop_per_sample=8.2e9,
)


def setup(**changes: Any) -> TrainSetup:
    return replace(TrainSetup(shape=SEVEN, gpu=A100, tokens=1e12, gpus=512), **changes)


def predicted(row: dict[str, str]) -> Training:
    """From parameters, tokens, GPU and their number alone, as a configuration file gives them."""
    given: dict[str, Any] = {"parameters": row["parameters"], "tokens": row["tokens"], "gpu": row["gpu"]}
    return estimate_train(given | ({"gpus": row["gpus"]} if row["gpus"] else {}))[1]


def reference() -> list[tuple[float, Range]]:
    """Each published figure of the nine rows but for totals, and ours."""
    return [
        (truth, getattr(predicted(row), measure))
        for row in REFERENCE
        if row["gpu"]
        for measure in MEASURES
        if (truth := number(row[measure])) is not None
    ]


def test_the_reference_rows_have_a_median_error_of_five_percent_and_none_above_fifteen() -> None:
    errors = [abs(ours.expected / truth - 1) for truth, ours in reference()]
    assert len(errors) == 12
    assert statistics.median(errors) <= 0.05
    assert max(errors) <= 0.15


def test_nine_of_ten_reference_rows_lie_in_a_range_that_says_something() -> None:
    found = reference()
    assert sum(ours.low <= truth <= ours.high for truth, ours in found) / len(found) >= 0.9
    assert max(ours.spread for _, ours in found) <= 1.8


def test_the_reference_rows_come_out_nearer_than_by_the_rule_of_forty_percent() -> None:
    ours, rule = [], []
    for row in REFERENCE:
        hours = number(row["gpu_hours"]) or (number(row["days"]) or 0) * 24 * (number(row["gpus"]) or 0)
        if row["gpu"] and hours:
            ours.append(abs(predicted(row).gpu_hours.expected / hours - 1))
            useful = 6 * float(row["parameters"]) * float(row["tokens"])
            rule.append(abs(useful / (0.4 * find(row["gpu"]).fp16_flops_per_s * 3600) / hours - 1))
    assert statistics.median(ours) < statistics.median(rule)
    assert max(ours) < max(rule)


@pytest.mark.parametrize("row", [row for row in REFERENCE if row["total_flops"]], ids=lambda row: row["name"])
def test_published_totals_are_met_within_two_percent(row: dict[str, str]) -> None:
    given = {"parameters": row["parameters"], "tokens": row["tokens"], "gpu": row["gpu"] or "v100-sxm-32gb"}
    assert estimate_train(given)[1].total_flops == pytest.approx(float(row["total_flops"]), rel=0.02)


@pytest.mark.parametrize("row", MEGATRON, ids=lambda row: row["name"])
def test_the_megatron_steps_are_met_within_ten_percent_given_their_recomputation(row: dict[str, str]) -> None:
    keys = ("layers", "hidden", "heads", "vocabulary", "sequence_length", "global_batch", "gpu", "gpus", "recompute")
    _, found = estimate_train({key: row[key] for key in keys} | {"tokens": "300B"})
    assert found.step_s.expected == pytest.approx(float(row["step_s"]), rel=0.10)
    assert found.step_s.low <= float(row["step_s"]) <= found.step_s.high


# --- what must hold whatever the figures are


def test_time_gpu_hours_steps_and_speed_agree_with_one_another() -> None:
    found = train(setup())
    whole = found.step_s.expected * found.plan.steps / (1 - found.lost.expected)
    assert found.days.expected == pytest.approx(whole / 86_400)
    assert found.gpu_hours.expected == pytest.approx(found.days.expected * 24 * 512)
    assert found.tokens_per_s.expected * found.step_s.expected == pytest.approx(found.plan.batch_tokens)
    reached = found.tflops_per_gpu.expected * 1e12
    assert reached * 512 * found.step_s.expected == pytest.approx(found.hardware_flops / found.plan.steps)
    assert found.mfu.expected < reached / 312e12 <= found.hfu.expected


@pytest.mark.parametrize(
    "shape", [SEVEN, known_model("mixtral-8x7b"), known_model("bert-base"), CNN], ids=lambda s: s.name
)
def test_more_tokens_take_longer_and_more_gpus_less_long_but_more_hours(shape: ModelShape) -> None:
    few, many = train(setup(shape=shape, gpus=64)), train(setup(shape=shape, gpus=4_096))
    assert many.days.expected < few.days.expected
    assert many.gpu_hours.expected >= few.gpu_hours.expected
    twice = train(setup(shape=shape, gpus=64, tokens=2e12))
    assert twice.days.expected == pytest.approx(2 * few.days.expected)


def test_recomputing_everything_takes_about_a_third_longer() -> None:
    none, full = train(setup(recompute="none")), train(setup(recompute="full"))
    assert 1.2 < full.days.expected / none.days.expected < 1.5
    assert full.mfu.expected < none.mfu.expected
    assert full.days.expected > none.days.expected
    assert full.exact_flops == none.exact_flops < full.hardware_flops


def test_a_measured_efficiency_takes_the_place_of_the_fitted_one() -> None:
    found = train(setup(hfu=Range.exactly(0.5), measurement_ids=("m1",)))
    assert found.hfu == Range.exactly(0.5)
    assert found.tflops_per_gpu.expected == pytest.approx(0.5 * 312, rel=0.01)
    assert found.step_s.spread == pytest.approx(1)


def test_a_cluster_on_slow_links_takes_longer() -> None:
    slow = replace(A100, intra_node_bytes_per_s=32e9, network_bytes_per_s=1e9)
    large = shape_from_parameters(70e9)
    assert train(setup(shape=large, gpu=slow)).days.expected > train(setup(shape=large)).days.expected


def test_experts_cost_what_a_token_passes_through_and_no_more() -> None:
    dense, mixture = train(setup(shape=shape_from_parameters(13e9))), train(setup(shape=known_model("mixtral-8x7b")))
    assert mixture.total_flops == pytest.approx(dense.total_flops, rel=0.02)
    assert mixture.days.expected > dense.days.expected  # experts fill a GPU less


def test_fp8_is_faster_where_a_device_has_it_and_refused_where_not() -> None:
    assert train(setup(gpu=H100, precision="fp8")).days.expected < train(setup(gpu=H100)).days.expected
    with pytest.raises(InvalidInput, match="No fp8 peak"):
        train(setup(precision="fp8"))


# --- adapters


def test_lora_leaves_out_a_third_of_the_matrices_operations() -> None:
    full, lora = train(setup(recompute="none")), train(setup(recompute="none", method="lora"))
    assert lora.total_flops == pytest.approx(full.total_flops * 2 / 3)
    assert 1.35 < full.hardware_flops / lora.hardware_flops < 1.5  # NeMo's tables: 1.39 to 1.47 times as fast
    assert 1.35 < full.days.expected / lora.days.expected < 1.5


def test_qlora_is_slower_than_lora_and_less_sure() -> None:
    lora, qlora = train(setup(method="lora")), train(setup(method="qlora"))
    assert 1.2 < qlora.days.expected / lora.days.expected < 1.4
    assert qlora.days.spread > lora.days.spread


def test_adapters_are_rank_times_in_and_out_of_each_matrix() -> None:
    """Llama 3 8B at rank 16: 41.9 million (q, k, v, o, gate, up, down), as peft counts them."""
    plan = train(setup(shape=known_model("llama-3-8b"), method="lora")).plan
    kv, hidden, ffn = 1024, 4096, 14_336
    by_hand = 32 * 16 * (2 * (hidden + hidden) + 2 * (hidden + kv) + 3 * (hidden + ffn))
    assert plan.trainable_parameters == by_hand == 41_943_040


def test_adapters_of_experts_are_all_trained_and_few_are_passed() -> None:
    shape = known_model("qwen3-30b-a3b")
    plan = train(setup(shape=shape, method="lora")).plan
    assert plan.trainable_parameters == lora_parameters(shape, 16, (*ATTENTION_TARGETS, *FFN_TARGETS))
    assert plan.adapters_per_token < plan.trainable_parameters / 8
    lora, full = train(setup(shape=shape, method="lora")), train(setup(shape=shape))
    assert lora.exact_flops < 0.75 * full.exact_flops


# --- what is not said


def test_what_is_not_said_is_taken_as_published_and_told() -> None:
    told = "; ".join(train(TrainSetup(shape=SEVEN, gpu=A100, tokens=1e12)).plan.assumed)
    for part in ("GPUs, enough to finish in 30 days", "2,048 tokens", "4,000,000 tokens a step", "selective", "over 1"):
        assert part in told
    said = {"sequence_length": 2048, "global_batch": 2048, "recompute": "none", "tensor_parallel": 1}
    assert train(setup(**said)).plan.assumed == ()


@pytest.mark.parametrize(
    ("parameters", "tokens", "gpu"),
    [(1e8, 1e9, A100), (7e9, 1e11, A100), (7e9, 1e12, A100), (70e9, 2e12, H100), (70e9, 2e12, find("gb200"))],
)
def test_without_a_number_of_gpus_whole_nodes_are_taken_that_finish_in_a_month(
    parameters: float, tokens: float, gpu: Any
) -> None:
    found = train(TrainSetup(shape=shape_from_parameters(parameters), gpu=gpu, tokens=tokens))
    gpus = found.plan.gpus
    assert gpus % gpu.node_gpus == 0 or gpus < gpu.node_gpus
    assert gpus & (gpus - 1) == 0 or gpus % gpu.node_gpus == 0
    assert found.days.expected < DAYS * 1.15
    if gpus > gpu.node_gpus:
        assert found.days.expected > DAYS / 2


def test_more_gpus_than_there_are_in_the_world_are_not_proposed() -> None:
    with pytest.raises(InvalidInput, match="In 30 days this takes"):
        train(TrainSetup(shape=shape_from_parameters(1e14), gpu=A100, tokens=1e15))


def test_proposed_gpus_hold_the_tensor_parallelism_that_was_asked_for() -> None:
    found = train(TrainSetup(shape=SEVEN, gpu=A100, tokens=1e7, tensor_parallel=16))
    assert found.plan.gpus >= 16


def test_sequences_are_no_longer_than_the_model_reads() -> None:
    assert train(setup(shape=known_model("bert-base"))).plan.sequence_length == 512
    assert train(setup(shape=known_model("llama-3-8b"))).plan.sequence_length == 2_048


def test_a_step_is_no_larger_than_the_run() -> None:
    assert train(setup(tokens=1_000)).plan.steps == 1
    assert train(setup(tokens=1_000)).plan.batch_tokens == 1_000


def test_a_network_of_samples_is_trained_in_batches_of_samples() -> None:
    """90 epochs of ImageNet on ResNet-50: 115 million samples of 3 × 8.2 GFLOP."""
    found = train(setup(shape=CNN, tokens=115e6, gpus=8))
    assert found.total_flops == pytest.approx(3 * 8.2e9 * 115e6)
    assert found.plan.batch_tokens == 1_024
    assert "1,024 samples a step" in found.plan.assumed
    assert not any("sequences" in one for one in found.plan.assumed)


# --- what cannot be


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"tokens": 0}, "tokens is 0"),
        ({"tokens": -1e9}, "tokens is -1,000,000,000"),
        ({"tokens": float("nan")}, "tokens is nan"),
        ({"tokens": float("inf")}, "tokens is inf"),
        ({"tokens": 1e30}, "tokens is"),
        ({"gpus": 0}, "gpus is 0 (from 1 to 1,000,000)"),
        ({"gpus": 10**9}, "gpus is 1,000,000,000"),
        ({"sequence_length": 0}, "sequence_length is 0"),
        ({"global_batch": -1}, "global_batch is -1"),
        ({"lora_rank": 0, "method": "lora"}, "lora_rank is 0"),
        ({"tensor_parallel": 1_024}, "tensor_parallel is 1,024 (from 1 to 512)"),
        ({"method": "dora"}, "method is 'dora' (one of full, lora, qlora)"),
        ({"precision": "int4"}, "precision is 'int4' (one of fp32, fp16, bf16, fp8)"),
        ({"hfu": Range(0, 0.4, 0.5)}, "hfu is 0.4"),
        ({"hfu": Range(40, 40, 40)}, "hfu is 40 (more than 0, at most 1.2)"),
        ({"shape": CNN, "method": "lora"}, "adapters need a transformer's layers"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_named_with_what_is_allowed(fault: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        train(setup(**fault))
    assert told in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        train(setup(tokens=0, gpus=-1, method="x"))
    assert all(part in str(refused.value) for part in ("tokens is 0", "gpus is -1", "method is 'x'"))


@pytest.mark.parametrize("gpus", [1, 1_000_000])
@pytest.mark.parametrize("parameters", [1e5, 1e14])
def test_the_ends_of_what_is_allowed_give_finite_figures_in_order(parameters: float, gpus: int) -> None:
    for tokens in (1, 1e18):
        found = train(setup(shape=shape_from_parameters(parameters), tokens=tokens, gpus=gpus))
        assert 0 < found.step_s.low <= found.step_s.expected <= found.step_s.high
        assert 0 < found.mfu.expected < 1


def test_a_whole_estimate_takes_less_than_fifty_milliseconds() -> None:
    given: dict[str, Any] = {"parameters": "70B", "tokens": "2T", "gpu": "h100-sxm-80gb", "gpus": 512}
    estimate_train(given)
    took = []
    for _ in range(5):
        started = time.perf_counter()
        estimate_train(given)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.05


def test_a_shape_by_hand_and_by_its_count_take_the_same_time_within_a_tenth() -> None:
    by_hand = shape_by_hand(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28_672, vocabulary=32_000)
    first, second = train(setup(shape=by_hand)), train(setup(shape=shape_from_parameters(by_hand.parameters)))
    assert first.days.expected == pytest.approx(second.days.expected, rel=0.1)

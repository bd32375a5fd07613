"""What fits: bounds that hold on both sides, machines that are the smallest, and remedies that work."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.estimate.fitting import (
    USABLE,
    Plan,
    best_plan,
    fits,
    largest_batch,
    largest_context,
    largest_model,
    memory_of,
    smallest_machine,
    ways,
    with_batch,
    with_context,
)
from core.estimate.hardware import Accelerator, find
from core.estimate.memory import InferencePlan, TrainingPlan
from core.estimate.parallel import node_counts
from core.estimate.remedies import what_would_fit
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.shape_from_config import shape_from_config

LLAMA_8B = shape_by_hand(
    name="Llama 3 8B", layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14_336, gated=True, vocabulary=128_256
)
LLAMA_70B = shape_by_hand(
    name="Llama 3 70B", layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28_672, gated=True, vocabulary=128_256
)
A100, H100, RTX_4090 = find("a100-sxm-80gb"), find("h100-sxm-80gb"), find("rtx4090-24gb")
PLANS: list[Plan] = [
    TrainingPlan(method="qlora", sequence_length=512),
    TrainingPlan(method="lora", recompute="full"),
    InferencePlan(context=2048),
    InferencePlan(precision="int4", cache_precision="fp8"),
]


@pytest.mark.parametrize("plan", PLANS)
def test_one_more_than_the_largest_batch_does_not_fit(plan: Plan) -> None:
    most = largest_batch(LLAMA_8B, plan, A100)
    assert most > 0
    assert fits(LLAMA_8B, with_batch(plan, most), A100)
    assert not fits(LLAMA_8B, with_batch(plan, most + 1), A100)


@pytest.mark.parametrize("plan", PLANS)
def test_one_token_more_than_the_largest_context_does_not_fit(plan: Plan) -> None:
    most = largest_context(LLAMA_8B, plan, A100)
    assert fits(LLAMA_8B, with_context(plan, most), A100)
    assert not fits(LLAMA_8B, with_context(plan, most + 1), A100)


def test_nothing_fits_is_zero_not_an_error() -> None:
    assert largest_batch(LLAMA_70B, TrainingPlan(), RTX_4090) == 0
    assert largest_context(LLAMA_70B, InferencePlan(), RTX_4090) == 0


def test_the_largest_model_fits_and_a_larger_one_does_not() -> None:
    plan = InferencePlan(precision="int4")
    shape = largest_model(plan, RTX_4090)
    assert shape is not None
    assert 20e9 < shape.parameters < 35e9  # 24 GB hold a 30B model in 4 bits and no 40B one
    assert fits(shape, plan, RTX_4090)


def test_full_fine_tuning_of_7b_does_not_fit_80_gb_and_3b_does() -> None:
    shape = largest_model(TrainingPlan(recompute="full"), A100)
    assert shape is not None
    assert 3e9 < shape.parameters < 4.5e9  # 80 GB ÷ 18 bytes


def test_no_model_fits_a_device_without_memory() -> None:
    assert largest_model(TrainingPlan(), replace(A100, memory_bytes=0.5e9)) is None


@pytest.mark.slow
def test_a_networks_samples_are_bounded_too() -> None:
    resnet = shape_from_config({"model_type": "resnet", "architectures": ["ResNetForImageClassification"]})
    most = largest_batch(resnet, TrainingPlan(precision="fp32"), find("t4-16gb"))
    assert 80 < most < 200  # fp32 ResNet-50 on 16 GB: 128 is what people run
    with pytest.raises(InvalidInput, match="no context"):
        largest_context(resnet, TrainingPlan(), A100)


def test_the_smallest_machine_is_the_fewest_of_each_that_fit() -> None:
    for machine in smallest_machine(LLAMA_70B, InferencePlan(context=8192)):
        assert machine.gpu_bytes <= machine.usable_bytes == machine.accelerator.memory_bytes * USABLE
        fewer = [n for n in node_counts(machine.accelerator.node_gpus, 1024) if n < machine.gpus]
        assert all(best_plan(LLAMA_70B, InferencePlan(context=8192), machine.accelerator, n) is None for n in fewer)


def test_llama_70b_just_runs_on_two_80_gb_gpus_and_serves_on_four() -> None:
    """141 GB of 16-bit weights: two H100 have room for one request, four for a batch; one suffices in 4 bits."""
    found = {one.accelerator.id: one.gpus for one in smallest_machine(LLAMA_70B, InferencePlan())}
    assert (found["h100-sxm-80gb"], found["h200-sxm-141gb"], found["mi300x-192gb"]) == (2, 2, 1)
    batch = InferencePlan(batch=32, context=8192)
    assert {one.accelerator.id: one.gpus for one in smallest_machine(LLAMA_70B, batch)}["h100-sxm-80gb"] == 4
    four_bits = {one.accelerator.id: one.gpus for one in smallest_machine(LLAMA_70B, InferencePlan(precision="int4"))}
    assert four_bits["h100-sxm-80gb"] == 1


def test_machines_are_ordered_by_memory_or_by_price() -> None:
    plan = InferencePlan()
    by_memory = smallest_machine(LLAMA_8B, plan)
    assert [one.memory_bytes for one in by_memory] == sorted(one.memory_bytes for one in by_memory)
    prices = {"h100-sxm-80gb": 2.0, "a100-sxm-80gb": 1.0}
    by_price = smallest_machine(LLAMA_8B, plan, usd_per_gpu_hour=prices)
    assert [one.accelerator.id for one in by_price[:2]] == ["a100-sxm-80gb", "h100-sxm-80gb"]
    assert by_price[2].usd_per_hour is None  # no price is unknown, not free


def test_a_model_too_large_for_every_machine_gives_none() -> None:
    assert smallest_machine(LLAMA_70B, TrainingPlan(), table=[RTX_4090], most_gpus=8) == ()


def test_tensor_parallel_divides_the_heads() -> None:
    odd = shape_by_hand(layers=30, hidden=576, heads=9, kv_heads=3, ffn=1536, gated=True, vocabulary=49_152)
    assert all(9 % plan.tensor_parallel == 0 for plan, _ in ways(odd, InferencePlan(), 8, 8))
    assert all(9 % plan.tensor_parallel == 0 for plan, _ in ways(odd, TrainingPlan(), 8, 8))


def test_every_way_uses_all_gpus_and_can_be_estimated() -> None:
    for plan, needed in ways(LLAMA_70B, TrainingPlan(), 64, 8):
        assert isinstance(plan, TrainingPlan)
        assert plan.split.gpus == 64
        assert memory_of(LLAMA_70B, plan).total.value.expected == pytest.approx(needed)


@pytest.mark.parametrize(
    ("plan", "accelerator", "gpus", "expected"),
    [
        (TrainingPlan(sequence_length=8192), A100, 1, {"LoRA", "QLoRA"}),
        (InferencePlan(context=8192), H100, 1, {"weights in int4"}),
        (TrainingPlan(method="lora", recompute="full"), H100, 1, {"QLoRA"}),
    ],
)
def test_remedies_fit_by_themselves(plan: Plan, accelerator: Accelerator, gpus: int, expected: set[str]) -> None:
    shape = LLAMA_8B if isinstance(plan, TrainingPlan) and plan.method == "full" else LLAMA_70B
    changes = what_would_fit(shape, plan, accelerator, gpus)
    assert expected <= {change.what for change in changes}
    for change in changes:
        assert change.gpu_bytes <= accelerator.memory_bytes * USABLE
        assert memory_of(shape, change.plan).total.value.expected == pytest.approx(change.gpu_bytes)


def test_more_gpus_are_offered_with_their_plan() -> None:
    changes = what_would_fit(LLAMA_8B, TrainingPlan(), A100)
    more = next(change for change in changes if change.gpus > 1)
    assert "GPUs" in more.what
    assert best_plan(LLAMA_8B, TrainingPlan(), A100, more.gpus // 2) is None


def test_several_changes_are_put_together_where_none_is_enough() -> None:
    l4 = find("l4-24gb")
    changes = what_would_fit(LLAMA_8B, TrainingPlan(sequence_length=8192, micro_batch=4), l4)
    assert any(" and " in change.what and change.gpus == 1 for change in changes)


def test_a_shorter_context_is_offered_when_the_cache_is_what_is_too_large() -> None:
    changes = what_would_fit(LLAMA_8B, InferencePlan(context=1_000_000), H100)
    assert any(change.what.startswith("a context of") for change in changes)


def test_what_fits_needs_no_remedy() -> None:
    assert what_would_fit(LLAMA_8B, InferencePlan(), H100) == ()


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match="usable share"):
        fits(LLAMA_8B, InferencePlan(), H100, 1.5)


def test_a_faulty_plan_is_refused_before_searching() -> None:
    with pytest.raises(InvalidInput, match="int5"):
        smallest_machine(LLAMA_8B, InferencePlan(precision="int5"))


def test_searches_answer_within_a_fifth_of_a_second() -> None:
    started = time.perf_counter()
    largest_batch(LLAMA_8B, TrainingPlan(method="lora"), A100)
    largest_context(LLAMA_8B, TrainingPlan(method="lora"), A100)
    smallest_machine(LLAMA_70B, TrainingPlan(sequence_length=4096))
    what_would_fit(LLAMA_70B, TrainingPlan(sequence_length=4096), RTX_4090)
    assert time.perf_counter() - started < 0.2

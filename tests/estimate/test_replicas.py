"""Replicas, queues and demand against published queueing tables and arithmetic by hand."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.estimate.demand import FLAT_CURVE, demand_at_peak, demand_by_hour, demand_of_users
from core.estimate.erlang import LATE_SHARE, late_share, replicas_needed, waiting_share
from core.estimate.hardware import find
from core.estimate.ranges import Range
from core.estimate.replicas import LatencyTarget, replicas
from core.estimate.serve_setup import ServeSetup
from core.estimate.shape_by_hand import shape_by_hand

LLAMA_8B = shape_by_hand(
    name="Llama 3.1 8B",
    layers=32,
    hidden=4096,
    heads=32,
    kv_heads=8,
    ffn=14336,
    vocabulary=128256,
    context=131_072,
)
SETUP = ServeSetup(
    shape=LLAMA_8B,
    gpu=find("h100-sxm-80gb"),
    precision="bf16",
    prompt_tokens=1_000,
    output_tokens=250,
    usd_per_gpu_hour=Range(2.0, 3.0, 4.0),
)
EASY = LatencyTarget(ttft_s=2.0, time_per_token_s=0.1)


def test_erlang_c_agrees_with_the_textbook() -> None:
    # One server: the load itself. Two servers at load 1: 1/3 (Kleinrock 1975). Ten at 8: 0.409 (Erlang's tables).
    assert waiting_share(1, 0.7) == pytest.approx(0.7)
    assert waiting_share(2, 1.0) == pytest.approx(1 / 3)
    assert waiting_share(10, 8.0) == pytest.approx(0.409, abs=0.001)


def test_the_limit_for_many_slots_joins_the_exact_values() -> None:
    assert waiting_share(225, 200.0) == pytest.approx(waiting_share(226, 200.9), abs=0.01)


def test_an_overloaded_queue_always_waits() -> None:
    assert waiting_share(4, 5.0) == 1.0
    assert waiting_share(400, 500.0) == 1.0


@pytest.mark.parametrize(("load", "batch"), [(0.5, 1), (12.0, 8), (90.0, 16), (950.0, 32)])
def test_one_replica_fewer_would_be_late(load: float, batch: int) -> None:
    count = replicas_needed(load, batch, 5.0, 0.5)
    assert late_share(count * batch, load, 5.0, 0.5) <= LATE_SHARE
    assert count == 1 or late_share((count - 1) * batch, load, 5.0, 0.5) > LATE_SHARE


def test_users_become_requests_a_second() -> None:
    demand = demand_of_users(86_400, 10, curve=FLAT_CURVE)
    assert demand.mean_requests_per_s == pytest.approx(10)
    assert demand.requests_per_month == pytest.approx(86_400 * 10 * 30.4375)


def test_the_default_day_keeps_mean_and_peaks_in_the_afternoon() -> None:
    demand = demand_of_users(1_000, 20)
    assert demand.mean_requests_per_s == pytest.approx(1_000 * 20 / 86_400)
    assert demand.hourly_requests_per_s.index(demand.peak_requests_per_s) == 14
    assert demand_at_peak(5.0).peak_requests_per_s == pytest.approx(5.0)


def test_capacity_covers_the_peak_and_the_bill_follows_the_gpus() -> None:
    plan = replicas(SETUP, demand=demand_at_peak(50.0), target=EASY)
    count = plan.replicas.value.expected
    assert count * plan.requests_per_s_per_replica.value.expected >= 50.0
    assert plan.gpus.value.expected == count
    assert plan.usd_per_month.value.expected == pytest.approx(count * 3.0 * 24 * 30.4375)
    assert 0.5 < plan.utilisation_at_peak.value.expected <= 1
    assert plan.waiting_share_at_peak.value.expected <= 1


def test_autoscaling_follows_the_curve_and_costs_less() -> None:
    plan = replicas(SETUP, demand=demand_at_peak(200.0), target=EASY)
    assert len(plan.hourly_replicas) == 24
    assert max(plan.hourly_replicas) == plan.replicas.value.expected
    assert plan.usd_per_month_autoscaled.value.expected == pytest.approx(sum(plan.hourly_replicas) * 3.0 * 30.4375)
    assert plan.usd_per_month_autoscaled.value.expected < plan.usd_per_month.value.expected
    assert plan.mean_utilisation_autoscaled.value.expected > plan.mean_utilisation.value.expected


def test_a_flat_day_gains_nothing_from_autoscaling() -> None:
    plan = replicas(SETUP, demand=demand_by_hour([40.0] * 24), target=EASY)
    assert plan.usd_per_month_autoscaled.value == plan.usd_per_month.value


def test_a_tighter_target_takes_a_smaller_batch_and_more_gpus() -> None:
    demand = demand_at_peak(50.0)
    loose = replicas(SETUP, demand=demand, target=LatencyTarget(time_per_token_s=0.05))
    tight = replicas(SETUP, demand=demand, target=LatencyTarget(time_per_token_s=0.010))
    assert tight.batch.value.expected < loose.batch.value.expected
    assert tight.time_per_token_s
    assert tight.time_per_token_s.value.expected <= 0.010
    assert tight.replicas.value.expected > loose.replicas.value.expected


def test_a_user_pays_a_share_of_the_month() -> None:
    plan = replicas(SETUP, demand=demand_of_users(5_000, 30), target=EASY)
    assert plan.usd_per_user_month
    assert plan.usd_per_user_month.value.expected == pytest.approx(plan.usd_per_month.value.expected / 5_000)
    assert replicas(SETUP, demand=demand_at_peak(5.0), target=EASY).usd_per_user_month is None


def test_every_figure_has_its_origin_and_a_range() -> None:
    plan = replicas(SETUP, demand=demand_of_users(500_000, 30), target=EASY)
    for one in plan.figures:
        assert all((one.formula, one.source, one.inputs)), one.key
    assert plan.replicas.value.low < plan.replicas.value.expected < plan.replicas.value.high
    assert {"price of a GPU-hour"} <= {driver.name for driver in plan.usd_per_month.drivers}


def test_zero_demand_is_refused() -> None:
    for ask in (
        lambda: demand_at_peak(0.0),
        lambda: demand_by_hour([0.0] * 24),
        lambda: demand_of_users(0, 10),
        lambda: demand_of_users(10, 0),
        lambda: demand_at_peak(-1.0),
        lambda: demand_by_hour([1.0] * 23),
        lambda: demand_at_peak(float("inf")),
        lambda: demand_at_peak(1e9),
    ):
        with pytest.raises(InvalidInput):
            ask()


def test_a_target_out_of_reach_says_the_best_and_what_helps() -> None:
    with pytest.raises(InvalidInput) as told:
        replicas(SETUP, demand=demand_at_peak(5.0), target=LatencyTarget(time_per_token_s=0.004))
    assert "A request alone takes" in str(told.value)
    assert "tensor_parallel: 4" in str(told.value)
    assert "fp8" in str(told.value)


def test_a_target_that_nothing_reaches_asks_for_another_model() -> None:
    with pytest.raises(InvalidInput, match="relax the target"):
        replicas(SETUP, demand=demand_at_peak(5.0), target=LatencyTarget(time_per_token_s=1e-6))


def test_a_target_of_no_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be met"):
        LatencyTarget(ttft_s=0.0)


def test_an_encoder_can_be_scaled_too() -> None:
    bert = shape_by_hand(layers=12, hidden=768, heads=12, vocabulary=30_522, kind="encoder", positions=512, context=512)
    setup = replace(SETUP, shape=bert, precision="fp16", prompt_tokens=128, output_tokens=0)
    plan = replicas(setup, demand=demand_at_peak(1_000.0), target=LatencyTarget(ttft_s=0.05))
    assert plan.time_per_token_s is None
    assert plan.replicas.value.expected >= 1
    assert plan.ttft_s.value.expected <= 0.05


@pytest.mark.parametrize("peak", [0.01, 20.0, 5_000.0])
def test_a_plan_is_quick_enough_for_a_page(peak: float) -> None:
    started = time.perf_counter()
    replicas(SETUP, demand=demand_at_peak(peak), target=EASY)
    assert time.perf_counter() - started < 0.15


BARE = LatencyTarget(time_per_token_s=0.0068)  # met by no more than a few at once, and by none at a bad end


def test_a_target_barely_met_keeps_its_batch_and_no_fleet_explodes() -> None:
    plan = replicas(SETUP, demand=demand_of_users(200_000, 10), target=BARE)
    assert plan.batch.value.low == plan.batch.value.expected == plan.batch.value.high
    assert plan.replicas.value.high < 2 * plan.replicas.value.expected
    assert plan.time_per_token_s
    assert plan.time_per_token_s.value.high > 0.0068  # said, not hidden by fewer at once


def test_by_how_much_a_bad_end_misses_the_target_is_said() -> None:
    plan = replicas(SETUP, demand=demand_of_users(200_000, 10), target=BARE)
    assert plan.time_per_token_s
    missed = plan.time_per_token_s.value.high / 0.0068 - 1
    [note] = [note for note in plan.notes if "would be missed" in note]
    assert f"missed by {missed:.0%}" in note
    assert f"keeps its {plan.batch.value.expected:.0f} requests at once" in note
    easy = replicas(SETUP, demand=demand_at_peak(5.0), target=LatencyTarget(ttft_s=60.0))
    assert not any("would be missed" in note for note in easy.notes)


@pytest.mark.parametrize("users", [20, 20_000, 200_000, 2_000_000])
def test_no_share_exceeds_one_and_what_is_counted_is_whole(users: float) -> None:
    for target in (EASY, BARE, LatencyTarget()):
        plan = replicas(replace(SETUP, tensor_parallel=2), demand=demand_of_users(users, 10), target=target)
        assert all(one.value.high <= 1 for one in plan.figures if one.unit == "share")
        for one in (plan.replicas, plan.gpus, plan.batch):
            assert all(end == int(end) >= 1 for end in (one.value.low, one.value.expected, one.value.high))
        assert plan.gpus.value == plan.replicas.value * 2


def test_an_encoders_replicas_speak_of_a_pass() -> None:
    bert = shape_by_hand(layers=12, hidden=768, heads=12, vocabulary=30_522, kind="encoder", positions=512, context=512)
    setup = replace(SETUP, shape=bert, precision="fp16", prompt_tokens=128, output_tokens=0)
    plan = replicas(setup, demand=demand_at_peak(1_000.0), target=LatencyTarget(ttft_s=0.05))
    assert plan.ttft_s.label == "Time of a pass"
    words = " ".join([*plan.notes, *(f"{one.label} {one.inputs}" for one in plan.figures)])
    assert "first token" not in words
    assert "output tokens" not in words
    with pytest.raises(InvalidInput) as told:
        replicas(setup, demand=demand_at_peak(1.0), target=LatencyTarget(ttft_s=1e-6))
    assert "first token" not in str(told.value)

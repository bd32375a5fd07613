"""Calibration on the cells of README, and on made-up ones whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.calibration import calibrations, this_machine
from core.estimate.calibration_check import predicted_against_measured
from core.estimate.ranges import Range
from core.estimate.serving import ServeEstimate, serve
from core.store.measurements import MeasurementRecord
from core.store.runs import RunRecord
from tests.estimate.readme_cells import README_CELLS, SMOLLM2
from tests.measurements import record

SHAPES = {"smollm2-135m-instruct": SMOLLM2}
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def run(**changes: Any) -> RunRecord:
    facts: dict[str, Any] = {
        "id": "r1",
        "created_at": NOW,
        "finished_at": NOW,
        "status": "done",
        "finish_reason": "stop",
        "model_id": "smollm2-135m-instruct",
        "revision": "b179c9523d0e",
        "precision": "int8",
        "backend": "onnx",
        "device": "cpu",
        "parameters": {},
        "seed": 1,
        "prompt": {},
        "prompt_tokens": 128,
        "completion_tokens": 64,
        "cached_tokens": 0,
        "text": "",
        "ttft_s": 0.12,
        "tokens_per_s": 118.0,
        "queue_s": 0.0,
        "load_s": 0.0,
        "app_version": "0",
        "host": "here",
        "pid": 1,
        "process_started_at": NOW,
        "heartbeat_at": NOW,
        "parent_run_id": None,
        "error": None,
    }
    return RunRecord(**(facts | changes))


def gpu_cell(place: int, *, share: float = 0.8, overhead_s: float = 0.0, bytes_moved: float = 1e9) -> MeasurementRecord:
    """1 TB/s and 100 TFLOP/s; a decode step of so many bytes, a prefill of 1e12 operations at 0.6 of the peak."""
    return record(
        id=f"gpu{place}",
        device="cuda",
        device_name="NVIDIA Made Up",
        precision="fp16",
        backend="torch",
        prompt_tokens=100,
        batch=1,
        prefill_flop=1e12,
        prefill_bytes=bytes_moved,
        prefill_tokens_per_s=100 / (1e12 / 60e12 + overhead_s),
        decode_flop=1e9,
        decode_bytes=bytes_moved,
        decode_tokens_per_s=1 / (bytes_moved / (1e12 * share) + overhead_s),
        flop_per_s_limit=100e12,
        bandwidth_bytes_per_s=1e12,
    )


def test_shares_of_the_limits_are_found_again() -> None:
    (found,) = calibrations([gpu_cell(place, share=share) for place, share in enumerate((0.7, 0.8, 0.9))])
    assert found.decode.expected == pytest.approx(0.8)
    assert found.prefill.expected == pytest.approx(0.6)
    assert found.decode.low < 0.7
    assert found.decode.high > 0.9
    assert found.machine.fp16_flops_per_s == 100e12
    assert found.machine.kind == "gpu"
    assert found.measurement_ids == ("gpu0", "gpu1", "gpu2")


def test_one_cell_is_less_sure_than_many() -> None:
    (one,), (many,) = calibrations([gpu_cell(0)]), calibrations([gpu_cell(place) for place in range(12)])
    assert one.decode.spread > 1.5 * many.decode.spread


def test_an_overhead_is_found_where_the_work_differs_and_not_else() -> None:
    sizes = (1e9, 2e9, 4e9, 8e9, 16e9)
    (with_it,) = calibrations([gpu_cell(n, overhead_s=2e-3, bytes_moved=size) for n, size in enumerate(sizes)])
    assert with_it.step_overhead_s.expected == pytest.approx(2e-3, rel=0.01)
    assert with_it.decode.expected == pytest.approx(0.8, rel=0.01)
    (alike,) = calibrations([gpu_cell(n, overhead_s=2e-3) for n in range(5)])
    assert alike.step_overhead_s == Range.exactly(0.0)


def test_a_machine_and_a_precision_have_each_their_own() -> None:
    found = calibrations([*README_CELLS, gpu_cell(0), replace(README_CELLS[0], host="there")])
    assert [(one.host, one.precision) for one in found] == [
        ("here", "fp32"),
        ("here", "int8"),
        ("there", "int8"),
        ("here", "fp16"),
    ]


def test_the_readmes_cells_give_the_shares_that_it_prints() -> None:
    # README prints prefill at 24 to 28 % in int8 and 54 to 79 % in fp32, decode at 34 to 65 %; a CPU's decode step
    # multiplies as well as reads, so that its share of the bandwidth alone is a little higher.
    fp32, int8 = calibrations(README_CELLS)
    assert 0.24 <= int8.prefill.expected <= 0.31
    assert 0.54 <= fp32.prefill.expected <= 0.85
    assert 0.45 <= int8.decode.expected <= 0.65 < fp32.decode.expected <= 0.75
    assert int8.machine.flops_per_s("int8") == 832e9
    assert fp32.machine.flops_per_s("fp32") == 220e9


def test_cells_predicted_from_the_others_come_out_better_than_by_default() -> None:
    checked = predicted_against_measured(README_CELLS, shapes=SHAPES)
    assert checked.calibrated.count == checked.default.count == 12
    assert checked.calibrated.median_error <= 0.10 < 0.2 < checked.default.median_error
    assert checked.calibrated.share_inside >= 0.9
    assert checked.default.share_inside >= 0.8
    assert checked.left_out == ()


def test_a_cell_is_not_predicted_from_itself() -> None:
    odd = replace(README_CELLS[0], prefill_tokens_per_s=5_000.0, decode_tokens_per_s=600.0)
    with_it = predicted_against_measured([odd, *README_CELLS[1:3]], shapes=SHAPES)
    plain = predicted_against_measured(README_CELLS[:3], shapes=SHAPES)
    first, second = ([one.calibrated for one in made.predictions if one.id == odd.id] for made in (with_it, plain))
    assert first == second
    assert not any(one.calibrated_inside for one in with_it.predictions if one.id == odd.id)


def test_a_lone_cell_has_only_the_default() -> None:
    checked = predicted_against_measured(README_CELLS[:1], shapes=SHAPES)
    assert all(one.calibrated is None and one.calibrated_error is None for one in checked.predictions)
    assert checked.calibrated.count == 0
    assert checked.default.count == 2


def test_runs_of_the_playground_are_held_against_all_cells() -> None:
    checked = predicted_against_measured(README_CELLS, shapes=SHAPES, runs=[run()])
    found = {one.quantity: one for one in checked.predictions if one.origin == "run"}
    assert found["first token s"].calibrated_inside
    assert found["decode tokens/s"].calibrated_inside
    assert found["first token s"].calibrated
    assert found["first token s"].calibrated.expected == pytest.approx(0.12, rel=0.2)


def test_a_cached_prompt_is_not_read_again() -> None:
    fresh, cached = run(id="a", prompt_tokens=512), run(id="b", prompt_tokens=512, cached_tokens=448)
    checked = predicted_against_measured(README_CELLS, shapes=SHAPES, runs=[fresh, cached])
    times = {one.id: one.default.expected for one in checked.predictions if one.quantity == "first token s"}
    assert times["b"] < times["a"] / 4


def test_runs_that_tell_nothing_are_passed_over_and_others_named() -> None:
    dull = [run(status="cancelled"), run(completion_tokens=2, cached_tokens=126), run(prompt_tokens=None)]
    away = [run(id="elsewhere", host="there"), run(id="unknown", model_id="box/model")]
    checked = predicted_against_measured(README_CELLS, shapes=SHAPES, runs=dull + away)
    assert all(one.origin == "measurement" for one in checked.predictions)
    assert len(checked.left_out) == 2
    assert "core measure" in checked.left_out[0]
    assert "box/model" in checked.left_out[1]


def test_nothing_measured_says_what_to_do_first() -> None:
    with pytest.raises(InvalidInput, match="python -m core measure"):
        predicted_against_measured([], shapes=SHAPES)
    with pytest.raises(InvalidInput, match=r"Measured here: fp32, int8\..*core measure --precision int4"):
        this_machine(README_CELLS, host="here", precision="int4")


def test_the_newest_probe_is_the_machines_limit() -> None:
    later = replace(
        README_CELLS[0],
        id="later",
        created_at=README_CELLS[0].created_at + timedelta(hours=1),
        bandwidth_bytes_per_s=50e9,
    )
    assert (
        this_machine([later, *README_CELLS], host="here", precision="int8").machine.memory_bandwidth_bytes_per_s == 50e9
    )


def served(**changes: Any) -> ServeEstimate:
    found = this_machine(README_CELLS, host="here", precision="int8")
    facts: dict[str, Any] = {
        "gpu": found.machine,
        "precision": "int8",
        "prompt_tokens": 128,
        "output_tokens": 32,
        "concurrency": 1,
        "usd_per_gpu_hour": Range.exactly(0.1),
        "utilisation": Range.exactly(1.0),
        "calibration": found,
    }
    return serve(SMOLLM2, **(facts | changes))


def test_a_calibrated_estimate_names_its_measurements_and_meets_them() -> None:
    made = served()
    assert made.step_s
    assert made.prefill_s
    assert made.step_s.measurement_ids == ("int8-128-1", "int8-128-4", "int8-512-1")
    assert 1 / made.step_s.value.expected == pytest.approx(124.5, rel=0.15)
    assert 128 / made.prefill_s.value.expected == pytest.approx(1_082, rel=0.15)
    assert any("measured cells" in note for note in made.notes)


def test_a_calibration_of_another_machine_or_precision_is_refused() -> None:
    with pytest.raises(InvalidInput, match="the calibration is of int8, not fp32"):
        served(precision="fp32")
    with pytest.raises(InvalidInput, match="not AMD EPYC 2"):
        served(gpu=replace(served_machine(), id="other", name="AMD EPYC 2"))


def served_machine() -> Any:
    return this_machine(README_CELLS, host="here", precision="int8").machine


def busy(cell: MeasurementRecord, share: float = 0.4) -> MeasurementRecord:
    return replace(cell, environment=cell.environment | {"other_work": share})


def test_cells_measured_beside_other_programs_are_left_out_where_quiet_ones_exist() -> None:
    quiet = [gpu_cell(place, share=0.8) for place in range(3)]
    later = timedelta(hours=1)
    disturbed = [replace(busy(gpu_cell(9, share=0.2)), created_at=quiet[0].created_at + later, flop_per_s_limit=1e12)]
    (found,) = calibrations([*quiet, *disturbed])
    assert found.decode.expected == pytest.approx(0.8)
    assert found.measurement_ids == ("gpu0", "gpu1", "gpu2")
    assert found.machine.fp16_flops_per_s == 100e12  # nor is the limit that was probed meanwhile
    assert "1 measured cell is left out" in found.notes[0]
    assert calibrations(quiet)[0].notes == ()


def test_only_busy_cells_are_used_and_said_to_be() -> None:
    (found,) = calibrations([busy(gpu_cell(place)) for place in range(2)])
    assert found.measurement_ids == ("gpu0", "gpu1")
    assert "measure again" in found.notes[0]
    assert found.notes[0] in served(calibration=replace(served_calibration(), notes=found.notes)).notes


def test_a_cell_up_to_the_limit_of_other_work_or_without_any_is_quiet() -> None:
    unsaid = replace(gpu_cell(1), environment={})
    (found,) = calibrations([busy(gpu_cell(0), 0.15), unsaid, busy(gpu_cell(2), 0.16)])
    assert found.measurement_ids == ("gpu0", "gpu1")


def served_calibration() -> Any:
    return this_machine(README_CELLS, host="here", precision="int8")


def test_this_machine_is_counted_as_one_and_not_in_gpus() -> None:
    made = served()
    assert made.tokens_per_s_per_gpu
    assert made.tokens_per_s_per_gpu.label == "Output tokens a second"
    assert not any("GPU" in one.label for one in made.figures)

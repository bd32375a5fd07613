"""A training run's figures: the keys that scripts read, formulas and sources for each, and drivers that explain."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from core.errors import InvalidInput
from core.estimate.figures import Figure
from core.estimate.hardware import find
from core.estimate.hour_price import HourPrice, hour_price
from core.estimate.known_models import known_model
from core.estimate.ranges import Range
from core.estimate.shape_guess import shape_from_parameters
from core.estimate.train_estimate import estimate_train
from core.estimate.train_figures import TrainReport, report
from core.estimate.training import TrainSetup, train

A100 = find("a100-sxm-80gb")
SETUP = TrainSetup(shape=known_model("llama-2-7b"), gpu=A100, tokens=1e12, gpus=2_048)
PRICE = HourPrice(usd_per_gpu_hour=Range(1, 2, 3), source="a table")
WANTED = ("days", "gpu_hours", "total_flops", "tflops_per_gpu", "mfu", "step_s", "cost_usd")
METHODS = ("full", "lora", "qlora")


def made(price: HourPrice = PRICE, region: str | None = None, **changes: Any) -> TrainReport:
    return report(train(replace(SETUP, **changes)), price=price, region=region)


def figure(found: TrainReport, key: str) -> Figure:
    one = found.get(key)
    assert one is not None, key
    return one


def test_the_keys_that_scripts_read_are_there_and_no_key_twice() -> None:
    keys = [one.key for one in made(region="world").figures]
    assert {*WANTED, "energy_kwh", "co2e_kg"} <= set(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("method", METHODS)
def test_every_figure_has_a_label_a_formula_in_latex_and_a_source(method: str) -> None:
    for one in made(region="world", method=method).figures:
        assert all((one.label, one.formula, one.source)), one.key
        assert one.formula.count("{") == one.formula.count("}"), one.key
        assert one.formula.count(r"\left") == one.formula.count(r"\right"), one.key
        assert one.unit, one.key
        assert not re.search(r"nan|inf", str(one.value)), one.key


@pytest.mark.parametrize("method", METHODS)
def test_a_driver_spans_the_expected_figure_and_no_more_than_its_range(method: str) -> None:
    for one in made(region="world", method=method).figures:
        for driver in one.drivers:
            ends = sorted((driver.low, driver.high))
            assert ends[0] <= one.value.expected * (1 + 1e-9), (one.key, driver)
            assert ends[1] >= one.value.expected * (1 - 1e-9), (one.key, driver)
            assert ends[0] >= one.value.low * (1 - 1e-9), (one.key, driver)
            assert ends[1] <= one.value.high * (1 + 1e-9), (one.key, driver)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("key", ["days", "gpu_hours", "cost_usd"])
def test_the_drivers_together_make_the_whole_range(key: str, method: str) -> None:
    """Spreads add in quadrature; what is not named as a driver would be missing here."""
    one = figure(made(method=method), key)
    spread = math.hypot(*(math.log(driver.high / one.value.expected) for driver in one.drivers))
    assert spread == pytest.approx(math.log(one.value.high / one.value.expected), rel=0.02)


def test_restarts_and_prices_drive_the_cost_apart_from_the_efficiency() -> None:
    names = [driver.name for driver in figure(made(method="qlora"), "cost_usd").drivers]
    assert set(names) == {"efficiency", "unpacking 4-bit weights", "restarts", "price of a GPU-hour"}


def test_the_drivers_of_a_cost_are_in_order_of_what_they_do() -> None:
    drivers = figure(made(), "cost_usd").drivers
    widths = [driver.high - driver.low for driver in drivers]
    assert widths == sorted(widths, reverse=True)


def test_a_cost_is_hours_times_price() -> None:
    found = made()
    hours, cost = figure(found, "gpu_hours").value, figure(found, "cost_usd").value
    assert cost.expected == pytest.approx(2 * hours.expected)
    assert cost.high == pytest.approx((hours * Range(1, 2, 3)).high)


def test_a_price_that_is_not_known_makes_no_cost_rather_than_a_free_run() -> None:
    found = made(hour_price(find("tpu-v4-32gb")), gpu=find("tpu-v4-32gb"))
    assert found.get("cost_usd") is None
    assert any(note.startswith("No cost: ") and "usd_per_gpu_hour" in note for note in found.notes)


def test_a_device_without_a_published_power_has_no_energy_rather_than_none() -> None:
    found = made(gpu=find("tpu-v5p-95gb"), region="world")
    assert found.get("energy_kwh") is None
    assert found.get("co2e_kg") is None
    assert any("No TDP is known" in note for note in found.notes)


def test_measurements_are_named_by_the_figures_that_stand_on_them_and_no_others() -> None:
    found = made(hfu=Range.exactly(0.4), measurement_ids=("m1", "m2"))
    for one in found.figures:
        timed = one.key in ("days", "gpu_hours", "tflops_per_gpu", "mfu", "step_s", "cost_usd", "hfu", "tokens_per_s")
        assert one.measurement_ids == (("m1", "m2") if timed else ()), one.key
    assert "measurements" in figure(found, "hfu").source


def test_the_fit_names_how_many_rows_it_has_and_the_nearest() -> None:
    hfu = figure(made(), "hfu")
    assert re.search(r"fitted to \d{3} published rows", hfu.source)
    assert len(hfu.inputs) == 4
    assert all(one.source for one in hfu.inputs)


def test_the_formula_of_lora_says_two_thirds() -> None:
    assert r"\tfrac{2}{3}" in figure(made(method="lora"), "total_flops").formula
    assert r"\tfrac{2}{3}" not in figure(made(), "total_flops").formula


def test_chinchillas_tokens_are_twenty_for_each_parameter() -> None:
    assert figure(made(), "chinchilla_tokens").value.expected == 20 * SETUP.shape.parameters


def test_what_the_reader_should_know_is_noted_and_nothing_else() -> None:
    def notes(**changes: Any) -> str:
        return " ".join(made(**changes).notes)

    plain = notes()
    assert "Layers, width and KV heads were inferred" not in plain
    assert "No published run" not in plain
    assert "More than ten times" not in plain
    assert "Layers, width and KV heads were inferred" in notes(shape=shape_from_parameters(7e9))
    assert "No published run on AMD Instinct MI300X" in notes(gpu=find("mi300x"))
    assert "No published run" not in notes(gpu=find("mi300x"), hfu=Range.exactly(0.4))
    assert "More than ten times the tokens" in notes(tokens=15e12)
    assert "more than the run has" in notes(tokens=1_000, global_batch=64)


def test_the_report_repeats_what_was_asked_and_says_it_in_a_sentence() -> None:
    given = {"model": "llama-2-7b", "tokens": "2T", "gpu": "a100-sxm-80gb", "gpus": 512, "usd_per_gpu_hour": 2}
    found, training = estimate_train(given)
    assert found.spec == given
    assert found.sentence.startswith("Training Llama 2 7B on 2 trillion tokens with 512 × NVIDIA A100 SXM4 80GB takes ")
    assert "and costs $" in found.sentence
    assert found.to_json()["days"] == {
        "low": training.days.low,
        "expected": training.days.expected,
        "high": training.days.high,
    }


def test_a_model_that_does_not_fit_says_what_would_make_it_fit() -> None:
    found, _ = estimate_train({"parameters": "405B", "tokens": "1T", "gpu": "a100-sxm-80gb", "gpus": 8})
    assert any(
        "It does not fit 8 × NVIDIA A100 SXM4 80GB" in note and "would make it fit" in note for note in found.notes
    )


def test_an_unknown_region_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="no region") as refused:
        made(region="Germny")
    assert "Germany" in refused.value.allowed

"""The reader's own hardware and prices: kept whole or not at all, used by every estimate, and never by the fit."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.errors import CorruptFile, InvalidInput
from core.estimate import hardware, own_tables, prices
from core.estimate.efficiency import usable_rows
from core.estimate.fitting import smallest_machine
from core.estimate.hour_price import hour_price
from core.estimate.inference_memory import InferencePlan
from core.estimate.known_models import known_model
from core.estimate.own_rows import OwnAccelerator
from core.estimate.train_estimate import estimate_train

RACK: dict[str, Any] = {
    "id": "rack-1",
    "name": "Our rack",
    "memory_bytes": 48e9,
    "memory_bandwidth_bytes_per_s": 900e9,
    "fp16_flops_per_s": 150e12,
    "source": "invoice",
    "as_of": "2026-10",
}
OFFER: dict[str, Any] = {
    "gpu": "h100-sxm-80gb",
    "tier": "specialist cloud on demand",
    "term": "on_demand",
    "usd_per_gpu_hour_low": 1.5,
    "usd_per_gpu_hour_high": 1.5,
    "as_of": "2026-11-20",
    "source": "offer 4711",
}


def changed(id: str, **values: Any) -> dict[str, Any]:
    """A published accelerator with other values."""
    return OwnAccelerator.of(hardware.find(id, hardware.published())).model_dump() | values


def test_without_own_rows_the_published_ones_are_used() -> None:
    assert own_tables.hardware() is hardware.published()
    assert own_tables.prices() is prices.published()


def test_no_two_published_accelerators_are_called_alike() -> None:
    assert own_tables._ambiguous(()) == []


def test_an_own_accelerator_is_found_by_every_estimate() -> None:
    own_tables.change_hardware(put=[RACK])
    assert hardware.find("Our Rack").memory_bytes == 48e9
    assert hardware.find("rack-1").source == "invoice (2026-10)"
    fitting = smallest_machine(known_model("llama-3.1-8b"), InferencePlan())
    assert "rack-1" in [one.accelerator.id for one in fitting]
    assert estimate_train({"parameters": "1B", "tokens": "1B", "gpu": "rack-1"})[1].days.expected > 0


def test_an_own_row_stands_in_the_place_of_a_published_one_until_it_is_dropped() -> None:
    before = [one.id for one in hardware.published()]
    own_tables.change_hardware(put=[changed("h100-sxm-80gb", memory_bytes=94e9)])
    assert [one.id for one in own_tables.hardware()] == before
    assert hardware.find("h100-sxm-80gb").memory_bytes == 94e9
    own_tables.change_hardware(drop=["h100-sxm-80gb"])
    assert own_tables.hardware() == hardware.published()


def test_a_row_as_published_is_not_kept_as_an_own_one() -> None:
    own_tables.change_hardware(put=[changed("h100-sxm-80gb")])
    row = prices.published()[0]
    own_tables.change_prices(put=[{name: getattr(row, name) for name in row.__slots__}])
    assert own_tables.own_hardware() == ()
    assert own_tables.own_prices() == ()


def test_the_fit_stands_on_published_hardware_whatever_the_reader_changes() -> None:
    own_tables.change_hardware(put=[changed("a100-sxm-80gb", fp16_flops_per_s=1e12)])
    usable_rows.cache_clear()
    peaks = {row.gpu.fp16_flops_per_s for row in usable_rows() if row.gpu and row.gpu.id == "a100-sxm-80gb"}
    assert peaks == {312e12}


def test_an_own_price_is_what_an_hour_costs() -> None:
    gpu = hardware.find("h100-sxm-80gb")
    own_tables.change_prices(put=[OFFER])
    found = hour_price(gpu).usd_per_gpu_hour
    assert found is not None
    assert (found.low, found.expected, found.high) == (1.5, 1.5, 1.5)
    assert len(own_tables.prices()) == len(prices.published())
    own_tables.change_prices(drop=[("h100-sxm-80gb", "specialist cloud on demand", "on_demand")])
    back = hour_price(gpu).usd_per_gpu_hour
    assert back is not None
    assert back.low == 2.5


def test_a_price_of_a_gpu_that_nobody_priced_adds_a_row() -> None:
    own_tables.change_hardware(put=[RACK])
    own_tables.change_prices(put=[OFFER | {"gpu": "rack-1", "tier": "ours"}])
    assert prices.rental_price("rack-1").usd_per_gpu_hour.value.expected == 1.5


def test_every_fault_of_every_row_is_told_and_nothing_is_written(home: Path) -> None:
    rows = [
        RACK | {"memory_bytes": -80e9, "as_of": "last week", "source": ""},
        RACK | {"id": "Rack 2", "tdp_watts": float("nan")},
    ]
    with pytest.raises(InvalidInput) as told:
        own_tables.change_hardware(put=rows)
    for words in ("memory is -80 GB", "greater than 0", "'last week' is no date", "source is missing", "small letters"):
        assert words in str(told.value), words
    assert not (home / "estimate").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"usd_per_gpu_hour_low": 0}, "greater than 0"),
        ({"usd_per_gpu_hour_low": 3}, "above its high"),
        ({"term": "weekly"}, "'weekly' is no term"),
        ({"as_of": "soon"}, "'soon' is no date"),
        ({"gpu": "h1000"}, "'h1000' is not in the hardware table"),
        ({"colour": "red"}, "known are gpu"),
    ],
)
def test_a_price_that_cannot_be_is_refused_in_words(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match="was not saved") as told:
        own_tables.change_prices(put=[OFFER | wrong])
    assert words in str(told.value)


def test_two_rows_of_one_key_are_refused() -> None:
    with pytest.raises(InvalidInput, match="rack-1 is there twice"):
        own_tables.change_hardware(put=[RACK, RACK | {"name": "Another"}])


@pytest.mark.parametrize("alike", [{"id": "h100sxm80gb"}, {"name": "nvidia h100-sxm5 80 gb"}])
def test_a_row_that_is_called_like_another_is_refused(alike: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="have the same id or name"):
        own_tables.change_hardware(put=[RACK | alike])


def test_a_damaged_file_is_told_and_not_lost(home: Path) -> None:
    file = home / "estimate" / "hardware.json"
    file.parent.mkdir()
    file.write_text('{"rows": [{"id": "half', encoding="utf-8")
    with pytest.raises(CorruptFile, match=r"hardware\.json"):
        hardware.find("h100-sxm-80gb")
    with pytest.raises(CorruptFile):
        own_tables.change_hardware(put=[RACK])
    assert file.read_text(encoding="utf-8") == '{"rows": [{"id": "half'
    kept = own_tables.set_aside("hardware")
    assert kept.read_text(encoding="utf-8") == '{"rows": [{"id": "half'
    assert own_tables.hardware() == hardware.published()
    with pytest.raises(InvalidInput, match="There is no"):
        own_tables.set_aside("hardware")


@pytest.mark.parametrize("content", ["[]", '{"rows": {}}', '{"rows": [{}]}', '{"rows": [], "more": 1}', "\x00"])
def test_a_file_of_another_form_is_damaged(home: Path, content: str) -> None:
    file = home / "estimate" / "prices.json"
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CorruptFile):
        own_tables.prices()


def test_a_file_that_another_window_wrote_is_read_again(home: Path) -> None:
    own_tables.change_hardware(put=[RACK])
    file = home / "estimate" / "hardware.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    rows["rows"][0]["name"] = "A much longer name"
    file.write_text(json.dumps(rows), encoding="utf-8")
    assert hardware.find("rack-1").name == "A much longer name"


def test_two_who_save_at_once_lose_nothing() -> None:
    ids = [f"rack-{letter}" for letter in "abcdefghijkl"]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda id: own_tables.change_hardware(put=[RACK | {"id": id, "name": id}]), ids))
    assert {row.id for row in own_tables.own_hardware()} == set(ids)

from __future__ import annotations

from pathlib import Path

import pytest

from core.measure import power
from core.measure.power import open_meter, rapl_meter


def package(powercap: Path, name: str, energy: int, largest: int = 1_000_000) -> Path:
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder / "energy_uj"


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    first, second = package(tmp_path, "intel-rapl:0", 100), package(tmp_path, "intel-rapl:1", 900_000)
    package(tmp_path, "intel-rapl:0:0", 50)
    meter = rapl_meter(tmp_path)
    assert meter.read() == 0
    first.write_text("250100")
    second.write_text("950000")
    assert meter.read() == pytest.approx(0.3)
    assert "RAPL" in meter.source


def test_a_counter_that_begins_again_goes_on(tmp_path: Path) -> None:
    counter = package(tmp_path, "intel-rapl:0", 900_000)
    meter = rapl_meter(tmp_path)
    for energy in (100_000, 200_000, 150_000):  # past the end twice
        counter.write_text(str(energy))
        told = meter.read()
    assert told == pytest.approx(0.2 + 0.1 + 0.95)


def test_a_machine_without_a_counter_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "POWERCAP", tmp_path / "nowhere")
    meter = open_meter("cpu")
    assert meter.read() is None
    assert meter.source.startswith("none: this machine has no RAPL counter")


def test_a_counter_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 1).write_text("what?")
    meter = rapl_meter(tmp_path)
    assert meter.read() is None
    assert "cannot be read" in meter.source


def test_no_gpu_no_energy() -> None:
    meter = open_meter("cuda")
    if meter.read() is None:  # a machine with a GPU has it
        assert meter.source.startswith("none: the GPU reports no energy")

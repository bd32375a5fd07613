"""Energy and CO2e against published footprints, and what must be refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.estimate.energy import GridRegion, find_region, footprint, regions
from core.estimate.hardware import find
from core.estimate.ranges import Range

ONE = Range.exactly(1.0)


def test_gpt3_energy_and_co2e_are_those_of_patterson_when_given_its_factors() -> None:
    # arXiv 2104.10350, table 4: 10,000 V100 for 14.8 days at 330 W with host, PUE 1.10, 429 g/kWh: 1,287 MWh, 552 t.
    hours = Range.exactly(10_000 * 14.8 * 24)
    v100 = replace(find("v100-sxm-32gb"), tdp_watts=300.0)
    grid = GridRegion(id="us-2020", name="US", grams_co2e_per_kwh=429.0, year=2020, source="Patterson")
    found = footprint(
        hours, v100, region=grid, load=ONE, host=Range.exactly(1.1), pue=Range.exactly(1.1), grid_factor=1
    )
    assert found.energy_kwh is not None
    assert found.co2e_kg is not None
    assert found.energy_kwh.value.expected == pytest.approx(1_287_000, rel=0.01)
    assert found.co2e_kg.value.expected == pytest.approx(552_000, rel=0.01)


def test_bloom_energy_with_idle_cluster_lies_inside_the_default_range() -> None:
    # arXiv 2211.02001: 1,082,990 A100 hours took 433,196 kWh, and 256,646 kWh more idle; PUE of Jean Zay 1.2.
    found = footprint(Range.exactly(1_082_990), find("a100-sxm-80gb"), region="fr")
    assert found.energy_kwh is not None
    assert found.energy_kwh.value.low < (433_196 + 256_646) * 1.2 < found.energy_kwh.value.high


def test_an_h100_node_draws_what_was_measured_in_brookhaven() -> None:
    # arXiv 2506.14551: 76 % of 10.2 kW for 8 GPUs at work; PUE not in it.
    found = footprint(Range.exactly(8), find("h100-sxm-80gb"), pue=ONE)
    assert found.energy_kwh is not None
    assert found.energy_kwh.value.expected == pytest.approx(0.76 * 10.2, rel=0.05)


def test_unpublished_tdp_gives_no_figure_and_says_so() -> None:
    found = footprint(ONE, find("tpu-v5e-16gb"), region="us")
    assert found.energy_kwh is None
    assert found.co2e_kg is None
    assert "TDP" in found.notes[0]


def test_without_a_region_there_is_energy_but_no_co2e() -> None:
    found = footprint(ONE, find("h100-sxm-80gb"))
    assert found.energy_kwh is not None
    assert found.co2e_kg is None


def test_every_region_of_the_table_has_a_source_and_a_possible_intensity() -> None:
    assert len(regions()) > 40
    for one in regions():
        assert one.source, one.id
        assert 0 < one.grams_co2e_per_kwh < 1200, one.id


def test_regions_keep_their_known_order() -> None:
    france, poland = find_region("FR"), find_region("poland")
    assert france.grams_co2e_per_kwh * 5 < poland.grams_co2e_per_kwh


def test_unknown_region_offers_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="Germany"):
        find_region("Germny")


def test_drivers_span_the_factor_alone() -> None:
    found = footprint(ONE, find("h100-sxm-80gb"), region="fr")
    assert found.co2e_kg is not None
    pue = next(one for one in found.co2e_kg.drivers if one.name == "PUE")
    assert pue.high / pue.low == pytest.approx(1.54 / 1.1)


def test_impossible_factors_are_all_named() -> None:
    with pytest.raises(InvalidInput, match=r"load 2.*PUE 0\.9"):
        footprint(ONE, find("h100-sxm-80gb"), load=Range.exactly(2), pue=Range.exactly(0.9))

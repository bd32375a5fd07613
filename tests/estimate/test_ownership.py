"""Own hardware against arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.estimate.hardware import find
from core.estimate.ownership import Ownership, owned_hour
from core.estimate.purchase import electricity_price, electricity_rows, purchase_price, purchase_rows
from core.estimate.ranges import Range

X = Range.exactly
H100 = find("h100-sxm-80gb")
PLAIN = Ownership(
    purchase_usd=X(35_040),
    server_factor=X(1),
    years=X(4),
    load=X(1),
    host=X(1.5),
    pue=X(1.2),
    usd_per_kwh=X(0.10),
    utilisation=X(0.5),
)


def test_depreciation_and_electricity_by_hand() -> None:
    # 35,040 USD / 4 years / 8,760 h = 1.00; 0.7 kW · 1.5 · 1.2 · 0.10 = 0.126 USD/h.
    found = owned_hour(H100, PLAIN)
    assert found.usd_per_gpu_hour.value.expected == pytest.approx(1.126)
    assert found.usd_per_used_gpu_hour.value.expected == pytest.approx(2.252)
    assert [part.key for part in found.parts] == ["depreciation_usd_per_gpu_hour", "electricity_usd_per_gpu_hour"]


def test_residual_capital_maintenance_and_colocation_by_hand() -> None:
    own = replace(
        PLAIN,
        residual_share=X(0.2),
        capital_rate_per_year=X(0.10),
        maintenance_share_per_year=X(0.05),
        colocation_usd_per_kw_month=X(146),
    )
    parts = {part.key.split("_")[0]: part.value.expected for part in owned_hour(H100, own).parts}
    assert parts["depreciation"] == pytest.approx(0.8)
    assert parts["capital"] == pytest.approx(35_040 * 0.6 * 0.10 / 8760)
    assert parts["maintenance"] == pytest.approx(0.2)
    assert parts["colocation"] == pytest.approx(0.7 * 1.5 * 146 / 730)


def test_utilisation_drives_only_the_hour_of_work() -> None:
    found = owned_hour(H100, replace(PLAIN, utilisation=Range(0.25, 0.5, 1.0)))
    assert found.usd_per_gpu_hour.value.spread == 1
    assert found.usd_per_used_gpu_hour.drivers[0].name == "utilisation"
    assert found.usd_per_used_gpu_hour.value.spread == pytest.approx(4)


def test_a_range_of_one_factor_is_that_factor_alone() -> None:
    found = owned_hour(H100, replace(PLAIN, years=Range(2, 4, 8)))
    assert found.usd_per_gpu_hour.value.high == pytest.approx(2.126)
    assert found.usd_per_gpu_hour.value.low == pytest.approx(0.626)


def test_an_owned_h100_is_no_dearer_than_hyperscalers_and_no_cheaper_than_its_electricity() -> None:
    purchase, _ = purchase_price("h100-sxm-80gb")
    electricity, _ = electricity_price("us-il")
    value = owned_hour(H100, Ownership(purchase_usd=purchase, usd_per_kwh=electricity)).usd_per_gpu_hour.value
    assert 0.1 < value.low < value.high < 6.88


def test_every_impossible_factor_is_named() -> None:
    own = replace(PLAIN, years=X(0), pue=X(0.5), utilisation=X(1.5))
    with pytest.raises(InvalidInput, match=r"years.*PUE.*utilisation"):
        owned_hour(H100, own)


def test_an_unpublished_tdp_is_said_not_taken_as_zero() -> None:
    with pytest.raises(InvalidInput, match="TDP"):
        owned_hour(find("tpu-v5e-16gb"), PLAIN)


def test_unknown_purchase_and_electricity_prices_say_which_are_known() -> None:
    with pytest.raises(InvalidInput, match=r"t4-16gb.*h100-sxm-80gb.*purchase_usd"):
        purchase_price("t4-16gb")
    with pytest.raises(InvalidInput, match=r"atlantis.*us-il.*usd_per_kwh"):
        electricity_price("atlantis")


def test_the_shipped_tables_are_whole() -> None:
    assert all(0 < one.usd_low <= one.usd_high < 100_000 and one.source and one.as_of for one in purchase_rows())
    assert all(0.02 < one.usd_per_kwh < 0.6 and one.source and one.as_of for one in electricity_rows())

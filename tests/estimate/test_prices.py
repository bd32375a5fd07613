"""Rental prices: ranges by hand from dated rows, and nothing made up."""

from __future__ import annotations

import math
from datetime import date

import pytest

from core.errors import InvalidInput
from core.estimate.prices import TERMS, PriceRow, age_months, published, rental_price

TODAY = date(2026, 11, 22)


def row(
    low: float = 2.0,
    high: float = 8.0,
    *,
    gpu: str = "mygpu",
    tier: str = "a",
    term: str = "on_demand",
    as_of: str = "2026-11",
) -> PriceRow:
    return PriceRow(
        gpu=gpu, tier=tier, term=term, usd_per_gpu_hour_low=low, usd_per_gpu_hour_high=high, as_of=as_of, source="me"
    )


def test_one_row_has_its_geometric_middle() -> None:
    found = rental_price("mygpu", table=[row(2.0, 8.0)], today=TODAY)
    value = found.usd_per_gpu_hour.value
    assert (value.low, value.expected, value.high) == (2.0, pytest.approx(4.0), 8.0)


def test_several_rows_have_the_median_of_their_middles() -> None:
    table = [row(1, 1, tier="a"), row(2, 8, tier="b"), row(9, 9, tier="c")]
    value = rental_price("mygpu", table=table, today=TODAY).usd_per_gpu_hour.value
    assert (value.low, value.expected, value.high) == (1, pytest.approx(4.0), 9)


def test_a_named_tier_is_used_alone() -> None:
    found = rental_price("h100-sxm-80gb", tier="AWS on demand", today=TODAY)
    assert found.usd_per_gpu_hour.value.spread == 1
    assert found.usd_per_gpu_hour.value.expected == 6.88


def test_names_of_the_hardware_table_find_their_price() -> None:
    assert rental_price("NVIDIA H200 SXM 141GB", today=TODAY).rows[0].gpu == "h200-sxm-141gb"


def test_unknown_price_says_which_are_known_and_what_to_give() -> None:
    with pytest.raises(InvalidInput, match=r"v100-sxm-32gb.*h100-sxm-80gb.*usd_per_gpu_hour"):
        rental_price("v100-sxm-32gb", today=TODAY)


def test_a_reserved_price_without_a_row_is_unknown_not_made_up() -> None:
    with pytest.raises(InvalidInput, match=r"reserved_3y.*discount"):
        rental_price("h200-sxm-141gb", term="reserved_3y", today=TODAY)


def test_a_discount_of_the_reader_is_taken_off_the_on_demand_price_and_noted() -> None:
    found = rental_price("mygpu", term="reserved_1y", discount=0.4, table=[row(2.0, 8.0)], today=TODAY)
    assert found.usd_per_gpu_hour.value.expected == pytest.approx(2.4)
    assert "40%" in found.notes[0]


def test_a_dated_spot_row_is_used_for_spot() -> None:
    table = [row(4, 4), row(1, 2, term="spot")]
    assert rental_price("mygpu", term="spot", table=table, today=TODAY).usd_per_gpu_hour.value.high == 2


@pytest.mark.parametrize(
    ("as_of", "months"), [("2026-11", 0), ("2026-05", 6), ("2026-05-23", 5), ("2025-11-22", 12), ("2027-01", 0)]
)
def test_age_counts_whole_months(as_of: str, months: int) -> None:
    assert age_months(as_of, TODAY) == months


def test_rows_past_six_months_are_marked() -> None:
    found = rental_price("mygpu", table=[row(as_of="2026-04"), row(tier="b")], today=TODAY)
    assert [one.as_of for one in found.old_rows] == ["2026-04"]
    assert "7 months old" in found.notes[0]


def test_every_fault_of_an_edited_table_is_named() -> None:
    table = [row(-1, 2), row(5, 2), row(term="weekly"), row(as_of="May")]
    with pytest.raises(InvalidInput, match=r"row 1.*row 2.*row 3.*weekly.*row 4.*May"):
        rental_price("mygpu", table=table, today=TODAY)


@pytest.mark.parametrize("discount", [-0.1, 1.0, math.nan])
def test_impossible_discounts_are_refused(discount: float) -> None:
    with pytest.raises(InvalidInput, match="discount"):
        rental_price("mygpu", discount=discount, table=[row()], today=TODAY)


def test_unknown_term_lists_the_terms() -> None:
    with pytest.raises(InvalidInput, match="spot"):
        rental_price("mygpu", term="weekly", table=[row()], today=TODAY)


def test_the_shipped_table_is_whole() -> None:
    for one in published():
        assert one.term in TERMS
        assert 0 < one.usd_per_gpu_hour_low <= one.usd_per_gpu_hour_high < 50, one
        assert one.source
        assert age_months(one.as_of, TODAY) < 36, one


def test_rows_of_the_facts_are_in_the_table_unchanged() -> None:
    rows = {
        (one.gpu, one.tier): (one.usd_per_gpu_hour_low, one.usd_per_gpu_hour_high, one.as_of) for one in published()
    }
    assert rows["h100-sxm-80gb", "marketplace"] == (1.99, 2.5, "2026-05")
    assert rows["a100-sxm-80gb", "hyperscaler on demand"] == (1.5, 3.0, "2026-05")
    assert rows["h100-sxm-80gb", "Azure on demand"] == (12.29, 12.29, "2026-11")

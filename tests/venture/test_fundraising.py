"""Rounds as they are written: months, valuations in order, milestones after the money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.fundraising import FundraisingSpec, PlannedRoundSpec

SEED = {"name": "Seed", "month": "2027-03", "amount": "2M", "pre_money": "8M"}


def test_an_empty_section_is_usable() -> None:
    spec = FundraisingSpec()
    assert (spec.planned, spec.pipeline, spec.months_to_close, spec.buffer_months) == ((), (), 6, 6)


def test_the_expected_valuation_stands_for_ends_that_are_left_out() -> None:
    spec = parse(PlannedRoundSpec, SEED | {"pre_money_high": "12M"})
    assert spec.valuations() == (Decimal(8_000_000), Decimal(8_000_000), Decimal(12_000_000))


def test_a_low_valuation_above_the_expected_one_is_refused_with_all_three() -> None:
    with pytest.raises(InvalidInput, match="9,000,000, 8,000,000, 8,000,000"):
        parse(PlannedRoundSpec, SEED | {"pre_money_low": "9M"})


@pytest.mark.parametrize("field", ["amount", "pre_money"])
@pytest.mark.parametrize("value", ["-1", "0", "nan", "much"])
def test_a_round_without_a_price_is_refused(field: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        parse(PlannedRoundSpec, SEED | {field: value})


def test_a_milestone_before_its_round_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"Pilot \(2027-02\)"):
        parse(PlannedRoundSpec, SEED | {"milestones": [{"name": "Pilot", "month": "2027-02"}]})


def test_a_milestone_is_due_after_its_months_of_work() -> None:
    spec = parse(PlannedRoundSpec, SEED | {"milestones": [{"name": "Pilot", "months_of_work": 11}]})
    assert spec.milestones[0].due(spec.month) == "2028-02"


def test_a_milestone_with_two_times_is_refused() -> None:
    both = {"name": "Pilot", "month": "2027-05", "months_of_work": 2}
    with pytest.raises(InvalidInput, match="give one of them"):
        parse(PlannedRoundSpec, SEED | {"milestones": [both]})


def test_rounds_are_kept_in_the_order_of_their_months() -> None:
    later = SEED | {"name": "Series A", "month": "2028-09"}
    assert [one.name for one in parse(FundraisingSpec, {"planned": [later, SEED]}).planned] == ["Seed", "Series A"]


@pytest.mark.parametrize("month", ["2027-13", "27-03", "March", "03/2027"])
def test_what_is_no_month_is_refused_with_the_value(month: str) -> None:
    with pytest.raises(InvalidInput, match="month") as told:
        parse(PlannedRoundSpec, SEED | {"month": month})
    assert month in str(told.value)


def test_a_round_that_was_saved_reads_back_the_same() -> None:
    spec = parse(FundraisingSpec, {"planned": [SEED | {"milestones": [{"name": "Pilot", "cost": "12.34"}]}]})
    assert FundraisingSpec.model_validate(spec.model_dump(mode="json")) == spec

"""Deals and what is made of them: stages by any spelling, medians, quartiles, ranks, examples apart."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.fundraising import PlannedRoundSpec
from core.venture.market import DealSpec
from core.venture.market_csv import example_deals, read_deals
from core.venture.market_trends import (
    by_quarter,
    by_stage,
    own_or_example,
    rank,
    spread,
    stage_of,
    standing,
    with_new,
)


def deal(amount: int, *, day: str = "2026-02-01", stage: str = "seed", **more: object) -> DealSpec:
    return DealSpec.model_validate(
        {"company": f"Example {amount}", "stage": stage, "date": day, "amount": amount, **more}
    )


@pytest.mark.parametrize("name", ["Series A", "series-a", " SERIES_A ", "A", "Series A round"])
def test_a_stage_is_one_by_any_spelling(name: str) -> None:
    assert deal(1, stage=name).stage == "series a"


def test_a_stage_unknown_to_us_keeps_its_name() -> None:
    assert [deal(1, stage=name).stage for name in ("Bridge", "Pre seed", "growth")] == ["bridge", "pre-seed", "later"]


def test_a_valuation_after_the_money_is_taken_back_to_before() -> None:
    assert deal(2, valuation=10).pre_money == 8
    assert deal(2, valuation=10, valuation_kind="pre").pre_money == 10
    assert deal(2).pre_money is None


def test_a_valuation_below_its_own_amount_is_refused_with_both() -> None:
    with pytest.raises(InvalidInput, match="1,000 after the money is not above the amount of 2,000"):
        parse(DealSpec, {"company": "A", "stage": "seed", "date": "2026-01-01", "amount": 2000, "valuation": 1000})


@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=50))
def test_quartiles_are_numpys(values: list[int]) -> None:
    found = spread(Decimal(one) for one in values)
    assert found is not None
    assert [float(one) for one in (found.low, found.median, found.high)] == pytest.approx(
        np.percentile(values, [25, 50, 75])
    )


def test_fewer_than_three_deals_are_said() -> None:
    two, three = spread([Decimal(1), Decimal(3)]), spread([Decimal(1), Decimal(2), Decimal(3)])
    assert two is not None
    assert three is not None
    assert (two.few, two.median, three.few) == (True, Decimal(2), False)
    assert spread([]) is None


def test_quarters_are_in_order_and_count_what_has_no_valuation() -> None:
    deals = [
        deal(9, day="2026-04-01"),
        deal(5, day="2025-12-31", valuation=20),
        deal(7, day="2026-06-30", valuation=30),
    ]
    found = by_quarter(deals, "pre_money")
    assert [(one.name, one.spread.count if one.spread else 0, one.untold) for one in found] == [
        ("2025 Q4", 1, 0),
        ("2026 Q2", 1, 1),
    ]


def test_a_quarters_trend_can_be_of_one_stage() -> None:
    deals = [deal(1), deal(3), deal(100, stage="Series A")]
    (found,) = by_quarter(deals, "amount", stage="Seed")
    assert found.spread is not None
    assert found.spread.median == 2


def test_stages_run_from_early_to_late() -> None:
    names = ["later", "bridge", "Series A", "pre-seed", "seed"]
    found = by_stage([deal(1, stage=name) for name in names], "amount")
    assert [one.name for one in found] == ["pre-seed", "seed", "series a", "later", "bridge"]


def test_a_rank_counts_equals_by_half() -> None:
    values = [Decimal(one) for one in (1, 2, 2, 5)]
    assert [rank(Decimal(one), values) for one in (0, 2, 5, 9)] == [0.0, 0.5, 0.875, 1.0]
    assert rank(Decimal(1), []) is None


@pytest.mark.parametrize(
    ("name", "stage", "found"),
    [
        ("Seed", "", "seed"),
        ("Series A extension", "", "series a"),
        ("Our pre-seed", "", "pre-seed"),
        ("Round 2", "Series B", "series b"),
        ("Friends", "", "friends"),
    ],
)
def test_a_planned_round_is_compared_with_its_stage(name: str, stage: str, found: str) -> None:
    planned = PlannedRoundSpec(name=name, stage=stage, month="2027-01", amount=Decimal(1), pre_money=Decimal(4))
    assert stage_of(planned) == found


def test_an_own_round_stands_against_the_median_of_its_stage() -> None:
    deals = [deal(amount, valuation=amount * 5) for amount in (1_000, 2_000, 3_000)] + [deal(4_000)]
    planned = PlannedRoundSpec(month="2027-01", amount=Decimal(2_500), pre_money=Decimal(8_000))
    amount, value = standing(planned, deals, "amount"), standing(planned, deals, "pre_money")
    assert amount.spread is not None
    assert value.spread is not None
    assert (amount.spread.median, amount.rank, amount.untold) == (Decimal(2_500), 0.5, 0)
    assert (value.spread.median, value.rank, value.untold) == (Decimal(8_000), 0.5, 1)


def test_an_example_never_counts_beside_an_own_deal() -> None:
    own = deal(1)
    assert own_or_example([own, *example_deals()]) == ((own,), False)
    assert own_or_example(example_deals()) == (example_deals(), True)
    assert own_or_example([]) == ((), False)


def test_the_same_file_twice_is_no_second_market() -> None:
    old = [deal(1), deal(2)]
    merged, left_out = with_new(old, [deal(2), deal(3), deal(3)])
    assert [int(one.amount) for one in merged] == [1, 2, 3]
    assert left_out == 2


def test_every_company_of_the_example_is_visibly_invented() -> None:
    deals = example_deals()
    assert len(deals) >= 50
    assert all(one.example and one.company.startswith("Example ") and "invented" in one.source for one in deals)
    assert [one.date for one in deals] == sorted(one.date for one in deals)


def test_deals_are_read_in_their_order_with_what_was_not_taken() -> None:
    raw = "Company;Round;Announced Date;Raised;Valuation;Lead\nA;Series A;2026-05-04;5M;;X\n".encode("utf-8-sig")
    (found,), table = read_deals("own.csv", raw)
    assert (found.stage, found.date, found.example) == ("series a", dt.date(2026, 5, 4), False)
    assert found.amount == 5_000_000
    assert list(table.ignored) == ["Lead"]

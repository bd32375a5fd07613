"""When to start raising and what a round buys, on plans small enough to check by hand. Amounts in cents."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.venture.fundraising import FundraisingSpec, MilestoneSpec, PlannedRoundSpec
from core.venture.months import after
from core.venture.raising import Bought, bought, burns, demands, milestones, when_to_start


def months(count: int, start: str = "2027-01") -> list[str]:
    return [after(start, place) for place in range(count)]


def steady(count: int, opening: int = 1_000_00, burn: int = 100_00) -> list[int]:
    return [opening - burn * (place + 1) for place in range(count)]


def planned(month: str, amount: int = 500, **more: object) -> FundraisingSpec:
    return FundraisingSpec.model_validate({"planned": [{"month": month, "amount": amount, "pre_money": 2_000, **more}]})


def test_talks_start_months_to_close_before_the_buffer_is_touched() -> None:
    """900, 800 … at the ends of months: the first below 300 is the eighth month, its 200."""
    found = when_to_start(steady(12), months(12), months_to_close=4, buffer_months=3)
    assert (found.needed, found.start, found.empty, found.late) == ("2027-08", "2027-04", "2027-11", False)


def test_a_start_before_the_plan_is_told_as_late() -> None:
    found = when_to_start(steady(12), months(12), months_to_close=9, buffer_months=3)
    assert (found.start, found.late) == ("2026-11", True)


def test_a_burn_that_grows_needs_the_money_earlier_than_last_months_burn_says() -> None:
    cash = [900_00, 800_00, 700_00, 500_00, 200_00, -300_00]
    found = when_to_start(cash, months(6), months_to_close=0, buffer_months=2)
    assert found.needed == "2027-04"  # 500 left, and the two months after it take 800


def test_a_plan_that_earns_its_own_way_needs_no_round() -> None:
    found = when_to_start([100, 200, 300], months(3), months_to_close=6, buffer_months=6)
    assert (found.start, found.needed, found.empty) == (None, None, None)


def test_the_buffer_reaches_past_the_end_of_the_plan() -> None:
    found = when_to_start(steady(3, opening=600_00), months(3), months_to_close=0, buffer_months=4)
    assert found.needed == "2027-03"  # 300 left, and four more months would take 400


def test_a_round_adds_the_months_that_its_money_lasts() -> None:
    (found,) = bought(planned("2027-06"), steady(24), months(24))
    assert found == Bought("Seed", "2027-06", "2027-11", "2028-04", 5, False, False, horizon="2029-12", burn=100_00)


def test_past_the_end_of_the_plan_its_last_burn_goes_on() -> None:
    (found,) = bought(planned("2027-06"), steady(12), months(12))
    assert (found.with_round, found.beyond_plan, found.added) == ("2028-04", True, 5)


def test_nothing_is_told_beyond_a_year_after_the_plan() -> None:
    """Of 12 months at 100 a month, 5,000 more would last until 2032."""
    (found,) = bought(planned("2027-06", amount=5_000), steady(12), months(12))
    assert (found.with_round, found.added, found.horizon, found.burn) == (None, None, "2028-12", 100_00)
    assert found.at_least == 13  # after Nov 2027, to Dec 2028


def test_milestones_paid_on_top_shorten_what_a_round_buys() -> None:
    step = {"name": "Pilot", "month": "2027-08", "cost": 300}
    spec = planned("2027-06", milestones=[step])
    (plain,), (paid,) = (bought(spec, steady(24), months(24), with_milestones=one) for one in (False, True))
    assert (plain.added, paid.added) == (5, 2)
    assert (paid.without, paid.with_round) == ("2027-11", "2028-01")


def test_milestones_due_after_the_plan_are_paid_there() -> None:
    step = {"name": "Pilot", "month": "2028-02", "cost": 300}
    (found,) = bought(planned("2027-06", milestones=[step]), steady(12), months(12), with_milestones=True)
    assert (found.with_round, found.beyond_plan) == ("2028-02", True)


def test_a_round_demands_its_talks_months_to_close_before_it() -> None:
    """900, 800 … : the buffer of three months is touched in the eighth month."""
    asked = {"months_to_close": 4, "buffer_months": 3}
    (early,) = demands(planned("2027-06").model_copy(update=asked), steady(12), months(12))
    assert (early.talks, early.needed, early.after_need, early.before_plan) == ("2027-02", "2027-08", False, False)
    (late,) = demands(planned("2027-09").model_copy(update=asked), steady(12), months(12))
    assert (late.talks, late.after_need) == ("2027-05", True)


def test_a_later_round_is_held_against_the_cash_with_the_earlier_one() -> None:
    spec = FundraisingSpec(
        planned=(*planned("2027-06").planned, *planned("2028-01").planned), months_to_close=2, buffer_months=3
    )
    first, second = demands(spec, steady(24), months(24))
    assert (first.needed, second.needed, second.after_need) == ("2027-08", "2028-01", False)


def test_money_in_the_last_months_does_not_hide_the_burn() -> None:
    """The round itself comes in the plan's last month."""
    (found,) = bought(planned("2027-09"), steady(9), months(9))
    assert (found.without, found.with_round, found.added) == ("2027-11", "2028-04", 5)


def test_a_round_after_the_plan_counts_when_the_cash_lasts_until_then() -> None:
    (found,) = bought(planned("2027-10"), steady(8), months(8))
    assert (found.without, found.with_round, found.too_late) == ("2027-11", "2028-04", False)


def test_money_that_comes_after_the_cash_is_gone_is_too_late() -> None:
    (found,) = bought(planned("2027-12"), steady(24), months(24))
    assert (found.too_late, found.with_round, found.added) == (True, "2027-11", 0)


def test_a_second_round_starts_from_the_first() -> None:
    spec = FundraisingSpec(planned=(*planned("2027-06").planned, *planned("2028-02").planned))
    first, second = bought(spec, steady(24), months(24))
    assert first.with_round == second.without == "2028-04"
    assert second.with_round == "2028-09"


def test_a_round_before_the_plan_is_in_its_opening_cash() -> None:
    (found,) = bought(planned("2026-06"), steady(24), months(24))
    assert found.added == 0


def test_the_first_months_burn_is_that_of_the_second() -> None:
    assert burns([900, 800, 850]) == (100, 100, -50)


def test_milestones_are_paid_in_the_order_they_are_due() -> None:
    one = PlannedRoundSpec(
        month="2027-03",
        amount=Decimal(1_000),
        pre_money=Decimal(4_000),
        milestones=(
            MilestoneSpec(name="Late", months_of_work=12, cost=Decimal(300)),
            MilestoneSpec(name="Early", month="2027-05", cost=Decimal("800.50")),
        ),
    )
    early, late = milestones(one, empty="2028-03")
    assert (early.name, early.so_far, early.inside, early.in_time) == ("Early", 800_50, True, True)
    assert (late.name, late.so_far, late.inside, late.in_time) == ("Late", 1_100_50, False, False)


def test_cash_and_months_of_other_lengths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2 amounts of cash for 3 months"):
        when_to_start([1, 2], months(3), months_to_close=1, buffer_months=1)


def test_a_shortage_that_the_plan_itself_fills_needs_no_round() -> None:
    """The money of the third month is planned already; what counts is the shortage that nothing fills."""
    cash = [100, 90, 1080, 1070, *range(1060, -1, -10)]
    months = [after("2026-01", place) for place in range(len(cash))]
    found = when_to_start(cash, months, months_to_close=6, buffer_months=12)
    assert found.needed == months[cash.index(120) + 1]
    assert not found.late

"""How long cash lasts, and when to start raising, for one plan and for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.venture import raising
from core.venture.metric_formulas import Undefined
from core.venture.plan import Plan, plan
from core.venture.runway import NEVER, empty_at, runway, sentence, start_months, start_raising
from core.venture.spec import company
from tests.venture.companies import START


def burning(cash: int, months: int = 24, cost: int = 100) -> Plan:
    about = {"start": START, "months": months, "opening_cash": cash}
    return plan(company({"company": about, "expenses": [{"name": "rent", "amount": cost}]}))


def test_runway_at_this_burn_is_cash_by_burn() -> None:
    assert runway(burning(1000)).at_this_burn == 9
    assert runway(burning(1000), at=4).at_this_burn == 5


def test_runway_along_the_plan_names_the_month_in_which_cash_goes_below_0() -> None:
    found = runway(burning(1000))
    assert (found.empty, found.lasts_until, found.months) == ("2027-11", "2027-10", 10)


@pytest.mark.parametrize("at", [0, 5, 23])
def test_runway_along_the_plan_counts_from_its_start_whenever_it_is_asked(at: int) -> None:
    assert runway(burning(1000), at=at).months == 10


def test_cash_of_exactly_0_is_not_below_0() -> None:
    assert empty_at(np.array([[100, 0, -1], [100, 0, 0]])).tolist() == [2, NEVER]


def test_a_plan_that_keeps_its_cash_has_no_end_of_it() -> None:
    found = runway(burning(1000, months=5))
    assert (found.empty, found.lasts_until, found.months) == (None, None, None)
    assert "beyond May 2027" in sentence(burning(1000, months=5), 0, 0)


def test_without_burn_there_is_no_runway_in_months_but_a_reason() -> None:
    found = runway(plan(company({"company": {"start": START, "months": 2, "opening_cash": 9}})))
    assert found.at_this_burn == Undefined("no burn")


def test_a_plan_without_cash_for_its_first_month_says_so() -> None:
    found = runway(burning(50))
    assert (found.empty, found.lasts_until, found.months) == ("2027-01", None, 0)
    assert sentence(burning(50)).startswith("There is not enough cash for the first month, Jan 2027")


def test_money_that_comes_later_does_not_hide_that_cash_was_gone() -> None:
    spec = company(
        {
            "company": {"start": START, "months": 6, "opening_cash": 100},
            "expenses": [{"name": "rent", "amount": 100}],
            "funding": [{"name": "a", "month": "2027-04", "amount": 5000}],
        }
    )
    found = runway(plan(spec))
    assert found.empty == "2027-02"
    assert (found.lowest, found.lowest_month) == (-20_000, "2027-03")


def test_raising_starts_so_early_that_the_buffer_is_never_touched() -> None:
    """1,000 at 100 a month: from the end of August on less than three months of burn are left; closing takes two."""
    timing = start_raising(burning(1000), months_to_close=2, buffer_months=3)
    assert (timing.needed, timing.start, timing.late) == ("2027-08", "2027-06", False)
    assert sentence(burning(1000), 2, 3) == "Cash runs out in Nov 2027; start raising by Jun 2027."


def test_a_start_that_lies_before_the_plan_is_late() -> None:
    assert start_raising(burning(300), months_to_close=6).late
    assert sentence(burning(300)).endswith("start raising now, it is late.")


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 18).flatmap(
        lambda count: st.lists(
            st.lists(st.integers(-500, 2000), min_size=count, max_size=count), min_size=1, max_size=4
        )
    ),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_many_runs_start_raising_when_each_alone_would(cash: list[list[int]], close: int, buffer: int) -> None:
    names = [f"{2027 + month // 12}-{month % 12 + 1:02d}" for month in range(len(cash[0]))]
    found = start_months(np.array(cash, dtype=np.int64), close, buffer)
    for run, month in zip(cash, found.tolist(), strict=True):
        alone = raising.when_to_start(run, names, months_to_close=close, buffer_months=buffer)
        needed = None if month == NEVER else names[month + close]
        assert needed == alone.needed
        assert month == NEVER or (month < 0) == alone.late


@pytest.mark.parametrize("months", [1, 2])
def test_a_very_short_plan_can_be_asked(months: int) -> None:
    assert runway(burning(1000, months=months)).cash == 100_000 - 10_000
    assert sentence(burning(1000, months=months))

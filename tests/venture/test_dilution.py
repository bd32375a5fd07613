"""What a planned round costs in ownership: the cap table's own answer, a published example, and its identities."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.venture.dilution import at_valuations, choose, course, curve, differences, through
from core.venture.fundraising import PlannedRoundSpec
from core.venture.ownership.rounds import history
from core.venture.ownership.spec import OwnershipSpec
from core.venture.spec import CompanySpec, read_company

EXAMPLE = Path("core/venture/examples/example_company.yaml")
SIX_MILLION = {"holders": [{"name": "Ada", "shares": 6_000_000}]}
NOTE = {"name": "Note", "principal_usd": 500_000, "cap_usd": 5_000_000}


def table(**more: Any) -> OwnershipSpec:
    return OwnershipSpec.model_validate(SIX_MILLION | more)


def seed(**more: Any) -> PlannedRoundSpec:
    usual = {"month": "2027-03", "amount": 2_000_000, "pre_money": 8_000_000}
    return PlannedRoundSpec.model_validate(usual | more)


RANGE = seed(pre_money_low=6_000_000, pre_money_high=12_000_000, pool=0.1)


@pytest.fixture(scope="module")
def example() -> CompanySpec:
    return read_company(EXAMPLE)


def test_the_example_keeps_what_its_cap_table_says(example: CompanySpec) -> None:
    """Ownership and Fundraising are one calculation: to the share, not about."""
    owned = [one.of_kind("founder") / one.total for one in history(example.ownership).snapshots]
    found = through(example.ownership, example.fundraising.planned)
    assert [one.expected.held for one in found] == owned[:-1]
    assert [one.expected.kept for one in found] == owned[1:]
    assert [f"{one:.1%}" for one in owned] == ["88.9%", "55.1%", "42.8%"]
    assert not [one for planned in example.fundraising.planned for one in differences(example.ownership, planned, "")]


def test_the_answer_needs_no_round_in_the_cap_table(example: CompanySpec) -> None:
    alone = example.ownership.model_copy(update={"rounds": ()})
    expected = [one.expected.kept for one in through(example.ownership, example.fundraising.planned)]
    assert [one.expected.kept for one in through(alone, example.fundraising.planned)] == expected


def test_the_option_pool_shuffle_is_the_published_one() -> None:
    """Venture Hacks: 6 million shares, $8M before the money, $2M, a pool of 20 % afterwards."""
    found = course(table(), [seed(pool=0.2)], 0).at(Decimal(8_000_000))
    assert (found.investors, found.pool, found.kept) == pytest.approx((0.2, 0.2, 0.6))
    assert float(found.effective_pre_money) == pytest.approx(6_000_000)


def test_a_round_without_a_pool_dilutes_all_alike() -> None:
    ownership = table(options_outstanding=1_000_000, unissued_pool=1_000_000)
    found = course(ownership, [seed(pre_money=6_000_000)], 0).at(Decimal(6_000_000))
    assert (found.held, found.investors, found.kept, found.pool) == pytest.approx((0.75, 0.25, 0.5625, 0.09375))
    assert found.dilution == pytest.approx(0.25)


def test_a_pool_that_is_larger_already_is_only_diluted() -> None:
    found = course(table(unissued_pool=2_000_000), [seed(pool=0.1)], 0).at(Decimal(8_000_000))
    assert (found.pool, found.kept) == pytest.approx((0.2, 0.6))


@given(amount=st.integers(10**4, 10**8), pre=st.integers(10**5, 10**9), pool=st.integers(0, 50))
def test_all_shares_after_a_round_are_one(amount: int, pre: int, pool: int) -> None:
    ownership = table(safes=[{"name": "Angels", "purchase_usd": 100_000, "post_money_cap_usd": 1_000_000}])
    found = course(ownership, [seed(amount=amount, pre_money=pre, pool=pool / 100)], 0)
    try:
        one = found.at(Decimal(pre))
    except InvalidInput:
        assume(False)
    assert one.investors + one.pool + one.converts + one.kept == pytest.approx(1)
    assert one.kept <= one.held


def test_a_safe_that_converts_dilutes_the_founders() -> None:
    safes = [{"name": "Angels", "purchase_usd": 600_000, "post_money_cap_usd": 6_000_000}]
    found = course(table(safes=safes), [seed()], 0)
    assert found.converting == ("Angels",)
    outcome = found.at(Decimal(8_000_000))
    assert (outcome.converts, outcome.kept) == pytest.approx((0.08, 0.72))  # 10 % and 90 % of the 80 % left


def test_a_higher_valuation_leaves_more() -> None:
    found = course(table(), [RANGE], 0)
    ends = at_valuations(found)
    assert ends.low.kept < ends.expected.kept < ends.high.kept
    kept = [one.kept for one in curve(found)]
    assert kept == sorted(kept)


def test_the_curve_reaches_beyond_both_ends() -> None:
    values = [one.pre_money for one in curve(course(table(), [RANGE], 0))]
    assert values[0] < 6_000_000
    assert values[-1] > 12_000_000


def test_earlier_rounds_are_in_at_their_expected_valuation() -> None:
    later = seed(name="Series A", month="2028-09", pre_money_low=4_000_000)
    first, second = through(table(), [RANGE, later])
    assert second.low.held == second.high.held == first.expected.kept
    assert second.expected.kept == pytest.approx(0.8 * first.expected.kept, rel=1e-4)


def test_a_round_of_the_cap_table_alone_comes_before_the_planned_ones_after_it() -> None:
    rounds = [{"name": "Friends", "money_usd": 1_000_000, "pre_money_usd": 1_000_000, "date": "2027-01-10"}]
    found = course(table(rounds=rounds), [seed()], 0)
    assert [one.name for one in found.table.rounds] == ["Friends", "Seed"]
    assert found.at(Decimal(8_000_000)).kept == pytest.approx(0.4, rel=1e-4)


def test_a_note_without_a_method_is_left_out_and_said_so() -> None:
    found = course(table(notes=[NOTE]), [seed()], 0)
    assert (found.left_out, found.undecided, found.converting) == (("Note",), "Seed", ())
    assert "under Ownership, for a round named Seed" in choose(found)
    assert found.at(Decimal(8_000_000)).kept == pytest.approx(0.8, rel=1e-4)


def test_the_method_of_the_cap_tables_round_holds() -> None:
    one = {"name": "Seed", "money_usd": 2_000_000, "pre_money_usd": 8_000_000, "date": "2027-03-01"}
    ownership = table(notes=[NOTE], rounds=[one | {"conversion_method": "percent_ownership"}])
    found = course(ownership, [seed()], 0)
    last = history(ownership).last
    assert choose(found) == ""
    assert found.at(Decimal(8_000_000)).kept == last.of_kind("founder") / last.total < 0.8


def test_other_terms_in_the_cap_table_are_named() -> None:
    one = {"name": "Seed", "money_usd": 2_000_000, "pre_money_usd": 10_000_000, "date": "2027-05-01"}
    told = differences(table(rounds=[one]), RANGE, "USD")
    assert told == (
        "$10M before the money, here $8M",
        "a pool of 0.0%, here a pool of 10.0%",
        "May 2027, here Mar 2027",
    )


def test_a_planned_round_takes_the_day_of_the_cap_tables_round_in_its_month() -> None:
    one = {"name": "Seed", "money_usd": 1, "pre_money_usd": 1, "date": "2027-03-15"}
    assert course(table(rounds=[one]), [seed()], 0).table.rounds[0].date == date(2027, 3, 15)
    assert course(table(), [seed()], 0).table.rounds[0].date == date(2027, 3, 31)


def test_without_a_cap_table_all_owners_are_one() -> None:
    found = course(OwnershipSpec(), [seed()], 0)
    assert not found.known
    assert found.at(Decimal(8_000_000)).kept == pytest.approx(0.8, rel=1e-4)


def test_a_round_that_leaves_nothing_to_its_owners_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Seed"):
        course(table(), [seed(pool=0.9)], 0).at(Decimal(8_000_000))

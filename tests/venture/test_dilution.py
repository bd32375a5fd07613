"""What a round costs in ownership, against published examples and by its own identities."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.venture.dilution import at_valuations, curve, held_today, round_at, through
from core.venture.fundraising import PlannedRoundSpec
from core.venture.ownership.spec import HolderSpec, OwnershipSpec

PLANNED = PlannedRoundSpec(
    month="2027-03",
    amount=Decimal(2_000_000),
    pre_money=Decimal(8_000_000),
    pre_money_low=Decimal(6_000_000),
    pre_money_high=Decimal(12_000_000),
    pool=0.1,
)


def test_the_option_pool_shuffle_is_the_published_one() -> None:
    """Venture Hacks: 6 million shares, $8M before the money, $2M, a pool of 20 % afterwards."""
    found = round_at(Decimal(2_000_000), Decimal(8_000_000), pool=0.2)
    assert (found.investors, found.pool, found.kept) == pytest.approx((0.2, 0.2, 0.6))
    assert found.effective_pre_money == pytest.approx(Decimal(6_000_000))
    assert found.effective_pre_money / 6_000_000 == pytest.approx(Decimal(1))  # a share at $1.00


def test_a_round_without_a_pool_dilutes_all_alike() -> None:
    found = round_at(Decimal(1_000_000), Decimal(3_000_000), held=0.8, held_pool=0.1)
    assert (found.investors, found.kept, found.pool) == pytest.approx((0.25, 0.6, 0.075))
    assert found.dilution == pytest.approx(0.25)
    assert found.effective_pre_money == pytest.approx(Decimal(3_000_000))


def test_a_pool_that_is_larger_already_is_only_diluted() -> None:
    found = round_at(Decimal(1_000_000), Decimal(3_000_000), pool=0.1, held=0.7, held_pool=0.3)
    assert found.pool == pytest.approx(0.225)
    assert found.kept == pytest.approx(0.525)


@given(
    amount=st.integers(1, 10**9),
    pre=st.integers(1, 10**10),
    pool=st.floats(0, 0.5),
    held=st.floats(0, 1),
    held_pool=st.floats(0, 0.9),
)
def test_all_shares_after_a_round_are_one(amount: int, pre: int, pool: float, held: float, held_pool: float) -> None:
    held *= 1 - held_pool
    try:
        found = round_at(Decimal(amount), Decimal(pre), pool=pool, held=held, held_pool=held_pool)
    except InvalidInput:
        assert amount / (pre + amount) + max(pool, held_pool * pre / (pre + amount)) >= 1 - 1e-9
        return
    others = (1 - held - held_pool) * (1 - found.investors - found.pool) / (1 - held_pool)
    assert found.investors + found.pool + found.kept + others == pytest.approx(1)
    assert found.kept <= held + 1e-12


def test_a_higher_valuation_leaves_more() -> None:
    found = at_valuations(PLANNED, held=0.9)
    assert found.low.kept < found.expected.kept < found.high.kept
    kept = [one.kept for one in curve(PLANNED, held=0.9)]
    assert kept == sorted(kept)


def test_the_curve_reaches_beyond_both_ends() -> None:
    values = [one.pre_money for one in curve(PLANNED)]
    assert values[0] < 6_000_000
    assert values[-1] > 12_000_000


def test_rounds_are_taken_one_after_another() -> None:
    plain = PlannedRoundSpec(month="2027-03", amount=Decimal(1), pre_money=Decimal(3))
    first, second = through([plain, plain], held=0.8)
    assert first.expected.kept == pytest.approx(0.6)
    assert (second.expected.held, second.expected.kept) == pytest.approx((0.6, 0.45))


def test_a_round_that_leaves_nothing_to_its_owners_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Lower the amount or the pool"):
        round_at(Decimal(9_000_000), Decimal(1_000_000), pool=0.1)


@pytest.mark.parametrize(("amount", "pre"), [(0, 1), (1, 0), (-1, 5)])
def test_a_round_of_nothing_is_refused(amount: int, pre: int) -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        round_at(Decimal(amount), Decimal(pre))


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"80\.0%"):
        round_at(Decimal(1), Decimal(3), held=0.8, held_pool=0.4)


def test_the_founders_of_the_cap_table_hold_their_part_of_all_shares_and_options() -> None:
    holders = (HolderSpec(name="Ada", shares=6), HolderSpec(name="Angel", shares=1, kind="investor"))
    table = OwnershipSpec(holders=holders, options_outstanding=1, unissued_pool=2)
    assert held_today(table) == pytest.approx((0.6, 0.2))
    assert held_today(OwnershipSpec()) == (1.0, 0.0)

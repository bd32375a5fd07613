"""What holds of every cap table: parts sum to one, money dilutes, an exit is paid out to the cent."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership.case import run
from core.venture.ownership.claims import Claim, stack
from core.venture.ownership.rounds import History, history
from core.venture.ownership.spec import OwnershipSpec
from core.venture.ownership.table import rounded
from core.venture.ownership.waterfall import apportion, breakpoints, curve, total_at, waterfall
from tests.venture.ownership.strategies import companies

QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
EXIT = st.integers(0, 500_000_000)


def past_of(company: dict[str, Any]) -> tuple[OwnershipSpec, History]:
    """Deals that leave the holders of today nothing are refused; their own test is elsewhere."""
    spec = parse(OwnershipSpec, company)
    try:
        past = history(spec)
        stack(spec, past)
    except InvalidInput as error:
        assume("No price solves" not in str(error) and "with the terms that an MFN takes" not in str(error))
        raise
    return spec, past


@QUICK
@given(companies())
def test_ownership_sums_to_one_after_every_event(company: dict[str, Any]) -> None:
    for one in past_of(company)[1].snapshots:
        assert sum(one.ownership().values()) == 1
        assert sum(round(part * 10_000) for part in rounded(one.ownership()).values()) == 10_000


@QUICK
@given(companies())
def test_nobody_owns_more_after_a_round_in_which_they_put_nothing(company: dict[str, Any]) -> None:
    snapshots = past_of(company)[1].snapshots
    for before, after in pairwise(snapshots):
        now = after.ownership()
        for name, part in before.ownership().items():
            assert name == "Unissued pool" or now[name] < part


@QUICK
@given(companies(rounds=1), st.integers(1, 10_000_000))
def test_more_money_at_the_same_pre_money_leaves_a_founder_less(company: dict[str, Any], more: int) -> None:
    assume(company["rounds"])
    one = company["rounds"][0]
    richer = company | {"rounds": [one | {"money_usd": one["money_usd"] + more}]}
    less, least = (past_of(each)[1].last for each in (company, richer))
    # whole shares and a printed price may move a part by a few shares in all
    slack = Fraction(10, min(less.total, least.total)) + Fraction(1, 9_000)
    assert least.ownership()["Founder 0"] <= less.ownership()["Founder 0"] * (1 + slack) + slack


@QUICK
@given(companies())
def test_the_price_times_all_shares_is_what_the_method_says(company: dict[str, Any]) -> None:
    for one in past_of(company)[1].snapshots[1:]:
        assert one.exact_price is not None
        assert one.money is not None
        assert one.pre_money is not None
        assert one.post_money is not None
        if one.method in (None, "percent_ownership"):
            expected = one.pre_money + one.money
        elif one.method == "dollars_invested":
            by_method = [made.amount for made in one.conversions if not _post(company, made.name)]
            expected = one.pre_money + one.money + sum(by_method, Fraction(0))
        else:
            continue  # the converts' shares come on top of a fixed price
        assert float(one.post_money) == pytest.approx(float(expected), rel=5e-4)


def _post(company: dict[str, Any], name: str) -> bool:
    """Of the post-money form, by its own words or by those it takes as MFN."""
    places = [place for place, one in enumerate(company["safes"]) if one["name"] == name]
    if not places:
        return False
    one, later = company["safes"][places[0]], company["safes"][places[0] + 1 :]
    if "post_money_cap_usd" in one or one.get("form") == "post_money":
        return True
    return (
        "pre_money_cap_usd" not in one and "form" not in one and any("post_money_cap_usd" in other for other in later)
    )


@QUICK
@given(companies(), EXIT)
def test_an_exit_is_paid_out_to_the_cent(company: dict[str, Any], value: int) -> None:
    spec, past = past_of(company)
    found = waterfall(stack(spec, past), Fraction(value))
    paid = sum(cents for _, cents in found.first) + sum(one.cents for one in found.payouts) + found.unclaimed
    assert paid == found.value_cents == value * 100
    assert found.unclaimed == 0
    for one in found.payouts:
        assert one.cents == sum(cents for _, cents in one.holders)


@QUICK
@given(companies(), EXIT, st.integers(0, 100_000_000))
def test_a_larger_exit_pays_nobody_less(company: dict[str, Any], value: int, more: int) -> None:
    spec, past = past_of(company)
    claims = stack(spec, past)
    small, large = (waterfall(claims, Fraction(one)) for one in (value, value + more))
    for before, after in zip(small.payouts, large.payouts, strict=True):
        assert after.exact >= before.exact


@QUICK
@given(companies(), EXIT)
def test_no_class_gains_by_choosing_otherwise(company: dict[str, Any], value: int) -> None:
    """Each converting class against its preference alone, each preferring one against its shares, all others fixed."""
    spec, past = past_of(company)
    claims = stack(spec, past).claims
    found = waterfall(stack(spec, past), Fraction(value))
    assume(value > total_at(claims, Fraction(0)))
    for one, paid in zip(claims, found.payouts, strict=True):
        assert paid.exact >= one.alone(found.share, reached=False)  # within a step a SAFE's shares are on their way up
        assert not one.preference or paid.exact >= one.preference


@QUICK
@given(companies(rounds=1), st.integers(1_000_000, 500_000_000))
def test_a_post_money_safe_that_converts_owns_its_part_of_all_who_convert(company: dict[str, Any], value: int) -> None:
    """purchase ÷ cap of the money that is shared out by shares, counted from the payouts alone."""
    company["safes"] = [one | {"date": "2030-01-01", "mfn": False} for one in company["safes"]]  # after the round
    company["rounds"] = [one | {"date": "2026-01-01", "participating": False} for one in company["rounds"]]
    company["rounds"] = [{k: v for k, v in one.items() if k != "participation_cap"} for one in company["rounds"]]
    spec, past = past_of(company)
    claims = stack(spec, past)
    found = waterfall(claims, Fraction(value))
    bends = {one.value for one in breakpoints(claims)}
    assume(all(one.worth(found.share) == one.worth(found.share, reached=False) for one in claims.claims) and bends)
    shared = sum(
        (paid.exact for one, paid in zip(claims.claims, found.payouts, strict=True) if not _cash(one, paid.exact)),
        Fraction(0),
    )
    caps = {one.name: one.purchase_usd / one.post_money_cap_usd for one in spec.safes if one.post_money_cap_usd}
    for one, paid in zip(claims.claims, found.payouts, strict=True):
        if one.name in caps and not _cash(one, paid.exact):
            assert float(paid.exact) == pytest.approx(float(Fraction(caps[one.name]) * shared), rel=1e-12)


def _cash(one: Claim, paid: Fraction) -> bool:
    """It takes its preference, and not more."""
    return bool(one.preference) and paid <= one.preference


@QUICK
@given(companies())
def test_between_breakpoints_every_line_is_straight(company: dict[str, Any]) -> None:
    spec, past = past_of(company)
    claims = stack(spec, past)
    bends = [Fraction(0), *(one.value for one in breakpoints(claims))]
    for low, high in pairwise(bends):
        if high - low < 1:
            continue
        ends = [waterfall(claims, Fraction(int(at * 100), 100)) for at in (low, (low + high) / 2, high)]
        for first, middle, last in zip(*(one.payouts for one in ends), strict=True):
            assert float(middle.exact * 2 - first.exact - last.exact) == pytest.approx(0, abs=0.2)


@settings(QUICK, max_examples=12)
@given(companies())
def test_the_curve_passes_every_breakpoint(company: dict[str, Any]) -> None:
    spec, past = past_of(company)
    claims = stack(spec, past)
    values = {one.value_cents for one in curve(claims)}
    assert {int(one.value * 100) for one in breakpoints(claims)} <= values


@QUICK
@given(st.lists(st.fractions(0, 10**6), min_size=1, max_size=9))
def test_cents_are_shared_out_whole(parts: list[Fraction]) -> None:
    whole = int(sum(parts))
    found = apportion(parts, whole)
    assert sum(found) == whole
    assert all(abs(got - part) < 1 for got, part in zip(found, parts, strict=True))


@QUICK
@given(companies())
def test_a_table_that_went_through_json_is_the_same(company: dict[str, Any]) -> None:
    spec = past_of(company)[0]
    assert OwnershipSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert OwnershipSpec.model_validate_json(spec.model_dump_json()) == spec
    assert run(spec).to_json()["total_shares"] > 0

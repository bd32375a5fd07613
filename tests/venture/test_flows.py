"""Sources and uses: to the cent the same, over any months of any plan; and each amount where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.venture.examples import example_document
from core.venture.flows import Flows, flow_rows, flows
from core.venture.plan import Plan, plan
from core.venture.spec import CompanySpec, company

SPEC = company(example_document())
PLAN = plan(SPEC)


def balanced(found: Flows) -> bool:
    """What came, what went, and what is left, which may be missing."""
    return found.came - found.went == found.closing


def small(**more: object) -> tuple[CompanySpec, Plan]:
    spec = company({"company": {"start": "2027-01", "months": 12, "opening_cash": 1000}} | more)
    return spec, plan(spec)


@given(st.integers(0, 35), st.integers(1, 36))
def test_sources_are_uses_returns_and_what_is_left(first: int, count: int) -> None:
    end = min(first + count, 36)
    found = flows(SPEC, PLAN, first, end)
    assert balanced(found)
    assert found.closing == int(PLAN.cash[0, end - 1])
    assert all(one.amount > 0 for one in (*found.sources, *found.uses, *found.returns))


def test_funding_is_told_by_its_kind() -> None:
    told = {one.name: one.amount for one in flows(SPEC, PLAN).sources}
    assert told["Angels"] == 60_000_000
    assert told["Grants and subsidies"] == 18_000_000
    assert told["In the bank at the start"] == 14_000_000


def test_a_loan_flows_back_with_its_interest() -> None:
    loan = {"name": "Loan", "kind": "loan", "month": "2027-01", "amount": 1200, "interest": 0.12, "repay_months": 6}
    spec, made = small(funding=[loan])
    found = flows(spec, made)
    assert {one.name: one.amount for one in found.returns} == {"Repayments": 120_000, "Interest": 4_200}
    assert balanced(found)


def test_cash_below_nothing_is_missing() -> None:
    spec, made = small(expenses=[{"name": "Rent", "amount": 200}])
    found = flows(spec, made)
    assert found.missing == 140_000
    assert flows(spec, made, 0, 5).missing == 0


def test_what_was_owed_before_is_a_use() -> None:
    spec, made = small(expenses=[{"name": "Rent", "amount": 200}])
    later = flows(spec, made, 6, 12)
    assert later.opening < 0
    assert later.uses[0].name == "Owed at the start"
    assert balanced(later)


def test_receipts_and_not_revenue_come_in() -> None:
    product = {
        "name": "P",
        "model": "project",
        "price": 1200,
        "project_months": 1,
        "customers": 1,
        "payment_delay_months": 3,
    }
    spec, made = small(products=[product])
    assert [one.group for one in flows(spec, made, 0, 3).sources] == ["start"]
    assert {one.name: one.amount for one in flows(spec, made, 3, 4).sources}["Revenue: P"] == 120_000


def test_a_plan_of_nothing_has_no_flows() -> None:
    spec = company({"company": {"months": 3}})
    found = flows(spec, plan(spec))
    assert (found.sources, found.uses, found.returns, found.closing) == ((), (), (), 0)


def test_the_rows_to_take_away_hold_every_flow_and_what_is_left() -> None:
    found = flows(SPEC, PLAN)
    rows = flow_rows(found)
    assert len(rows) == len(found.sources) + len(found.uses) + len(found.returns) + 1
    signed = sum(float(row["amount"]) * (1 if row["side"] == "source" else -1) for row in rows[:-1])
    assert signed == pytest.approx(float(rows[-1]["amount"]))
    assert rows[-1]["side"] == "left"

"""The monthly plan: its identities for any company, and one small company reckoned again with pencil and Decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.venture.drivers import BASE, DOWN, NAMES, UP, ScenarioSpec
from core.venture.plan import Plan, plan, simulate
from core.venture.spec import CompanySpec, company
from tests.venture.companies import START, companies, everything

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cents(value: Decimal) -> int:
    return int((value * 100).to_integral_value(rounding=ROUND_HALF_EVEN))


# ── identities, for any company ──


@quick
@given(companies())
def test_cash_moves_by_receipts_less_payments_plus_funding_less_repayments(spec: CompanySpec) -> None:
    found = plan(spec)
    before = np.concatenate([[found.opening_cash], found.cash[0, :-1]])
    moved = found.receipts - found.payments + found.funding_in - found.repayments
    assert (found.cash[0] - before == moved[0]).all()


@quick
@given(companies())
def test_payments_are_every_cost_of_the_month_with_interest_and_tax(spec: CompanySpec) -> None:
    found = plan(spec)
    costs = found.cogs + found.research + found.sales + found.general + found.interest + found.tax
    assert (found.payments == costs).all()
    assert (found.net_profit == found.revenue - costs).all()


@quick
@given(companies())
def test_gross_profit_and_cost_of_revenue_are_revenue(spec: CompanySpec) -> None:
    found = plan(spec)
    assert (found.gross_profit + found.cogs == found.revenue).all()
    of_products = sum((one.cogs for one in found.products), np.zeros_like(found.cogs))
    assert (found.cogs == of_products + found.team["cogs"] + found.compute["cogs"] + found.expenses["cogs"]).all()


@quick
@given(companies())
def test_receipts_are_the_revenue_of_the_months_before_and_never_more(spec: CompanySpec) -> None:
    found = plan(spec)
    assert (np.cumsum(found.receipts, axis=1) <= np.cumsum(found.revenue, axis=1)).all()


@quick
@given(companies())
def test_what_is_owed_moves_by_loans_less_repayments_and_is_never_below_0(spec: CompanySpec) -> None:
    found = plan(spec)
    owed = [one.owed for one in spec.funding]
    lines = (line[0] for line, counts in zip(found.funding.values(), owed, strict=True) if counts)
    came = sum(lines, np.zeros(len(found.months), dtype=np.int64))
    change = np.diff(found.owed[0])
    assert (found.owed >= 0).all()
    assert (change == (came - found.repayments[0])[1:]).all()


@quick
@given(companies(), st.floats(1, 4))
def test_more_churn_never_means_more_customers(spec: CompanySpec, factor: float) -> None:
    usual, worse = plan(spec), plan(spec, ScenarioSpec(churn=factor))
    for one, other in zip(usual.products, worse.products, strict=True):
        assert (other.customers <= one.customers * (1 + 1e-12) + 1e-9).all()


@quick
@given(companies(), st.sampled_from([BASE, DOWN, UP, ScenarioSpec(hiring_delay=2)]))
def test_a_run_among_many_is_the_plan_alone(spec: CompanySpec, scenario: ScenarioSpec) -> None:
    others = (BASE, DOWN, scenario)
    many = simulate(spec, {name: np.array([float(getattr(one, name)) for one in others]) for name in NAMES})
    alone = plan(spec, scenario)
    assert (many.cash[2] == alone.cash[0]).all()
    assert (many.revenue[2] == alone.revenue[0]).all()


@quick
@given(companies())
def test_the_base_scenario_is_the_plan(spec: CompanySpec) -> None:
    assert (plan(spec).cash == plan(spec, BASE).cash).all()


# ── one small company, by hand ──

SMALL = {
    "company": {"start": START, "months": 8, "opening_cash": "50000", "tax_rate": 0.3},
    "products": [
        {
            "name": "Pro",
            "price": "49.90",
            "customers": 11,
            "new_customers": 4,
            "growth": 0.1,
            "churn": 0.07,
            "expansion": 0.02,
            "contraction": 0.01,
            "reactivation": 0.05,
            "payment_delay_months": 1,
            "payment_fee": 0.029,
            "users_per_customer": 3,
            "tasks": [{"name": "a", "runs_per_user": 70, "input_tokens": 1300, "output_tokens": 210}],
            "cost": {"usd_per_million_input": "0.45", "usd_per_million_output": "1.7"},
            "hosting_per_customer": "1.35",
        }
    ],
    "team": [
        {"role": "Founder", "function": "general", "salary": 36000, "burden": 0.21},
        {"role": "Engineer", "salary": 61000, "burden": 0.19, "start": "2027-04", "end": "2027-07"},
    ],
    "compute": [{"name": "tune", "amount": 333, "every_months": 3, "start": "2027-02"}],
    "expenses": [{"name": "Ads", "function": "sales", "amount": 500, "growth": 0.03, "share_of_revenue": 0.02}],
    "funding": [
        {"name": "Grant", "kind": "grant", "month": "2027-03", "amount": 10000},
        {
            "name": "Bank",
            "kind": "loan",
            "month": "2027-02",
            "amount": 10000,
            "interest": 0.08,
            "grace_months": 1,
            "repay_months": 3,
        },
    ],
}


def by_hand() -> list[dict[str, int]]:
    """SMALL again, a month at a time, without any code of ours."""
    d = Decimal
    rows: list[dict[str, int]] = []
    customers, lost, mrr = d(11), d(0), cents(11 * d("49.90"))
    cash, losses, revenue_before, owed = 5_000_000, 0, 0, 0
    for month in range(8):
        won, gone, back = 4 * d("1.1") ** month, customers * d("0.07"), lost * d("0.05")
        up, down, churned = (
            cents(d(mrr) / 100 * d("0.02")),
            cents(d(mrr) / 100 * d("0.01")),
            cents(d(mrr) * d("0.0007")),
        )
        mrr += cents(won * d("49.90")) + cents(back * d("49.90")) + up - down - churned
        customers, lost = customers + won + back - gone, lost + gone - back
        tokens = 3 * 70 * (1300 * d("0.45") + 210 * d("1.7")) / 1_000_000
        cogs = cents(customers * tokens) + cents(customers * d("1.35")) + cents(d(mrr) * d("0.00029"))
        founder, engineer = cents(d(36000) * d("1.21") / 12), cents(d(61000) * d("1.19") / 12)
        research = (engineer if 3 <= month <= 6 else 0) + (33300 if month in (1, 4, 7) else 0)
        sales = cents(500 * d("1.03") ** month + d(mrr) / 100 * d("0.02"))
        repaid = {3: 333_333, 4: 333_333, 5: 333_334}.get(month, 0)
        interest = cents(d(owed) / 100 * d("0.08") / 12)
        profit = mrr - cogs - research - sales - founder - interest
        taxed = profit - losses
        losses, tax = max(-taxed, 0), cents(max(d(taxed), d(0)) / 100 * d("0.3"))
        came = {1: 1_000_000, 2: 1_000_000}.get(month, 0)
        cash += revenue_before - cogs - research - sales - founder - interest - tax + came - repaid
        revenue_before, owed = mrr, owed - repaid + (1_000_000 if month == 1 else 0)
        rows.append(
            {"recurring": mrr, "cogs": cogs, "research": research, "sales": sales, "general": founder}
            | {"interest": interest, "tax": tax, "owed": owed, "cash": cash, "net_profit": profit - tax}
        )
    return rows


def test_a_small_plan_is_what_plain_arithmetic_makes_of_it() -> None:
    found = plan(company(SMALL))
    for month, row in enumerate(by_hand()):
        assert {key: int(getattr(found, key)[0, month]) for key in row} == row, found.months[month]


# ── single rules ──


def test_what_customers_pay_late_is_not_yet_cash() -> None:
    spec = company({"company": {"start": START, "months": 4}, "products": [{"name": "a", "price": 10, "customers": 1}]})
    late = spec.model_copy(update={"products": (spec.products[0].model_copy(update={"payment_delay_months": 3}),)})
    assert plan(spec).cash[0].tolist() == [1000, 2000, 3000, 4000]
    assert plan(late).cash[0].tolist() == [0, 0, 0, 1000]


def test_a_hiring_delay_moves_who_is_still_to_come_and_nobody_else() -> None:
    found = plan(everything(), ScenarioSpec(hiring_delay=2))
    assert found.headcount[0, :9].tolist() == [2, 2, 2, 2, 4, 4, 4, 5, 5]
    assert plan(everything()).headcount[0, :9].tolist() == [2, 2, 4, 4, 4, 5, 5, 5, 6]


def test_losses_of_earlier_months_are_set_off_before_tax() -> None:
    spec = company(
        {
            "company": {"start": START, "months": 3, "tax_rate": 0.5, "opening_cash": 1000},
            "products": [{"name": "a", "price": 100, "customers": 1}],
            "expenses": [{"name": "b", "amount": 150, "once": True}],
        }
    )
    assert plan(spec).tax[0].tolist() == [0, 2500, 5000]


def test_money_that_goes_round_the_world_is_refused_with_what_to_do() -> None:
    spec = company(
        {
            "company": {"start": START, "months": 60},
            "products": [{"name": "a", "price": 1e6, "new_customers": 1e6, "growth": 3}],
        }
    )
    with pytest.raises(InvalidInput, match="growth"):
        plan(spec)


def test_funding_is_no_income() -> None:
    found = plan(everything())
    assert found.funding_in.sum() == 35_000_000
    without = plan(everything().model_copy(update={"funding": ()}))
    assert (found.revenue == without.revenue).all()
    assert (found.receipts == without.receipts).all()


def borrowed(**fields: object) -> Plan:
    loan = {"name": "Bank", "month": "2027-02", "amount": 12_000, **fields}
    return plan(company({"company": {"start": START, "months": 4, "opening_cash": 100}, "funding": [loan]}))


@pytest.mark.parametrize("kind", ["loan", "family", "savings"])
def test_what_bears_interest_and_is_not_repaid_within_the_plan_stays_owed(kind: str) -> None:
    found = borrowed(kind=kind, interest=0.06)
    assert found.owed[0].tolist() == [0, 1_200_000, 1_200_000, 1_200_000]
    assert found.interest[0].tolist() == [0, 0, 6_000, 6_000]
    assert not found.repayments.any()


def test_a_loan_of_before_the_plan_that_is_not_repaid_is_owed_from_its_start() -> None:
    found = borrowed(kind="loan", interest=0.06, month="2026-11")
    assert found.owed[0].tolist() == [1_200_000] * 4
    assert found.interest[0].tolist() == [6_000] * 4


def test_a_loan_is_owed_without_interest_too_and_own_savings_are_not() -> None:
    assert borrowed(kind="loan").owed[0].tolist() == [0, 1_200_000, 1_200_000, 1_200_000]
    assert not borrowed(kind="savings").owed.any()


# ── percentages, and dollars in another currency ──


def test_a_percentage_may_be_written_wherever_a_share_is_meant() -> None:
    spec = company(
        {
            "company": {"start": START, "tax_rate": "25%"},
            "team": [{"role": "a", "salary": 1, "burden": "120 %"}],
            "expenses": [{"name": "a", "growth": "-1.5%"}],
            "funding": [{"name": "a", "kind": "loan", "month": START, "amount": 1, "interest": "6%"}],
        }
    )
    assert spec.company.tax_rate == 0.25
    assert (spec.team[0].burden, spec.expenses[0].growth, spec.funding[0].interest) == (1.2, -0.015, 0.06)


@pytest.mark.parametrize(
    ("section", "row"),
    [
        ("team", {"role": "a", "salary": 1, "burden": "250%"}),
        ("expenses", {"name": "a", "growth": "60%"}),
        ("funding", {"name": "a", "kind": "loan", "month": START, "amount": 1, "interest": "130%"}),
    ],
)
def test_a_percentage_out_of_range_is_refused(section: str, row: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"less than or equal"):
        company({section: [row]})


IN_EURO = {"currency": "EUR", "start": START}
TOKENS = {"products": [{"name": "Bot", "cost": {"usd_per_million_output": 3}}]}
ESTIMATED = {"compute": [{"name": "Tune", "amount": 900, "scenario_id": "one"}]}


@pytest.mark.parametrize(("priced", "named"), [(TOKENS, "Bot"), (ESTIMATED, "Tune")])
def test_a_dollar_without_a_price_in_the_companys_currency_is_refused(priced: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{named}.*per_usd: 0.92 means that it costs 0.92 EUR"):
        company({"company": IN_EURO, **priced})


def test_without_anything_in_dollars_no_rate_is_needed() -> None:
    assert company({"company": IN_EURO, "compute": [{"name": "Tune", "amount": 900}]}).company.per_usd == 1


def test_a_rate_of_1_that_was_given_is_kept_in_the_file() -> None:
    spec = company({"company": {"currency": "PAB", "per_usd": 1, "start": START}, **TOKENS})
    assert company(spec.to_json()) == spec

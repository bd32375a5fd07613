"""Companies to plan with: one that has something of everything, and any that hypothesis can think of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.venture.spec import CompanySpec, company

START = "2027-01"
EVERYTHING: dict[str, Any] = {
    "company": {"name": "Acme", "start": START, "months": 36, "opening_cash": 900_000, "tax_rate": 0.25},
    "products": [
        {
            "name": "Team",
            "price": 99,
            "customers": 20,
            "new_customers": 8,
            "growth": 0.05,
            "churn": 0.03,
            "expansion": 0.01,
            "contraction": 0.004,
            "reactivation": 0.01,
            "payment_fee": 0.029,
            "payment_delay_months": 1,
            "users_per_customer": 5,
            "tasks": [{"name": "draft", "runs_per_user": 60, "input_tokens": 1500, "output_tokens": 400}],
            "cost": {"usd_per_million_input": 0.5, "usd_per_million_output": 1.5},
            "hosting_per_customer": 2,
            "people_minutes_per_customer": 10,
            "people_hourly_cost": 45,
        },
        {
            "name": "API",
            "model": "usage",
            "price": 3,
            "launch": "2027-04",
            "new_customers": 2,
            "growth": 0.04,
            "churn": 0.02,
            "usage_growth": 0.02,
            "tasks": [{"name": "batch", "runs_per_user": 20_000, "input_tokens": 1000, "output_tokens": 200}],
            "cost": {"usd_per_million_input": 0.5, "usd_per_million_output": 1.5},
        },
        {
            "name": "Pilot",
            "model": "project",
            "price": 24_000,
            "new_customers": 0.2,
            "project_months": 4,
            "delivery_cost": 6000,
            "payment_delay_months": 2,
        },
    ],
    "team": [
        {"role": "Founder", "function": "general", "count": 2, "salary": 60_000},
        {"role": "ML engineer", "count": 2, "salary": 110_000, "start": "2027-03"},
        {"role": "Sales", "function": "sales", "salary": 80_000, "start": "2027-06"},
        {"role": "Support", "function": "cogs", "salary": 50_000, "start": "2027-09"},
    ],
    "compute": [
        {"name": "Fine-tunes", "amount": 1500, "every_months": 3},
        {"name": "Reserve", "kind": "serving", "amount": 800},
    ],
    "expenses": [
        {"name": "Ads", "function": "sales", "amount": 3000, "growth": 0.02},
        {"name": "Tools", "amount": 1200, "share_of_revenue": 0.01},
        {"name": "Laptops", "amount": 9000, "once": True, "start": "2027-03"},
    ],
    "funding": [
        {"name": "Angel", "kind": "angel", "month": "2027-02", "amount": 250_000},
        {
            "name": "Bank",
            "kind": "loan",
            "month": "2027-05",
            "amount": 100_000,
            "interest": 0.06,
            "grace_months": 6,
            "repay_months": 24,
        },
    ],
}


def everything(**about: Any) -> CompanySpec:
    """about: of the company, in place of what stands there."""
    return company(EVERYTHING | {"company": EVERYTHING["company"] | about})


def short_of_cash(**about: Any) -> CompanySpec:
    """It runs dry within the plan, in most of its futures."""
    return everything(**({"opening_cash": 300_000} | about))


_share = st.floats(0, 0.3).map(lambda value: round(value, 4))
_count = st.floats(0, 50).map(lambda value: round(value, 2))
_amount = st.integers(0, 5_000_000).map(lambda cents: cents / 100)
_late = st.sampled_from([None, "2026-10", "2027-01", "2027-04", "2028-06"])
_function = st.sampled_from(["cogs", "research", "sales", "general"])
_any_product = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["subscription", "usage", "project"]),
        "price": _amount,
        "launch": _late,
        "customers": _count,
        "new_customers": _count,
        "growth": st.floats(-0.3, 0.3),
        "churn": _share,
        "expansion": _share,
        "contraction": _share,
        "reactivation": _share,
        "usage_growth": st.floats(-0.2, 0.2),
        "sales_cycle_months": st.integers(0, 6),
        "payment_delay_months": st.integers(0, 4),
        "project_months": st.integers(1, 9),
        "payment_fee": _share,
        "delivery_cost": _amount,
        "hosting_per_customer": _amount,
        "tasks": st.just([{"name": "a", "runs_per_user": 9, "input_tokens": 900, "output_tokens": 90}]),
        "cost": st.just({"usd_per_million_input": 1, "usd_per_million_output": 4}),
    }
)
_any_role = st.fixed_dictionaries(
    {"role": st.just("Someone"), "function": _function, "count": st.integers(1, 4), "salary": _amount, "start": _late}
)
_any_expense = st.fixed_dictionaries(
    {"name": st.just("Rent"), "function": _function, "amount": _amount, "growth": st.floats(-0.1, 0.1), "start": _late}
)
_any_loan = st.fixed_dictionaries(
    {
        "name": st.just("Bank"),
        "kind": st.sampled_from(["loan", "family", "savings"]),
        "month": st.sampled_from(["2026-06", "2027-01", "2027-05"]),
        "amount": _amount,
        "interest": _share,
        "grace_months": st.integers(0, 4),
        "repay_months": st.integers(0, 20),
    }
)


@st.composite
def companies(draw: st.DrawFn) -> CompanySpec:
    """Up to three products, people, expenses and loans, over up to three years."""
    products = draw(st.lists(_any_product, max_size=3))
    about = {
        "start": START,
        "months": draw(st.integers(1, 36)),
        "opening_cash": draw(_amount),
        "tax_rate": draw(st.sampled_from([0, 0.25])),
    }
    return company(
        {
            "company": about,
            "products": [_given(one) | {"name": f"p{place}"} for place, one in enumerate(products)],
            "team": [_given(one) for one in draw(st.lists(_any_role, max_size=3))],
            "expenses": [_given(one) for one in draw(st.lists(_any_expense, max_size=3))],
            "funding": draw(st.lists(_any_loan, max_size=2)),
        }
    )


def _given(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}

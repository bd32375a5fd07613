"""Companies to export: one with everything that a plan can have, and one that is empty."""

from __future__ import annotations

from typing import Any

from core.venture.spec import CompanySpec, company

RICH: dict[str, Any] = {
    "company": {
        "name": "Example GmbH",
        "about": "Answers questions about leases.",
        "example": True,
        "currency": "EUR",
        "per_usd": 0.92,
        "start": "2026-03",
        "months": 30,
        "opening_cash": "150k",
        "tax_rate": 0.3,
    },
    "products": [
        {
            "name": "Team plan",
            "price": 49,
            "customers": 40,
            "new_customers": 12,
            "growth": 0.06,
            "churn": 0.04,
            "expansion": 0.02,
            "contraction": 0.01,
            "reactivation": 0.01,
            "payment_delay_months": 1,
            "users_per_customer": 3,
            "usage_growth": 0.01,
            "tasks": [
                {"name": "Ask", "runs_per_user": 200, "input_tokens": 1800, "output_tokens": 350, "cached_share": 0.4},
                {"name": "Summarise", "runs_per_user": 20, "input_tokens": 9000, "output_tokens": 700},
            ],
            "cost": {
                "source": "estimate",
                "usd_per_million_input": 0.4,
                "usd_per_million_output": 1.6,
                "low_factor": 0.8,
                "high_factor": 1.5,
                "scenario_name": "Llama on one GPU",
            },
            "hosting_per_customer": 1.5,
            "people_minutes_per_customer": 4,
            "people_hourly_cost": 45,
            "payment_fee": 0.029,
        },
        {
            "name": "API",
            "model": "usage",
            "unit": "million_tokens",
            "price": 3,
            "launch": "2026-09",
            "customers": 3,
            "new_customers": 2,
            "growth": 0.1,
            "churn": 0.03,
            "sales_cycle_months": 2,
            "usage_growth": 0.04,
            "users_per_customer": 20,
            "tasks": [{"name": "Call", "runs_per_user": 900, "input_tokens": 1500, "output_tokens": 400}],
            "cost": {
                "source": "api",
                "usd_per_million_input": 0.15,
                "usd_per_million_cached_input": 0.05,
                "usd_per_million_output": 0.6,
            },
        },
        {
            "name": "API by the run",
            "model": "usage",
            "unit": "run",
            "price": 0.02,
            "customers": 2,
            "new_customers": 1,
            "churn": 0.05,
            "usage_growth": -0.02,
            "tasks": [{"name": "Run", "runs_per_user": 5000, "input_tokens": 800, "output_tokens": 200}],
        },
        {
            "name": "Fine-tune for you",
            "model": "project",
            "price": "18k",
            "launch": "2026-05",
            "customers": 1,
            "new_customers": 0.5,
            "growth": 0.02,
            "project_months": 3,
            "delivery_cost": 3500,
            "payment_delay_months": 2,
            "people_minutes_per_customer": 600,
            "people_hourly_cost": 60,
        },
    ],
    "team": [
        {"role": "Founder", "function": "general", "count": 2, "salary": "48k"},
        {"role": "ML engineer", "salary": "85k", "start": "2026-06"},
        {"role": "Sales", "function": "sales", "salary": "55k", "burden": 0.25, "start": "2026-10", "end": "2027-12"},
        {"role": "Support", "function": "cogs", "count": 0.5, "salary": "36k", "start": "2025-11"},
    ],
    "compute": [
        {"name": "Fine-tunes", "amount": 900, "every_months": 3, "start": "2026-01", "scenario_name": "LoRA"},
        {"name": "Data", "kind": "data", "amount": 4000, "once": True, "start": "2026-04"},
        {"name": "Server", "kind": "serving", "amount": 650.55, "start": "2026-05", "end": "2027-05"},
    ],
    "expenses": [
        {"name": "Rent", "amount": 1200, "growth": 0.002},
        {"name": "Ads", "function": "sales", "amount": 500, "share_of_revenue": 0.05, "start": "2026-06"},
        {"name": "Founding costs", "amount": 2500, "once": True},
        {"name": "Audit", "amount": 6000, "once": True, "start": "2027-02"},
    ],
    "funding": [
        {"name": "Bank loan", "kind": "loan", "month": "2026-05", "amount": "100k", "interest": 0.06,
         "grace_months": 3, "repay_months": 36},
        {"name": "Old loan", "kind": "family", "month": "2025-06", "amount": 10000, "interest": 0.03,
         "repay_months": 18},
        {"name": "Seed", "kind": "venture", "month": "2026-11", "amount": "600k", "terms": "post-money SAFE"},
        {"name": "Savings", "kind": "savings", "month": "2026-04", "amount": 20000},
    ],
}  # fmt: skip

HOSTILE = '=HYPERLINK("http://evil.example","x")<script>alert(1)</script>|**b**'


ODD: dict[str, Any] = {
    "company": {"name": "Odd", "start": "2026-12", "months": 27, "opening_cash": 5000, "tax_rate": 0.2},
    "products": [
        {"name": "All leave", "price": 9990, "customers": 17.5, "new_customers": 4, "growth": -0.9, "churn": 0.5,
         "contraction": 0.5, "reactivation": 1, "launch": "2025-01", "payment_delay_months": 12},
        {"name": "Shrinks", "model": "usage", "unit": "run", "price": 3.7, "customers": 5, "usage_growth": -0.1,
         "tasks": [{"name": "t", "runs_per_user": 300.5, "input_tokens": 9000, "cached_share": 1}],
         "cost": {"usd_per_million_input": 3}, "sales_cycle_months": 36, "new_customers": 1},
        {"name": "Long", "model": "project", "price": 900, "new_customers": 1, "project_months": 60},
        {"name": "Never", "price": 10, "customers": 9, "launch": "2030-01"},
    ],
    "team": [{"role": "Past", "salary": 12000, "start": "2025-01", "end": "2026-02"},
             {"role": "Later", "salary": 33333, "start": "2027-03"}],
    "compute": [{"name": "Past", "amount": 100, "once": True, "start": "2026-01"},
                {"name": "Rhythm", "amount": 99.99, "every_months": 5, "start": "2026-01"}],
    "expenses": [{"name": "Past", "amount": 100, "once": True, "start": "2026-01"},
                 {"name": "Grown", "amount": 10.005, "growth": -0.5, "start": "2026-01"}],
    "funding": [{"name": "Twice", "kind": "loan", "month": "2026-01", "amount": 1000.01, "interest": 1,
                 "grace_months": 12, "repay_months": 7},
                {"name": "Twice", "kind": "loan", "month": "2028-12", "amount": 50, "repay_months": 1}],
    "scenarios": {"odd": {"growth": 1.1, "hiring_delay": 2.5, "tokens_per_user": 0, "price": 0.35, "churn": 10}},
}  # fmt: skip
"""At every edge: before the plan, after it, nothing left, half a month of delay."""


def odd() -> CompanySpec:
    return company(ODD)


def rich(**changes: Any) -> CompanySpec:
    """changes: whole sections."""
    return company(RICH | changes)


def empty() -> CompanySpec:
    return company({"company": {"name": "Nothing yet", "start": "2026-03", "months": 12}})

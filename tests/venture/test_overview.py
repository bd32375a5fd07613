"""The answer of a plan: when the cash is gone, from when the company earns, what comes next."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.venture.overview import founders_share, margins, next_step, open_risks, outlook, sentence
from core.venture.plan import Plan, plan
from core.venture.spec import company

ABOUT = {"start": "2027-01", "months": 12, "opening_cash": 1000}


def made(**more: Any) -> Plan:
    return plan(company({"company": ABOUT | more.pop("company", {})} | more))


def rent(amount: int) -> list[dict[str, Any]]:
    return [{"name": "Rent", "amount": amount}]


def test_the_month_the_cash_is_gone() -> None:
    found = made(expenses=rent(300))
    seen = outlook(found, today="2026-01")
    assert (seen.empty, seen.lasts, seen.since, seen.earns) == (3, 3, 0, None)
    assert sentence(found).startswith("The cash runs out in Apr 2027; at the lowest, in Dec 2027, $2.6k is missing.")


def test_the_runway_is_asked_in_a_month_of_the_plan() -> None:
    found = made(expenses=rent(100))
    assert outlook(found, today="2027-05").lasts == 6
    assert outlook(found, today="2030-01").lasts == 10


def test_a_cash_that_lasts() -> None:
    found = made(expenses=rent(10))
    assert outlook(found).lasts is None
    assert "lasts through Dec 2027" in sentence(found)
    assert "spends more than it takes in" in sentence(found)


def test_a_company_that_earns_from_a_month_on() -> None:
    product = {"name": "P", "price": 10, "customers": 0, "new_customers": 10}
    found = made(products=[product], expenses=rent(350))
    assert outlook(found).earns == 3  # 100, 200, 300, 400 against 350
    assert "From Apr 2027 on it takes in more than it spends." in sentence(found)


def test_a_company_that_earns_from_the_first_month() -> None:
    product = {"name": "P", "price": 10, "customers": 10}
    assert sentence(made(products=[product])).endswith("from the first month on.")


def test_no_cash_for_the_first_month() -> None:
    assert sentence(made(expenses=rent(3000))).startswith("There is not enough cash for the first month;")


def test_an_empty_company_has_an_answer_too() -> None:
    found = made(company={"opening_cash": 0})
    assert outlook(found).margin is None
    assert margins(found) == ()
    assert "lasts through" in sentence(found)


def test_a_margin_is_of_the_last_month_that_sold() -> None:
    project = {"name": "P", "model": "project", "price": 300, "project_months": 3, "customers": 1, "delivery_cost": 150}
    (found,) = margins(made(products=[project]))
    assert (found.month, found.revenue, found.margin, found.share) == ("2027-03", 10_000, 5_000, 0.5)


def test_a_product_that_never_sells_has_no_share() -> None:
    (found,) = margins(made(products=[{"name": "P", "price": 10}]))
    assert found.share is None


def test_the_next_step_is_the_first_from_now_on() -> None:
    planned = {
        "name": "Seed", "month": "2027-03", "amount": "1M", "pre_money": "5M",
        "milestones": [{"name": "Launch", "months_of_work": 2, "cost": "100k"}],
    }  # fmt: skip
    spec = company({"company": ABOUT, "fundraising": {"planned": [planned]}})
    first, later = next_step(spec, "2027-01"), next_step(spec, "2027-04")
    assert first is not None
    assert (first.what, first.month, first.detail) == ("Seed", "2027-03", "$1M to raise")
    assert later is not None
    assert (later.what, later.month) == ("Launch", "2027-05")
    assert next_step(spec, "2028-01") is None


def test_the_heaviest_open_risk_is_first() -> None:
    def risk(title: str, impact: int, status: str) -> dict[str, Any]:
        return {"topic": "law", "title": title, "impact": impact, "status": status}

    spec = company({"risks": [risk("a", 2, "open"), risk("b", 5, "closed"), risk("c", 4, "in work")]})
    assert [one.title for one in open_risks(spec)] == ["c", "a"]


def test_what_founders_own_today() -> None:
    holders = [{"name": "A", "shares": 60}, {"name": "B", "shares": 20, "kind": "investor"}]
    spec = company({"ownership": {"holders": holders, "unissued_pool": 20}})
    assert founders_share(spec) == Decimal("0.6")
    assert founders_share(company({})) is None

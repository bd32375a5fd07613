"""The five questions: any answers become a plan, what is left open is told, and nonsense is refused by name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.venture.plan import plan
from core.venture.products import CostSpec
from core.venture.questions import (
    CASH,
    MODELS,
    PER_USD,
    PRICE,
    Answers,
    Model,
    assumed,
    first_plan,
    first_product,
    typed_cost,
)
from core.venture.spec import company


@pytest.mark.parametrize("model", list(MODELS))
def test_no_answers_are_a_plan_that_sells(model: Model) -> None:
    spec = first_plan(Answers(model=model))
    found = plan(spec)
    assert found.revenue[0].sum() > 0
    assert found.payments[0].sum() > 0
    assert company(spec.to_json()) == spec


def test_every_usual_value_is_told() -> None:
    told = " ".join(assumed(Answers()))
    assert f"${PRICE['subscription']}" in told
    assert f"${CASH:,}" in told
    for word in ("Customers today", "New customers", "Tokens", "2 founders", "Salary"):
        assert word in told


def test_an_answer_is_not_told_as_assumed() -> None:
    full = Answers(
        price="49",
        customers=5,
        new_customers=2,
        cost=CostSpec(),
        founders=1,
        engineers=0,
        others=0,
        salary="50k",
        cash="1M",
    )
    told = " ".join(assumed(full))
    for word in ("Price", "Customers today", "a million in", "founders", "Salary", "In the bank"):
        assert word not in told


def test_answers_stand_in_the_plan() -> None:
    cost = CostSpec(usd_per_million_input=Decimal(7))
    spec = first_plan(
        Answers(
            name="Acme", currency="EUR", product="Bot", price="1.2k", customers=4, new_customers=0, cost=cost,
            founders=1, engineers=2, others=3, salary="90k", cash="2M",
        )
    )  # fmt: skip
    product = spec.products[0]
    assert (spec.company.name, spec.company.currency, spec.company.opening_cash) == ("Acme", "EUR", Decimal(2_000_000))
    assert (product.name, product.price, product.customers, product.new_customers) == ("Bot", Decimal(1200), 4.0, 0.0)
    assert product.cost == cost
    assert [(one.count, one.salary) for one in spec.team] == [(count, Decimal(90_000)) for count in (1.0, 2.0, 3.0)]


def test_engineers_alone_leave_the_founders_in_place() -> None:
    spec = first_plan(Answers(engineers=1.5))
    assert [(one.role, one.count) for one in spec.team] == [("Founders", 2.0), ("Engineers", 1.5)]
    told = " ".join(spec.company.assumed)
    assert "Team: 2 founders, 0 others." in told
    assert "1.5 engineers: kept as typed" in told


def test_what_was_assumed_is_kept_with_the_company() -> None:
    answers = Answers(model="usage", price="20")
    spec = first_plan(answers)
    assert spec.company.assumed == assumed(answers)
    assert company(spec.to_json()).company.assumed == assumed(answers)


def test_a_usage_customers_tokens_are_told_with_what_they_bring() -> None:
    told = " ".join(assumed(Answers(model="usage", price="20", currency="EUR")))
    assert "80 million tokens in, 15 million out = €1,900 a customer and month." in told


def test_usage_that_was_answered_is_the_revenue() -> None:
    product = first_plan(Answers(model="usage", price="20", usage=10)).products[0]
    assert round(product.price_per_customer, 6) == 200


@pytest.mark.parametrize(("given", "used"), [(None, PER_USD["EUR"]), (0.9, 0.9), (1.0, 1.0)])
def test_a_dollar_has_a_price_in_another_currency(given: float | None, used: float) -> None:
    spec = first_plan(Answers(currency="EUR", per_usd=given))
    assert spec.company.per_usd == used
    assert any("US dollar" in one for one in spec.company.assumed) == (given is None)


@pytest.mark.parametrize(("currency", "rate"), [("USD", 0.9), ("EUR", 0.0), ("NOK", None)])
def test_a_dollar_that_cannot_be_counted_is_refused(currency: str, rate: float | None) -> None:
    with pytest.raises(InvalidInput, match=r"dollar|per_usd"):
        first_plan(Answers(currency=currency, per_usd=rate))


def test_no_people_at_all_can_be_answered() -> None:
    assert first_plan(Answers(founders=0, engineers=0, others=0)).team == ()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as fault:
        first_plan(Answers(price="cheap", cash="-5", salary="x"))
    for word in ("price", "salary", "money in the bank", "cheap"):
        assert word in str(fault.value)


def test_an_unusual_currency_is_refused() -> None:
    with pytest.raises(InvalidInput, match="currency"):
        first_plan(Answers(currency="euro"))


def test_fewer_than_no_customers_are_refused() -> None:
    with pytest.raises(InvalidInput, match="from 0"):
        first_plan(Answers(customers=-1))


def test_typed_token_prices() -> None:
    assert typed_cost(" ", "") is None
    made = typed_cost("0.5", "")
    assert made is not None
    assert (made.usd_per_million_input, made.usd_per_million_output) == (Decimal("0.5"), Decimal(0))
    with pytest.raises(InvalidInput, match="input"):
        typed_cost("a lot", "1")


def test_a_projects_revenue_is_never_recurring() -> None:
    found = plan(first_plan(Answers(model="project")))
    assert found.revenue[0].sum() > 0
    assert not found.recurring[0].any()


def test_a_long_name_is_cut_to_what_the_file_takes() -> None:
    assert len(first_product("usage", "x" * 200).name) == 80


@given(
    model=st.sampled_from(list(MODELS)),
    price=st.decimals(0, 10**6, places=2),
    customers=st.floats(0, 1e5) | st.none(),
    new=st.floats(0, 1e3) | st.none(),
    founders=st.floats(0, 50) | st.none(),
)
def test_any_sensible_answers_make_a_plan(
    model: Model, price: Decimal, customers: float | None, new: float | None, founders: float | None
) -> None:
    answers = Answers(model=model, price=str(price), customers=customers, new_customers=new, founders=founders)
    found = plan(first_plan(answers))
    assert found.cash.shape == (1, 36)

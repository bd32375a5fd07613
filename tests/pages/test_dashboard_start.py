"""The beginning: the example in one press, a first plan from any answers, the first picture at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.spec import company
from tests.pages.dashboards import page, saved, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def submit(at: AppTest) -> AppTest:
    return next(one for one in at.button if one.label == "Make the plan").click().run()


def test_the_beginning_shows_what_the_page_will_look_like(db: Database) -> None:
    at = page()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 1
    assert "Example: invented figures" in words(at)
    assert "Not financial advice" in words(at)
    assert not at.get("selectbox") or all(one.label != "Company" for one in at.selectbox)


def test_one_press_opens_the_example_with_a_picture(db: Database) -> None:
    at = page()
    began = time.perf_counter()
    at.button(key="d_example").click().run()
    assert time.perf_counter() - began < 10
    assert not at.exception
    assert at.get("plotly_chart")
    (record,) = CompanyRepository(db).list()
    assert record.example
    assert "The cash runs out in" in words(at)


def test_a_second_example_gets_a_name_of_its_own(db: Database) -> None:
    page().button(key="d_example").click().run()
    at = page()
    at.selectbox(key="d_company_0").select("").run()
    at.button(key="d_example").click().run()
    assert not at.exception
    found = CompanyRepository(db).list()
    assert {one.name for one in found} == {"Example Notes Ltd", "Example Notes Ltd (2)"}
    assert {saved(db, one).company.name for one in found} == {one.name for one in found}


def test_no_answer_at_all_is_a_first_plan_that_says_what_it_assumed(db: Database) -> None:
    at = submit(page())
    assert not at.exception
    assert not at.error
    assert at.get("plotly_chart")
    assert "Price: $99 a month and customer." in words(at)
    (record,) = CompanyRepository(db).list()
    at = page(last_company=record.id)  # another session
    assert "Price: $99 a month and customer." in words(at)
    at.button(key="d_assumed_seen").click().run()
    assert "Price: $99" not in words(at)
    assert saved(db, record).company.assumed == ()


def test_the_answers_are_the_plan(db: Database) -> None:
    at = page()
    by_label = {one.label: one for one in (*at.text_input, *at.number_input)}
    by_label["Name of the company"].set_value("Acme")
    by_label["Product"].set_value("Bot")
    by_label["Price: a month and customer, a million tokens, or a project"].set_value("1.2k")
    by_label["Today"].set_value(7.0)
    by_label["or typed: $ a million tokens in"].set_value("0.3")
    by_label["Engineers"].set_value(2.0)
    by_label["Million tokens each, a month"].set_value(10.0)
    by_label["1 US dollar costs"].set_value(0.9)
    by_label["Cash today"].set_value("2M")
    next(one for one in at.selectbox if one.label == "Currency").select("EUR")
    at.radio[0].set_value("usage")
    at = submit(at)
    assert not at.error
    (record,) = CompanyRepository(db).list()
    spec = saved(db, record)
    assert (record.name, record.example, spec.company.currency) == ("Acme", False, "EUR")
    product = spec.products[0]
    assert (product.name, product.model, int(product.price), product.customers) == ("Bot", "usage", 1200, 7.0)
    assert float(product.cost.usd_per_million_input) == 0.3
    assert [(one.role, one.count) for one in spec.team] == [("Founders", 2.0), ("Engineers", 2.0)]
    assert (round(product.price_per_customer), spec.company.per_usd) == (12_000, 0.9)


def test_a_token_price_comes_from_an_api(db: Database) -> None:
    at = page()
    choice = next(one for one in at.selectbox if one.label == "Token price from")
    api = next(one for one in choice.options if one.startswith("API"))
    choice.select(api)
    submit(at)
    (record,) = CompanyRepository(db).list()
    cost = saved(db, record).products[0].cost
    assert cost.source == "api"
    assert cost.model in api


def test_a_faulty_answer_is_told_in_the_form_and_keeps_the_others(db: Database) -> None:
    at = page()
    by_label = {one.label: one for one in at.text_input}
    by_label["Product"].set_value("Bot")
    by_label["Cash today"].set_value("plenty")
    at = submit(at)
    assert "plenty" in at.error[0].value
    assert not CompanyRepository(db).list()
    assert next(one for one in at.text_input if one.label == "Product").value == "Bot"


def test_growth_beyond_counting_is_a_message(db: Database) -> None:
    at = page()
    next(one for one in at.number_input if one.label == "Today").set_value(9e9)
    next(one for one in at.text_input if one.label.startswith("Price:")).set_value("9B")
    at = submit(at)
    assert not at.exception
    assert at.error
    assert not CompanyRepository(db).list()


def test_a_usual_plan_is_in_order_for_the_file(db: Database) -> None:
    submit(page())
    (record,) = CompanyRepository(db).list()
    assert company(record.spec).products

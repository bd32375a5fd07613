"""The dashboard's product view without a browser: it answers, every figure opens its origin, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.store.scenarios import ScenarioRepository
from core.venture.inference_cost import of_scenario
from core.venture.spec import CompanySpec, company
from tests.venture.product_cases import PRO, measured_here, recorded_run, serving_scenario

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

SCRIPT = """
from core.store.companies import CompanyRepository
from pages.services import services
from pages.widgets import dashboard_product
from pages.widgets.dashboard_desk import Desk

db = services().db
dashboard_product.draw(Desk(db, CompanyRepository(db).list()[0]))
"""

ORIGIN = """
from core.store.companies import CompanyRepository
from core.venture.origin import origin_of_margin
from pages.services import services
from pages.widgets import dashboard_origin
from pages.widgets.dashboard_desk import Desk

db = services().db
desk = Desk(db, CompanyRepository(db).list()[0])
dashboard_origin.draw(origin_of_margin(desk.spec.products[0], db))
"""


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def page(db: Database, *products: dict[str, Any], **about: Any) -> AppTest:
    CompanyRepository(db).create("Acme", {"company": about, "products": list(products)})
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def kept(db: Database) -> CompanySpec:
    return company(CompanyRepository(db).list()[0].spec)


def press(at: AppTest, label: str, place: int = 0) -> AppTest:
    return [one for one in at.button if one.label == label][place].click().run()


def field(at: AppTest, label: str, value: str) -> None:
    next(one for one in at.text_input if one.label == label).set_value(value)


def words(at: AppTest) -> str:
    """Everything that is said, with Markdown's escapes taken out."""
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error)
    return " ".join(one.value for kind in kinds for one in kind).replace("\\", "")


def test_without_a_product_the_page_says_what_to_do_and_takes_the_first(db: Database) -> None:
    at = page(db)
    assert "name what you sell" in words(at)
    field(at, "Name", "Pro")
    press(at, "Add")
    assert not at.exception
    assert [one.name for one in kept(db).products] == ["Pro"]
    assert "add the tasks of a user" in words(at)


def test_the_four_figures_are_those_of_the_product(db: Database) -> None:
    at = page(db, PRO)
    assert not at.exception
    assert not at.error
    shown = {one.label: one.value for one in at.metric}
    assert shown == {
        "Gross margin": "83.7%",
        "A customer costs": "$8.00",
        "A million tokens": "$0.596",
        "Price for 70%": "$24.29",
    }
    assert len(at.get("plotly_chart")) == 4


def test_a_margin_opens_down_to_the_measured_rounds_and_the_recorded_runs(db: Database) -> None:
    measured_here(db)
    run = recorded_run(db)
    cost = of_scenario(serving_scenario(db))
    task = {"name": "Answer", "runs_per_user": 200, "input_tokens": 100, "output_tokens": 40, "run_ids": [run]}
    at = page(db, PRO | {"tasks": [task], "cost": cost.model_dump(mode="json")})
    press(at, "Where from")
    assert not at.exception
    assert "Gross margin of Pro" in words(at)
    assert "1 measurement and 3 runs" in words(at)
    assert run not in words(at)


def test_each_step_of_an_origin_is_chosen_down_to_the_rounds(db: Database) -> None:
    measured_here(db)
    run = recorded_run(db)
    cost = of_scenario(serving_scenario(db))
    task = {"name": "Answer", "runs_per_user": 200, "input_tokens": 100, "output_tokens": 40, "run_ids": [run]}
    CompanyRepository(db).create("Acme", {"products": [PRO | {"tasks": [task], "cost": cost.model_dump(mode="json")}]})
    at = AppTest.from_string(ORIGIN, default_timeout=60).run()
    for step in ("Cost of serving", "Inference", "$ per million tokens", "$ per million output", "Output tokens"):
        choose(at, step)
    assert not at.exception
    assert "Scenario “135M here”" in words(at)
    assert "int8 on AMD EPYC, 64 tokens in × 1: **140 tokens/s written**" in words(at)
    assert "Round 2 of 2" in words(at)
    choose(at, "Tokens of a customer")
    assert f"Run `{run}`" in words(at)


def test_of_runs_with_the_same_words_the_one_that_was_chosen_opens(db: Database) -> None:
    ids = [recorded_run(db) for _ in range(3)]
    task = {"name": "Answer", "runs_per_user": 200, "input_tokens": 100, "output_tokens": 40, "run_ids": ids}
    CompanyRepository(db).create("Acme", {"products": [PRO | {"tasks": [task]}]})
    at = AppTest.from_string(ORIGIN, default_timeout=60).run()
    for step in ("Cost of serving", "Inference", "Tokens of a customer"):
        choose(at, step)
    last = at.radio[-1]
    assert len(set(last.options)) == 3
    last.set_value(0).run()
    assert f"Run `{ids[0]}`" in words(at)
    assert f"Run `{ids[2]}`" not in words(at)


def test_a_typed_price_says_so_and_what_to_do(db: Database) -> None:
    CompanyRepository(db).create("Acme", {"products": [PRO]})
    at = AppTest.from_string(ORIGIN, default_timeout=60).run()
    for step in ("Cost of serving", "Inference", "$ per million tokens"):
        choose(at, step)
    assert "Typed in by you" in words(at)
    assert "Save a serving estimate under Cost & compute" in words(at)


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Churn a month", "120%", "churn: Input should be less than or equal to 1 (it is '120%')"),
        ("Price", "-3", "-3"),
        ("Price", "cheap", "cheap"),
        ("Sold from", "soon", "soon"),
    ],
)
def test_a_fault_is_told_and_what_was_typed_stays(db: Database, label: str, value: str, said: str) -> None:
    at = page(db, PRO)
    before = kept(db)
    field(at, label, value)
    press(at, "Save")
    assert not at.exception
    assert said in at.error[0].value
    assert next(one for one in at.text_input if one.label == label).value == value
    assert kept(db) == before


def test_a_saved_price_is_the_pages_at_once(db: Database) -> None:
    at = page(db, PRO)
    field(at, "Price", "1,200")
    press(at, "Save")
    assert not at.error
    assert kept(db).products[0].price == 1200
    assert at.metric[0].value == "96.6%"
    assert next(one for one in at.text_input if one.label == "Price").value == "1200"


def test_recorded_usage_becomes_a_task_that_names_its_runs(db: Database) -> None:
    ids = {recorded_run(db, prompt=100 + place, completion=40) for place in range(3)}
    at = page(db, PRO | {"tasks": []})
    at.toggle[-1].set_value(True).run()
    press(at, "Take the mean run")
    assert not at.exception
    [task] = kept(db).products[0].tasks
    assert (task.input_tokens, task.output_tokens) == (101, 40)
    assert set(task.run_ids) == ids


def test_without_recorded_runs_the_page_sends_to_the_playground(db: Database) -> None:
    at = page(db, PRO)
    at.toggle[-1].set_value(True).run()
    assert "No complete run is recorded yet" in words(at)


def test_a_saved_estimate_is_taken_as_the_token_price(db: Database) -> None:
    measured_here(db)
    record = serving_scenario(db)
    at = page(db, PRO)
    source(at, "estimate")
    press(at, "Use this price")
    assert not at.exception
    cost = kept(db).products[0].cost
    assert (cost.source, cost.scenario_id, len(cost.measurement_ids)) == ("estimate", record.id, 1)


def test_measurements_of_this_machine_become_a_saved_estimate_and_its_price(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_here(db, model_id="llama-3.2-1b")
    at = page(db, PRO)
    source(at, "machine")
    press(at, "Use what was measured")
    assert not at.exception
    assert not at.error
    [record] = ScenarioRepository(db).list()
    assert kept(db).products[0].cost.scenario_id == record.id
    assert record.measurement_ids


def test_an_api_price_is_taken_from_the_list(db: Database) -> None:
    at = page(db, PRO)
    source(at, "api")
    press(at, "Use this price")
    assert not at.exception
    cost = kept(db).products[0].cost
    assert (cost.source, cost.provider, cost.model) == ("api", "openai", "gpt-4o-mini")
    assert cost.usd_per_million_cached_input is not None


def test_a_typed_price_keeps_its_range_and_is_dated(db: Database) -> None:
    at = page(db, PRO)
    field(at, "USD per 1M tokens out", "3.50")
    press(at, "Save the price")
    assert not at.error
    cost = kept(db).products[0].cost
    assert (str(cost.usd_per_million_output), cost.high_factor, cost.source) == ("3.5", 1.5, "typed")
    assert cost.as_of is not None


def test_api_prices_stand_beside_the_price_of_now_when_asked(db: Database) -> None:
    at = page(db, PRO)
    next(one for one in at.toggle if one.label == "Beside API prices").set_value(True).run()
    assert not at.exception
    assert "openai/gpt-4o-mini" in next(one for one in at.multiselect if one.label == "APIs").value


def test_other_precisions_stand_beside_a_saved_estimate(db: Database) -> None:
    measured_here(db)
    measured_here(db, precision="fp32", decode_tokens_per_s=40.0, decode_bytes=0.54e9)
    cost = of_scenario(serving_scenario(db))
    at = page(db, PRO | {"cost": cost.model_dump(mode="json")})
    assert not at.exception
    assert "None can be estimated" not in words(at)


def test_a_deleted_scenario_is_told_and_its_price_kept(db: Database) -> None:
    measured_here(db)
    record = serving_scenario(db)
    at = page(db, PRO | {"cost": of_scenario(record).model_dump(mode="json")})
    ScenarioRepository(db).delete(record.id)
    at.run()
    assert not at.exception
    assert "was deleted since" in words(at)


def test_a_removed_product_is_gone_after_a_yes(db: Database) -> None:
    at = page(db, PRO, PRO | {"name": "Team", "price": 99})
    at.checkbox[0].check().run()
    press(at, "Remove")
    assert [one.name for one in kept(db).products] == ["Team"]


@pytest.mark.parametrize(
    "product",
    [
        {"name": "Free"},
        {"name": "Loss", "price": 1, "hosting_per_customer": 50},
        {"name": "Fees", "price": 10, "payment_fee": 0.4},
        {"name": "<b>Pay</b> as you go $5", "model": "usage", "price": 5, "tasks": PRO["tasks"]},
        {"name": "Runs", "model": "usage", "unit": "run", "price": 0.01, "tasks": PRO["tasks"]},
        {"name": "Project", "model": "project", "price": 30000, "delivery_cost": 9000},
    ],
)
def test_every_kind_of_product_is_drawn_and_opens(db: Database, product: dict[str, Any]) -> None:
    at = page(db, product, currency="EUR", per_usd=0.9)
    assert not at.exception
    assert not at.error
    for place in range(4):
        press(at, "Where from", place)
        assert not at.exception


def test_the_view_is_drawn_within_a_second(db: Database, home: Path) -> None:
    at = page(db, PRO, *(PRO | {"name": f"Plan {place}"} for place in range(4)))
    begun = time.perf_counter()
    at.run()
    assert time.perf_counter() - begun < 1


def source(at: AppTest, name: str) -> None:
    """Choose where the token price is taken from."""
    next(one for one in at.button_group if one.label == "Take the price from").set_value(name).run()


def choose(at: AppTest, step: str) -> None:
    """The next step of an origin, by the beginning of its name."""
    for one in at.radio:
        for place, option in enumerate(one.options):
            if step in option.replace("\\", ""):
                one.set_value(place).run()
                return
    raise AssertionError(f"{step} cannot be chosen: {[one.options for one in at.radio]}")

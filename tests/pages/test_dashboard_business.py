"""Business: products are added by kind, changed, removed with a yes; projects are never recurring; rows add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import InvalidInput
from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.examples import example_document
from core.venture.plan import plan
from core.venture.spec import company
from pages.widgets.dashboard_business_charts import mix_figure, mix_rows, product_figure, product_rows
from pages.widgets.dashboard_fields import fault_words
from tests.pages.dashboards import example, own, page, saved, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

SPEC = company(example_document())
PLAN = plan(SPEC)


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def field(at: Any, label: str) -> Any:
    return next(one for one in (*at.text_input, *at.number_input, *at.selectbox) if one.label == label)


@pytest.mark.parametrize("model", ["subscription", "usage", "project"])
def test_a_first_product_of_each_kind_draws_at_once(db: Database, model: str) -> None:
    record = own(db)
    at = page("business")
    assert "Nothing is sold yet" in words(at)
    at.button(key=f"d_add_{model}").click().run()
    assert not at.exception
    assert not at.error
    assert saved(db, record).products[0].model == model
    assert len(at.get("plotly_chart")) == 2


def test_a_second_one_of_a_kind_has_its_own_name_and_is_shown(db: Database) -> None:
    record = own(db)
    at = page("business")
    at.button(key="d_add_usage").click().run()
    at.button(key="d_add_usage").click().run()
    assert [one.name for one in saved(db, record).products] == ["Usage", "Usage 2"]
    assert field(at, "Name of the product").value == "Usage 2"


def test_price_growth_and_losses_are_saved(db: Database) -> None:
    record = own(db, products=[{"name": "P", "price": 10, "tasks": [{"name": "T"}]}])
    at = page("business")
    field(at, "Price (USD a month and customer)").set_value("1.2k").run()
    field(at, "Churn (% a month)").set_value(2.5).run()
    field(at, "New customers a month").set_value(3.5).run()
    field(at, "On sale from").set_value("2027-06").run()
    assert not at.error
    product = saved(db, record).products[0]
    assert (int(product.price), product.churn, product.new_customers, product.launch) == (1200, 0.025, 3.5, "2027-06")
    assert product.tasks[0].name == "T"
    field(at, "On sale from").set_value("").run()
    assert saved(db, record).products[0].launch is None


def test_a_share_beyond_the_whole_is_told_beside_its_field(db: Database) -> None:
    record = own(db, products=[{"name": "P", "price": 10}])
    at = page("business")
    field(at, "Churn (% a month)").set_value(150.0).run()
    assert not at.exception
    assert at.error[0].value == "Not saved yet. Churn (% a month): 150 is too much; 0 to 100."
    assert field(at, "Churn (% a month)").value == 150.0
    assert saved(db, record).products[0].churn == 0


def test_a_product_is_renamed_and_stays_on_the_page(db: Database) -> None:
    record = own(db, products=[{"name": "A"}, {"name": "B"}])
    at = page("business", d_business_product_0=1)
    field(at, "Name of the product").set_value("C").run()
    assert not at.exception
    assert [one.name for one in saved(db, record).products] == ["A", "C"]
    assert field(at, "Name of the product").value == "C"


def test_a_product_is_removed_after_a_yes_alone(db: Database) -> None:
    record = own(db, products=[{"name": "A"}, {"name": "B"}])
    at = page("business")
    at.button(key="d_remove_product").click().run()
    at.button(key="d_remove_no").click().run()
    assert len(saved(db, record).products) == 2
    at.button(key="d_remove_product").click().run()
    at.button(key="d_remove_yes").click().run()
    assert not at.exception
    assert [one.name for one in saved(db, record).products] == ["B"]
    assert field(at, "Name of the product").value == "B"


def test_what_is_typed_for_one_product_is_not_shown_for_the_next(db: Database) -> None:
    record = own(db, products=[{"name": "A", "price": 1}, {"name": "B", "price": 2}])
    at = page("business")
    field(at, "Price (USD a month and customer)").set_value("dear").run()
    assert at.error
    at.button(key="d_remove_product").click().run()
    at.button(key="d_remove_yes").click().run()
    assert not at.error
    assert field(at, "Price (USD a month and customer)").value == "2"
    assert [one.name for one in saved(db, record).products] == ["B"]


def test_a_growth_beyond_counting_is_a_message_with_the_fields_still_there(db: Database) -> None:
    record = own(db, products=[{"name": "P", "price": 10, "new_customers": 1000, "growth": 3}])
    at = page("business")
    assert not at.exception
    assert "grow" in at.error[0].value
    field(at, "Growth of new ones (% a month)").set_value(0.0).run()
    assert saved(db, record).products[0].growth == 0
    assert at.get("plotly_chart")


def test_revenue_by_product_adds_up_to_the_plans() -> None:
    rows = mix_rows(PLAN)
    assert sum(float(row["revenue"]) for row in rows) == pytest.approx(int(PLAN.revenue[0].sum()) / 100)
    assert sum(float(row["mrr"]) for row in rows) == pytest.approx(int(PLAN.recurring[0].sum()) / 100)
    assert all(not row["mrr"] for row in rows if row["model"] == "project")


def test_movements_of_the_picture_make_its_mrr() -> None:
    for line in PLAN.products:
        for row in product_rows(PLAN, line):
            moved = sum(float(row[f"mrr_{name}"]) for name in ("opening", "new", "expansion", "reactivation"))
            lost = float(row["mrr_churn"]) + float(row["mrr_contraction"])
            assert moved - lost == pytest.approx(float(row["mrr"]), abs=0.011)


def test_bars_below_nothing_are_losses() -> None:
    figure = product_figure(PLAN, PLAN.products[0])
    signs = {one.name: min(one.y) < 0 for one in figure.data if one.type == "bar"}
    assert signs == {"new": False, "reactivation": False, "expansion": False, "contraction": True, "churn": True}


def test_projects_stand_apart_in_the_mix() -> None:
    assert [one.name for one in mix_figure(PLAN).data] == ["Notes Team", "Notes API", "Pilot projects (not recurring)"]


def test_names_of_products_are_not_markup() -> None:
    document = example_document()
    document["products"][0]["name"] = "<b>x</b>"
    found = plan(company(document))
    assert "<b>" not in mix_figure(found).data[0].name


def test_the_example_shows_each_of_its_products(db: Database) -> None:
    example(db)
    for place, name in enumerate(("Notes Team", "Notes API", "Pilot projects")):
        at = page("business", d_business_product_0=place)
        assert not at.exception
        assert field(at, "Name of the product").value == name


def test_what_was_typed_in_vain_is_there_after_another_view(db: Database) -> None:
    own(db, products=[{"name": "P", "price": 10, "churn": 0.05}])
    at = page("business")
    field(at, "Churn (% a month)").set_value(120.0).run()
    for view in ("overview", "business"):
        at.session_state["d_view"] = view
        at.run()
    assert field(at, "Churn (% a month)").value == 120
    assert "120 is too much" in at.error[0].value
    field(at, "Churn (% a month)").set_value(4.0).run()
    assert not at.error


def test_a_change_in_another_window_is_told_once(db: Database) -> None:
    record = own(db, products=[{"name": "P", "price": 10, "churn": 0.05}])
    at = page("business")
    repository = CompanyRepository(db)
    document = repository.get(record.id).spec
    document["products"][0]["price"] = 12
    repository.save(record.id, document, version=1)
    field(at, "Churn (% a month)").set_value(4.0).run()
    assert "changed elsewhere" in at.warning[0].value
    assert not at.error
    assert field(at, "Churn (% a month)").value == 5
    field(at, "Churn (% a month)").set_value(4.0).run()
    assert (int(saved(db, record).products[0].price), saved(db, record).products[0].churn) == (12, 0.04)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            "products.0.churn: Input should be greater than or equal to 0 (it is -0.1)",
            "Churn (%): -10 is too little; 0 to 100.",
        ),
        (
            "team.0.count: Input should be greater than 0 (it is 0.0); "
            "products.0.churn: Input should be a valid number (it is 'x')",
            "People: 0 is too little; above 0 to 10,000. Churn (%): 'x' is no number.",
        ),
        (
            "products.0.payment_fee: Input should be less than 1 (it is 1.0)",
            "Fee (%): 100 is too much; 0 to below 100.",
        ),
        (
            "company: the currency is EUR; give per_usd: 1 means so",
            "company: the currency is EUR; give per_usd: 1 means so.",
        ),
    ],
)
def test_faults_are_told_in_the_words_of_the_page(fault: str, told: str) -> None:
    labels = {
        "products.0.churn": ("Churn (%)", True),
        "products.0.payment_fee": ("Fee (%)", True),
        "team.0.count": ("People", False),
    }
    assert fault_words(InvalidInput(f"{fault}.", next_step="Correct these and run it again."), labels.get) == told

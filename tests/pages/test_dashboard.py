"""The dashboard's page: every view draws with and without content, and no company is ever lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.examples import example_document
from core.venture.questions import PER_USD
from core.venture.spec import company
from pages.dashboard import VIEWS
from tests.pages.dashboards import SCRIPT, example, own, page, saved, words


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_of_the_example_draws(db: Database, view: str) -> None:
    example(db)
    at = page(view)
    assert not at.exception
    assert not at.error
    assert "Example: invented figures" in words(at)


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_of_an_empty_company_draws(db: Database, view: str) -> None:
    CompanyRepository(db).create("Empty", {})
    at = page(view)
    assert not at.exception
    assert not at.error
    assert "Example: invented figures" not in words(at)


def test_the_page_says_once_that_it_is_no_advice(db: Database) -> None:
    example(db)
    assert words(page()).count("Not financial advice") == 1


def test_the_last_changed_company_is_opened(db: Database) -> None:
    own(db, company={"name": "Old"})
    own(db, company={"name": "Young"})
    assert page().selectbox(key="d_company_0").options[0] == "Young"


def test_a_company_is_chosen_and_a_new_one_begun(db: Database) -> None:
    record = own(db, company={"name": "First"})
    own(db, company={"name": "Second"})
    at = page()
    at.selectbox(key="d_company_0").select(record.id).run()
    assert at.query_params["company"] == record.id
    at.selectbox(key="d_company_0").select("").run()
    assert [one for one in at.button if one.label == "Try with example data"]
    assert "company" not in at.query_params


def test_a_link_to_a_company_that_is_gone_is_told(db: Database) -> None:
    own(db)
    at = page(last_company="nowhere")
    assert "not here" in at.warning[0].value
    assert not at.exception


def test_a_name_is_changed_in_the_record_and_in_the_file(db: Database) -> None:
    record = own(db)
    at = page()
    next(one for one in at.text_input if one.label == "Name").set_value("Better name").run()
    assert CompanyRepository(db).get(record.id).name == "Better name"
    assert saved(db, record).company.name == "Better name"


def test_a_name_that_is_taken_gets_a_number_in_the_file_too(db: Database) -> None:
    own(db, company={"name": "Taken"})
    record = own(db, company={"name": "Other"})
    at = page()
    next(one for one in at.text_input if one.label == "Name").set_value("Taken").run()
    assert not at.error
    assert CompanyRepository(db).get(record.id).name == "Taken (2)"
    assert saved(db, record).company.name == "Taken (2)"


def test_a_company_without_a_name_is_refused_beside_its_field(db: Database) -> None:
    record = own(db)
    at = page()
    next(one for one in at.text_input if one.label == "Name").set_value(" ").run()
    assert not at.exception
    assert "name" in at.error[0].value
    assert CompanyRepository(db).get(record.id).name == "Acme"


def test_a_file_replaces_no_company(db: Database) -> None:
    record = own(db)
    at = page()
    at.file_uploader[0].upload("acme.yaml", b"company: {name: Acme, months: 12}\n", "application/yaml").run()
    assert not at.error
    assert saved(db, record).company.months == 24
    assert {one.name for one in CompanyRepository(db).list()} == {"Acme", "Acme (2)"}


def test_a_faulty_field_says_why_and_changes_nothing(db: Database) -> None:
    record = own(db)
    at = page()
    start = next(one for one in at.text_input if one.label == "First month of the plan")
    start.set_value("spring").run()
    assert "spring" in at.error[0].value
    assert saved(db, record).company.start == "2027-01"
    next(one for one in at.text_input if one.label == "First month of the plan").set_value("2027-04").run()
    assert not at.error
    assert saved(db, record).company.start == "2027-04"


def test_amounts_are_typed_as_people_write_them(db: Database) -> None:
    record = own(db)
    at = page()
    next(one for one in at.text_input if one.label.startswith("Cash at the start")).set_value("1.5M").run()
    assert saved(db, record).company.opening_cash == 1_500_000
    assert next(one for one in at.text_input if one.label.startswith("Cash at the start")).value == "1,500,000"


def test_the_currency_goes_to_another_and_back(db: Database) -> None:
    record = own(db)
    at = page()
    choice = next(one for one in at.selectbox if one.label == "Currency")
    choice.select("EUR").run()
    assert saved(db, record).company.currency == "EUR"
    next(one for one in at.number_input if one.label.startswith("EUR for")).set_value(0.9).run()
    assert saved(db, record).company.per_usd == 0.9
    next(one for one in at.selectbox if one.label == "Currency").select("USD").run()
    assert not at.error
    assert saved(db, record).company.per_usd == 1


PRICED = {"products": [{"name": "Bot", "cost": {"usd_per_million_output": 3}}]}


def test_another_currency_comes_with_about_what_a_dollar_costs_in_it(db: Database) -> None:
    record = own(db, **PRICED)
    at = page()
    next(one for one in at.selectbox if one.label == "Currency").select("EUR").run()
    assert not at.error
    assert saved(db, record).company.per_usd == PER_USD["EUR"]
    next(one for one in at.number_input if one.label.startswith("EUR for")).set_value(0.87).run()
    assert saved(db, record).company.per_usd == 0.87


def _with_typed(at: AppTest, currency: str) -> Selectbox[Any]:
    """AppTest knows nothing of options that a reader types in."""
    found = next(one for one in at.selectbox if one.label == "Currency")
    found.options.append(currency)
    return found


def test_a_currency_without_a_known_rate_asks_for_it(db: Database) -> None:
    record = own(db, **PRICED)
    at = page()
    _with_typed(at, "PLN").set_value("PLN").run()
    assert any("per_usd" in one.value for one in at.error)
    _with_typed(at, "PLN")
    next(one for one in at.number_input if one.label.startswith("PLN for")).set_value(3.7).run()
    assert not at.error
    found = saved(db, record).company
    assert (found.currency, found.per_usd) == ("PLN", 3.7)


def test_a_copy_of_the_example_is_the_readers_own(db: Database) -> None:
    example(db)
    at = page()
    at.button(key="d_duplicate").click().run()
    assert not at.exception
    copy = CompanyRepository(db).list()[0]
    assert (copy.name, copy.example) == ("Copy of Example Notes Ltd", False)
    assert "Example: invented figures" not in words(at)


def test_a_company_is_deleted_after_a_yes_alone(db: Database) -> None:
    own(db)
    at = page()
    at.button(key="d_delete").click().run()
    assert CompanyRepository(db).list()
    at.button(key="d_delete_yes").click().run()
    assert not CompanyRepository(db).list()
    assert not at.exception
    assert [one for one in at.button if one.label == "Try with example data"]


def test_a_file_becomes_a_company_and_a_faulty_one_says_why(db: Database) -> None:
    at = page()
    at.file_uploader[0].upload("mine.yaml", b"company: {name: Mine, months: 999}\n", "application/yaml").run()
    assert "mine.yaml was not taken" in at.error[0].value
    assert "months" in at.error[0].value
    text = yaml.safe_dump(company(example_document()).to_json())
    at.file_uploader[0].upload("notes.yaml", text.encode(), "application/yaml").run()
    assert not at.exception
    (made,) = CompanyRepository(db).list()
    assert (made.name, made.example) == ("Example Notes Ltd", True)


def test_a_company_that_no_longer_fits_opens_with_its_faults_and_a_way_out(db: Database) -> None:
    made = CompanyRepository(db).create("Broken", {"company": {"name": "Broken", "months": 999}, "gone": 1})
    at = page()
    assert not at.exception
    assert "months" in at.error[0].value
    assert "gone" in at.error[0].value
    assert len(at.get("download_button")) == 1
    at.file_uploader[0].upload("fixed.yaml", b"company: {name: Mended, months: 12}\n", "application/yaml").run()
    assert not at.exception
    assert not at.error
    assert (CompanyRepository(db).get(made.id).name, saved(db, made).company.months) == ("Mended", 12)


def test_a_change_in_another_window_is_not_written_over(db: Database) -> None:
    record = own(db)
    at = page()
    CompanyRepository(db).save(record.id, record.spec | {"compute": []}, version=1)
    next(one for one in at.text_input if one.label == "Sector").set_value("Law").run()
    assert "changed elsewhere" in at.warning[0].value
    assert not at.error
    assert saved(db, record).company.sector == ""
    next(one for one in at.text_input if one.label == "Sector").set_value("Law firms").run()
    assert not at.error
    assert saved(db, record).company.sector == "Law firms"


def test_the_page_is_in_the_navigation(db: Database) -> None:
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_string("from pages import navigation", default_timeout=60).run()
    assert not at.exception
    assert SCRIPT.endswith("render()")

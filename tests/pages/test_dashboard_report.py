"""The dashboard's report view without a browser: chosen sections, for whom, and what each file is called."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.spec import read_company
from exports.company_report import SECTIONS, USUAL
from tests.exports.companies import HOSTILE, RICH

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

SCRIPT = """
from core.store.companies import CompanyRepository
from pages.services import services
from pages.widgets import dashboard_report
from pages.widgets.dashboard_desk import Desk

db = services().db
dashboard_report.draw(Desk(db, CompanyRepository(db).list()[0]))
"""
EXAMPLE = Path("core/venture/examples/example_company.yaml")


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def page(db: Database, document: dict[str, Any]) -> AppTest:
    CompanyRepository(db).create("Acme", document)
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def looked_at(at: AppTest) -> str:
    """The HTML in the frame; "" where there is none."""
    found = [one.proto for one in at.get("iframe")]
    if not found:
        return ""
    return base64.b64decode(found[0].src.partition("base64,")[2]).decode()


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error)
    return " ".join(one.value for kind in kinds for one in kind).replace("\\", "")


def titles(at: AppTest) -> set[str]:
    return {title for title, _ in SECTIONS.values() if f"<h2>{title}</h2>" in looked_at(at)}


def test_an_example_opens_with_its_usual_report(db: Database) -> None:
    at = page(db, read_company(EXAMPLE).to_json())
    assert not at.exception
    assert titles(at) == {SECTIONS[key][0] for key in USUAL["investors"]}
    assert "Example company: invented figures." in looked_at(at)
    assert "Not financial advice." in words(at)


def test_the_board_has_other_sections(db: Database) -> None:
    at = page(db, read_company(EXAMPLE).to_json())
    at = next(one for one in at.button_group if one.label == "For").set_value("board").run()
    assert not at.exception
    assert titles(at) == {SECTIONS[key][0] for key in USUAL["board"]}
    assert "--audience board" in " ".join(one.value for one in at.code)


def test_a_section_that_is_left_out_is_gone(db: Database) -> None:
    at = page(db, RICH)
    picked = next(one for one in at.button_group if one.label == "Sections")
    at = picked.set_value(["plan", "products"]).run()
    assert titles(at) == {"Products and margins", "Plan: profit and cash"}
    assert "--section products --section plan" in " ".join(one.value for one in at.code)


def test_without_a_section_it_asks_for_one(db: Database) -> None:
    at = page(db, RICH)
    at = next(one for one in at.button_group if one.label == "Sections").set_value([]).run()
    assert not at.exception
    assert "Choose one section at least." in words(at)
    assert not at.get("download_button")


def test_every_format_is_to_be_had(db: Database) -> None:
    at = page(db, RICH)
    labels = [one.proto.label for one in at.get("download_button")]
    assert labels == ["Report (HTML)", "Spreadsheet", "Tables (CSV)", "Markdown"]


def test_what_is_missing_is_said(db: Database) -> None:
    at = page(db, RICH)
    assert "Ownership: No shares are given" in words(at)


def test_only_sections_without_data_are_told_why(db: Database) -> None:
    at = page(db, RICH)
    at = next(one for one in at.button_group if one.label == "Sections").set_value(["market", "ownership"]).run()
    assert not at.exception
    assert "None of these sections has anything to show." in words(at)
    assert "No shares are given" in words(at)
    assert not at.get("download_button")


def test_an_empty_company_says_what_to_do_first(db: Database) -> None:
    at = page(db, {"company": {"name": "New"}})
    assert not at.exception
    assert "There is nothing to report yet." in words(at)
    assert [one.label for one in at.button] == ["Add what you sell"]
    assert looked_at(at) == ""


def test_a_hostile_name_stays_text(db: Database) -> None:
    at = page(db, RICH | {"company": RICH["company"] | {"name": HOSTILE[:60], "about": HOSTILE}})
    assert not at.exception
    assert "<script>" not in looked_at(at)

"""One section of the dashboard alone, over a company in the test's record."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from core.store.companies import CompanyRepository
from core.store.database import Database
from core.venture.spec import CompanySpec, company

SCRIPT = """
import streamlit as st
from core.store.companies import CompanyRepository
from core.store.database import open_database
from pages.widgets import {module}
from pages.widgets.dashboard_desk import Desk
db = open_database()
desk = Desk(db, CompanyRepository(db).get({company!r}))
{module}.draw(desk{more})
"""
START = {"name": "Test", "start": "2027-01", "months": 12}


def section(db: Database, module: str, more: str = "", **document: Any) -> tuple[AppTest, str]:
    """The section as it is drawn first, and the company's id. more: what `draw` takes beside the desk."""
    made = CompanyRepository(db).create("Test", company({"company": START} | document).to_json())
    script = SCRIPT.format(module=module, company=made.id, more=f", {more}" if more else "")
    return AppTest.from_string(script, default_timeout=60).run(), made.id


def saved(db: Database, company_id: str) -> CompanySpec:
    return company(CompanyRepository(db).get(company_id).spec)


def words(at: AppTest) -> str:
    """All that is told in words."""
    parts = (at.markdown, at.info, at.warning, at.error, at.caption, at.success)
    return "\n".join(str(one.value) for kind in parts for one in kind)

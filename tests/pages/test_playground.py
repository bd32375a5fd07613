"""The playground without a browser: no exception, on a prepared model and on a broken house."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.real_models import link_real_models

APP = str(Path(__file__).resolve().parents[2] / "pages" / "navigation.py")


@pytest.fixture
def clean_services():  # type: ignore[no-untyped-def]
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.mark.slow
def test_the_page_draws_without_an_exception(home: Path, clean_services: None) -> None:
    link_real_models(home)
    at = AppTest.from_file(APP, default_timeout=60).run()
    assert not at.exception
    assert at.title[0].value == "Playground"
    assert len(at.chat_input) == 1


@pytest.mark.slow
def test_an_unreadable_database_is_a_message_and_no_traceback(home: Path, clean_services: None) -> None:
    (home / "groundwork.db").write_bytes(b"this is no database, " * 500)
    at = AppTest.from_file(APP, default_timeout=60).run()
    assert not at.exception
    assert len(at.error) == 1
    assert "groundwork.db" in at.error[0].value
    assert (home / "groundwork.db").read_bytes().startswith(b"this is no database")

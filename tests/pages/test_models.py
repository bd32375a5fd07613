"""The Models page without a browser: no exception, whatever is or is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.models.servers import add_server
from core.store.database import Database
from core.store.measurements import MeasurementRepository
from tests.measurements import NEW

SCRIPT = "from pages import models, state\nimport streamlit as st\nmodels.render()"


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def page(show: str = "") -> AppTest:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    if show:
        at.query_params["show"] = show
    return at.run()


def test_an_empty_house_lists_the_built_in_models_and_says_what_to_do(home: Path) -> None:
    at = page()
    assert not at.exception
    assert at.title[0].value == "Models"
    assert "On this machine · 2" in [one.value for one in at.subheader]
    assert [one for one in at.button if one.label == "Open"]


def test_a_models_details_with_and_without_measurements(tiny_home: Path, db: Database) -> None:
    at = page("tiny")
    assert not at.exception
    assert "ONNX exports" in [one.value for one in at.subheader]
    assert not at.get("plotly_chart")
    MeasurementRepository(db).add(replace(NEW, model_id="tiny"))
    at = page("tiny")
    assert not at.exception
    assert len(at.get("plotly_chart")) == 2


def test_a_damaged_list_of_servers_is_a_message(home: Path) -> None:
    add_server("box", "http://127.0.0.1:1/v1", ["m"])
    (home / "servers.json").write_text("{nonsense")
    at = page()
    assert not at.exception
    assert "servers.json" in at.error[0].value


def test_a_busy_machine_is_told_beside_its_figures(tiny_home: Path, db: Database) -> None:
    MeasurementRepository(db).add(replace(NEW, model_id="tiny", environment={"other_work": 0.6}))
    at = page("tiny")
    assert not at.exception
    assert any("60%" in one.value for one in at.warning)

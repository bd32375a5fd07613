"""The page Cost & compute without a browser: every question answers, every fault is a message, and nothing is lost."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.store.database import Database
from core.store.measurements import MeasurementRepository
from core.store.scenarios import ScenarioRepository
from tests.measurements import NEW

SCRIPT = "from pages import cost\ncost.render()"


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def page(**fields: object) -> AppTest:
    """fields: by their names, as they are set in the session."""
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    for name, value in fields.items():
        at.session_state[f"c_{name}"] = value
    return at.run()


def headline(at: AppTest) -> str:
    return next(one.value for one in at.markdown if one.value.startswith("#### "))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("train", "Training Llama 3"),
        ("memory", "Running Llama 3"),
        ("serve", "tokens/s a GPU"),
        ("breakeven", "hosting Llama 3"),
    ],
)
def test_each_question_has_an_answer_at_once(home: Path, view: str, said: str) -> None:
    at = page(view=view)
    assert not at.exception
    assert not at.error
    assert said in headline(at).replace("\\", "")
    assert at.get("plotly_chart")
    assert len(at.metric) >= 3


@pytest.mark.parametrize("view", ["accuracy", "tables"])
def test_what_stands_behind_the_estimates_is_shown(home: Path, view: str) -> None:
    at = page(view=view)
    assert not at.exception


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tokens": "-3"}, "tokens"),
        ({"tokens": "many"}, "many"),
        ({"way": "config", "config": "{nonsense"}, "no JSON"),
        ({"way": "config"}, "Paste one"),
        ({"way": "count", "parameters": "0"}, "parameters"),
        ({"way": "hand", "heads": 32, "kv_heads": 7}, "kv_heads"),
        ({"hour_price": "given", "usd_per_gpu_hour": "cheap"}, "cheap"),
        ({"view": "breakeven", "api_way": "given", "usd_per_million_input": ""}, "unknown is not free"),
        ({"view": "breakeven", "monthly_tokens": "0"}, "no demand"),
        ({"view": "serve", "utilisation": "0"}, "utilisation"),
    ],
)
def test_a_fault_is_told_beside_the_inputs_which_keep_what_was_typed(
    home: Path, fields: dict[str, object], said: str
) -> None:
    at = page(**fields)
    assert not at.exception
    assert said in at.error[0].value
    for name, value in fields.items():
        assert at.session_state[f"c_{name}"] == value


def test_a_model_by_hand_a_count_and_a_config_give_an_answer(home: Path) -> None:
    assert "Training by hand" in headline(page(way="hand"))
    assert "70 billion" in headline(page(way="count", parameters="70B"))
    config = '{"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257}'
    at = page(way="config", config=config)
    assert not at.exception
    assert not at.error


def test_a_saved_estimate_can_be_opened_compared_and_deleted(home: Path, db: Database) -> None:
    at = page(tokens="2T")
    at.text_input(key="c_scenario_name").set_value("two")
    next(one for one in at.button if one.label == "Save").click().run()
    at.text_input(key="c_tokens").set_value("4T").run()
    at.text_input(key="c_scenario_name").set_value("four")
    next(one for one in at.button if one.label == "Save").click().run()
    assert not at.exception
    saved = {one.name: one for one in ScenarioRepository(db).list()}
    assert set(saved) == {"two", "four"}
    hours = {name: next(f for f in one.figures if f["key"] == "gpu_hours")["expected"] for name, one in saved.items()}
    assert hours["four"] == pytest.approx(2 * hours["two"], rel=0.1)
    at.button(key=f"c_open_{saved['two'].id}").click().run()
    assert at.session_state["c_tokens"] == "2T"
    at.button(key=f"c_delete_{saved['four'].id}").click().run()
    assert len(ScenarioRepository(db).list()) == 2  # asked first
    at.button(key=f"c_delete_yes_{saved['four'].id}").click().run()
    assert [one.name for one in ScenarioRepository(db).list()] == ["two"]


def test_a_name_that_is_taken_is_asked_about_before_it_is_saved_over(home: Path, db: Database) -> None:
    at = page(tokens="2T")
    at.text_input(key="c_scenario_name").set_value("mine")
    next(one for one in at.button if one.label == "Save").click().run()
    assert "Saved" in at.toast[0].value
    [first] = ScenarioRepository(db).list()
    at.text_input(key="c_tokens").set_value("4T").run()
    next(one for one in at.button if one.label == "Save").click().run()
    assert any("is a Training scenario already" in one.value for one in at.markdown)
    at.button(key="c_save_cancel").click().run()
    assert ScenarioRepository(db).list() == [first]
    next(one for one in at.button if one.label == "Save").click().run()
    at.button(key="c_save_over").click().run()
    assert not at.exception
    assert "over what it held" in at.toast[0].value
    [second] = ScenarioRepository(db).list()
    assert second.id == first.id
    assert second.form["tokens"] == "4T"
    assert not [one for one in at.button if one.key == "c_save_over"]


def test_this_machine_is_offered_once_it_was_measured(home: Path, db: Database) -> None:
    options = page(view="serve").selectbox(key="c_gpu").options
    assert "This machine, as measured" not in options
    MeasurementRepository(db).add(replace(NEW, host=socket.gethostname(), device_name=platform.machine()))
    at = page(view="serve")
    assert "This machine, as measured" in at.selectbox(key="c_gpu").options

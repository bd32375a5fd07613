"""What mattered on the page: a second token that is one or is told, methods by choice, and the test of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.interpret.subject import from_text
from core.models import catalogue
from tests.conftest import TINY
from tests.models import tiny
from tests.pages.test_attention import TEXT, keep, page, told


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def choose(at: AppTest, *methods: str) -> AppTest:
    return at.button_group(key="a_methods_True").set_value(list(methods)).run()


def test_a_second_token_that_is_none_is_told_and_the_scores_stay(tiny_home: Path) -> None:
    at = page(reading=keep(), view="mattered", against="*two* words")
    assert not at.exception
    assert len(at.error) == 1
    assert r"“\*two\* words” is more than one token" in at.error[0].value
    assert r"Allowed\: a word that is one token\." in at.error[0].value
    assert "What speaks for" in told(at)
    assert "and not" not in told(at)


def test_a_second_token_comes_from_the_address_and_goes_there(tiny_home: Path) -> None:
    at = page(reading=keep(), view="mattered", token="3", against="w")
    assert not at.error
    assert "and not" in told(at)
    at.text_input(key="a_against").set_value("h").run()
    assert at.query_params["against"] == "h"
    at.text_input(key="a_against").set_value("").run()
    assert "against" not in at.query_params
    assert "and not" not in told(at)


def test_rollout_is_no_default_and_brings_its_caution(tiny_home: Path) -> None:
    at = page(reading=keep(), view="mattered")
    assert "it has no sign" not in told(at)
    choose(at, "attention")
    assert "it has no sign" in told(at)
    assert any(button.label.startswith("Knock out reading") for button in at.button)


def test_the_test_of_the_methods_shows_what_chance_needs(tiny_home: Path) -> None:
    at = page(reading=keep(), view="mattered")
    assert "several seconds" in told(at)
    at.button(key="a_faithful").click().run()
    assert not at.exception
    table = at.dataframe[0].value
    assert list(table.columns) == ["Method", "Gain", "By chance", "Needed to beat chance", "Beats chance"]
    assert set(table["Method"]) == {"gradient × input", "occlusion"}


def test_an_embedding_is_asked_about_in_words_of_its_own(home: Path) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources" / "bert", head="BertModel")), model_id="encoder")
    at = page(reading=keep("encoder"), view="mattered")
    assert "Tokens that make the text's embedding what it is" in told(at)
    assert "speaks for" not in told(at)


def test_a_token_is_not_set_against_itself(tiny_home: Path) -> None:
    pieces = from_text(TINY, TEXT).pieces
    place = next(place for place, piece in enumerate(pieces) if place and piece.strip() == piece)
    at = page(reading=keep(), view="mattered", token=str(place), against=pieces[place])
    assert "is the token that is asked about" in told(at)
    assert "What speaks for" in told(at)

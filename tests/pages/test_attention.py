"""The page Attention without a browser: every view draws, links are obeyed or corrected, every fault is a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.generation.engine import Engine
from core.generation.record import RecordedRun
from core.generation.request import GenerationRequest, SamplingParameters
from core.interpret.subject import from_text
from core.models import catalogue
from core.store.database import Database, open_database
from core.store.readings import ReadingRepository
from core.store.runs import NewRun, RunRepository
from pages.widgets.attention_look import VIEWS
from tests.conftest import TINY
from tests.models import tiny

pytestmark = pytest.mark.slow  # whole pages, and a model

SCRIPT = "from pages import attention\nattention.render()"
TEXT = "hello, small world"


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def keep(model_id: str = TINY, text: str = TEXT) -> str:
    """The id of a text on record."""
    subject = from_text(model_id, text)
    return (
        ReadingRepository(open_database())
        .keep(model_id=model_id, revision=subject.revision, text=text, token_ids=subject.ids)
        .id
    )


def page(**address: str) -> AppTest:
    at = AppTest.from_string(SCRIPT, default_timeout=120)
    for name, value in address.items():
        at.query_params[name] = value
    return at.run()


def told(at: AppTest) -> str:
    return " ".join(one.value for one in (*at.markdown, *at.caption, *at.error, *at.warning, *at.info))


@pytest.mark.slow
@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_of_a_decoder_draws(tiny_home: Path, view: str) -> None:
    at = page(reading=keep(), view=view, off="0.1")
    assert not at.exception
    assert not at.error
    assert "tokens, for " in told(at)


@pytest.mark.slow
@pytest.mark.parametrize("view", ["overview", "head", "word", "mattered", "knockout", "how"])
def test_every_view_of_an_encoder_without_logits_draws(home: Path, view: str) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources" / "bert", head="BertModel")), model_id="encoder")
    at = page(reading=keep("encoder"), view=view, off="0.1")
    assert not at.exception
    assert not at.error


def test_an_encoder_that_predicts_no_tokens_has_no_layers_to_read(home: Path) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources" / "bert", head="BertModel")), model_id="encoder")
    at = page(reading=keep("encoder"), view="layers")
    assert not at.exception
    assert "view “layers”" in told(at)
    assert "What did the model look at" in told(at)


def test_an_empty_page_offers_examples_and_says_what_it_is(tiny_home: Path) -> None:
    at = page()
    assert not at.exception
    assert {"Who gets the drink?", "A pattern", "A fact"} <= {button.label for button in at.button}
    assert "Answers of the playground" in told(at)


def test_an_empty_text_is_told_beside_the_box(tiny_home: Path) -> None:
    at = page()
    next(button for button in at.button if button.label == "Look inside").click().run()
    assert not at.exception
    assert "The text is empty" in told(at)


@pytest.mark.parametrize("address", [{"run": "nope"}, {"reading": "nope"}])
def test_a_wrong_link_is_told_and_leaves_the_way_to_begin(tiny_home: Path, address: dict[str, str]) -> None:
    at = page(**address)
    assert not at.exception
    assert "nope" in told(at)
    assert any(button.label == "Look inside" for button in at.button)


@pytest.mark.parametrize(
    "address",
    [
        {"view": "no such view"},
        {"layer": "99", "heads": "77.x", "view": "head"},
        {"token": "9999"},
        {"token": "answer7"},
        {"token": "-1", "sink": "maybe", "unit": "page", "draw": "oil"},
    ],
)
def test_a_link_written_by_hand_is_corrected(tiny_home: Path, address: dict[str, str]) -> None:
    at = page(reading=keep(), **address)
    assert not at.exception
    assert not at.error


def test_what_is_switched_off_by_mistake_is_named(tiny_home: Path) -> None:
    at = page(reading=keep(), view="knockout", off="9.9,mlp1,nonsense")
    assert not at.exception
    assert "nonsense" in told(at)


def test_a_long_text_is_offered_in_part(tiny_home: Path) -> None:
    at = page(reading=keep(text="a b " * 200))
    assert not at.exception
    assert "At most 256" in told(at)
    next(button for button in at.button if "last 256" in button.label).click().run()
    assert not at.exception
    assert "Its last 256 of" in told(at)
    assert at.query_params["part"] == "last"


def test_a_recorded_answer_opens_at_the_token_that_was_clicked(tiny_home: Path, db: Database) -> None:
    request = GenerationRequest(TINY, SamplingParameters(max_new_tokens=4, seed=1), raw_prompt=TEXT, precision="fp32")
    run = RecordedRun(Engine(), db, request)
    list(run.events())
    at = page(run=run.run_id, token="answer2", view="word")
    assert not at.exception
    assert f"({run.completion.prompt_tokens + 2})" in told(at).replace("\\", "")
    assert "A recorded answer of" in told(at)


def test_a_run_of_a_server_says_that_it_cannot_be_seen(tiny_home: Path, db: Database) -> None:
    run_id = RunRepository(db).start(NewRun("box/m", "", "", "remote", "box", {}, {"raw_prompt": "x"}))
    at = page(run=run_id)
    assert not at.exception
    assert "whose inside cannot be seen" in told(at)


def test_a_model_whose_attention_cannot_be_had_is_a_message(home: Path) -> None:
    from transformers import BloomConfig, BloomForCausalLM

    folder = home / "sources" / "bloom"
    config = BloomConfig(vocab_size=len(tiny.vocabulary()), hidden_size=32, n_layer=2, n_head=4)
    BloomForCausalLM(config).save_pretrained(str(folder))
    tiny.save_tokenizer(folder)
    catalogue.add(str(folder), model_id="bloom")
    at = page(reading=keep("bloom"))
    assert not at.exception
    assert "cannot be had" in told(at)


def test_controls_write_the_address(tiny_home: Path) -> None:
    at = page(reading=keep(), view="head")
    at.slider(key="a_layer").set_value(0).run()
    assert at.query_params["layer"] == "0"
    assert not at.exception


def test_a_link_that_asks_for_what_is_not_there_is_told(tiny_home: Path) -> None:
    at = page(reading=keep(), layer="99", view="head", token="9999")
    assert not at.exception
    assert "layer “99” \\(0 to 1\\)" in told(at)
    assert "token “9999”" in told(at)


def test_the_asked_token_is_named_with_its_probability(tiny_home: Path) -> None:
    assert "You ask about the next token: ‘" in told(page(reading=keep())).replace("\\", "")
    at = page(reading=keep(), token="3", view="head")
    assert "first choice" in told(at)
    assert "is chosen there, at the token before it" in told(at)


def test_joining_into_words_is_said_only_where_it_is_done(tiny_home: Path) -> None:
    def labels(view: str) -> list[str]:
        at = page(reading=keep(), view=view, unit="word", sink="hide")
        assert not at.exception
        return [block.proto.popover.label for block in at.get("popover")]

    assert "Options · first token hidden" in labels("overview")
    assert "Options · first token hidden, by word" in labels("head")

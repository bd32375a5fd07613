"""Knock-out on the page: one sign for every change, tokens that can matter, and answers that can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.generation.engine import Engine
from core.generation.record import RecordedRun
from core.generation.request import GenerationRequest, SamplingParameters
from core.interpret.edits import Edits
from core.interpret.judge import Asked, Measure
from core.interpret.knockout import EmbeddingEffect
from core.interpret.ranking import HeadEffects
from core.store.database import Database
from pages.widgets.attention_knockout_charts import change_words, cosines_figure, effects_figure
from tests.conftest import TINY
from tests.pages.test_attention import TEXT, keep, page, told


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def effects(measure: Measure = "log probability") -> HeadEffects:
    heads = np.array([[-0.34, 0.1], [0.0, -0.01]], np.float32)
    kl = np.full((2, 2), 0.1, np.float32)
    mlps = np.array([-1.0, np.nan], np.float32)
    return HeadEffects(Asked(measure, 3, 2, 5), heads, kl, mlps, mlps)


@pytest.mark.parametrize(
    ("value", "words"),
    [(-0.344, "−0.34 log p"), (0.1, "+0.10 log p"), (0.0123, "+0.012 log p"), (-0.0, "0 log p")],
)
def test_a_change_is_told_with_its_sign_and_unit(value: float, words: str) -> None:
    assert change_words(value, "log p") == words


def test_the_ranking_plots_the_change_itself_around_a_neutral_zero() -> None:
    [cells] = effects_figure(effects()).data
    assert cells.z[0][0] == pytest.approx(-0.34)
    assert cells.zmin == -cells.zmax
    assert cells.hovertext[0][0] == "Layer 0, head 0<br>without it −0.34 log p"
    assert cells.hovertext[1][3] == ""  # no MLP of a known kind
    assert cells.reversescale
    assert "change without it" in cells.colorbar.title.text


def test_the_ranking_takes_the_diverging_colours_that_streamlit_fills_in() -> None:
    import plotly.io as pio
    from streamlit.elements.lib.streamlit_plotly_theme import configure_streamlit_plotly_theme

    configure_streamlit_plotly_theme()
    [cells] = effects_figure(effects()).data
    assert cells.colorscale == pio.templates["streamlit"].layout.colorscale.diverging


def test_an_encoders_ranking_speaks_of_its_embedding() -> None:
    figure = effects_figure(effects("cosine"))
    assert "embedding" in figure.layout.title.subtitle.text
    assert figure.data[0].hovertext[0][0].endswith("−0.34 cosine")


def test_the_tokens_whose_vectors_changed_most_stand_first() -> None:
    found = EmbeddingEffect(Edits(heads=frozenset({(0, 0)})), np.linspace(0.5, 1, 12, dtype=np.float32)[::-1], 0.9)
    [bars] = cosines_figure(found, [f"<b>{place}" for place in range(12)]).data
    assert len(bars.x) == 10
    assert list(bars.x) == sorted(bars.x, reverse=True)
    assert bars.text[0] == "−0.50"
    assert "<b>" not in bars.hovertext[0]


def test_a_token_that_cannot_matter_is_not_offered_and_is_told(tiny_home: Path) -> None:
    at = page(reading=keep(), view="knockout", token="3", off="token2,token1")
    assert len(at.selectbox(key="a_off_token").options) == 2  # 0 and 1: 2 is where the prediction is made
    idle = next(one.value for one in at.caption if "The prediction is made at" in one.value)
    assert idle.endswith(r"\(2\) on the way there, so switching it off changes nothing in it.")
    assert "The prediction is made at" not in told(page(reading=keep(), view="knockout", token="3", off="token1"))


def test_a_fault_shows_what_was_written_as_it_is(tiny_home: Path) -> None:
    at = page(reading=keep(), view="knockout", off="**bold**")
    assert r"\*\*bold\*\*" in at.error[0].value


def test_a_recorded_answer_stands_beside_those_written_again(tiny_home: Path, db: Database) -> None:
    request = GenerationRequest(TINY, SamplingParameters(max_new_tokens=4, seed=1), raw_prompt=TEXT, precision="fp32")
    run = RecordedRun(Engine(), db, request)
    list(run.events())
    at = page(run=run.run_id, view="knockout", off="0.1")
    at.button(key="a_rewrite").click().run()
    assert not at.exception
    assert {"On record, fp32", "Whole", "Without it"} <= {one.value for one in at.caption}
    assert "greedy" in told(at)
    assert len(at.text) == 3


def test_an_answers_own_token_cannot_be_off_in_it_and_the_ranking_stays(tiny_home: Path, db: Database) -> None:
    request = GenerationRequest(TINY, SamplingParameters(max_new_tokens=4, seed=1), raw_prompt=TEXT, precision="fp32")
    run = RecordedRun(Engine(), db, request)
    list(run.events())
    first = run.completion.prompt_tokens
    at = page(run=run.run_id, view="knockout", token="answer3", off=f"token{first}")
    at.button(key="a_rewrite").click().run()
    assert "is part of the answer" in told(at)
    at.button(key="a_rank").click().run()
    assert not at.exception
    assert "The strongest; click one to switch it off." in told(at)
    assert any(button.label.endswith(" log p") for button in at.button)

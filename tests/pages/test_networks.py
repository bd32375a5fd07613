"""Networks that read no text in the playground and among the models, without a browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.models import catalogue
from core.onnx.exports import ensure_export
from tests.models.small_networks import save_cnn, save_linear

pytestmark = pytest.mark.slow

PLAYGROUND = "from pages import playground, state\nimport streamlit as st\nplayground.render()"
MODELS = "from pages import models, state\nimport streamlit as st\nmodels.render()"
ATTENTION = "from pages import attention, state\nimport streamlit as st\nattention.render()"


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with a CNN and a linear model, exported."""
    from core.settings import reload_settings

    monkeypatch.setenv("GROUNDWORK_DEVICE", "cpu")
    reload_settings()
    for source in (save_cnn(tmp_path / "sources" / "animals"), save_linear(tmp_path / "sources" / "prices")):
        ensure_export(catalogue.add(str(source)).id)


def playground(model: str) -> AppTest:
    at = AppTest.from_string(PLAYGROUND, default_timeout=60)
    at.session_state["model"] = model
    at.run()
    assert not at.exception
    return at


@pytest.mark.usefixtures("networks")
def test_sample_pictures_are_classified_at_once() -> None:
    at = playground("animals")
    assert any("of 2** pictures" in one.value for one in at.markdown)
    assert any("8 × 8 pixels, in grey" in one.value for one in at.caption)
    assert len(at.get("plotly_chart")) == 1
    assert not any("tokens" in one.value for one in at.caption)


@pytest.mark.usefixtures("networks")
def test_uploaded_pictures_take_their_place_and_a_broken_one_is_told() -> None:
    at = playground("animals")
    out = io.BytesIO()
    Image.fromarray(np.full((20, 30), 200, np.uint8)).save(out, "PNG")
    uploader = at.file_uploader[0]
    uploader.upload("mine.png", out.getvalue(), "image/png").upload("bad.png", b"nothing", "image/png").run()
    assert not at.exception
    [told] = at.error
    assert "bad" in told.value
    assert "0x" not in told.value  # no address of an object
    assert any("mine" in one.value for one in at.caption)
    assert not any("came with the model" in one.value for one in at.markdown)


@pytest.mark.usefixtures("networks")
def test_a_number_is_predicted_from_a_form() -> None:
    at = playground("prices")
    assert [one.value for one in at.number_input] == [100.0, 3.0]
    assert at.metric[0].value == "270,000"
    assert not at.metric[0].delta
    at.number_input[0].set_value(300.0).run()
    assert not at.exception
    assert at.metric[0].value == "470,000"
    assert "+200,000" in at.metric[0].delta
    assert any("Outside of what it learned from" in one.value and "area" in one.value for one in at.caption)


@pytest.mark.usefixtures("networks")
def test_a_table_is_predicted() -> None:
    at = playground("prices")
    at.segmented_control[0].set_value("A table").run()
    at.file_uploader[0].upload("rows.csv", b"area,rooms\n50,2\n,3\n", "text/csv").run()
    assert not at.exception
    frame = at.dataframe[0].value
    assert frame["predicted price"].tolist()[0] == pytest.approx(170_000)
    assert any("1 row lacks a number" in one.value for one in at.caption)


@pytest.mark.usefixtures("networks")
def test_a_table_without_its_columns_is_told() -> None:
    at = playground("prices")
    at.segmented_control[0].set_value("A table").run()
    at.file_uploader[0].upload("rows.csv", b"size\n50\n", "text/csv").run()
    assert not at.exception
    assert "no column" in at.error[0].value


@pytest.mark.usefixtures("networks")
def test_they_stand_among_the_models_without_tokens_to_measure() -> None:
    at = AppTest.from_string(MODELS, default_timeout=60).run()
    assert not at.exception
    assert "On this machine · 4" in [one.value for one in at.subheader]
    at = AppTest.from_string(MODELS, default_timeout=60)
    at.query_params["show"] = "animals"
    at.run()
    assert not at.exception
    headers = [one.value for one in at.subheader]
    assert "ONNX exports" in headers
    assert "Measured on this machine" not in headers
    assert [one.label for one in at.button if one.label.startswith("Use ")] == ["Use fp32"]


@pytest.mark.usefixtures("networks")
def test_attention_does_not_offer_them() -> None:
    at = AppTest.from_string(ATTENTION, default_timeout=60).run()
    assert not at.exception
    choice = next(one for one in at.selectbox if one.label == "Model")
    assert not any("animals" in option or "prices" in option for option in choice.options)

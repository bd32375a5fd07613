"""Attention as a founder uses it: from an answer in the playground to why, to what mattered, to the knock-out."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, StartApp, settled
from tests.real_models import exported_smollm2_home, link_real_models

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> str:
    exported_smollm2_home()
    home = link_real_models(tmp_path_factory.mktemp("attention-home"))
    environment = {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": "", "GROUNDWORK_DEVICE": "cpu"}
    return streamlit_app(ROOT / "app.py", environment)


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page.goto(f"{app_url}/attention")
    expect(page.get_by_role("button", name="Look inside")).to_be_visible(timeout=90_000)
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()


def look(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Text", exact=True).fill(text)
    page.get_by_role("button", name="Look inside").click()
    expect(page.get_by_text("What did the model look at when it chose this token?")).to_be_visible(timeout=90_000)
    drawn(page)


def drawn(page: Page) -> None:
    """Nothing is being worked out any more."""
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=120_000)
    settled(page)
    expect(page.get_by_test_id("stProgress")).to_have_count(0)


def ask(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click()
    drawn(page)


def download(page: Page, label: str) -> bytes:
    settled(page)
    with page.expect_download() as found:
        page.get_by_role("button", name=label, exact=True).click()
    return Path(found.value.path()).read_bytes()


def test_an_answer_of_the_playground_opens_at_the_word_that_was_clicked(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("textbox", name="Write a message").fill("Name the capital of France.")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Tokens").click(timeout=90_000)
    token = page.locator(".token-view .token").nth(3)
    word = token.inner_text().strip()
    token.click()
    page.get_by_role("button", name="Why this word?").click()
    expect(page.get_by_role("heading", name="Attention")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("is chosen there, at the token before it")).to_be_visible(timeout=90_000)
    assert "run=" in page.url
    assert "token=answer3" in page.url
    expect(page.get_by_text(re.compile(rf"You ask about ‘\s*{re.escape(word)}"))).to_be_visible()
    expect(page.get_by_text("it was written in int8")).to_be_visible()


def test_from_all_heads_to_one_to_its_knock_out(page: Page) -> None:
    look(page, "The Eiffel Tower stands in the city of")
    ask(page, "All heads")
    page.locator(".cell").and_(page.get_by_label(re.compile("^Layer 14, head 8 ·"))).click()
    expect(page.get_by_text("Who reads whom, in one head or several?")).to_be_visible(timeout=60_000)
    drawn(page)
    expect(page.get_by_text("Layer 14, head 8").first).to_be_visible()
    page.get_by_role("button", name="Knock out layer 14, head 8").click()
    drawn(page)
    expect(page.get_by_text(re.compile("Without head 8 of layer 14"))).to_be_visible()
    assert "off=14.8" in page.url
    page.get_by_role("button", name="Rank all heads by effect").click()
    drawn(page)
    expect(page.get_by_text("The strongest; click one to switch it off.")).to_be_visible(timeout=60_000)
    rows = list(csv.DictReader(io.StringIO(download_last_csv(page).decode("utf-8-sig"))))
    assert len(rows) == 30 * 9 + 30
    assert {row["head"] for row in rows} >= {"0", "8", "mlp"}


def download_last_csv(page: Page) -> bytes:
    settled(page)
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV", exact=True).last.click()
    return Path(found.value.path()).read_bytes()


def test_what_mattered_and_which_method_to_trust(page: Page) -> None:
    look(page, "The Eiffel Tower stands in the city of")
    ask(page, "What mattered")
    expect(page.get_by_text("What speaks for")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Test the methods").click()
    drawn(page)
    expect(page.get_by_text("Words taken away").first).to_be_visible(timeout=60_000)
    box = page.get_by_role("textbox", name="Why this token and not …")
    box.fill("London")
    box.press("Enter")
    drawn(page)
    expect(page.get_by_text(re.compile("and not ‘.London’"))).to_be_visible(timeout=60_000)


def test_the_layers_and_how_attention_is_computed(page: Page) -> None:
    look(page, "The Eiffel Tower stands in the city of")
    ask(page, "Layers")
    expect(page.get_by_text(re.compile("comes first"))).to_be_visible(timeout=60_000)
    ask(page, "How it works")
    expect(page.get_by_text("1 · Query and key").first).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="A small example to edit").click()
    expect(page.get_by_text("Who reads whom").last).to_be_visible(timeout=60_000)


def test_pictures_and_numbers_can_be_taken_away(page: Page) -> None:
    look(page, "The Eiffel Tower stands in the city of")
    ask(page, "One head")
    assert download(page, "PNG").startswith(b"\x89PNG")
    assert download(page, "SVG").startswith((b"<?xml", b"<svg"))
    html = download(page, "HTML").decode()
    assert "Eiffel" in html
    assert not re.search(r"""(?:src|href)=["']https?:""", html)
    with zipfile.ZipFile(io.BytesIO(download(page, "NPZ"))) as archive:
        weights = np.lib.format.read_array(io.BytesIO(archive.read("attention.npy")))
    assert weights.shape == (9, 9, 9)
    np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-5)
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV").decode("utf-8-sig"))))
    assert len(rows) == 9 * 10 / 2  # what a decoder may read


def test_a_link_brings_back_what_was_seen(page: Page, chromium: Browser) -> None:
    look(page, "The Eiffel Tower stands in the city of")
    ask(page, "One head")
    assert "Eiffel" not in page.url
    other = chromium.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Who reads whom, in one head or several?")).to_be_visible(timeout=90_000)
    expect(other.get_by_role("option", name=re.compile("^ ?Tower"))).to_be_visible()
    other.close()


def test_an_encoder_is_looked_into_too(page: Page) -> None:
    page.get_by_role("combobox", name=re.compile("Model")).click()
    page.get_by_role("option", name=re.compile("MiniLM")).click()
    look(page, "A cat sits on the mat.")
    expect(page.get_by_role("radio", name="Step by step")).to_have_count(0)
    ask(page, "Knock-out")
    page.get_by_role("button", name="Layer 3, head 0").click()
    drawn(page)
    expect(page.get_by_text("the text's embedding keeps a cosine of")).to_be_visible(timeout=60_000)


def test_at_the_width_of_a_phone_nothing_runs_off_the_side(chromium: Browser, app_url: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{app_url}/attention")
    expect(page.get_by_role("button", name="Look inside")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="A fact").click()
    expect(page.get_by_text("What did the model look at when it chose this token?")).to_be_visible(timeout=90_000)
    drawn(page)
    for view in ("All heads", "One head", "Why this word", "Layers", "Knock-out"):
        ask(page, view)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 1, view
    page.close()

"""The Models page as a first-time visitor uses it: a real Chromium, a hub and a server on loopback, real exports."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, StartApp, settled
from tests.models import tiny
from tests.models.hub_server import HubServer
from tests.real_models import prepared_folder
from tests.transformers_serve import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
JOB_MS = 120_000
LABELS = {0: "unhappy", 1: "happy", 2: "so-so"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    folder = tmp_path_factory.mktemp("published")
    with HubServer() as server:
        server.publish("acme/Tiny-Llama", tiny.save_llama(folder / "llama", hidden=64, context=256), downloads=90)
        server.publish("acme/large-llama", tiny.save_llama(folder / "large"), parameters=700_000_000_000)
        mood = tiny.save_encoder(folder / "mood", head="BertForSequenceClassification", id2label=LABELS)
        server.publish("acme/mood", mood)
        yield server


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("models-home")
    settings = {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": "", "GROUNDWORK_DEVICE": "cpu"}
    return streamlit_app(ROOT / "app.py", settings | {"GROUNDWORK_HUB_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"})


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page.goto(f"{app_url}/models")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible(timeout=60_000)
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()


def look_up(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Search, or owner/name").fill(text)
    page.get_by_role("button", name="Look").click()


def box(page: Page, title: str):  # type: ignore[no-untyped-def]
    """The box of a model in the list, or of a precision among the exports."""
    return page.get_by_test_id("stVerticalBlockBorderWrapper").filter(has_text=title).last


def open_model(page: Page, model_id: str, title: str) -> None:
    page.goto(f"{page.url.partition('/models')[0]}/models?show={model_id}")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=30_000)


def test_a_search_a_cancelled_download_and_a_resumed_one(
    page: Page, hub: HubServer, screenshot: Callable[[Page, str], Path]
) -> None:
    hub.repositories["acme/Tiny-Llama"].piece_pause_s = 1.5
    look_up(page, "llama")
    expect(page.get_by_role("button", name="acme/large-llama")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="acme/Tiny-Llama").click()
    expect(page.get_by_text("Apache-2.0").first).to_be_visible(timeout=15_000)
    download = page.get_by_role("button", name=re.compile(r"Download and add \(\d+ kB\)"))
    expect(download).to_be_visible(timeout=60_000)
    assert "model.safetensors" not in hub.fetched
    download.click()
    expect(page.get_by_text(re.compile("Downloading"))).to_be_visible(timeout=JOB_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("goes on from there")).to_be_visible(timeout=30_000)
    hub.repositories["acme/Tiny-Llama"].piece_pause_s = 0.0
    look_up(page, "acme/Tiny-Llama")
    download.click(timeout=30_000)
    expect(page.get_by_text("It is in the list below.")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_text("commit 0123456")).to_be_visible()
    screenshot(page, "models-list")


def test_a_model_too_large_is_refused_before_a_download(page: Page) -> None:
    look_up(page, "acme/large-llama")
    expect(page.get_by_text("let a server run it")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=re.compile("Download and add"))).to_have_count(0)
    look_up(page, "acme/nothing-of-that-name")
    expect(page.get_by_text("The hub has no model 'acme/nothing-of-that-name'")).to_be_visible(timeout=15_000)


def test_an_export_is_proved_verified_taken_away_and_deleted(
    page: Page, screenshot: Callable[[Page, str], Path], tmp_path: Path
) -> None:
    open_model(page, "tiny-llama", "Tiny-Llama")
    page.get_by_role("button", name="Export in fp32").click()
    expect(page.get_by_role("img", name="verified icon", exact=True)).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_text(re.compile(r"\(bar"))).to_be_visible()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Every file is as it was proved.")).to_be_visible(timeout=30_000)
    with page.expect_download(timeout=30_000) as waiting:
        page.get_by_role("link", name="ONNX bundle").click()
    waiting.value.save_as(tmp_path / "bundle.zip")
    assert waiting.value.suggested_filename == "tiny-llama-onnx-fp32-cpu.zip"
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        assert bundle.testzip() is None
        assert "tiny-llama-onnx-fp32-cpu/run.py" in bundle.namelist()
    screenshot(page, "models-exports")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete this export").click()
    expect(page.get_by_text(re.compile("are free again"))).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Export in fp32")).to_be_visible()


def test_a_measurement_is_drawn_and_taken_away(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    open_model(page, "tiny-llama", "Tiny-Llama")
    page.get_by_role("spinbutton", name="Rounds a point").fill("1")
    page.get_by_role("button", name="Measure on this machine").click()
    expect(page.get_by_text("Speed against the machine's limits")).to_be_visible(timeout=2 * JOB_MS)
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV, every column").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == 6
    assert {row["batch"] for row in rows} == {"1", "4"}
    assert all(float(row["decode_tokens_per_s"]) > 0 for row in rows)
    page.wait_for_timeout(1_000)
    screenshot(page, "models-measured")


def test_a_classifier_answers_in_the_playground(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    look_up(page, "acme/mood")
    page.get_by_role("button", name=re.compile("Download and add")).click(timeout=30_000)
    expect(page.get_by_text("It is in the list below.")).to_be_visible(timeout=JOB_MS)
    open_model(page, "mood", "mood")
    page.get_by_role("button", name="Export in int8").click()
    page.get_by_role("button", name="Use int8").click(timeout=JOB_MS)
    expect(page.get_by_role("heading", name="Playground")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Try an example").click(timeout=30_000)
    expect(page.get_by_text("Which class each text is in")).to_be_visible(timeout=30_000)
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert {row["class"] for row in rows} == set(LABELS.values())
    for text in {row["text"] for row in rows}:
        assert sum(float(row["probability"]) for row in rows if row["text"] == text) == pytest.approx(1, abs=1e-4)
    screenshot(page, "playground-classes")


def test_a_path_and_an_upload(page: Page, tmp_path: Path) -> None:
    path = tiny.save_gguf(tiny.save_llama(tmp_path / "llama"), tmp_path / "From-Path.gguf")
    page.get_by_text("From this machine").click()
    field = page.get_by_role("textbox", name="Folder or .gguf file")
    field.fill("/nowhere/model.gguf")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("There is nothing at /nowhere/model.gguf")).to_be_visible(timeout=15_000)
    field.fill(str(path))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("It is in the list below.")).to_be_visible(timeout=JOB_MS)
    page.get_by_text("Upload", exact=True).click()
    uploaded = path.rename(tmp_path / "Uploaded.gguf")
    page.locator("input[type=file]").set_input_files(str(uploaded))
    page.get_by_role("button", name="Add what was uploaded").click(timeout=30_000)
    expect(page.get_by_role("button", name="Open")).to_have_count(6, timeout=JOB_MS)


def test_a_model_is_deleted_with_what_it_frees(page: Page) -> None:
    open_model(page, "mood", "mood")
    page.get_by_text("Delete this model").click()
    expect(page.get_by_text(re.compile(r"Frees \d+ kB"))).to_be_visible()
    page.get_by_role("button", name="Delete mood").click()
    expect(page.get_by_text(re.compile("mood was deleted: .* are free again"))).to_be_visible(timeout=30_000)
    expect(page.get_by_text("commit 0123456")).to_have_count(1)


def test_an_unknown_model_says_so(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/models?show=nobody")
    expect(page.get_by_text("There is no model 'nobody'")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="All models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible(timeout=15_000)


def test_a_model_of_a_real_server_answers_in_the_playground(
    page: Page, tmp_path: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    with serving(prepared_folder(), "local/smollm2", tmp_path) as base_url:
        page.get_by_role("textbox", name="Address").fill(base_url)
        page.get_by_role("textbox", name="Name", exact=True).fill("box")
        page.get_by_role("textbox", name="Key", exact=True).fill("sk-not-to-be-seen")
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_text("box is connected")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("sk-not-to-be-seen")).to_have_count(0)
        screenshot(page, "models-server")
        page.get_by_role("button", name="Use it").click()
        chat = page.get_by_test_id("stChatInputTextArea")
        expect(chat).to_be_enabled(timeout=30_000)
        chat.fill("What is the capital of France?")
        chat.press("Enter")
        expect(page.get_by_text("The capital of France is Paris.").first).to_be_visible(timeout=JOB_MS)
        expect(page.get_by_text(re.compile(r"box/local/smollm2 · remote · 127\.0\.0\.1"))).to_be_visible(timeout=JOB_MS)
        expect(page.get_by_role("button", name="Continue")).to_be_disabled()
    page.get_by_test_id("stChatInputTextArea").fill("And of Spain?")
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(page.get_by_text(re.compile(r"127\.0\.0\.1:\d+ cannot be reached"))).to_be_visible(timeout=JOB_MS)

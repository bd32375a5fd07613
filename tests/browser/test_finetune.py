"""The builder of the Fine-tune page as a first-time visitor uses it, in a real Chromium, with real short trainings."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.training.config import read_config
from tests.browser.conftest import ROOT, StartApp, new_page, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]
JOB_MS = 180_000


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("finetune-home")
    settings = {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": "", "GROUNDWORK_DEVICE": "cpu"}
    return streamlit_app(ROOT / "app.py", settings)


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page.goto(f"{app_url}/finetune")
    expect(page.get_by_role("heading", name="Fine-tune", exact=True)).to_be_visible(timeout=60_000)
    settled(page)
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """80 rows with columns that are called as nobody would guess, and some faults."""
    rows = [f"parcel {n} is late again and nobody says why,{'yes' if n % 3 else 'no'},shop" for n in range(80)]
    rows[4] = "write to ada.lovelace@example.com please,yes,shop"
    rows[7] = ",no,shop"
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(["Nachricht,Klasse,Kanal", *rows]), encoding="utf-8")
    return path


def choose(page: Page, recipe: str) -> None:
    page.get_by_role("button", name=recipe).click()
    expect(page.get_by_role("heading", name="From which data?")).to_be_visible(timeout=30_000)
    settled(page)


def number(page: Page, label: str, value: str) -> None:
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(value)
    field.press("Enter")
    settled(page)


def column(page: Page, part: str, name: str) -> None:
    box = page.get_by_role("combobox", name=part, exact=True)
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list that opens while the page moves closes again
    box.click()
    page.get_by_role("option", name=name, exact=True).click()
    settled(page)


def cancel(page: Page) -> None:
    """Press the last Cancel; again where the press fell into a drawing of the list, which Streamlit then forgets."""
    buttons = page.get_by_role("button", name="Cancel", exact=True)
    before = buttons.count()
    settled(page)
    buttons.last.click()
    try:
        expect(buttons).not_to_have_count(before, timeout=8_000)
    except AssertionError:
        if not page.get_by_role("button", name="Cancel this run").count():
            buttons.last.click()


def test_a_newcomer_tries_the_digits(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    screenshot(page, "finetune-empty")
    page.get_by_role("button", name="Begin with handwritten digits").click()
    expect(page.get_by_text(re.compile("pictures to learn from"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("img", name=re.compile("A picture of [0-9]"))).to_have_count(20)
    page.get_by_role("button", name="Try a few steps").click()
    expect(page.get_by_text("Trying a few steps on this machine.")).to_be_visible(timeout=10_000)
    expect(page.get_by_text(re.compile(r"steps take about .* of memory on this machine's CPU"))).to_be_visible(
        timeout=JOB_MS
    )
    settled(page)
    page.wait_for_timeout(1_000)
    screenshot(page, "finetune-estimate")
    number(page, "Epochs", "2")
    expect(page.get_by_text("Outdated: the configuration was changed since.")).to_be_visible(timeout=15_000)


def test_a_file_of_ones_own_is_mapped_checked_and_taken_away(
    page: Page, tickets: Path, tmp_path: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    choose(page, "Classify texts")
    page.get_by_role("radio", name="Upload").click()
    upload = page.get_by_test_id("stFileUploader").filter(has_text="A file with the rows")
    upload.locator("input[type=file]").set_input_files(str(tickets))
    expect(page.get_by_text("is on the disk.")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("No column is recognised as label.")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Start training")).to_be_disabled()
    column(page, "Label", "Klasse")
    expect(page.get_by_text(re.compile("texts to learn from"))).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Findings as CSV").click()
    found = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8-sig"))))
    assert any("8" in str(row) for row in found)
    assert "ada.lovelace" not in str(found)
    page.get_by_text("The same as YAML and on the command line").click()
    expect(page.get_by_text("accelerate launch")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download YAML").click()
    waiting.value.save_as(tmp_path / "run.yaml")
    config = read_config(tmp_path / "run.yaml")
    assert config.data.columns.label == "Klasse"
    assert Path(config.data.path).read_bytes() == tickets.read_bytes()
    screenshot(page, "finetune-own-data")


def test_another_sample_set_begins_with_its_own_columns(page: Page) -> None:
    choose(page, "Predict a number")
    expect(page.get_by_text(re.compile("rows to learn from"))).to_be_visible(timeout=30_000)
    column(page, "Sample set", "A line")
    number(page, "Epochs", "5")
    expect(page.get_by_text("No such column")).to_have_count(0)
    expect(page.get_by_text(re.compile("rows to learn from"))).to_be_visible(timeout=30_000)
    column(page, "Number to predict", "hours")
    settled(page)
    column(page, "Sample set", "Diabetes")
    settled(page)
    number(page, "Epochs", "6")
    expect(page.get_by_text("No such column")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Start training|Add to the queue"))).to_be_enabled()


def test_a_yaml_fills_the_builder_and_a_bad_one_says_why(page: Page, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text("recipe: images\ntraining: {epochs: -1, lr: 3}\n")
    good.write_text(
        "recipe: images\ndata: {path: 'sample:digits'}\ntraining: {epochs: 7}\nnetwork: {channels: [8, 16, 32]}\n"
    )
    page.get_by_text("Begin from a YAML file").click()
    page.locator("input[type=file]").last.set_input_files(str(bad))
    expect(page.get_by_text(re.compile("bad.yaml has 3 faults|The configuration has 3 faults"))).to_be_visible(
        timeout=15_000
    )
    page.locator("input[type=file]").last.set_input_files(str(good))
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("7", timeout=60_000)
    expect(page.get_by_role("textbox", name="Channels of the blocks")).to_have_value("8, 16, 32")


def test_runs_are_queued_put_in_order_and_cancelled(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    for name in ("first", "second", "third"):
        choose(page, "Predict a number")
        number(page, "Epochs", "9000")
        page.get_by_role("textbox", name="Name").fill(name)
        page.get_by_role("textbox", name="Name").press("Enter")
        settled(page)
        page.get_by_role("button", name=re.compile("Start training|Add to the queue")).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=30_000)
        assert "run=" in page.url
        page.get_by_role("button", name="All runs").click()
        expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible(timeout=30_000)
        settled(page)
    expect(page.get_by_text(re.compile(r"running · step [\d,]+ of"))).to_be_visible(timeout=JOB_MS)
    page.get_by_role("button", name="Earlier").nth(1).click()
    expect(page.get_by_text("waits, number 1")).to_be_visible()
    titles = page.get_by_text(re.compile("^(first|second|third)$"))
    expect(titles).to_have_text(["first", "third", "second"], timeout=15_000)
    screenshot(page, "finetune-queue")
    for left in (2, 1, 0):
        cancel(page)
        if not left:  # the one that runs: it is asked for twice
            page.get_by_role("button", name="Cancel this run").click()
        expect(page.get_by_role("button", name="Resume")).to_have_count(3 - left, timeout=30_000)


def test_it_fits_a_phone(chromium: Browser, app_url: str, screenshot: Callable[[Page, str], Path]) -> None:
    with new_page(chromium, width=390, height=844) as page:
        page.goto(f"{app_url}/finetune")
        choose(page, "Classify images")
        expect(page.get_by_role("button", name=re.compile("Start training|Add to the queue"))).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        screenshot(page, "finetune-phone")

"""Cost & compute as a founder uses it: from a model to dollars, where a figure is from, a link, files, scenarios."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ROOT, StartApp, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("cost-home")
    return streamlit_app(ROOT / "app.py", {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": ""})


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    open_page(page, f"{app_url}/cost")
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="Cost & compute", exact=True)).to_be_visible(timeout=60_000)
    settled(page)


def headline(page: Page) -> str:
    return page.locator("h4").first.inner_text()


def ask(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click()
    settled(page)


def opener(page: Page, name: str) -> Locator:
    """The button that opens a saved estimate."""
    box = page.get_by_test_id("stVerticalBlock").filter(has_text=name).last
    return box.locator('[data-testid="stBaseButton-tertiary"]').filter(has_text="Open")


def download(page: Page, label: str) -> bytes:
    settled(page)
    with page.expect_download() as found:
        page.get_by_role("button", name=label, exact=True).click()
    return Path(found.value.path()).read_bytes()


def test_a_link_brings_back_the_estimate_with_its_inputs(page: Page, chromium: Browser) -> None:
    page.get_by_role("textbox", name="Tokens", exact=True).fill("7T")
    page.keyboard.press("Enter")
    expect(page.locator("h4").first).to_contain_text("7 trillion tokens")
    settled(page)
    said = headline(page)
    assert "c_tokens=7T" in page.url
    other = chromium.new_page()
    open_page(other, page.url)
    expect(other.locator("h4").first).to_have_text(said)
    other.close()


def test_one_click_shows_where_a_figure_is_from(page: Page) -> None:
    page.get_by_role("button", name="Where from").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Source:")).to_be_visible()
    expect(dialog.locator(".katex").first).to_be_visible()
    expect(dialog.get_by_text("efficiency").first).to_be_visible()


def test_every_question_answers_and_its_files_can_be_taken_away(
    page: Page, screenshot: Callable[[Page, str], Path]
) -> None:
    for view, word in (("Training", "takes"), ("Memory", "GPU"), ("Serving", "tokens/s"), ("API or own", "a month")):
        ask(page, view)
        expect(page.locator("h4").first).to_contain_text(word)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        rows = list(csv.reader(io.StringIO(download(page, "Figures (CSV)").decode("utf-8-sig"))))
        assert len(rows) > 4
        book = zipfile.ZipFile(io.BytesIO(download(page, "Spreadsheet")))
        assert any("<f>" in book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name)
        assert headline(page)[:40].encode() in download(page, "Report (HTML)")
        screenshot(page, f"cost-{view.split()[0].lower()}")


def test_two_estimates_are_saved_and_compared(page: Page) -> None:
    for name, tokens in (("small", "1T"), ("large", "2T")):
        page.get_by_role("textbox", name="Tokens", exact=True).fill(tokens)
        page.keyboard.press("Enter")
        expect(page.locator("h4").first).to_contain_text(tokens.replace("T", " trillion"))
        settled(page)
        page.get_by_role("textbox", name="Save this estimate as").fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        settled(page)
    expect(opener(page, "small")).to_be_visible()
    table = download(page, "Comparison (CSV)").decode("utf-8-sig")
    assert "small" in table
    assert "large" in table
    ask(page, "Memory")
    opener(page, "small").click()
    expect(page.locator("h4").first).to_contain_text("1 trillion tokens")
    settled(page)
    assert "c_view" not in page.url  # the first question, and the inputs as they were saved
    assert "c_tokens" not in page.url


def test_a_fault_keeps_what_was_typed_and_says_what_to_do(page: Page) -> None:
    page.get_by_role("textbox", name="Tokens", exact=True).fill("lots")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("lots")
    expect(page.get_by_role("textbox", name="Tokens", exact=True)).to_have_value("lots")


def test_a_link_to_what_is_not_here_says_so(page: Page, app_url: str) -> None:
    open_page(page, f"{app_url}/cost?c_model=Nonexistent+3B&c_tokens=2T")
    expect(page.get_by_role("alert").filter(has_text="Nonexistent 3B")).to_be_visible()
    expect(page.locator("h4").first).to_contain_text("2 trillion tokens")


def test_the_page_can_be_left_for_the_models_from_a_measured_figure(page: Page, app_url: str) -> None:
    open_page(page, f"{app_url}/cost?c_view=How+sure")
    page.get_by_role("link", name="Measure a model").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(chromium: Browser, app_url: str, scheme: str, screenshot: Callable[[Page, str], Path]) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    open_page(page, f"{app_url}/cost")
    expect(page.locator("h4").first).to_be_visible()
    wide = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390
    screenshot(page, f"cost-phone-{scheme}")
    page.close()

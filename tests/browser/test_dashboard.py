"""The dashboard as a founder uses it: a first plan, the example, the thread from a margin down to what was measured."""

from __future__ import annotations

import io
import os
import re
import socket
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.store.database import close_databases, open_database
from core.store.measurements import MeasurementRepository
from tests.browser.conftest import ROOT, StartApp, settled
from tests.measurements import NEW

pytestmark = [pytest.mark.browser, pytest.mark.slow]
VIEWS = (
    *("Overview", "Product", "Business", "Resources", "Plan", "Ownership"),
    *("Fundraising", "Risk", "Market", "Report"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dashboard-home")


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, home: Path) -> str:
    return streamlit_app(ROOT / "app.py", {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": ""})


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    open_page(page, app_url)
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.close()


def open_page(page: Page, url: str, address: str = "dashboard") -> None:
    page.goto(f"{url}/{address}")
    begun = page.get_by_role("combobox", name="Company").or_(page.get_by_role("button", name="Try with example data"))
    expect(begun.first).to_be_visible(timeout=60_000)
    settled(page)


def choose(page: Page, label: str, option: str | re.Pattern[str]) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=option).first.click()
    settled(page)


def look(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click()
    settled(page)


def example(page: Page) -> None:
    """The example company, which is made where it is not there yet."""
    if page.get_by_role("combobox", name="Company").count():
        choose(page, "Company", "New company …")
    page.get_by_role("button", name=re.compile("example data")).click()
    expect(page.get_by_text("Example: invented figures").first).to_be_visible(timeout=30_000)
    settled(page)


def download(page: Page, label: str | re.Pattern[str]) -> bytes:
    settled(page)
    with page.expect_download() as found:
        page.get_by_role("button", name=label).first.click()
    return Path(found.value.path()).read_bytes()


def test_one_click_shows_the_example_and_every_view_of_it(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    screenshot(page, "dashboard-empty")
    example(page)
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    for view in VIEWS:
        look(page, view)
        expect(page.get_by_text("Example: invented figures").first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        screenshot(page, f"dashboard-{view.lower()}")


def test_five_answers_make_a_first_plan_with_a_chart(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    if page.get_by_role("combobox", name="Company").count():
        choose(page, "Company", "New company …")
    page.get_by_role("textbox", name="Cash today").fill("250k")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_text("Your first plan.")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    settled(page)
    screenshot(page, "dashboard-first-plan")


def test_a_margin_leads_back_to_what_was_measured(
    page: Page, home: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    """$ per million tokens from this machine's measurement; then from the margin, step by step, down to its rounds."""
    db = open_database(f"sqlite:///{home / 'groundwork.db'}")
    measured = MeasurementRepository(db).add(replace(NEW, host=socket.gethostname(), threads=os.cpu_count() or 1))
    close_databases()
    example(page)
    look(page, "Product")
    page.get_by_role("tab", name="Token price").click()
    page.get_by_role("radio", name="This machine").click()
    settled(page)
    page.get_by_role("button", name="Use what was measured").click()
    settled(page)
    expect(page.get_by_text(re.compile("smollm2-135m-instruct")).first).to_be_visible()
    page.get_by_role("button", name="Where from").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("Leads to 1 measurement"))).to_be_visible(timeout=30_000)
    steps = ("Cost of serving", "Inference", "million tokens", "million output tokens", "Output tokens a second")
    for step in steps:  # between them are those that stand alone, which are open already
        dialog.get_by_test_id("stRadioOption").filter(has_text=step).last.click()
        settled(page)
    expect(dialog.locator("code").filter(has_text=measured.id)).to_be_visible()
    expect(dialog.get_by_text(re.compile("Round 1 of 2"))).to_be_visible()
    screenshot(page, "dashboard-thread")


def test_a_changed_price_changes_the_margin_and_the_cash(page: Page) -> None:
    example(page)
    look(page, "Product")
    before = page.get_by_text(re.compile(r"^\d+\.\d%$")).first.inner_text()
    page.get_by_role("textbox", name="Price", exact=True).fill("640")
    page.get_by_role("button", name="Save", exact=True).first.click()
    settled(page)
    expect(page.get_by_text(re.compile(r"^\d+\.\d%$")).first).not_to_have_text(before, timeout=30_000)
    look(page, "Overview")
    expect(page.locator("h4").first).not_to_contain_text("runs out in Jan 2028")


def test_a_faulty_price_says_why_and_is_still_there_to_be_corrected(page: Page) -> None:
    example(page)
    look(page, "Product")
    page.get_by_role("textbox", name="Price", exact=True).fill("-5")
    page.get_by_role("button", name="Save", exact=True).first.click()
    settled(page)
    expect(page.get_by_role("alert").filter(has_text="-5").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Price", exact=True)).to_have_value("-5")


def test_the_papers_are_whole_and_need_no_network(page: Page, chromium: Browser, tmp_path: Path) -> None:
    example(page)
    look(page, "Report")
    html = download(page, re.compile("HTML"))
    book = download(page, "Spreadsheet")
    assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(book)).namelist()
    file = tmp_path / "report.html"
    file.write_bytes(html)
    offline = chromium.new_context(offline=True)
    report, asked = offline.new_page(), list[str]()
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    expect(report.get_by_text("Not financial advice").first).to_be_visible()
    expect(report.locator("svg").first).to_be_visible()
    assert asked == [file.as_uri()]
    offline.close()


def test_a_reload_and_a_link_come_back_to_the_company_and_the_view(page: Page, chromium: Browser) -> None:
    example(page)
    look(page, "Ownership")
    again = chromium.new_page(viewport={"width": 1280, "height": 1000})
    again.goto(page.url)
    expect(again.get_by_text("Who owns the company, after each event")).to_be_visible(timeout=60_000)
    expect(again.get_by_role("radio", name="Ownership", exact=True)).to_be_checked()
    again.close()


def test_two_windows_never_write_over_each_other_unseen(page: Page, chromium: Browser) -> None:
    example(page)
    look(page, "Product")
    other = chromium.new_page(viewport={"width": 1280, "height": 1000})
    other.goto(page.url)
    expect(other.get_by_role("textbox", name="Price", exact=True)).to_be_visible(timeout=60_000)
    settled(other)
    for window, price in ((other, "400"), (page, "500")):
        window.get_by_role("textbox", name="Price", exact=True).fill(price)
        window.get_by_role("button", name="Save", exact=True).first.click()
        settled(window)
    expect(page.get_by_text(re.compile("changed elsewhere, in another window")).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Price", exact=True)).to_have_value("400")
    page.get_by_role("textbox", name="Price", exact=True).fill("500")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text(re.compile("changed elsewhere, in another window"))).to_have_count(0, timeout=30_000)
    expect(page.get_by_text(re.compile(r"Price \$?500")).first).to_be_visible()
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(chromium: Browser, app_url: str, scheme: str, screenshot: Callable[[Page, str], Path]) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    open_page(page, app_url)
    example(page)
    for view in VIEWS:
        look(page, view)
        wide = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= 390, view
        screenshot(page, f"dashboard-phone-{view.lower()}-{scheme}")
    page.close()


def test_a_cell_that_is_typed_over_is_saved_and_counts_at_once(page: Page) -> None:
    example(page)
    look(page, "Resources")
    before = page.get_by_test_id("stMetricValue").first.inner_text()
    look(page, "Funding")
    cells = page.get_by_test_id("stDataFrame").first
    cells.scroll_into_view_if_needed()
    settled(page)
    amount = cells.locator("table[role=grid] td[data-testid^=glide-cell-]").filter(has_text="600000")
    place = amount.first.get_attribute("data-testid") or ""
    column, row = (int(one) for one in place.removeprefix("glide-cell-").split("-"))
    cells.click(position={"x": 80, "y": 55})
    page.keyboard.press("Control+Home")
    for key, times in (("ArrowDown", row), ("ArrowRight", column - 1)):  # before the first stand the rows' marks
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Enter")  # opens the cell
    page.locator("#portal input, #portal textarea").first.fill("900000")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_text("Not saved yet")).to_have_count(0)
    look(page, "Sources and uses")
    expect(page.get_by_test_id("stMetricValue").first).not_to_have_text(before, timeout=30_000)

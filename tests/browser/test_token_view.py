"""The token view in a real browser: tints, the panel, the keyboard, the way back to Python, and inert model output."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import StartApp, new_page

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "token_view_app.py"
ATTACK = "<img src=x onerror=alert(1)>"
ACTION = re.compile("^Continue from here with this token")


@pytest.fixture(scope="module")
def address(streamlit_app: StartApp) -> str:
    return streamlit_app(APP, {})


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with new_page(chromium, height=900) as page:
        yield page


@pytest.fixture
def view(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(".token").first).to_be_visible(timeout=60_000)
    return page


def picked(page: Page) -> str:
    return page.locator(".token[aria-selected=true]").inner_text()


def background(page: Page, word: str) -> str:
    token = page.locator(".token", has_text=word).first
    return str(token.evaluate("node => getComputedStyle(node).backgroundColor"))


def test_unlikely_tokens_are_tinted_and_likely_ones_are_not(view: Page) -> None:
    assert background(view, "river") != background(view, "short")
    assert background(view, "short") == "rgba(0, 0, 0, 0)"


def test_given_tokens_are_outlined_with_dots(view: Page) -> None:
    assert view.locator(".token").first.evaluate("node => getComputedStyle(node).outlineStyle") == "dotted"


def test_the_summary_counts_tokens_and_surprises(view: Page) -> None:
    assert re.search(
        r"103 tokens · mean probability \d\d\s%\s·\s\d+ below 10\s%", view.locator(".summary").inner_text()
    )


def test_a_click_shows_the_alternatives_with_the_chosen_one_marked(view: Page) -> None:
    expect(view.get_by_text("Pick a token to see what else the model considered")).to_be_visible()
    view.locator(".token", has_text="river").first.click()
    table = view.get_by_role("table")
    assert table.get_by_role("columnheader").all_inner_texts()[:3] == ["Token", "Model", "After sampling settings"]
    assert table.locator("tbody tr").count() == 10
    expect(table.locator("tr.chosen .word")).to_contain_text("river")
    assert table.get_by_role("button", name=ACTION).count() == 9
    expect(table.get_by_text("ruled out").first).to_be_visible()


def test_the_panel_keeps_its_height_when_another_token_is_picked(view: Page) -> None:
    heights = []
    for word in ("river", "average", "founder"):
        view.locator(".token", has_text=word).first.click()
        heights.append(view.locator(".panel").bounding_box())
    assert len({round(box["height"]) for box in heights if box}) == 1


def test_the_keyboard_does_everything(view: Page) -> None:
    assert view.locator(".token[tabindex='0']").count() == 1
    view.locator(".token[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        view.keyboard.press(key)
    assert picked(view).strip() == "price"
    view.keyboard.press("ArrowDown")
    view.keyboard.press("Enter")
    assert picked(view).strip() != "price"
    view.keyboard.press("n")
    assert picked(view).strip() == "understand"
    view.keyboard.press("Escape")
    assert view.locator(".token[aria-selected=true]").count() == 0
    view.keyboard.press("End")
    view.keyboard.press("Enter")
    assert picked(view) == "<|im_end|>"


def test_a_token_tells_a_screen_reader_its_word_and_probability(view: Page) -> None:
    label = view.locator(".token", has_text="river").first.get_attribute("aria-label")
    assert re.fullmatch(r"river, [\d.]+ percent", label or "")


def test_next_surprise_opens_the_next_unlikely_token(view: Page) -> None:
    view.get_by_role("button", name="Next surprise").click()
    assert picked(view).strip() == "usage"


def test_continue_returns_the_choice_for_one_rerun(view: Page) -> None:
    view.locator(".token", has_text="river").first.click()
    view.get_by_role("button", name="Continue from here with this token: bank").click()
    expect(view.get_by_text(re.compile(r"Choice: \d+, 100000"))).to_be_visible()
    view.get_by_role("button", name="Rerun").click()
    expect(view.get_by_text("Choice: none")).to_be_visible()


def test_a_disabled_view_can_be_read_but_not_continued(page: Page, address: str) -> None:
    page.goto(f"{address}/?disabled=1")
    page.locator(".token", has_text="river").first.click()
    expect(page.get_by_role("button", name=ACTION).first).to_be_disabled()


def test_markup_of_the_model_stays_text(view: Page) -> None:
    dialogs: list[str] = []
    view.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    token = view.locator(".token", has_text="onerror")
    assert token.inner_text() == ATTACK
    token.click()
    expect(view.locator("tr.chosen .word")).to_have_text(ATTACK)
    assert view.locator(".token-view img, .token-view b").count() == 0
    assert dialogs == []


def test_two_thousand_tokens_stay_quick(page: Page, address: str) -> None:
    page.goto(f"{address}/?tokens=2000")
    expect(page.locator(".token").nth(1999)).to_be_attached(timeout=60_000)
    page.locator(".token").nth(1000).click()
    started = time.perf_counter()
    for key in ("ArrowRight", "ArrowDown", "Enter", "n", "End"):
        page.keyboard.press(key)
    expect(page.locator(".token").last).to_be_focused()
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_in_both_themes(
    chromium: Browser, address: str, screenshot: Callable[[Page, str], Path], scheme: str, width: int
) -> None:
    size = {"width": width, "height": 1500}
    context = chromium.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.locator(".token", has_text="river").first.click(timeout=60_000)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    screenshot(page, f"token-view-{scheme}-{width}")
    context.close()
    assert overflow == 0

"""The lines and the tinted tokens in a real browser: picking, isolating, the slider without a rerun, inert pieces."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import StartApp, new_page

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "attention_text_app.py"
INKED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, place) => place % 4 === 3 && value > 0).length;
}"""


@pytest.fixture(scope="module")
def address(streamlit_app: StartApp) -> str:
    return streamlit_app(APP, {})


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with new_page(chromium, height=1200) as page:
        yield page


@pytest.fixture
def view(page: Page, address: str) -> Page:
    return opened(page, address)


def opened(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}/?{query}")
    expect(page.locator(".token").first).to_be_visible(timeout=60_000)
    return page


def reads(page: Page, place: int) -> Locator:
    return page.locator(f"#t0-{place}")


def read(page: Page, place: int) -> Locator:
    return page.locator(f"#t1-{place}")


def told(page: Page) -> Locator:
    return page.locator(".told")


def tints(page: Page) -> list[str]:
    backgrounds = "nodes => nodes.map(node => getComputedStyle(node).backgroundColor)"
    return list(page.locator(".token").evaluate_all(backgrounds))


def slide(page: Page, key: str) -> None:
    page.get_by_role("slider").focus()
    page.keyboard.press(key)


def ink(page: Page) -> int:
    """Pixels of the canvas with anything on them, once the picture has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return int(page.locator("canvas").evaluate(INKED))


# ── lines ──


def test_pointing_at_a_token_isolates_its_lines_and_leaving_brings_all_back(view: Page) -> None:
    every = ink(view)
    reads(view, 5).hover()
    expect(told(view)).to_have_text(re.compile(r"‘ Paris’ \(5\) reads: ‘The’ \(0\) 9\d\s%"))
    expect(read(view, 0).locator(".share")).to_have_text(re.compile(r"9\d\s%"))
    expect(read(view, 7).locator(".share")).to_be_empty()
    assert 0 < ink(view) < every / 2
    view.get_by_role("heading", name="What did it look at?").hover()
    expect(told(view)).to_contain_text("Point at a token")
    assert ink(view) == every


def test_pointing_at_the_right_side_tells_who_reads_it(view: Page) -> None:
    read(view, 0).hover()
    expect(told(view)).to_have_text(re.compile(r"‘The’ \(0\) is read by: ‘The’ \(0\) 100\s%, .* and \d more"))
    expect(reads(view, 11).locator(".share")).not_to_be_empty()


def test_a_click_on_a_query_picks_it_for_one_rerun_and_keeps_it_isolated(view: Page) -> None:
    every = ink(view)
    reads(view, 5).click()
    expect(view.get_by_text("Query: 5")).to_be_visible()
    view.get_by_role("button", name="Rerun").click()
    expect(view.get_by_text("Query: None")).to_be_visible()
    expect(told(view)).to_contain_text("‘ Paris’ (5) reads")
    expect(reads(view, 5)).to_have_attribute("aria-selected", "true")
    view.get_by_role("button", name="Show all lines").click()
    assert ink(view) == every
    expect(view.get_by_role("button", name="Show all lines")).to_be_disabled()


def test_a_click_on_the_first_token_counts_too(view: Page) -> None:
    reads(view, 0).click()
    expect(view.get_by_text("Query: 0")).to_be_visible()


def test_a_click_on_a_key_isolates_it_and_asks_python_nothing(view: Page) -> None:
    read(view, 3).click()
    expect(read(view, 3)).to_have_attribute("aria-selected", "true")
    view.wait_for_timeout(500)
    expect(view.get_by_text("Run 1", exact=True)).to_be_visible()


def test_the_lines_follow_the_keyboard_and_speak(view: Page) -> None:
    box = view.get_by_role("listbox", name="Tokens and what they read")
    view.get_by_role("heading", name="What did it look at?").click()
    box.focus()
    for _ in range(5):
        view.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "t0-5")
    label = reads(view, 5).get_attribute("aria-label") or ""
    assert re.fullmatch(r"‘ Paris’ \(5\) reads: ‘The’ \(0\) 9\d\s%(, ‘[^’]+’ \(\d+\) [\d.]+\s%){1,4}", label)
    view.keyboard.press("ArrowRight")
    expect(box).to_have_attribute("aria-activedescendant", "t1-0")
    view.keyboard.press("ArrowLeft")
    view.keyboard.press("End")
    view.keyboard.press("Enter")
    expect(view.get_by_text("Query: 11")).to_be_visible()
    view.keyboard.press("Escape")
    expect(reads(view, 11)).to_have_attribute("aria-selected", "false")


def test_a_head_can_be_switched_off(page: Page, address: str) -> None:
    view = opened(page, address, "heads=2")
    every = ink(view)
    button = view.get_by_role("button", name="head 4")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert 0 < ink(view) < every
    expect(view.get_by_text("Run 1", exact=True)).to_be_visible()


def test_a_long_text_scrolls_to_its_focus_with_few_rows_in_the_page(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=2048&focus=1500&heads=2")
    expect(reads(view, 1500)).to_be_in_viewport()
    assert view.locator(".row").count() < 120
    expect(told(view)).to_contain_text("(1500) reads")
    box = view.locator(".box").bounding_box()
    assert box is not None
    assert 500 <= box["height"] <= 540
    started = time.perf_counter()
    for _ in range(20):
        view.mouse.move(box["x"] + 40, box["y"] + 200)
        view.mouse.wheel(0, -900)
        ink(view)
    assert time.perf_counter() - started < 4
    expect(reads(view, 1500)).to_have_count(0)


def test_a_pick_moves_the_focus_of_both_views(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=400&keep=1")
    reads(view, 9).click()
    expect(view.locator(".token").nth(9)).to_have_attribute("aria-selected", "true")
    view.locator(".token").nth(390).click()
    expect(reads(view, 390)).to_be_visible()
    expect(told(view)).to_contain_text("(390) reads")


# ── tokens ──


def test_a_click_on_a_token_picks_it_for_one_rerun(view: Page) -> None:
    view.locator(".token").nth(3).click()
    expect(view.get_by_text("Token: 3")).to_be_visible()
    view.get_by_role("button", name="Rerun").click()
    expect(view.get_by_text("Token: None")).to_be_visible()


def test_tokens_are_picked_with_the_keyboard_alone(view: Page) -> None:
    assert view.locator(".token[tabindex='0']").count() == 1
    view.locator(".token[tabindex='0']").focus()
    for key in ("End", "ArrowLeft", "Home", "ArrowRight"):
        view.keyboard.press(key)
    label = view.locator(".token").nth(1).get_attribute("aria-label") or ""
    assert re.fullmatch(r"‘ capital’ · token 1 · weight 0\.\d+", label)
    view.keyboard.press("Enter")
    expect(view.get_by_text("Token: 1", exact=True)).to_be_visible()


def test_the_slider_changes_the_tint_without_a_rerun(view: Page) -> None:
    before = tints(view)
    slide(view, "ArrowRight")
    expect(view.locator(".name")).to_have_text("layer 13")
    slide(view, "ArrowRight")
    expect(view.get_by_text("Largest, layer 14:")).to_be_visible()
    assert tints(view) != before
    slide(view, "End")
    expect(view.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^all layers; largest ‘The’ "))
    expect(view.get_by_text("Run 1", exact=True)).to_be_visible()


def test_the_slider_stays_where_the_reader_left_it(view: Page) -> None:
    slide(view, "Home")
    view.locator(".token").nth(3).click()
    expect(view.get_by_text("Token: 3")).to_be_visible()
    expect(view.locator(".name")).to_have_text("layer 0")


def test_another_token_is_seen_at_the_same_place_of_the_slider(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=60&keep=1&focus=40")
    slide(view, "Home")
    largest = view.locator(".most").inner_text()
    view.locator(".token").nth(30).click()
    expect(view.locator(".most")).not_to_have_text(largest)
    expect(view.locator(".name")).to_have_text("layer 0")


def test_play_goes_to_the_end_and_stops(view: Page) -> None:
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        slide(view, key)
    view.get_by_role("button", name="Play").click()
    expect(view.get_by_role("button", name="Stop")).to_be_visible()
    expect(view.get_by_role("button", name="Play")).to_be_visible(timeout=5_000)
    expect(view.locator(".name")).to_have_text("all layers")


def test_pointing_at_a_token_tells_its_number_and_moves_nothing(view: Page) -> None:
    before = view.locator(".status").bounding_box()
    view.locator(".token").nth(5).hover()
    expect(view.locator(".one")).to_have_text(re.compile(r"‘ Paris’ · token 5 · weight [\d.·⁰-⁹⁻]+"))
    assert view.locator(".status").bounding_box() == before


def test_signed_numbers_are_blue_for_and_orange_against(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=12&signed=1&focus=11")
    reds: list[bool] = []
    blues: list[bool] = []
    for place, colour in enumerate(tints(view)):
        if parts := re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour):
            view.locator(".token").nth(place).hover()
            sign = "+" in view.locator(".one").inner_text()
            (blues if sign else reds).append(int(parts[3]) > int(parts[1]))
    assert blues
    assert all(blues)
    assert reds
    assert not any(reds)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["tokens=60&focus=59", "tokens=60&focus=59&signed=1"])
def test_every_tinted_token_can_be_read(chromium: Browser, address: str, scheme: str, query: str) -> None:
    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    view = opened(context.new_page(), address, query)
    pairs = view.locator(".token[style*='--c']").evaluate_all(
        "nodes => nodes.map(node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color])"
    )
    context.close()
    assert len({ground for ground, _ in pairs}) >= 3
    assert min(contrast(*pair) for pair in pairs) >= 4.5


def contrast(one: str, other: str) -> float:
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_tints_follow_a_change_of_theme(view: Page) -> None:
    before = tints(view)[0]
    view.emulate_media(color_scheme="dark")
    expect(view.locator(".token").first).not_to_have_css("background-color", before)


def test_prompt_and_answer_have_headings_and_special_tokens_are_chips(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=60")
    assert view.locator(".heading").all_inner_texts() == ["Prompt", "Answer"]
    assert view.locator(".chip").first.inner_text() == "<|im_start|>"
    assert view.locator(".token").nth(2).inner_text() == "↵\n"


def test_plain_text_has_no_slider_and_an_unpickable_one_gives_nothing(page: Page, address: str) -> None:
    view = opened(page, address, "plain=1&unpickable=1")
    expect(view.get_by_role("slider")).to_have_count(0)
    view.locator(".token").nth(3).click()
    expect(view.locator(".one")).to_have_text("‘ France’ · token 3")
    view.wait_for_timeout(500)
    expect(view.get_by_text("Run 1", exact=True)).to_be_visible()


# ── both ──


def test_markup_of_the_text_stays_text(page: Page, address: str) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    view = opened(page, address, "tokens=60&heads=2")
    token = view.locator(".token", has_text="onerror").first
    token.click()
    reads(view, 18).hover()
    expect(view.get_by_text(re.compile(r"Token: \d"))).to_be_visible()
    assert token.inner_text().strip() == "<img src=x onerror=alert(1)>"
    assert view.locator(".attention-lines img, .attention-tokens img").count() == 0
    assert dialogs == []


def test_a_long_text_opens_at_its_focus_and_the_largest_are_a_key_away(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=2048&focus=1500")
    expect(view.locator(".token").nth(1500)).to_be_in_viewport()
    button = view.locator(".go").first
    token = view.locator(".token").nth(shown_by(button))
    view.locator(".attention-tokens .text").evaluate("node => { node.scrollTop = 0; }")
    expect(token).not_to_be_in_viewport()
    button.focus()
    view.keyboard.press("Enter")
    expect(token).to_be_focused()
    expect(token).to_be_in_viewport()
    expect(view.locator(".one")).to_contain_text(f"token {shown_by(button)} ·")


def shown_by(button: Locator) -> int:
    """The token that a button of the largest shows."""
    return int((button.get_attribute("title") or "").removeprefix("Show token "))


def test_without_a_focus_a_long_text_opens_at_its_largest_number(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=2048&signed=1&without_lines=1")
    place = shown_by(view.locator(".go").first)
    expect(view.locator(".token").nth(place)).to_be_in_viewport()
    frame, token = (view.locator(name).bounding_box() for name in (".attention-tokens .text", f".token >> nth={place}"))
    assert frame
    assert token
    assert frame["y"] <= token["y"] <= frame["y"] + frame["height"]


def test_two_thousand_tokens_stay_quick(page: Page, address: str) -> None:
    view = opened(page, address, "tokens=2048&focus=2000")
    started = time.perf_counter()
    for key in ("ArrowRight", "ArrowRight", "Home", "End"):
        slide(view, key)
    expect(view.locator(".name")).to_have_text("all layers")
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_in_both_themes(
    chromium: Browser, address: str, screenshot: Callable[[Page, str], Path], scheme: str, width: int
) -> None:
    size = {"width": width, "height": 1400}
    context = chromium.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = opened(context.new_page(), address, "tokens=400&heads=3&focus=120")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    screenshot(page, f"attention-text-{scheme}-{width}")
    context.close()
    assert overflow == 0

"""The thumbnails of all heads and the map of one in a real browser: picking, reading, zooming, both themes, a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import StartApp, new_page, settled

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "attention_pictures_app.py"
ATTACK = "<img src=x onerror=alert(1)>"
FACTS = r" · (previous token|first token|itself|wide|mixed) · \d+\s% on the first token · reads [\d.]+ tokens back"


@pytest.fixture(scope="module")
def address(streamlit_app: StartApp) -> str:
    return streamlit_app(APP, {})


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with new_page(chromium, height=1000) as page:
        yield page


@pytest.fixture
def grid(page: Page, address: str) -> Page:
    return opened(page, f"{address}/?grid=30x9x128", ".sheet")


@pytest.fixture
def heat(page: Page, address: str) -> Page:
    return opened(page, f"{address}/?map=1&tokens=60", ".stage canvas")


def opened(page: Page, url: str, picture: str) -> Page:
    """The page, once its picture is drawn."""
    page.goto(url)
    expect(page.locator(picture)).to_be_visible(timeout=60_000)
    page.wait_for_function("name => " + _FIND + "(name) > 0", arg=picture)
    settled(page)
    return page


# How many different colours a canvas of a component holds beside the empty one.
_FIND = """(name => {
  const roots = [...document.querySelectorAll('*')].flatMap(node => node.shadowRoot ?? []);
  const canvas = roots.map(root => root.querySelector(name)).find(Boolean);
  if (!canvas?.width) return 0;
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size - 1;
})"""


# The colour of the first token's weight on itself, which is one.
_FIRST = """(() => {
  const roots = [...document.querySelectorAll('*')].flatMap(node => node.shadowRoot ?? []);
  const canvas = roots.map(root => root.querySelector('.stage canvas')).find(Boolean);
  const [x, y] = [canvas.width - 1 - 560 + 5, canvas.height - 7 - 560 + 5];
  return String([...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3));
})()"""


def head(page: Page, layer: int, number: int) -> Locator:
    return page.locator(".cell").and_(page.get_by_label(re.compile(f"^Layer {layer}, head {number} ·")))


def over(page: Page, row: float, column: float, count: int = 60) -> tuple[float, float]:
    """Where the middle of a cell of the whole map is on the screen."""
    box = page.locator(".stage canvas").bounding_box()
    assert box
    side = min(560, count * 56)
    return box["x"] + box["width"] - 1 - side + (column + 0.5) * side / count, (
        box["y"] + box["height"] - 7 - side + (row + 0.5) * side / count
    )


# ── all heads ──


def test_every_head_has_a_thumbnail_in_the_colours_of_the_theme(grid: Page) -> None:
    assert grid.locator(".cell").count() == 270
    assert grid.evaluate(f"{_FIND}('.sheet')") > 50
    assert grid.locator(".summary").inner_text() == "30 layers × 9 heads · 128 tokens"
    expect(grid.get_by_text("A cell is 2 × 2 tokens")).to_be_visible()


def test_pointing_at_a_head_tells_what_it_reads(grid: Page) -> None:
    expect(grid.locator(".about")).to_have_text(re.compile(f"^Layer 12, head 4{FACTS}$"))  # the chosen one
    head(grid, 2, 7).hover()
    expect(grid.locator(".about")).to_have_text(re.compile(f"^Layer 2, head 7{FACTS}$"))
    grid.mouse.move(5, 5)
    expect(grid.locator(".about")).to_have_text(re.compile("^Layer 12, head 4"))


def test_a_click_picks_a_head_for_one_rerun(grid: Page) -> None:
    expect(head(grid, 12, 4)).to_have_attribute("aria-selected", "true")
    head(grid, 3, 5).click()
    expect(grid.get_by_text("Chosen: 3, 5")).to_be_visible()
    expect(grid.get_by_text("Head: none")).to_be_visible()
    assert grid.locator(".cell[aria-selected=true]").count() == 1
    expect(head(grid, 3, 5)).to_have_attribute("aria-selected", "true")


def test_the_keyboard_walks_and_picks(grid: Page) -> None:
    assert grid.locator(".cell[tabindex='0']").count() == 1
    grid.locator(".cell[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        grid.keyboard.press(key)
    expect(head(grid, 13, 6)).to_be_focused()
    expect(grid.locator(".about")).to_have_text(re.compile("^Layer 13, head 6"))
    grid.keyboard.press("Enter")
    expect(grid.get_by_text("Chosen: 13, 6")).to_be_visible()
    grid.keyboard.press("Home")
    grid.keyboard.press("ArrowLeft")  # stays in its row
    grid.keyboard.press(" ")
    expect(grid.get_by_text("Chosen: 13, 0")).to_be_visible()


def test_the_numbers_stay_in_sight_while_the_grid_scrolls(grid: Page) -> None:
    head(grid, 29, 8).scroll_into_view_if_needed()
    top = grid.get_by_role("columnheader", name="Head 3", exact=True).bounding_box()
    box = grid.locator(".box").bounding_box()
    assert top
    assert box
    assert abs(top["y"] - box["y"]) < 3


def test_it_opens_at_the_first_layer_and_says_that_there_are_more(grid: Page) -> None:
    expect(grid.locator(".more")).to_have_text(re.compile(r"^Layers 0 to \d+ of 30: scroll for the others\.$"))
    assert grid.locator(".box").evaluate("node => node.scrollTop") == 0
    head(grid, 29, 8).scroll_into_view_if_needed()
    expect(grid.locator(".more")).to_have_text(re.compile(r"^Layers \d+ to 29 of 30"))
    expect(grid.locator(".box")).not_to_have_class(re.compile("below"))


def test_a_small_grid_says_nothing_of_scrolling(page: Page, address: str) -> None:
    opened(page, f"{address}/?grid=6x12x16", ".sheet")
    expect(page.locator(".more")).to_be_hidden()


def test_a_filter_dims_the_other_kinds(grid: Page) -> None:
    sheet = f"{_FIND}('.sheet')"
    before = grid.evaluate(sheet)
    choices = grid.locator("select option").all_inner_texts()
    assert choices[0] == "all 270 heads"
    assert sum(int(re.findall(r"\((\d+)\)", choice)[0]) for choice in choices[1:]) == 270
    grid.locator("select").select_option(index=1)
    expect(grid.locator(".summary")).to_have_text(re.compile(r"^\d+ of 270 heads: "))
    assert grid.evaluate(sheet) != before


def test_a_very_large_model_scrolls_in_its_own_box_and_stays_quick(page: Page, address: str) -> None:
    opened(page, f"{address}/?grid=80x64x16", ".sheet")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator(".box").evaluate("node => node.scrollWidth > node.clientWidth")
    page.locator(".cell[tabindex='0']").focus()
    started = time.perf_counter()
    for key in ("End", "PageDown", "PageDown", "ArrowUp"):
        page.keyboard.press(key)
    expect(head(page, 21, 63)).to_be_focused()
    assert time.perf_counter() - started < 3
    expect(head(page, 21, 63)).to_be_in_viewport()


# ── one head ──


def test_pointing_at_a_cell_says_who_reads_whom_and_how_much(heat: Page) -> None:
    expect(heat.locator(".readout")).to_have_text(re.compile(r"^‘ the’ \(33\) reads most: ‘.+’ \(\d+\) 0\.\d+ · "))
    heat.mouse.move(*over(heat, 31, 19))
    expect(heat.locator(".readout")).to_have_text(
        re.compile(r"^‘ Paris’ \(31\) reads ‘ France’ \(19\): (0\.\d{2,4}|≈\s0\.00\d)$")
    )
    heat.mouse.move(*over(heat, 19, 31))
    expect(heat.locator(".readout")).to_have_text("‘ France’ (19) cannot read ‘ Paris’ (31): it comes later")


def test_a_click_picks_the_row_for_one_rerun(heat: Page) -> None:
    heat.mouse.click(*over(heat, 31, 4))
    expect(heat.get_by_text("Row: 31", exact=True)).to_be_visible()
    heat.get_by_role("button", name="Rerun").click()
    expect(heat.get_by_text("Row: none")).to_be_visible()


def test_a_drag_moves_the_zoomed_map_and_picks_nothing(heat: Page) -> None:
    heat.get_by_role("button", name="Larger").click()
    heat.get_by_role("button", name="Larger").click()
    x, y = over(heat, 30, 30)
    before = pointed(heat, x, y)
    heat.mouse.move(x, y)
    heat.mouse.down()
    heat.mouse.move(x + 120, y + 60, steps=4)
    heat.mouse.up()
    assert pointed(heat, x + 120, y + 60) == before
    assert pointed(heat, x, y) != before
    expect(heat.get_by_text("Row: none")).to_be_visible()


def pointed(page: Page, x: float, y: float) -> list[str]:
    """Row and column under a place of the screen."""
    page.mouse.move(x, y)
    return re.findall(r"\((\d+)\)", page.locator(".readout").inner_text())


def test_the_wheel_is_the_page_s_until_the_map_is_asked(heat: Page) -> None:
    x, y = over(heat, 40, 20)
    before = pointed(heat, x, y)
    heat.mouse.wheel(0, -300)
    heat.wait_for_timeout(200)
    expect(heat.get_by_role("button", name="The whole map")).to_be_disabled()
    heat.keyboard.down("Control")
    heat.mouse.wheel(0, -300)
    heat.keyboard.up("Control")
    expect(heat.get_by_role("button", name="The whole map")).to_be_enabled()
    assert pointed(heat, x, y) == before  # what is under the pointer stays there


def test_a_long_text_is_drawn_stronger_and_the_legend_says_from_where(page: Page, address: str) -> None:
    opened(page, f"{address}/?map=1&tokens=300", ".stage canvas")
    choice, ticks = page.get_by_label("Weight from which the colour is full"), page.locator(".steps span")
    expect(choice).to_have_value("0.25")
    expect(ticks.last).to_have_text(re.compile(r"^≥\s0\.25$"))
    choice.select_option("1")
    expect(ticks.last).to_have_text("1")


def test_another_theme_is_painted_anew(heat: Page) -> None:
    light = heat.evaluate(_FIRST)
    heat.emulate_media(color_scheme="dark")
    heat.wait_for_function(f"light => {_FIRST} !== light", arg=light)
    assert (light, heat.evaluate(_FIRST)) == ("5,56,97", "205,230,248")  # the last of the theme's sequential colours


def test_every_row_and_column_has_its_piece_once_there_is_room(page: Page, address: str) -> None:
    """60 rows of 9 px have numbers; a zoom makes room for words. What is written is seen by listening to the canvas."""
    page.add_init_script(
        """const pen = CanvasRenderingContext2D.prototype, plain = pen.fillText;
        window.written = new Set();
        pen.fillText = function (text, ...rest) {
          window.written.add(text);
          return plain.call(this, text, ...rest);
        };"""
    )
    opened(page, f"{address}/?map=1&tokens=60", ".stage canvas")
    written = "[...window.written]"
    assert {"0", "10", "50", "the"} <= set(page.evaluate(written))  # numbers, and the piece of the focus row
    assert "Paris" not in page.evaluate(written)
    page.get_by_role("button", name="Larger").click()
    page.wait_for_function("window.written.has('Paris')")


def test_the_keyboard_reads_zooms_and_picks(heat: Page) -> None:
    stage = heat.locator(".stage")
    stage.focus()
    heat.keyboard.press("ArrowDown")  # the first press shows where one is
    expect(heat.locator(".readout")).to_have_text(re.compile(r"^‘ the’ \(33\) reads ‘<s>’ \(0\): "))
    heat.keyboard.press("ArrowUp")
    heat.keyboard.press("End")
    expect(heat.locator(".readout")).to_have_text(re.compile(r"^‘,’ \(32\) reads ‘,’ \(32\): "))
    for _ in range(3):
        heat.keyboard.press("+")
    expect(heat.get_by_role("button", name="The whole map")).to_be_enabled()
    heat.keyboard.press("0")
    expect(heat.get_by_role("button", name="The whole map")).to_be_disabled()
    heat.keyboard.press("Enter")
    expect(heat.get_by_text("Row: 32", exact=True)).to_be_visible()
    heat.keyboard.press("Escape")
    expect(stage).not_to_be_focused()


def test_markup_in_a_piece_stays_text(heat: Page) -> None:
    dialogs: list[str] = []
    heat.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    place = 46
    heat.mouse.move(*over(heat, place, place))
    expect(heat.locator(".readout")).to_contain_text(f"‘{ATTACK}’ ({place}) reads")
    assert heat.locator(".attention-map img").count() == 0
    assert dialogs == []


def test_rows_that_are_steps_say_so_have_the_numbers_of_the_text_and_cannot_be_picked(page: Page, address: str) -> None:
    opened(page, f"{address}/?map=1&tokens=60&steps=1", ".stage canvas")
    expect(page.locator(".readout")).to_have_text("Row: a step. Point at a cell to see its weight.")
    expect(page.locator(".hint")).not_to_contain_text("picks")
    expect(page.locator(".remarks")).to_have_text("Weights are made up.")
    page.locator(".stage").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".readout")).to_have_text(re.compile(r"^‘.+’ \(50\): ‘<s>’ \(0\): "))
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    expect(page.get_by_text("Row: none")).to_be_visible()


def test_two_thousand_tokens_stay_smooth(page: Page, address: str) -> None:
    opened(page, f"{address}/?map=1&tokens=2048", ".stage canvas")
    x, y = over(page, 1500, 700, 2048)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    started = time.perf_counter()
    for _ in range(20):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    page.mouse.down()
    page.mouse.move(x - 200, y - 100, steps=20)
    page.mouse.up()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert time.perf_counter() - started < 4
    expect(page.get_by_role("button", name="The whole map")).to_be_enabled()


@pytest.mark.parametrize("picture", ["grid", "map"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_in_both_themes(
    chromium: Browser, address: str, screenshot: Callable[[Page, str], Path], picture: str, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 1000}
    context = chromium.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked, canvas = ("?grid=6x12x128", ".sheet") if picture == "grid" else ("?map=1&tokens=30", ".stage canvas")
    opened(page, f"{address}/{asked}", canvas)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    screenshot(page, f"attention-{picture}-{scheme}-{width}")
    context.close()
    assert overflow == 0

"""A first-time visitor's tasks on the playground, in a real Chromium, on the real built-in model."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, StartApp, settled
from tests.real_models import link_real_models

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANSWER_MS = 90_000


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("playground-home")
    link_real_models(home)
    return streamlit_app(ROOT / "app.py", {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DATABASE_URL": ""})


@pytest.fixture
def page(chromium: Browser, app_url: str) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page.goto(app_url)
    expect(chat_box(page)).to_be_enabled(timeout=60_000)
    yield page
    page.close()


def chat_box(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_test_id("stChatInputTextArea")


def answers(page: Page):  # type: ignore[no-untyped-def]
    """The assistant's turns: those with a way to regenerate them."""
    return page.get_by_test_id("stChatMessage").filter(has=page.get_by_role("button", name="Regenerate"))


def ask(page: Page, text: str) -> None:
    count = answers(page).count()
    chat_box(page).fill(text)
    chat_box(page).press("Enter")
    expect(answers(page)).to_have_count(count + 1, timeout=ANSWER_MS)
    expect(chat_box(page)).to_be_enabled(timeout=ANSWER_MS)


def set_longest_answer(page: Page, tokens: int) -> None:
    page.get_by_role("button", name="Parameters").click()
    field = page.get_by_role("spinbutton", name="Longest answer (tokens)")
    field.fill(str(tokens))
    field.press("Enter")
    page.wait_for_timeout(500)
    page.keyboard.press("Escape")


def test_a_visitor_gets_an_answer_with_figures(page: Page, screenshot: Callable[[Page, str], Path]) -> None:
    page.get_by_role("button", name="Question answering").click()
    expect(chat_box(page)).to_have_value(re.compile("ferry"), timeout=10_000)
    chat_box(page).press("Enter")
    answer = answers(page).first
    expect(answer).to_contain_text("tokens/s", timeout=ANSWER_MS)
    expect(answer).to_contain_text("int8 · onnx · cpu")
    expect(page.get_by_text("Traceback")).to_have_count(0)
    screenshot(page, "playground-answer")


def test_a_token_shows_its_alternatives_and_the_answer_goes_on_from_one(page: Page) -> None:
    set_longest_answer(page, 24)
    ask(page, "Write a long story about a fox.")
    answer = answers(page).first
    answer.get_by_role("button", name="Tokens").click()
    tokens = page.get_by_role("listbox", name="The answer, token by token").get_by_role("option")
    expect(tokens.first).to_be_visible(timeout=15_000)
    tokens.nth(4).click()
    go_on = page.get_by_role("button", name=re.compile("Continue from here")).first
    expect(go_on).to_be_visible()
    go_on.click()
    expect(page.get_by_text("2/2")).to_be_visible(timeout=ANSWER_MS)
    expect(answers(page)).to_have_count(1)


def test_regenerate_edit_and_go_back_to_the_first_version(page: Page) -> None:
    set_longest_answer(page, 12)
    ask(page, "Say hello.")
    answers(page).first.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2/2")).to_be_visible(timeout=ANSWER_MS)
    expect(chat_box(page)).to_be_enabled(timeout=ANSWER_MS)
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_role("textbox", name="Edit your message").fill("Say goodbye.")
    page.get_by_role("button", name="Send as a new version").click()
    expect(page.get_by_role("button", name="Send as a new version")).to_have_count(0, timeout=ANSWER_MS)
    question = page.get_by_test_id("stChatMessage").first
    expect(question).to_contain_text("Say goodbye.", timeout=ANSWER_MS)
    # The buttons of the versions are drawn beside the question once its answer is whole; until then those on the
    # page may be the ones of the answer before, about to go.
    expect(question).to_contain_text("2/2", timeout=ANSWER_MS)
    expect(page.get_by_role("button", name="Regenerate")).to_be_enabled(timeout=ANSWER_MS)
    settled(page)
    question.get_by_role("button", name="Earlier").click()
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("Say hello.", timeout=15_000)


def test_stop_keeps_what_was_written_and_continue_goes_on(page: Page) -> None:
    chat_box(page).fill("Write a very long story about a river, with many chapters.")
    chat_box(page).press("Enter")
    expect(page.get_by_text(re.compile(r"answering · \d+ tokens"))).to_be_visible(timeout=ANSWER_MS)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped by you")).to_be_visible(timeout=15_000)
    set_longest_answer(page, 8)
    answers(page).first.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2/2")).to_be_visible(timeout=ANSWER_MS)


def test_an_answer_goes_on_through_a_reload_and_is_written_in_blocks(page: Page) -> None:
    chat_box(page).fill("Write a very long story about a river, with many chapters.")
    chat_box(page).press("Enter")
    expect(page.get_by_text(re.compile(r"answering · \d+ tokens"))).to_be_visible(timeout=ANSWER_MS)
    page.reload()
    expect(page.get_by_text(re.compile(r"answering · \d+ tokens"))).to_be_visible(timeout=30_000)
    expect(page.locator(".answer p").first).not_to_be_empty()
    page.get_by_role("button", name="Parameters").click()  # the page can be used meanwhile
    expect(page.get_by_role("spinbutton", name="Longest answer (tokens)")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped by you")).to_be_visible(timeout=15_000)


def test_the_page_asks_no_other_site_for_anything(chromium: Browser, app_url: str) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(app_url)
    expect(chat_box(page)).to_be_enabled(timeout=60_000)
    page.wait_for_timeout(1_000)
    page.close()
    assert [url for url in asked if not url.startswith((app_url, "data:", "blob:"))] == []


def test_a_conversation_survives_a_reload(page: Page) -> None:
    set_longest_answer(page, 12)
    ask(page, "Name a colour, please.")
    page.reload()
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("Name a colour, please.", timeout=30_000)


def test_history_rename_search_delete_undo_and_take_away(page: Page, tmp_path: Path) -> None:
    set_longest_answer(page, 8)
    ask(page, "=SUM(A1) is a question about zebras")
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("button", name="Rename, take away, delete").click()
    title = page.get_by_role("textbox", name="Title")
    title.fill("Zebra talk")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(sidebar.get_by_role("button", name="Zebra talk", exact=True)).to_be_visible(timeout=15_000)
    sidebar.get_by_placeholder("Search sessions").fill("zebras")
    sidebar.get_by_placeholder("Search sessions").press("Enter")
    expect(sidebar.get_by_role("button", name="Zebra talk", exact=True)).to_be_visible(timeout=15_000)

    saved = {}
    for label in ("Markdown, to read", "CSV, a row a message", "JSON, everything"):
        if not page.get_by_role("button", name=label).is_visible():
            sidebar.get_by_role("button", name="Rename, take away, delete").click()
        settled(page)
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        target = tmp_path / download.value.suggested_filename
        download.value.save_as(target)
        saved[target.suffix] = target
    assert saved[".md"].name == "Zebra-talk.md" or saved[".md"].name == "Zebra talk.md"
    assert "zebras" in saved[".md"].read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(saved[".csv"].read_text(encoding="utf-8-sig"))))
    assert rows[0]["content"].startswith("'=SUM")
    everything = json.loads(saved[".json"].read_text(encoding="utf-8"))
    assert "zebras" in json.dumps(everything)

    if not page.get_by_role("button", name="Delete", exact=True).is_visible():
        sidebar.get_by_role("button", name="Rename, take away, delete").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(sidebar.get_by_text("Session deleted.")).to_be_visible(timeout=15_000)
    sidebar.get_by_role("button", name="Undo").click()
    expect(sidebar.get_by_role("button", name="Zebra talk", exact=True)).to_be_visible(timeout=15_000)


def test_a_question_stays_in_its_conversation_when_the_list_grows(page: Page) -> None:
    set_longest_answer(page, 8)
    for name in ("first", "second"):
        page.get_by_role("button", name="New session").click()
        expect(answers(page)).to_have_count(0, timeout=15_000)
        ask(page, f"Opening of the {name} conversation")
    ask(page, "And now?")
    turns = page.get_by_test_id("stChatMessage")
    expect(turns).to_have_count(4)
    expect(turns.first).to_contain_text("Opening of the second conversation")


def test_a_json_schema_holds_the_answer_and_can_be_lifted(page: Page) -> None:
    page.get_by_role("button", name="JSON extraction").click()
    expect(page.get_by_text("Answers must fit the JSON schema")).to_be_visible(timeout=10_000)
    chat_box(page).press("Enter")
    expect(answers(page)).to_have_count(1, timeout=ANSWER_MS)
    shown = answers(page).first.get_by_test_id("stMarkdown").first.inner_text()
    assert set(json.loads(shown)) == {"name", "age", "job", "city"}
    page.get_by_role("button", name="Remove the schema").click()
    expect(page.get_by_text("Answers must fit the JSON schema")).to_have_count(0, timeout=10_000)


def test_a_schema_set_by_a_template_holds_although_parameters_was_open_before(page: Page) -> None:
    page.get_by_role("button", name="Parameters").click()
    expect(page.get_by_role("spinbutton", name="Longest answer (tokens)")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="JSON extraction").click()
    expect(page.get_by_text("Answers must fit the JSON schema")).to_be_visible(timeout=10_000)
    chat_box(page).press("Enter")
    expect(answers(page)).to_have_count(1, timeout=ANSWER_MS)
    expect(page.get_by_text("Answers must fit the JSON schema")).to_be_visible()
    shown = answers(page).first.get_by_test_id("stMarkdown").first.inner_text()
    assert set(json.loads(shown)) == {"name", "age", "job", "city"}


def test_a_template_of_the_library_closes_it_and_takes_its_schema_along(page: Page) -> None:
    page.get_by_role("button", name="Parameters").click()
    page.get_by_text("More", exact=True).click()
    schema = page.get_by_role("textbox", name="JSON schema the answer must fit")
    schema.fill('{"type": "integer"}')
    schema.press("Control+Enter")
    expect(page.get_by_text("Answers must fit the JSON schema")).to_be_visible(timeout=10_000)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Remove the schema").click()
    expect(page.get_by_text("Answers must fit the JSON schema")).to_have_count(0, timeout=10_000)
    page.get_by_role("button", name="Templates").click()
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Translation").click()
    expect(chat_box(page)).to_have_value(re.compile("^Translate"), timeout=10_000)
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0, timeout=10_000)
    set_longest_answer(page, 8)
    expect(page.get_by_text("Answers must fit the JSON schema")).to_have_count(0)


def test_a_system_prompt_belongs_to_its_conversation(page: Page) -> None:
    def prompt() -> str:
        page.get_by_role("button", name=re.compile("^System prompt")).click()
        box = page.get_by_role("textbox", name="System prompt")
        expect(box).to_be_visible()
        text = box.input_value()
        page.keyboard.press("Escape")
        return text

    set_longest_answer(page, 8)
    ask(page, "A question without a system prompt")
    page.get_by_role("button", name="New session").click()
    expect(answers(page)).to_have_count(0, timeout=15_000)
    page.get_by_role("button", name=re.compile("^System prompt")).click()
    page.get_by_role("textbox", name="System prompt").fill("You are a pirate.")
    page.get_by_role("textbox", name="System prompt").press("Control+Enter")
    expect(page.get_by_role("button", name="System prompt · on")).to_be_visible(timeout=10_000)
    page.keyboard.press("Escape")
    ask(page, "A question to the pirate")
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("button", name="A question without a system").first.click()
    expect(page.get_by_test_id("stChatMessage").first).to_contain_text("without a system prompt", timeout=15_000)
    expect(page.get_by_role("button", name="System prompt", exact=True)).to_be_visible(timeout=10_000)
    assert prompt() == ""
    sidebar.get_by_role("button", name="A question to the pirate").first.click()
    expect(page.get_by_role("button", name="System prompt · on")).to_be_visible(timeout=15_000)
    page.reload()  # as in another tab: only the address is left
    expect(page.get_by_role("button", name="System prompt · on")).to_be_visible(timeout=30_000)
    assert prompt() == "You are a pirate."


def test_a_schema_that_is_none_is_told_and_nothing_is_lost(page: Page) -> None:
    page.get_by_role("button", name="Parameters").click()
    page.get_by_text("More", exact=True).click()
    schema = page.get_by_role("textbox", name="JSON schema the answer must fit")
    schema.fill('{"type": "nonsense"}')
    schema.press("Control+Enter")
    expect(page.get_by_text("This is no JSON schema")).to_be_visible(timeout=15_000)
    expect(schema).to_have_value('{"type": "nonsense"}')
    schema.fill("")
    schema.press("Control+Enter")
    expect(page.get_by_text("This is no JSON schema")).to_have_count(0, timeout=15_000)


def test_a_prompt_that_does_not_fit_is_kept_and_the_excess_is_named(page: Page) -> None:
    chat_box(page).fill("word " * 9_000)
    chat_box(page).press("Enter")
    expect(page.get_by_text(re.compile(r"too many for this model"))).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Put it back into the box").click()
    expect(chat_box(page)).to_have_value(re.compile("^word word"), timeout=15_000)


def test_presets_come_back_after_a_reset(page: Page) -> None:
    set_longest_answer(page, 77)
    page.get_by_role("button", name="Parameters").click()
    page.get_by_role("textbox", name="Save these as a preset").fill("Short ones")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Presets", exact=True)).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Reset to defaults").click()
    expect(page.get_by_role("spinbutton", name="Longest answer (tokens)")).to_have_value("512", timeout=15_000)
    page.get_by_role("combobox", name="Presets").click()
    page.get_by_role("option", name="Short ones").click()
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("spinbutton", name="Longest answer (tokens)")).to_have_value("77", timeout=15_000)


def test_completion_takes_the_text_as_it_is(page: Page) -> None:
    page.get_by_role("button", name="Completion").or_(page.get_by_role("radio", name="Completion")).first.click()
    field = page.get_by_role("textbox", name="Text to continue")
    expect(field).to_be_visible(timeout=15_000)
    set_longest_answer(page, 12)
    field.fill("Once upon a time, there was a")
    page.get_by_role("button", name="Complete", exact=True).click()
    expect(answers(page)).to_have_count(1, timeout=ANSWER_MS)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_it_fits_both_widths_in_both_themes(
    chromium: Browser, app_url: str, screenshot: Callable[[Page, str], Path], scheme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(app_url)
    expect(chat_box(page)).to_be_enabled(timeout=60_000)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    screenshot(page, f"playground-{scheme}-{width}")
    page.close()
    assert overflow <= 0

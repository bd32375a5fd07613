"""The first run on a machine that has nothing prepared: progress, then a box to type in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, StartApp

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_person_sees_the_preparation_and_can_type_when_it_is_done(
    chromium: Browser, streamlit_app: StartApp, tmp_path: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    url = streamlit_app(ROOT / "app.py", {"GROUNDWORK_HOME": str(tmp_path), "GROUNDWORK_DATABASE_URL": ""})
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    expect(page.get_by_text("Getting the model ready")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile("Unpacking|Building|Proving|Reading"))).to_be_visible(timeout=120_000)
    screenshot(page, "playground-first-run")
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_disabled()
    expect(box).to_be_enabled(timeout=300_000)
    box.fill("Say hello.")
    box.press("Enter")
    expect(page.get_by_text(re.compile("tokens/s"))).to_be_visible(timeout=90_000)
    page.close()

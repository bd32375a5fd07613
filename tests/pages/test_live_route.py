"""An answer while it is written, as the browser gets it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.generation.engine import Engine
from core.generation.live import LiveRun
from core.generation.request import GenerationRequest, Message, SamplingParameters
from core.settings import get_settings
from core.store.database import open_database
from pages import live_route
from pages.base_path import address
from pages.live_route import to_blocks
from tests.real_models import link_real_models

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html,x)",
        "![a](https://elsewhere.example/pixel.png)",
        '<https://a.example/"onmouseover=alert(1)>',
        "```html\n<script>alert(1)</script>\n```",
        "a | b\n-|-\n<b>x</b> | <script>",
        "`<script>`",
        "# <svg onload=alert(1)>",
    ],
)
def test_what_the_model_writes_is_never_markup(text: str) -> None:
    html = "".join(to_blocks(text)).lower()
    assert "<script" not in html
    assert "<img" not in html
    assert "<svg" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
    assert '"onmouseover' not in html


def test_markdown_becomes_a_block_for_each_part() -> None:
    blocks = to_blocks(
        "# Title\n\nSome **bold** text.\n\n1. one\n2. two\n\n```python\nx = 1\n```\n\n|a|b|\n|-|-|\n|1|2|"
    )
    assert [block.split(">")[0] for block in blocks] == ["<h1", "<p", "<ol", "<pre", "<table"]
    assert "<strong>bold</strong>" in blocks[1]


def test_half_an_answer_is_well_formed() -> None:
    text = "Look:\n\n```python\nprint(1)\n```\n\n- a\n- b **bold** and `code`"
    for end in range(len(text)):
        for block in to_blocks(text[:end]):
            assert block.count("<") == block.count(">")


def test_the_first_blocks_stay_the_same_while_the_last_one_grows() -> None:
    text = "First paragraph.\n\nSecond paragraph, which"
    assert to_blocks(text)[0] == to_blocks(text + " goes on.\n\nThird.")[0]


@pytest.mark.parametrize(
    ("base", "path"), [("", "/groundwork/live"), ("gw", "/gw/groundwork/live"), ("/a/b/", "/a/b/groundwork/live")]
)
def test_it_is_found_under_the_base_path(base: str, path: str) -> None:
    assert address(base, live_route.PATH) == path


def test_a_run_that_is_not_written_here_is_refused() -> None:
    client = TestClient(Starlette(routes=[live_route.route("")]))
    answer = client.get("/groundwork/live/nothing")
    assert answer.status_code == 404
    assert "No such run" in answer.text


@pytest.mark.slow
def test_a_real_answer_arrives_in_pieces_and_ends(home: Path) -> None:
    link_real_models(home)
    parameters = SamplingParameters(max_new_tokens=120, temperature=0.0)
    request = GenerationRequest(
        "smollm2-135m-instruct", parameters, messages=(Message("user", "Write a story about a fox."),)
    )
    run = LiveRun(Engine(get_settings()), open_database(), request)
    client = TestClient(Starlette(routes=[live_route.route("")]))
    with client.stream("GET", address("", live_route.PATH, run.run_id)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
    shown: list[str] = []
    for event in events:
        if "blocks" in event:
            shown[event["from"] :] = event["blocks"]
    assert shown == to_blocks(run.snapshot().text)
    assert sum("blocks" in event for event in events) > 1
    assert events[-1]["ended"]
    assert not any("ended" in event for event in events[:-1])
    assert any("answering" in event.get("line", "") for event in events)


@pytest.mark.slow
def test_the_app_serves_it_under_a_base_path_beside_the_pages() -> None:
    port = "18547"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", port, "--server.headless", "true"]
    server = subprocess.Popen([*command, "--server.baseUrlPath", "gw"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        status = None
        while status is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/gw/groundwork/live/x", timeout=5)
            except urllib.error.HTTPError as error:
                status, words = error.code, error.read().decode()
            except OSError:
                time.sleep(0.3)
        assert status == 404
        assert words == "No such run is being written here."
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/gw/_stcore/health", timeout=5).status == 200
    finally:
        server.terminate()
        server.wait()

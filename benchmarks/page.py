"""What the page adds to the engine: click to first token, and tokens/s, in a real Chromium beside the engine alone.

    .venv/bin/python -m benchmarks.page          (needs requirements-dev.txt: `make test` installs it)

Engine and page take turns; medians over the rounds. The page's first token is timed inside the browser, from the key
press to the first text of the answer in the document.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import Page, sync_playwright

from core.generation.engine import Engine
from core.generation.request import GenerationRequest, Message, SamplingParameters
from core.store.database import open_database
from core.store.runs import RunRepository

ROUNDS = 5
TOKENS = 512
PROMPTS = [f"Write a very long story about a fox and river number {n}." for n in range(ROUNDS + 1)]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """() => {
  window.sent = null; window.first = null;
  document.addEventListener('keydown', e => { if (e.key === 'Enter') window.sent = performance.now(); }, true);
  new MutationObserver(() => {
    if (window.sent === null || window.first !== null) return;
    const turns = document.querySelectorAll('[data-testid=stChatMessage]');
    const text = turns.length > 1 ? turns[turns.length - 1].querySelector('[data-testid=stMarkdownContainer]') : null;
    if (text && text.innerText.trim()) window.first = performance.now();
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def main() -> None:
    """Print a Markdown table."""
    engine = Engine()
    db_runs = RunRepository(open_database())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen([*command, "--server.headless", "true"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        alone, shown, delays = [], [], []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            _page_round(browser.new_page(), url, PROMPTS[-1])
            _engine_round(engine, PROMPTS[-1])
            for prompt in PROMPTS[:ROUNDS]:
                alone.append(_engine_round(engine, prompt))
                page = browser.new_page()
                seen = _page_round(page, url, prompt)
                page.close()
                run = db_runs.list(limit=1)[0]
                delays.append(seen - (run.ttft_s or 0.0))
                shown.append(run.tokens_per_s or 0.0)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    ratios = [page / engine_rate for page, engine_rate in zip(shown, alone, strict=True)]
    print("| | median | range |\n| --- | ---: | ---: |")
    _row("page: first token after the engine's, ms", [1000 * delay for delay in delays])
    _row("engine alone, tokens/s", alone)
    _row("engine behind the page, tokens/s", shown)
    print(f"| page ÷ engine | {statistics.median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f} |")


def _row(name: str, values: list[float]) -> None:
    print(f"| {name} | {statistics.median(values):.0f} | {min(values):.0f}–{max(values):.0f} |")


def _engine_round(engine: Engine, prompt: str) -> float:
    parameters = SamplingParameters(max_new_tokens=TOKENS // 2, repetition_penalty=1.1)
    stream = engine.stream(GenerationRequest("smollm2-135m-instruct", parameters, messages=(Message("user", prompt),)))
    for _ in stream:
        pass
    return stream.completion.tokens_per_s or 0.0


def _page_round(page: Page, url: str, prompt: str) -> float:
    """Seconds from the key press to the first text of the answer; returns when the answer has ended."""
    page.goto(url)
    box = page.get_by_test_id("stChatInputTextArea")
    box.wait_for(timeout=120_000)
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH)
    box.fill(prompt)
    box.press("Enter")
    page.wait_for_function("window.first !== null", timeout=120_000)
    page.get_by_role("button", name="Regenerate").wait_for(timeout=240_000)
    return float(page.evaluate("(window.first - window.sent) / 1000"))


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The app did not start at {url}.")


if __name__ == "__main__":
    main()

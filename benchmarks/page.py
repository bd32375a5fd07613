"""What the page adds to the engine: click to first token, and tokens/s, in a real Chromium beside the engine alone.

    .venv/bin/python -m benchmarks.page          (needs requirements-dev.txt: `make test` installs it)

Engine and page take turns with the same prompt and parameters; medians over the rounds. The page is warm: one tab,
in which answers were written before; each round is a new session. The first token is timed in the browser, from the key
press to the first text of the answer on the screen, and compared with the engine's own time to first token, alone.
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
from core.generation.request import Completion, GenerationRequest, Message
from core.store.database import open_database
from core.store.runs import RunRecord, RunRepository
from pages.widgets.parameters import DEFAULTS

PROMPTS = [f"Write a very long story about a fox and river number {n}." for n in range(7)]
WARM_UP = ["Tell me about bread.", "Tell me about ships.", "Tell me about wheat."]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The answer is drawn in a shadow root, whose birth no observer of the document reports: so a look at every frame.
WATCH = """() => {
  window.sent = null; window.first = null;
  const look = () => {
    const host = [...document.querySelectorAll('[data-testid=stChatMessage] [data-testid^=stBidiComponent]')].at(-1);
    if (host?.shadowRoot?.querySelector('.answer')?.innerText.trim()) window.first = performance.now();
    else requestAnimationFrame(look);
  };
  document.addEventListener('keydown', e => {
    if (e.key !== 'Enter') return;
    window.sent = performance.now();
    look();
  }, true);
}"""


def main() -> None:
    """Print a Markdown table."""
    engine = Engine()
    runs = RunRepository(open_database())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen([*command, "--server.headless", "true"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    alone: list[Completion] = []
    shown: list[RunRecord] = []
    clicks: list[float] = []
    try:
        wait_until_up(url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            page = browser.new_page()
            page.goto(url)
            for number, prompt in enumerate([*WARM_UP, *PROMPTS]):
                completion = _engine_round(engine, prompt)
                click = _page_round(page, prompt, runs)
                if number >= len(WARM_UP):
                    alone.append(completion)
                    clicks.append(click)
                    shown.append(runs.list(limit=1)[0])
            browser.close()
    finally:
        server.terminate()
        server.wait()
    engine_rates = [completion.tokens_per_s or 0.0 for completion in alone]
    page_rates = [run.tokens_per_s or 0.0 for run in shown]
    print("| | median | range |\n| --- | ---: | ---: |")
    _row("engine alone: time to first token, ms", [1000 * (completion.ttft_s or 0.0) for completion in alone])
    _row("page: send to first text on the screen, ms", [1000 * click for click in clicks])
    _row(
        "difference, ms",
        [1000 * (click - (completion.ttft_s or 0.0)) for click, completion in zip(clicks, alone, strict=True)],
    )
    _row("engine alone, tokens/s", engine_rates)
    _row("engine behind the page, tokens/s", page_rates)
    _row("page ÷ engine", [page / rate for page, rate in zip(page_rates, engine_rates, strict=True)], digits=2)


def _row(name: str, values: list[float], digits: int = 0) -> None:
    middle, low, high = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    print(f"| {name} | {middle} | {low}–{high} |")


def _engine_round(engine: Engine, prompt: str) -> Completion:
    stream = engine.stream(GenerationRequest("smollm2-135m-instruct", DEFAULTS, messages=(Message("user", prompt),)))
    for _ in stream:
        pass
    return stream.completion


def _page_round(page: Page, prompt: str, runs: RunRepository) -> float:
    """Seconds from the key press to the first text of the answer; returns when the answer has ended.

    The end is looked up in the record: a browser that is asked for it would look at every frame, beside its work.
    """
    page.get_by_role("button", name="New session").click()
    page.get_by_role("button", name="Summary").wait_for(timeout=120_000)
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(prompt)
    box.press("Enter")
    page.wait_for_function("window.first !== null", timeout=120_000, polling=100)
    while runs.list(limit=1)[0].status == "running":
        time.sleep(0.5)
    page.get_by_role("button", name="Regenerate").wait_for(timeout=240_000)
    return float(page.evaluate("(window.first - window.sent) / 1000"))


def wait_until_up(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The app did not start at {url}.")


if __name__ == "__main__":
    main()

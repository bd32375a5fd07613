"""How soon Cost & compute answers a change: from Enter in a field to the new sentence, in a real Chromium.

    .venv/bin/python -m benchmarks.page_cost          (needs requirements-dev.txt: `make test` installs it)

Each question takes nine changes after two to warm up; medians and the worst.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import environ
from urllib.parse import quote_plus

from playwright.sync_api import Page, sync_playwright

from benchmarks.page import QUIET, wait_until_up

WARM_UP = 2
CHANGES = {
    "Training": ("Tokens", [f"{n}T" for n in range(2, 13)]),
    "Memory": ("Tokens of each", [str(n * 1_000) for n in range(3, 14)]),
    "Serving": ("Prompt, tokens", [str(n * 100) for n in range(11, 22)]),
    "API or own": ("Tokens a month, prompt and answer", [f"{n}B" for n in range(6, 17)]),
}
WATCH = """element => new Promise(done => {
  const before = document.querySelector('h4').textContent;
  const start = performance.now();
  const look = () => {
    const now = document.querySelector('h4');
    if (now && now.textContent !== before) done(performance.now() - start);
    else requestAnimationFrame(look);
  };
  element.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', code: 'Enter', keyCode: 13, bubbles: true}));
  look();
})"""


def main() -> None:
    """Print a Markdown table."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"],
            stdout=subprocess.DEVNULL,
            env={**environ, "GROUNDWORK_HOME": home, "GROUNDWORK_DATABASE_URL": ""},
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_up(url)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
                page = browser.new_page()
                print("| question | median, ms | worst, ms |\n| --- | ---: | ---: |")
                for view, (label, values) in CHANGES.items():
                    times = _times(page, f"{url}/cost?c_view={quote_plus(view)}", label, values)
                    print(f"| {view} | {statistics.median(times):.0f} | {max(times):.0f} |")
                browser.close()
        finally:
            server.terminate()
            server.wait()


def _times(page: Page, url: str, label: str, values: Sequence[str]) -> list[float]:
    page.goto(url)
    page.locator("h4").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3_000)
    found = []
    for value in values:
        field = page.get_by_label(label, exact=True).first
        field.fill(value)
        found.append(float(page.evaluate(WATCH, field.element_handle())))
        page.wait_for_timeout(1_200)  # the pictures come after the sentence
    return found[WARM_UP:]


if __name__ == "__main__":
    main()

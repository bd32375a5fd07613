"""Our side of the benchmark of the Attention page: the page in a real Chromium, and its computing alone.

A page is warm: the model is open, a short text was looked into before. Each round presses “Look inside” in a new tab of
the browser with a text that was never read, and ends when the picture of all heads is on its canvas.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ, getpid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Browser, CDPSession, sync_playwright

from benchmarks.attention_texts import MODEL, SHORT, texts
from benchmarks.bounded_process import PeakMemory, measured
from benchmarks.page import QUIET, wait_until_up
from core.interpret import subject as subjects
from core.settings import get_settings

LIMIT_S, LIMIT_BYTES = 180, 12e9
STATIC = ("/static/", "/_stcore/bidi-components/", "/_stcore/health", "/_stcore/host-config")
# Drawn: the canvas has its size and something on it, and a frame has passed since.
WATCH = """() => {
  window.sent = null; window.first = null;
  const drawn = () => {
    for (const host of document.querySelectorAll('[data-testid^=stBidiComponent]')) {
      const canvas = host.shadowRoot?.querySelector('.attention-grid canvas');
      if (!canvas || canvas.width === 300) continue;
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, Math.min(canvas.height, 200)).data;
      if (pixels.some((value) => value)) return true;
    }
    return false;
  };
  const look = () => {
    if (drawn()) requestAnimationFrame(() => { window.first = performance.now(); });
    else requestAnimationFrame(look);
  };
  document.addEventListener('click', event => {
    if (window.sent !== null || !event.target.closest('button')) return;
    window.sent = performance.now();
    look();
  }, true);
}"""


@dataclass(frozen=True, slots=True)
class Look:
    """One look inside, from the press. received_bytes: beyond the app's own files, before compression on the way.
    script_bytes: what the page's JavaScript holds. browser_bytes: most memory of the browser over an empty tab."""

    seconds: float
    received_bytes: int
    script_bytes: int
    browser_bytes: int


@dataclass(frozen=True, slots=True)
class OurFigures:
    """looks: one a round. memory_bytes: most resident memory of the server over the open model, all rounds."""

    looks: list[Look]
    memory_bytes: int


class _Received:
    """Bytes that reach a page, counted by the browser itself."""

    def __init__(self, protocol: CDPSession) -> None:
        self.bytes = 0
        self._static: set[str] = set()
        protocol.on("Network.webSocketFrameReceived", self._frame)
        protocol.on("Network.requestWillBeSent", self._request)
        protocol.on("Network.loadingFinished", self._loaded)
        protocol.send("Network.enable")

    def _frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        binary = frame["opcode"] == 2
        self.bytes += len(base64.b64decode(frame["payloadData"]) if binary else frame["payloadData"].encode())

    def _request(self, event: dict[str, Any]) -> None:
        address = urlsplit(event["request"]["url"])
        if address.scheme in ("data", "blob") or any(part in address.path for part in STATIC):
            self._static.add(event["requestId"])

    def _loaded(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._static:
            self.bytes += int(event["encodedDataLength"])


def look_inside(tokens: int, rounds: int, slow_s: float) -> OurFigures:
    """Measure the page; one round where the first took longer than slow_s."""
    with _server() as (url, pid), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        _round(browser, url, SHORT, None)
        memory = PeakMemory(pid)
        looks: list[Look] = []
        for text in texts(tokens, rounds):
            looks.append(_round(browser, url, text, tokens))
            if looks[-1].seconds > slow_s:
                break
        peak = memory.stop()
        browser.close()
    return OurFigures(looks, peak)


def _round(browser: Browser, url: str, text: str, tokens: int | None) -> Look:
    page = browser.new_page()
    memory = PeakMemory(_playwright_pid(), children=True)
    page.goto(f"{url}/attention?view=overview")
    button = page.get_by_role("button", name="Look inside")
    button.wait_for(timeout=120_000)
    page.get_by_label("Text", exact=True).fill(text)
    page.wait_for_timeout(1_500)
    protocol = page.context.new_cdp_session(page)
    protocol.send("Performance.enable")
    page.evaluate(WATCH)
    received = _Received(protocol)
    button.click()
    page.wait_for_function("window.first !== null", timeout=LIMIT_S * 1000, polling=100)
    seconds = float(page.evaluate("(window.first - window.sent) / 1000"))
    page.wait_for_timeout(1_500)  # what comes after the picture counts as well
    if tokens is not None:
        page.get_by_text(f"A text of {tokens:,} tokens").first.wait_for(timeout=5_000)
    metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    look = Look(seconds, received.bytes, int(metrics["JSHeapUsedSize"]), memory.stop())
    page.close()
    return look


def _playwright_pid() -> int:
    """Its own process, whose children are the browser's; the server is another child of ours."""
    children = psutil.Process(getpid()).children()
    return next(int(one.pid) for one in children if "streamlit" not in " ".join(one.cmdline()))


@contextmanager
def _server() -> Iterator[tuple[str, int]]:
    """The app with a record of its own and the models of this home: (address, process)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").symlink_to(get_settings().models_dir.resolve(), target_is_directory=True)
        server = subprocess.Popen(
            [*command, "--server.headless", "true"],
            stdout=subprocess.DEVNULL,
            env={**environ, "GROUNDWORK_HOME": home, "GROUNDWORK_DATABASE_URL": "", "GROUNDWORK_DEVICE": "cpu"},
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait()


def computing(tokens: int, rounds: int, slow_s: float) -> tuple[float | None, str]:
    """(seconds of reading a text and making the overview, in a process of its own; which limit it met)."""
    command = [sys.executable, "-m", "benchmarks.attention_ours", str(tokens), str(rounds), str(slow_s)]
    outcome = measured(command, environ, seconds=LIMIT_S * rounds, limit_bytes=LIMIT_BYTES)
    seconds = outcome.told.get("compute_s")
    return (statistics.median(seconds) if seconds else None), outcome.failure


def _compute(tokens: int, rounds: int, slow_s: float) -> None:
    from core.interpret.open_model import open_model
    from core.interpret.overview import overview
    from core.interpret.trace import trace

    opened = open_model(MODEL, device="cpu")
    overview(trace(opened, subjects.from_text(MODEL, SHORT)))
    read = [subjects.from_text(MODEL, text) for text in texts(tokens, rounds)]
    print(json.dumps({"ready": True}), flush=True)
    seconds: list[float] = []
    for subject in read:
        started = time.perf_counter()
        overview(trace(opened, subject))
        seconds.append(time.perf_counter() - started)
        if seconds[-1] > slow_s:
            break
    print(json.dumps({"compute_s": seconds}), flush=True)


if __name__ == "__main__":
    _compute(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

"""A real Chromium and real Streamlit servers on loopback, for the tests marked `browser`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=20_000)  # browser, server and what is tested share two cores, and those with others
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
START_S = 90  # the first import of Streamlit on a cold disk

StartApp = Callable[..., str]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or the one Playwright brought along."""
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=system, args=[*QUIET, "--disable-sync"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def streamlit_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """`streamlit_app(path, env)` starts an app under the project's own config and returns its address.

    Whatever the test does, every server is stopped at the end of the module.
    """
    servers: list[subprocess.Popen[bytes]] = []

    def start(path: Path, env: Mapping[str, str] | None = None) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("streamlit") / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", str(path), "--server.port", str(port)]
        command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
        inherited = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
        with log.open("wb") as sink:
            server = subprocess.Popen(command, cwd=ROOT, env=inherited, stdout=sink, stderr=subprocess.STDOUT)
        servers.append(server)
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, server, log)
        return url

    yield start
    for server in servers:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def new_page(chromium: Browser, *, width: int = 1280, height: int) -> Iterator[Page]:
    """A page in a context of its own, closed at the end."""
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], Path]:
    """`screenshot(page, name)` writes test-results/<name>.png (ignored by git) and returns its path."""
    folder = ROOT / "test-results"

    def take(page: Page, name: str) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.png"
        page.screenshot(path=str(path), full_page=True)
        return path

    return take


def settled(page: Page) -> None:
    """Wait until no script runs: a click on a download while one does is lost."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=60_000)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"Streamlit did not start at {url}:\n{log.read_text(errors='replace')[-2000:]}")

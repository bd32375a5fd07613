"""A run as its owner watches it: it grows without a flicker, ends, is used and compared; narrow, dark, by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import reload_settings
from core.store.database import Database, close_databases, open_database
from core.store.jobs import JobRepository
from core.store.training_points import TrainingPointRepository
from tests.browser.conftest import ROOT, StartApp, settled
from tests.exports.trainings import CLASSIFIED, PREDICTED
from tests.pages import finetunes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURE = '[data-testid="stVegaLiteChart"] svg'
WATCH = """(picture) => {
    const main = document.querySelector('[data-testid=stMain]');
    window.first = document.querySelector(picture); window.swaps = 0; window.heights = new Set();
    setInterval(() => {
        if (document.querySelector(picture) !== window.first) window.swaps++;
        window.heights.add(main.scrollHeight);
    }, 30);
}"""


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run-home")


@pytest.fixture(scope="module")
def app_url(streamlit_app: StartApp, shared_home: Path) -> str:
    environment = {"GROUNDWORK_HOME": str(shared_home), "GROUNDWORK_DATABASE_URL": "", "GROUNDWORK_DEVICE": "cpu"}
    return streamlit_app(ROOT / "app.py", environment)


@pytest.fixture
def record(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The record that the app reads."""
    monkeypatch.setenv("GROUNDWORK_HOME", str(shared_home))
    close_databases()
    reload_settings()
    yield open_database()
    close_databases()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    page.set_default_timeout(30_000)
    yield page
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()


def test_a_run_grows_without_a_flicker_and_turns_into_its_report(page: Page, app_url: str, record: Database) -> None:
    job = finetunes.running(record)
    jobs, points = JobRepository(record), TrainingPointRepository(record)
    page.goto(f"{app_url}/finetune?run={job.id}")
    page.locator(PICTURE).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH, PICTURE)
    for step in range(101, 107):
        points.add(job.id, [(step, "train", {"loss": 0.9, "learning_rate": 1e-5, "grad_norm": 1.0})])
        jobs.progress(job.id, 0.5, f"Training, step {step} of 200", job.metrics | {"step": step, "loss": 0.9})
        expect(page.get_by_text(f"step {step} of 200")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert page.evaluate("[window.swaps, window.heights.size]") == [0, 1]
    jobs.finish(job.id, "failed", error="The disk is full.")
    expect(page.get_by_text("The disk is full.")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_stop_is_a_click_and_cancel_asks_first(page: Page, app_url: str, record: Database) -> None:
    job = finetunes.running(record)
    page.goto(f"{app_url}/finetune?run={job.id}")
    page.get_by_role("button", name="Stop and keep the best").click()
    expect(page.get_by_role("button", name="Stopping…")).to_be_disabled()
    assert JobRepository(record).get(job.id).stop_requested
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Its checkpoints stay")).to_be_visible()
    assert not JobRepository(record).get(job.id).cancel_requested
    JobRepository(record).finish(job.id, "cancelled")


def test_files_of_a_run_can_be_taken_away(page: Page, app_url: str, record: Database) -> None:
    assert CLASSIFIED.report is not None
    page.goto(f"{app_url}/finetune?run={finetunes.done(record, CLASSIFIED.report).id}")
    expect(page.get_by_role("heading", name="Take it away")).to_be_visible(timeout=60_000)
    settled(page)
    for label, begins in (
        ("Report (HTML)", "<!DOCTYPE html>"),
        ("Model card", "---"),
        ("Curves (CSV)", "\ufeffstep,kind"),
        ("Configuration", "# A fine-tune"),
    ):
        with page.expect_download() as found:
            page.get_by_role("button", name=label, exact=True).click()
        assert Path(found.value.path()).read_text(encoding="utf-8").startswith(begins), label


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(
    chromium: Browser, app_url: str, record: Database, screenshot: Callable[[Page, str], Path], scheme: str
) -> None:
    assert PREDICTED.report is not None
    job = finetunes.done(record, PREDICTED.report, "regression")
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{app_url}/finetune?run={job.id}")
    expect(page.get_by_role("heading", name="Take it away")).to_be_visible(timeout=60_000)
    settled(page)
    wide, room = page.evaluate(
        "(() => { const m = document.querySelector('[data-testid=stMain]'); return [m.scrollWidth, m.clientWidth]; })()"
    )
    assert wide <= room
    screenshot(page, f"finetune-run-390-{scheme}")
    context.close()


def test_runs_side_by_side_come_back_by_their_link(page: Page, app_url: str, record: Database) -> None:
    assert CLASSIFIED.report is not None
    ids = [
        finetunes.done(record, CLASSIFIED.report, title=name, training={"seed": seed}).id
        for name, seed in (("One", 1), ("Two", 2))
    ]
    page.goto(f"{app_url}/finetune?compare={','.join(ids)}")
    expect(page.get_by_role("heading", name="Runs side by side")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("settings differ")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="Runs side by side")).to_have_count(0)

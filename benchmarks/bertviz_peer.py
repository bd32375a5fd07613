"""BertViz as a peer: its pages made from transformers' own attentions, and opened in the same Chromium.

Not a dependency: it is installed into a folder that is thrown away, with what its import needs (IPython, traitlets).
Its page fetches three scripts from cdnjs.cloudflare.com; where that cannot be reached, give their folder. Each
measurement is a process of its own, since a page of a few hundred tokens takes all memory there is.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from os import environ, pathsep
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.attention_texts import MODEL, SHORT, texts
from benchmarks.bounded_process import Outcome, measured

if TYPE_CHECKING:
    from playwright.sync_api import Route

PEER = "bertviz==1.4.1"
PEER_NEEDS = ("ipython==9.18.1", "traitlets==5.16.1")
VIEWS = ("head_view", "model_view")
SCRIPTS = ("require.min.js", "d3.min.js", "jquery.min.js")
LIMIT_S, LIMIT_BYTES = 180, 12e9
# Its script draws everything in one go, so the first svg on the page is all of it; then a frame on the screen.
WATCH = """() => {
  const look = () => {
    if (document.querySelector('svg line')) {
      requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = Date.now(); }));
    } else setTimeout(look, 20);
  };
  look();
}"""


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """seconds of the attentions, of the page, and of opening it; None: it did not come that far. memory_bytes: of
    Python over the loaded model; browser_bytes: over an empty tab."""

    compute_s: float | None
    page_s: float | None
    open_s: float | None
    memory_bytes: int
    browser_bytes: int | None
    script_bytes: int | None
    page_bytes: int | None
    failure: str = ""

    @property
    def first_picture_s(self) -> float | None:
        parts = [self.compute_s, self.page_s, self.open_s]
        return None if None in parts else sum(part for part in parts if part is not None)


def install(folder: Path) -> bool:
    """Whether the peer is there now."""
    needed = ["--quiet", "--no-deps", "--target", str(folder), PEER, *PEER_NEEDS]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *needed], capture_output=True, check=False)
    return done.returncode == 0


def show(view: str, tokens: int, number: int, peer: Path, scripts: Path | None) -> PeerFigures:
    """One round: make a view of text `number` and open it."""
    environment = {**environ, "PYTHONPATH": pathsep.join([str(peer), environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "benchmarks.bertviz_peer"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        make = [*command, "make", view, str(tokens), str(number), str(file)]
        made = measured(make, environment, seconds=LIMIT_S, limit_bytes=LIMIT_BYTES)
        if made.failure:
            doing = "attentions" if "compute_s" not in made.told else "page"
            return _figures(made, Outcome(failure=f"{made.failure} to make its {doing}"))
        opened = measured(
            [*command, "open", str(file), str(scripts or "")],
            environment,
            seconds=LIMIT_S,
            limit_bytes=LIMIT_BYTES,
            children=True,
        )
    return _figures(made, opened)


def _figures(made: Outcome, opened: Outcome) -> PeerFigures:
    failure = opened.failure
    if failure.startswith("more than") and "to make" not in failure:
        failure += " to open it"
    return PeerFigures(
        made.told.get("compute_s"),
        made.told.get("page_s"),
        opened.told.get("open_s"),
        made.peak_bytes,
        opened.peak_bytes or None,
        opened.told.get("script_bytes"),
        made.told.get("page_bytes"),
        failure,
    )


def median(rounds: list[PeerFigures]) -> PeerFigures:
    """Of rounds that all went well, or the first that did not."""
    failed = next((one for one in rounds if one.failure), None)
    if failed is not None:
        return failed

    def middle(name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in rounds))

    return PeerFigures(
        middle("compute_s"),
        middle("page_s"),
        middle("open_s"),
        int(middle("memory_bytes")),
        int(middle("browser_bytes")),
        int(middle("script_bytes")),
        int(middle("page_bytes")),
    )


# ── in a process of its own ──


def _make(view: str, tokens: int, number: int, file: Path) -> None:
    import bertviz  # type: ignore[import-not-found]
    import torch
    from transformers import AutoModelForCausalLM

    from core.interpret import subject as subjects
    from core.models import catalogue
    from core.settings import get_settings

    torch.set_num_threads(get_settings().threads)
    model = AutoModelForCausalLM.from_pretrained(
        catalogue.prepare(MODEL), dtype=torch.float32, local_files_only=True, attn_implementation="eager"
    ).eval()
    subject = subjects.from_text(MODEL, texts(tokens, number + 1)[number])
    with torch.inference_mode():
        model(torch.tensor([subjects.from_text(MODEL, SHORT).ids]), output_attentions=True)
        _tell(ready=True)
        started = time.perf_counter()
        attentions = model(torch.tensor([subject.ids]), output_attentions=True, use_cache=False).attentions
    computed = time.perf_counter()
    _tell(compute_s=computed - started)
    page = getattr(bertviz, view)(attentions, list(subject.pieces), html_action="return")
    file.write_text(f"<!doctype html><meta charset=utf-8>{page.data}", encoding="utf-8")
    _tell(page_s=time.perf_counter() - computed, page_bytes=file.stat().st_size)


def _open(file: Path, scripts: Path | None) -> None:
    from playwright.sync_api import sync_playwright

    from benchmarks.page import QUIET

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = browser.new_page()
        page.on("crash", lambda _: _give_up("the browser's tab ran out of memory"))
        page.on("pageerror", lambda error: _give_up(f"the browser refused it: {error.message}"))
        page.on("requestfailed", lambda request: _give_up(f"{request.url} cannot be fetched: give --scripts"))
        if scripts is not None:
            for name in SCRIPTS:
                page.route(f"https://cdnjs.cloudflare.com/**/{name}", _answer_with(scripts / name))
        page.add_init_script(f"({WATCH})()")
        _tell(ready=True)
        started = time.time()
        page.goto(file.as_uri(), wait_until="commit", timeout=0)
        page.wait_for_function("window.drawn", timeout=0, polling=50)
        protocol = page.context.new_cdp_session(page)
        protocol.send("Performance.enable")
        metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
        _tell(open_s=page.evaluate("window.drawn") / 1000 - started, script_bytes=int(metrics["JSHeapUsedSize"]))
        browser.close()


def _answer_with(file: Path) -> Callable[[Route], None]:
    return lambda route: route.fulfill(path=file, content_type="text/javascript")


def _give_up(why: str) -> None:
    _tell(failure=why)
    raise SystemExit(1)


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        _make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        _open(Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3] else None)

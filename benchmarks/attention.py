"""The Attention page beside BertViz: seconds to the first picture, memory, and bytes that reach the browser, by length.

    .venv/bin/python -m benchmarks.attention --chart docs/attention_scale.png
    (needs requirements-dev.txt: `make test` installs it)

SmolLM2-135M on the CPU, the same texts, threads and Chromium. Ours is the page's first view: every head of every layer,
from the press of “Look inside” with the model open. BertViz's are its head view (one layer on the screen, all in the
page) and its model view (all heads, like ours), from attentions to drawn lines, with the model open. Its rows are there
when it can be installed: see benchmarks.bertviz_peer. A length that takes more than 180 s, or 12 GB in all, says so;
the model view is not tried beyond the first that fails. Medians of three rounds, or the one that took more than 20 s.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import attention_ours, bertviz_peer
from benchmarks.attention_texts import MODEL
from core.settings import get_settings

SIZES = (64, 128, 256, 512, 1024, 2048)
ROUNDS = 3
SLOW_S = 20.0
OURS = "Groundwork"
NAMES = {"head_view": "BertViz head view", "model_view": "BertViz model view"}


@dataclass(frozen=True, slots=True)
class Row:
    """A tool at a length. first_picture_s: until it is on the screen; compute_s: of that, attentions (ours: and the
    thumbnails), alone; page_s: to write the page; open_s: to draw it. memory_bytes: of Python, over the loaded model;
    browser_bytes: over an empty tab; script_bytes: what JavaScript holds; page_bytes: what reaches the browser."""

    tool: str
    tokens: int
    rounds: int
    first_picture_s: float | None = None
    compute_s: float | None = None
    page_s: float | None = None
    open_s: float | None = None
    memory_bytes: int | None = None
    browser_bytes: int | None = None
    script_bytes: int | None = None
    page_bytes: int | None = None
    failure: str = ""


def main(
    tokens: Annotated[list[int] | None, typer.Option(help="A length; give it again for more.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the figures into this .png or .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    scripts: Annotated[
        Path | None,
        typer.Option(help=f"Folder with {', '.join(bertviz_peer.SCRIPTS)}, where BertViz cannot fetch them."),
    ] = None,
    from_json: Annotated[Path | None, typer.Option(help="Show figures that --json printed; measure nothing.")] = None,
) -> None:
    """Measure, and print a Markdown table."""
    figures = json.loads(from_json.read_text()) if from_json else _measured(tuple(tokens or SIZES), scripts)
    rows = [Row(**row) for row in figures["rows"]]
    print(json.dumps(figures, indent=1) if as_json else _table(figures, rows))
    if chart is not None:
        from benchmarks.attention_chart import draw

        draw(rows, chart)


def _measured(sizes: tuple[int, ...], scripts: Path | None) -> dict[str, Any]:
    before = os.getloadavg()[0]
    rows = [_ours(tokens) for tokens in sizes]
    with tempfile.TemporaryDirectory() as folder:
        if bertviz_peer.install(Path(folder)):
            for view in NAMES:
                rows += _peers(view, sizes, Path(folder), scripts)
        else:
            print(f"(Without {bertviz_peer.PEER}: it could not be installed.)", file=sys.stderr)
    return {
        "model": MODEL,
        "threads": get_settings().threads,
        "load_before": before,
        "rows": [asdict(row) for row in sorted(rows, key=lambda row: row.tokens)],
    }


def _ours(tokens: int) -> Row:
    _say(f"{OURS}, {tokens:,} tokens")
    compute_s, failure = attention_ours.computing(tokens, ROUNDS, SLOW_S)
    if failure:
        return Row(OURS, tokens, 0, failure=failure)
    found = attention_ours.look_inside(tokens, ROUNDS, SLOW_S)
    looks = found.looks
    return Row(
        OURS,
        tokens,
        len(looks),
        first_picture_s=statistics.median(look.seconds for look in looks),
        compute_s=compute_s,
        memory_bytes=found.memory_bytes,
        browser_bytes=int(statistics.median(look.browser_bytes for look in looks)),
        script_bytes=int(statistics.median(look.script_bytes for look in looks)),
        page_bytes=int(statistics.median(look.received_bytes for look in looks)),
    )


def _peers(view: str, sizes: tuple[int, ...], folder: Path, scripts: Path | None) -> list[Row]:
    rows: list[Row] = []
    for tokens in sorted(sizes):
        if view == "model_view" and rows and rows[-1].failure:
            break
        _say(f"{NAMES[view]}, {tokens:,} tokens")
        rounds: list[bertviz_peer.PeerFigures] = []
        while len(rounds) < ROUNDS:
            rounds.append(bertviz_peer.show(view, tokens, len(rounds), folder, scripts))
            if rounds[-1].failure or (rounds[-1].first_picture_s or 0) > SLOW_S:
                break
        found = bertviz_peer.median(rounds)
        rows.append(Row(NAMES[view], tokens, len(rounds), found.first_picture_s, **asdict(found)))
    return rows


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


# ── as a table ──


def _table(figures: dict[str, Any], rows: list[Row]) -> str:
    told = (
        f"{figures['model']}, {figures['threads']} threads; load of the machine before: {figures['load_before']:.1f}. "
        "Memory: at its peak, over the loaded model and an empty tab."
    )
    head = [
        *("tokens", "tool", "first picture, s", "computing, s", "page, s", "drawing, s"),
        *("memory, MB", "browser, MB", "JavaScript, MB", "to the browser, MB", "rounds", ""),
    ]
    lines = [told, "", _line(head), _line(["---:", "---", *["---:"] * 9, "---"])]
    for row in rows:
        seconds = [_seconds(value) for value in (row.first_picture_s, row.compute_s, row.page_s, row.open_s)]
        sizes = (row.memory_bytes, row.browser_bytes, row.script_bytes, row.page_bytes)
        lines.append(
            _line([f"{row.tokens:,}", row.tool, *seconds, *map(_megabytes, sizes), str(row.rounds), row.failure])
        )
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _megabytes(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / 1e6:.1f}" if value < 1e7 else f"{value / 1e6:,.0f}"


if __name__ == "__main__":
    typer.run(main)

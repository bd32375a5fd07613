"""The benchmark of the Attention page as a chart: seconds and megabytes over tokens, logarithmic, a line a tool.

A line ends where a tool gives no picture any more, and says why. Colours are those that the colour-blind can tell apart
(Okabe & Ito 2008, and a brown darker than both), and every line has its own marker and its name beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.attention import Row

STYLES = {  # colour, marker
    "Groundwork": ("#0072B2", "o"),
    "BertViz head view": ("#D55E00", "s"),
    "BertViz model view": ("#7A4B00", "^"),
}
CLEARLY = 1.5  # times another tool: room for a name beside the point, and not below it
WIDE = 34  # letters of a line
INK, QUIET, FAINT = "#0E131B", "#59626D", "#DCE1E7"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the chart; .png or .svg by the name's ending."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.labelcolor": QUIET}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 5), dpi=150)
        _panel(left, rows, "Seconds to the first picture", lambda row: row.first_picture_s)
        _panel(right, rows, "Megabytes that reach the browser", lambda row: row.page_bytes and row.page_bytes / 1e6)
        figure.tight_layout(w_pad=3)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        plt.close(figure)


def _panel(axes: Any, rows: Sequence[Row], title: str, value: Callable[[Row], float | None]) -> None:
    sizes = sorted({row.tokens for row in rows})
    _scales(axes, sizes, title)
    shown = {(row.tool, row.tokens): found for row in rows if (found := value(row)) is not None and not row.failure}
    for tool, (colour, marker) in STYLES.items():
        points = [(tokens, shown[tool, tokens]) for tokens in sizes if (tool, tokens) in shown]
        if not points:
            continue
        axes.plot(*zip(*points, strict=True), color=colour, marker=marker, linewidth=2, markersize=6)
        tokens, own = points[-1]
        failed = sorted((row for row in rows if row.tool == tool and row.failure), key=lambda row: row.tokens)
        if failed:
            others = [found for (other, size), found in shown.items() if size == tokens and other != tool]
            _name(axes, tool + _told(failed), points[-1], colour, above=all(own > CLEARLY * other for other in others))
        else:
            _name(axes, tool, points[len(points) // 2], colour, above=False)


def _scales(axes: Any, sizes: Sequence[int], title: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold", fontsize=11, pad=12)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.25)
    axes.margins(y=0.2)
    axes.yaxis.set_major_formatter(lambda tick, _: f"{tick:g}" if tick < 1000 else f"{tick:,.0f}")
    axes.set_xlabel("tokens of the text")
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=QUIET, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _told(failed: Sequence[Row]) -> str:
    """From where on a tool gives no picture, and why."""
    lengths = f"{failed[0].tokens:,} tokens{' and more' if len(failed) > 1 else ''}"
    return "\n".join(["", f"no picture of {lengths}:", *textwrap.wrap(failed[0].failure, WIDE)])


def _name(axes: Any, text: str, at: tuple[int, float], colour: str, *, above: bool) -> None:
    axes.annotate(
        text,
        at,
        xytext=(9, 0) if above else (6, -8),
        textcoords="offset points",
        ha="left",
        va="center" if above else "top",
        color=colour,
        fontsize=9,
    )

"""Pictures of the data: how long its rows are and what a bound cuts, how many rows each label has."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.training.data.lengths import LengthReport
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover, short
from pages.widgets.words import cut, share

LABEL_PIXELS = 26
MOST_LABELS = 14
HEIGHT = 280


def lengths_figure(report: LengthReport, *, least: int) -> go.Figure:
    """Rows by their tokens, the bound as a line. least: rows that there are; of more, the first are counted."""
    sketch = Sketch()
    starts = [start for start, _ in report.histogram]
    counts = [count for _, count in report.histogram]
    width = (starts[1] - starts[0]) if len(starts) > 1 else 1
    bound = report.max_tokens
    sketch.add(
        "bar",
        [hover(f"{start:,} to {start + width - 1:,} tokens", f"{count:,} rows") for start, count in report.histogram],
        x=[start + width / 2 for start in starts],
        y=counts,
        width=width * 0.92,
        marker={"color": [sketch.colours[1 if bound and start >= bound else 0] for start in starts]},
    )
    top = max(starts[-1] + width, 1)
    if bound and bound <= top:
        sketch.upright(bound)
        told = f"cut at {bound:,}"
        sketch.label(bound, max(counts), told, xanchor="right" if bound > top / 2 else "left", xshift=4)
    counted = sum(counts)
    some = f" of the first {counted:,} rows" if counted < least else ""
    return sketch.figure(
        "How long the rows are",
        told=_cut_words(report) + some,
        height=HEIGHT,
        xaxis=even_axis(0, top, short, title="tokens"),
        yaxis=even_axis(0, max(counts) * 1.1, short, title="rows"),
        bargap=0,
    )


def _cut_words(report: LengthReport) -> str:
    if report.max_tokens is None:
        return f"{report.total_tokens:,} tokens in all"
    if not report.cut_rows:
        return f"{report.max_tokens:,} tokens hold every row"
    lost = share(report.cut_tokens / max(1, report.total_tokens))
    rows = f"{report.cut_rows:,} row{'s are' if report.cut_rows != 1 else ' is'} cut"
    return f"{rows} and {report.cut_tokens:,} tokens lost ({lost})"


def labels_figure(labels: Mapping[str, int]) -> go.Figure:
    """Rows of each label, the most frequent first; the rarest are told together when there are many."""
    ordered = sorted(labels.items(), key=lambda one: -one[1])
    shown, rest = ordered[:MOST_LABELS], ordered[MOST_LABELS:]
    if rest:
        shown = [*shown, (f"{len(rest)} more", sum(count for _, count in rest))]
    whole, most = sum(labels.values()), max(count for _, count in shown)
    sketch = Sketch()
    places = list(range(len(shown)))
    colours = [GREY if rest and place == places[-1] else sketch.colours[0] for place in places]
    sketch.add(
        "bar",
        [hover(name, f"{count:,} rows, {share(count / whole)}") for name, count in shown],
        x=[count for _, count in shown],
        y=places,
        orientation="h",
        marker={"color": colours},
        text=[f"{count:,}" for _, count in shown],
        textposition="auto",
    )
    names = [hover(cut(name, 18)) for name, _ in shown]
    return sketch.figure(
        "How many rows each label has",
        told=f"{len(labels):,} labels, {ordered[-1][1]:,} to {ordered[0][1]:,} rows",
        height=max(HEIGHT, 110 + LABEL_PIXELS * len(shown)),
        margin={"l": 24 + 7 * max(len(name) for name in names)},
        xaxis=even_axis(0, most * 1.05, short, title="rows"),
        yaxis={"tickvals": places, "ticktext": names, "autorange": "reversed", "showgrid": False},
        bargap=0.25,
    )

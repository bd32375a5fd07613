"""Bars that lie one below the other, each under its own words: the parts of a whole, or things to compare.

Words stand above their bar and not beside it, so that a long name leaves the bar its width on a narrow screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import plotly.graph_objects as go

from core.estimate.ranges import Range
from core.estimate.words import said
from pages.widgets.chart_parts import GREY, Sketch, even_axis, hover, scale_of, short, side, told_range

ROW_PIXELS = 46
BAR = 0.3  # of a row
WHISKER = 0.3  # of a row, below the bar of the whole
FAR = 4.0  # times the whole: a mark beyond is named at the edge, not drawn
LEAST = 0.001  # share of the whole: a smaller part is in the CSV alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part. value: its expected one is drawn."""

    name: str
    value: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line through all rows: what a GPU can use of its memory. beyond: a dotted one, all of it."""

    name: str
    value: float
    beyond: float


@dataclass(slots=True)
class Bars:
    """Rows of bars in the making."""

    sketch: Sketch = field(default_factory=Sketch)
    rows: int = 0
    _bars: list[tuple[int, float, float, str, str, float]] = field(default_factory=list)

    def words(self, text: str) -> int:
        """A new row, with words above its bar from the left edge on; its number."""
        place, above = self.rows, ROW_PIXELS * BAR / 2
        self.sketch.note(text, x=0, xref="paper", y=-place, yref="y", xanchor="left", yanchor="bottom", yshift=above)
        self.rows += 1
        return place

    def bar(self, row: int, start: float, length: float, colour: str, text: str, *, pale: bool = False) -> None:
        """length: less than 0 goes to the left."""
        self._bars.append((row, start, length, colour, text, 0.5 if pale else 1.0))

    def figure(self, title: str, axis: dict[str, Any], *, told: str = "", top: int = 0, bottom: int = 0) -> go.Figure:
        """As high as its rows need. top, bottom: further pixels above and below them."""
        rows, starts, lengths, colours, texts, strengths = zip(*self._bars, strict=True) if self._bars else [()] * 6
        self.sketch.add(
            "bar",
            texts,
            y=[-row for row in rows],
            base=starts,
            x=lengths,
            orientation="h",
            width=BAR,
            marker={"color": colours, "opacity": strengths, "line": {"width": 0}},
        )
        above = 44 + top + 18 * (told.count("<br>") + 1 if told else 0)
        return self.sketch.figure(
            title,
            told=told,
            height=above + self.rows * ROW_PIXELS + 60 + bottom,
            margin={"l": 16, "r": 16, "t": above, "b": 52 + bottom},
            barmode="overlay",
            xaxis=axis | {"fixedrange": True},
            yaxis={"visible": False, "range": [0.4 - self.rows, 0.85], "fixedrange": True},
        )


def parts_figure(
    title: str,
    whole: str,
    total: Range,
    parts: Sequence[Part],
    unit: str,
    *,
    told: str = "",
    mark: Mark | None = None,
) -> go.Figure:
    """The whole as one stacked bar with its range, and below it each part where it lies in the stack."""
    bars = Bars()
    drawn = mark if mark and mark.beyond <= FAR * total.high else None
    most = max(total.high, drawn.beyond if drawn else 0.0)
    scale, unit_name = scale_of(unit, total.expected)
    bars.words(f"{escape(whole)} <b>{told_range(total, unit)}</b>")
    start = 0.0
    for place, part in enumerate(parts):
        value, share = part.value.expected, part.value.expected / total.expected if total.expected else 0.0
        if share >= LEAST:
            name, colour = f"{part.name[:1].upper()}{part.name[1:]}", bars.sketch.colours[place % 10]
            text = hover(name, told_range(part.value, unit), f"{_share(share)} of the whole")
            row = bars.words(f"{escape(name)} <b>{said(value, unit)}</b> · {_share(share)}")
            for one in (0, row):
                bars.bar(one, start / scale, value / scale, colour, text)
        start += value
    if total.low < total.high:
        _whisker(bars.sketch, total, scale, unit)
    if mark:
        told = _mark(bars.sketch, mark, scale, most, drawn=drawn is not None)
    axis = even_axis(0, 1.03 * most / scale, short, title=unit_name)
    return bars.figure(title, axis, told=told, top=22 if drawn else 0)


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "under 1%"


def _whisker(sketch: Sketch, total: Range, scale: float, unit: str) -> None:
    sketch.add(
        "scatter",
        [hover(told_range(total, unit))],
        x=[total.expected / scale],
        y=[-WHISKER],
        mode="markers",
        marker={"color": GREY, "size": 6},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [(total.high - total.expected) / scale],
            "arrayminus": [(total.expected - total.low) / scale],
            "color": GREY,
            "thickness": 2,
            "width": 5,
        },
    )


def _mark(sketch: Sketch, mark: Mark, scale: float, most: float, *, drawn: bool) -> str:
    """What the lines are, for below the title."""
    usable, whole = said(mark.value, "bytes"), said(mark.beyond, "bytes")
    if not drawn:
        return f"{escape(mark.name)}: {usable} of {whole} can be used"
    sketch.upright(mark.value / scale)
    sketch.upright(mark.beyond / scale, dash="dot")
    place = side(mark.value / most)
    sketch.note(f"{usable} usable", x=mark.value / scale, y=1, yref="paper", xanchor=place, yanchor="bottom")
    return f"line: usable of {escape(mark.name)}'s {whole} (dotted)"

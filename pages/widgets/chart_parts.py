"""What the pictures of Cost & compute are made of: axes in words, and `Sketch`, which gathers lines, ranges and labels
and makes one Plotly figure of them.

A colour is a place in the palette of Plotly's template, which Streamlit fills with the theme's for light and dark.
Labels are in the page's text colour and stand where they belong, so that no picture needs a legend. Gathering first
and building once takes a few ms; Plotly's own `add_…` methods take as long for each line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from plotly.colors import qualitative

from core.estimate.ranges import Range
from core.estimate.words import digits, said, said_range

CONFIG = {"displayModeBar": False}
TAKEN = {  # a picture to take away: one button, shown when it is pointed at, saves it as vectors
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg", "filename": "groundwork"},
}
GREY = "#808080"  # 3.9 : 1 on white, 4.7 : 1 on the dark page
GROUND, INK = "#000038", "#000037"  # what Streamlit replaces by the page's own ground, and by its dark or light grey
BAND = 0.22  # opacity of a range
HEIGHT = 420  # pixels
MOST_TICKS = 6  # of an axis on a narrow screen

Row = dict[str, Any]
Picture = tuple[str, go.Figure, list[Row]]
"""Name for a file, the figure, the rows behind it."""

_SHORT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_TIMES = ((31_557_600.0, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "s"), (1e-3, "ms"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


class Sketch:
    """A picture in the making. log_x, log_y: of the first panel, whose labels then stand at logarithms, as Plotly wants
    it. A second panel, `y2`, lies below and shares the horizontal axis."""

    def __init__(self, *, log_x: bool = False, log_y: bool = False) -> None:
        self.log_x, self.log_y = log_x, log_y
        self.traces: list[Row] = []
        self.notes: list[Row] = []
        self.shapes: list[Row] = []
        template = pio.templates[pio.templates.default] if pio.templates.default else None
        self.colours: Sequence[str] = (template and template.layout.colorway) or qualitative.Plotly
        streamlit = pio.templates.default == "streamlit"
        self.ink = INK if streamlit else None
        self.ground = GROUND if streamlit else None

    def add(self, kind: str, texts: Sequence[str] = (), **trace: Any) -> None:
        """A trace. texts: what each of its points tells when it is pointed at, safe as `hover` makes it."""
        told: Row = {"hovertext": list(texts), "hovertemplate": "%{hovertext}<extra></extra>"}
        self.traces.append({"type": kind, **(told if texts else {"hoverinfo": "skip"}), **trace})

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str,
        texts: Sequence[str] = (),
        *,
        sizes: Sequence[float] = (),
        panel: str = "y",
    ) -> None:
        """sizes: of its markers, in pixels; none without."""
        marked: Row = {"marker": {"size": list(sizes), "color": colour, "opacity": 1}} if sizes else {}
        mode = "lines+markers" if sizes else "lines"
        self.add("scatter", texts, x=x, y=y, mode=mode, line={"color": colour, "width": 2.5}, yaxis=panel, **marked)

    def band(
        self, x: Sequence[float], ranges: Sequence[Range], colour: str, *, scale: float = 1.0, panel: str = "y"
    ) -> None:
        """From low to high along x. scale: of the axis, in the ranges' unit."""
        self.add(
            "scatter",
            x=[*x, *reversed(x)],
            y=[*(one.high / scale for one in ranges), *(one.low / scale for one in reversed(ranges))],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=colour,
            opacity=BAND,
            yaxis=panel,
        )

    def label(self, x: float, y: float, text: str, *, panel: str = "y", **how: Any) -> None:
        """Text at a point. how: as Plotly's annotations take it."""
        at_x = math.log10(x) if self.log_x else x
        at_y = math.log10(y) if self.log_y and panel == "y" else y
        self.note(text, x=at_x, y=at_y, xref="x", yref=panel, **how)

    def note(self, text: str, **how: Any) -> None:
        """Text anywhere, on the page's ground, so that lines behind it do not run through it."""
        look: Row = {"font": {"color": self.ink}, "bgcolor": self.ground, "borderpad": 1}
        self.notes.append({"text": text, "showarrow": False, "align": "left"} | look | how)

    def upright(self, x: float, *, dash: str = "solid", width: float = 2) -> None:
        """A line from bottom to top."""
        line = {"color": GREY, "width": width, "dash": dash}
        self.shapes.append({"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line})

    def level(self, y: float, *, dash: str = "solid", panel: str = "y") -> None:
        """A line from left to right."""
        line = {"color": GREY, "width": 2, "dash": dash}
        place = {"x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "yref": panel}
        self.shapes.append({"type": "line", "line": line, **place})

    def stripe(self, low: float, high: float) -> None:
        """Pale, from bottom to top, behind everything."""
        place = {"x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
        self.shapes.append({"type": "rect", "fillcolor": GREY, "opacity": BAND / 2, "line": {"width": 0}, **place})

    def figure(self, title: str, *, told: str = "", height: int = HEIGHT, **layout: Any) -> go.Figure:
        """told: how to read it, in a line or two below the title. layout: axes and the like."""
        lines = told.count("<br>") + 1 if told else 0
        usual: Row = {
            "title": {
                "text": title,
                "subtitle": {"text": told, "font": {"size": 12, "color": self.ink}},
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 12},
            },
            "height": height,
            "margin": {"l": 64, "r": 20, "t": 48 + 18 * lines, "b": 56} | layout.pop("margin", {}),
            "showlegend": False,
            "hovermode": "closest",
            "annotations": self.notes,
            "shapes": self.shapes,
        }
        return go.Figure({"data": self.traces, "layout": usual | layout})


def side(share: float, *, middle: float = 0.5) -> str:
    """Which edge of a label stands at a point that lies at this share of the width, so that it is not cut off."""
    return "left" if share < middle else "right"


def log_axis(low: float, high: float, words: Callable[[float], str], **axis: Any) -> Row:
    """A logarithmic axis with round values, few enough for a narrow screen. axis: what else Plotly takes."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    values: list[float] = []
    for steps in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,)):
        values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        values = [value for value in values if low * 0.999 <= value <= high * 1.001]
        if len(values) <= MOST_TICKS:
            break
    values = values[:: math.ceil(len(values) / MOST_TICKS)] if values else sorted({low, high})
    return _axis(values, words) | {"type": "log"} | axis


def even_axis(low: float, high: float, words: Callable[[float], str], *, most: int = 5, **axis: Any) -> Row:
    """A linear axis with round values."""
    wanted = max((high - low) / most, 1e-12)
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= wanted * 0.999)
    values = [count * step for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return _axis(values, words) | {"range": [low, high]} | axis


def _axis(values: Sequence[float], words: Callable[[float], str]) -> Row:
    return {"tickvals": values, "ticktext": [words(value) for value in values], "showgrid": True, "zeroline": False}


def short(value: float) -> str:
    """2.5e9 → 2.5B: for an axis, where words have no room."""
    for size, letter in _SHORT:
        if abs(value) >= size:
            return f"{digits(value / size)}{letter}"
    return digits(value)


def dollars(value: float) -> str:
    """$2.5K, −$300: for an axis."""
    return f"{'−' if value < 0 else ''}${short(abs(value))}"


def scale_of(unit: str, value: float) -> tuple[float, str]:
    """What an axis for such a value divides by, and its unit: 133e9 bytes → (1e9, GB)."""
    steps = {"s": _TIMES, "bytes": _SIZES}.get(unit, ())
    found = next((step for step in steps if value >= step[0]), None)
    return found or (steps[-1] if steps else (1.0, unit))


def told_range(value: Range, unit: str) -> str:
    """14.5 days (10.9 to 19.3 days); without what is in brackets when it is exact."""
    middle = said(value.expected, unit)
    return middle if value.low == value.high else f"{middle} ({said_range(value, unit)})"


def hover(*lines: str) -> str:
    """Lines of a hover text, safe for Plotly, which reads some HTML."""
    return "<br>".join(escape(line, quote=False) for line in lines if line)


def range_row(key: str, value: Range) -> Row:
    """Three cells: low, expected, high. key: with its unit."""
    return {f"{key}_low": value.low, f"{key}_expected": value.expected, f"{key}_high": value.high}

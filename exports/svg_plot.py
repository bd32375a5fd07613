"""Curves and points as inline SVG in a page that stands alone: drawn in the page's own colours, in light and dark.

Drawn 360 units wide, about a phone's width, so that the words in it are as large as the page's there and never smaller.
A line is told from others by its dashes as well as by its colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 38  # room for ticks and titles
STYLES = 8  # classes s0 to s7 of training.css: colour and dashes
MOST_DRAWN = 400  # points of a line; a screen shows no more


@dataclass(frozen=True, slots=True)
class Axis:
    """title: with the unit. low, high: ends; the same for both when there is but one value."""

    title: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """Points in the plot's own numbers. dots: each is marked. joined: by a line. wide: radius of a dot for each point,
    1 for the usual."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    dots: bool = False
    joined: bool = True
    sizes: Sequence[float] = ()


def spanning(title: str, values: Sequence[float], *, floor: float | None = None) -> Axis:
    """An axis over the finite values with a little room; floor: an end that it must not go below."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    low -= room
    return Axis(title, max(low, floor) if floor is not None else low, high + room)


def plot(words: str, lines: Sequence[Line], x: Axis, y: Axis, *, diagonal: bool = False, below: str = "") -> str:
    """words: what the picture shows, for readers who do not see it. diagonal: drawn from corner to corner. below:
    shapes that lie under the lines."""
    scale = Scale(x, y)
    parts = [below, _frame(scale)]
    if diagonal:
        low, high = max(x.low, y.low), min(x.high, y.high)
        ends = f"M{n(scale.x(low))} {n(scale.y(low))}L{n(scale.x(high))} {n(scale.y(high))}"
        parts.append(f'<path class="guide" d="{ends}"/>')
    parts += [_line(line, scale) for line in lines]
    return svg(words, "".join(parts))


class Scale:
    """From the plot's own numbers to the drawing's units."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x_axis, self.y_axis = x, y

    def x(self, value: float) -> float:
        return LEFT + _share(value, self.x_axis) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - _share(value, self.y_axis) * (HEIGHT - TOP - BOTTOM)


def ticks(axis: Axis, about: int = 5) -> list[float]:
    """Round numbers within the axis, 1, 2 or 5 times a power of ten apart."""
    span = axis.high - axis.low
    if not span > 0 or not math.isfinite(span):
        return [axis.low]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= raw * 0.999)
    first = math.ceil(axis.low / step - 1e-9)
    return [place * step for place in range(first, math.floor(axis.high / step + 1e-9) + 1)]


def tick_word(value: float) -> str:
    """Short enough for a margin of 52 units."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}".replace("-", "−")
    return (f"{value / 1000:g}k" if abs(value) >= 1e4 else f"{value:.4g}").replace("-", "−")


def svg(words: str, shapes: str, *, wide: float = WIDTH, high: float = HEIGHT) -> str:
    told = escape(words)
    return (
        f'<svg viewBox="0 0 {n(wide)} {n(high)}" class="plot" role="img" aria-label="{told}">'
        f"<title>{told}</title>{shapes}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{n(x)}" y="{n(y)}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def n(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def _frame(scale: Scale) -> str:
    parts = []
    for value in ticks(scale.y_axis):
        at = scale.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {n(at)}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 5, at + 4, tick_word(value), "end"))
    for value in ticks(scale.x_axis, 6):
        parts.append(text(scale.x(value), HEIGHT - BOTTOM + 15, tick_word(value), "middle"))
    parts.append(f'<path class="edge" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, scale.x_axis.title, "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(10, middle, scale.y_axis.title, "middle", f' transform="rotate(-90 10 {n(middle)})"'))
    return "".join(parts)


def _line(line: Line, scale: Scale) -> str:
    """What is no number is a gap."""
    sizes = line.sizes or (1.0,) * len(line.x)
    known = groupby(zip(line.x, line.y, sizes, strict=True), key=lambda one: math.isfinite(one[0] + one[1]))
    runs = [[(scale.x(x), scale.y(y), size) for x, y, size in run] for finite, run in known if finite]
    points = [point for run in runs for point in run]
    style = f"s{line.style % STYLES}"
    parts = []
    if line.joined and len(points) > 1:
        step = max(1, math.ceil(len(points) / MOST_DRAWN))
        drawn = ["L".join(f"{n(x)} {n(y)}" for x, y, _ in (*run[:-1:step], run[-1])) for run in runs]
        parts.append(f'<path class="line {style}" d="M{"M".join(drawn)}"/>')
    if line.dots or len(points) == 1:
        radius = 1.8 if len(points) > 300 else 2.6
        parts += [
            f'<circle class="dot {style}" cx="{n(x)}" cy="{n(y)}" r="{n(radius * size)}"/>' for x, y, size in points
        ]
    return "".join(parts)


def _share(value: float, axis: Axis) -> float:
    span = axis.high - axis.low
    return min(max((value - axis.low) / span, 0.0), 1.0) if span > 0 else 0.5

"""The pictures of a company's report as inline SVG: lines over months, columns, bars, a fan and a matrix.

Drawn 360 units wide, as all of our reports draw, with words beside the shapes: a line is told by its dashes and an area
by its place in the key as well as by their colours. Amounts are in major units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.venture import months
from core.venture.money import short
from exports.svg_plot import Axis, n, svg, text, ticks

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 34
LABELS = 118  # of a picture with rows: room for their names
ROW = 24
LONGEST = 18  # characters of a name beside a bar
STYLES = 8  # classes s0 to s7 for lines, f0 to f7 for areas
Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """values: None is a gap. style: of line or area."""

    name: str
    values: Sequence[float | None]
    style: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from `low` to `high`. told: at its end."""

    name: str
    low: float
    high: float
    told: str
    style: int = 0
    split: float | None = None


def money(currency: str) -> Say:
    return lambda value: short(Decimal(repr(round(float(value), 2))), currency)


def share(value: float) -> str:
    return f"{value:.0%}".replace("-", "−")


def lines(
    words: str,
    names: Sequence[str],
    series: Sequence[Series],
    say: Say,
    *,
    bands: Sequence[tuple[Series, Series]] = (),
) -> str:
    """Over months ("2026-03"). bands: areas between two lines, the widest first."""
    known = [value for one in (*series, *(end for band in bands for end in band)) for value in one.values]
    scale = _Scale([value for value in known if value is not None], len(names))
    parts = [_frame(scale, say), _month_ticks(names, scale)]
    for place, (low, high) in enumerate(bands):
        there = [f"{n(scale.x(at))} {n(scale.y(value or 0))}" for at, value in enumerate(low.values)]
        back = [f"{n(scale.x(at))} {n(scale.y(value or 0))}" for at, value in reversed(list(enumerate(high.values)))]
        parts.append(f'<path class="band b{place}" d="M{"L".join([*there, *back])}Z"/>')
    parts += [_line(one, scale) for one in series]
    return svg(words, "".join(parts), wide=WIDTH, high=HEIGHT)


def columns(words: str, groups: Sequence[str], series: Sequence[Series], say: Say, *, stacked: bool) -> str:
    """stacked: what is above 0 upwards, what is below downwards; else side by side."""
    tops, values = [], [[one.values[at] or 0.0 for one in series] for at in range(len(groups))]
    for one in values:
        if stacked:
            tops += [sum(value for value in one if value > 0), sum(value for value in one if value < 0)]
        else:
            tops += one
    scale = _Scale(tops, len(groups), columns=True)
    parts = [_frame(scale, say)]
    step = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    every = -(-len(groups) // (3 if max(map(len, groups), default=0) > 7 else 6))
    for at, group in enumerate(groups):
        left, wide = LEFT + at * step + step * 0.14, step * 0.72
        parts.append(_stack(values[at], series, scale, left, wide) if stacked else
                     _beside(values[at], series, scale, left, wide))  # fmt: skip
        if at % every == 0:
            parts.append(text(left + wide / 2, HEIGHT - BOTTOM + 15, cut(group, 12), "middle"))
    parts.append(_zero(scale))
    return svg(words, "".join(parts), wide=WIDTH, high=HEIGHT)


def bars(words: str, rows: Sequence[Bar], *, base: float | None = None) -> str:
    """One below the other, on one scale that has 0 in it, unless `base` is given: then each is drawn around that."""
    ends = [end for row in rows for end in (row.low, row.high)] + ([0.0] if base is None else [base])
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    room = WIDTH - LABELS - 78

    def x(value: float) -> float:
        return LABELS + 6 + (value - low) / span * room

    parts = []
    for place, row in enumerate(rows):
        top = 6 + place * ROW
        left, right = sorted((x(row.low), x(row.high)))
        parts.append(text(LABELS, top + 13, cut(row.name, LONGEST), "end"))
        if row.split is None:
            parts.append(_rect(left, top + 3, max(right - left, 1), 13, row.style))
        else:
            middle = min(max(x(row.split), left), right)
            parts.append(_rect(left, top + 3, max(middle - left, 0), 13, row.style))
            parts.append(_rect(middle, top + 3, max(right - middle, 0), 13, row.style + 1))
        parts.append(text(max(right, x(0 if base is None else base)) + 5, top + 13, row.told, more=' class="quiet"'))
    high_px = 12 + len(rows) * ROW
    at = n(x(0 if base is None else base))
    parts.append(f'<path class="edge" d="M{at} 4V{n(high_px - 4)}"/>')
    return svg(words, "".join(parts), wide=WIDTH, high=high_px)


def matrix(words: str, counts: Sequence[Sequence[int]], across: str, down: str) -> str:
    """5 × 5: counts[impact − 1][likelihood − 1], impact upwards; the darker, the heavier."""
    size, left, top = 38, 70, 8
    parts = []
    for impact in range(5):
        for likelihood in range(5):
            x, y = left + likelihood * (size + 8), top + (4 - impact) * (size - 4)
            weight = (impact + 1) * (likelihood + 1)
            level = 0 if weight < 5 else 1 if weight < 10 else 2 if weight < 15 else 3
            parts.append(f'<rect class="w{level}" x="{x}" y="{y}" width="{size + 6}" height="{size - 6}" rx="3"/>')
            if count := counts[impact][likelihood]:
                parts.append(text(x + (size + 6) / 2, y + 21, str(count), "middle", f' class="n{level}"'))
    for at in range(5):
        parts.append(text(left - 8, top + (4 - at) * (size - 4) + 21, str(at + 1), "end"))
        parts.append(text(left + at * (size + 8) + 22, top + 5 * (size - 4) + 12, str(at + 1), "middle"))
    parts.append(text(left + 112, top + 5 * (size - 4) + 28, across, "middle"))
    middle = top + 82
    parts.append(text(20, middle, down, "middle", f' transform="rotate(-90 20 {middle})"'))
    return svg(words, "".join(parts), wide=WIDTH, high=top + 5 * (size - 4) + 36)


def cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


class _Scale:
    """0 is always on it."""

    def __init__(self, values: Sequence[float], count: int, *, columns: bool = False) -> None:
        low, high = min([0.0, *values]), max([0.0, *values])
        room = (high - low) * 0.06 or 1.0
        self.axis = Axis("", low - room * (low < 0), high + room * (high > 0 or low == high == 0))
        self.count = count
        self.columns = columns

    def x(self, at: float) -> float:
        return LEFT + (at / (self.count - 1) if self.count > 1 else 0.5) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.axis.low) / (self.axis.high - self.axis.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def _frame(scale: _Scale, say: Say) -> str:
    parts = []
    for value in ticks(scale.axis, 4):
        at = scale.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {n(at)}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 5, at + 4, say(value), "end"))
    return "".join(parts) + _zero(scale)


def _zero(scale: _Scale) -> str:
    return f'<path class="edge" d="M{LEFT} {n(scale.y(0))}H{WIDTH - RIGHT}"/>'


def _month_ticks(names: Sequence[str], scale: _Scale) -> str:
    """A handful, the first and the last among them."""
    last = len(names) - 1
    step = max(1, -(-last // 3))
    shown = [at for at in range(0, last, step) if last - at >= step * 0.8] + [last]
    parts = []
    for at in shown:
        anchor = "start" if at == 0 and last else "end" if at == last and last else "middle"
        parts.append(text(scale.x(at), HEIGHT - BOTTOM + 15, months.said(names[at]), anchor))
    return "".join(parts)


def _line(one: Series, scale: _Scale) -> str:
    runs: list[list[str]] = [[]]
    for at, value in enumerate(one.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{n(scale.x(at))} {n(scale.y(value))}")
    drawn = "".join(f"M{'L'.join(run)}" for run in runs if len(run) > 1)
    dots = "".join(
        f'<circle class="dot s{one.style % STYLES}" cx="{point[0]}" cy="{point[1]}" r="2.6"/>'
        for run in runs
        if len(run) == 1 and (point := run[0].split())
    )
    return (f'<path class="line s{one.style % STYLES}" d="{drawn}"/>' if drawn else "") + dots


def _stack(values: Sequence[float], series: Sequence[Series], scale: _Scale, left: float, wide: float) -> str:
    parts, up, down = [], 0.0, 0.0
    for value, one in zip(values, series, strict=True):
        start = up if value > 0 else down
        if value:
            top, bottom = sorted((scale.y(start), scale.y(start + value)))
            parts.append(_rect(left, top, wide, bottom - top, one.style))
        up, down = (up + value, down) if value > 0 else (up, down + value)
    return "".join(parts)


def _beside(values: Sequence[float], series: Sequence[Series], scale: _Scale, left: float, wide: float) -> str:
    each, parts = wide / max(len(series), 1), []
    for place, (value, one) in enumerate(zip(values, series, strict=True)):
        top, bottom = sorted((scale.y(0), scale.y(value)))
        parts.append(_rect(left + place * each, top, each * 0.9, bottom - top, one.style))
    return "".join(parts)


def _rect(x: float, y: float, wide: float, high: float, style: int) -> str:
    return (
        f'<rect class="area f{style % STYLES}" x="{n(x)}" y="{n(y)}" width="{n(max(wide, 0))}" '
        f'height="{n(max(high, 0))}"/>'
    )

"""Subgroups as inline SVG: each one's figure with its interval on one scale, beside that of all rows."""

from __future__ import annotations

from collections.abc import Sequence

from core.training.evaluation.comparing import figure
from core.training.evaluation.report import GroupRow
from exports.svg_plot import WIDTH, Axis, n, spanning, svg, text, tick_word, ticks

_ROW, _TOP, _FOOT, _SIDE = 34, 6, 36, 8


def groups(rows: Sequence[GroupRow], whole: float, title: str) -> str:
    """whole: the figure of all rows, drawn as a line through all groups."""
    ends = [end for one in rows for end in (one.value, one.low, one.high) if end is not None]
    axis = spanning(title, [*ends, whole])
    high = _TOP + _ROW * len(rows) + _FOOT
    bottom = high - _FOOT
    middle = _at(whole, axis)
    parts = [f'<path class="guide" d="M{n(middle)} {_TOP}V{n(bottom)}"/>']
    for place, one in enumerate(rows):
        y = _TOP + place * _ROW + 12
        count = f"{one.rows:,} row{'s' * (one.rows != 1)}"
        parts.append(text(_SIDE, y, _short(one.group)))
        parts.append(text(WIDTH - _SIDE, y, f"{figure(one.value)} · {count}", "end", ' class="quiet"'))
        parts.append(_interval(one, axis, y + 11))
    for value in ticks(axis):
        parts.append(text(_at(value, axis), bottom + 14, tick_word(value), "middle"))
    parts.append(f'<path class="edge" d="M{_SIDE} {n(bottom)}H{WIDTH - _SIDE}"/>')
    parts.append(text(WIDTH / 2, high - 4, f"{title}; dashed: all rows, {figure(whole)}", "middle"))
    told = "; ".join(f"{one.group} {figure(one.value)}" for one in rows)
    return svg(f"{title} by subgroup: {told}; all rows {figure(whole)}", "".join(parts), high=high)


def _interval(one: GroupRow, axis: Axis, y: float) -> str:
    dot = f'<circle class="dot s0" cx="{n(_at(one.value, axis))}" cy="{n(y)}" r="4"/>'
    if one.low is None or one.high is None:
        return dot
    low, high = _at(one.low, axis), _at(one.high, axis)
    return f'<path class="line s0 wide" d="M{n(low)} {n(y)}H{n(high)}"/>{dot}'


def _at(value: float, axis: Axis) -> float:
    share = (value - axis.low) / (axis.high - axis.low)
    return _SIDE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * _SIDE)


def _short(name: str) -> str:
    return name if len(name) <= 26 else name[:25] + "…"

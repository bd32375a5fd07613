"""A confusion matrix as inline SVG: a row a true class, shaded by the share of it that was given to each class."""

from __future__ import annotations

from collections.abc import Sequence

from exports.svg_plot import n, svg, text

MOST_COUNTED = 14  # classes whose cells hold their counts; more cells are too small for words
MOST_DRAWN = 60  # classes
_LABELS, _HEAD, _BESIDE = 84, 84, 36  # room for the names; the last column's leans out to the right
_LONGEST = 11  # characters of a name
_SIDE = 240  # of the cells together


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Counts [true, predicted]; "" for more classes than can be drawn."""
    if not labels or len(labels) > MOST_DRAWN:
        return ""
    cell = _SIDE / len(labels)
    parts = [
        text(_LABELS - 5, _HEAD - 40, "predicted →", "end", ' class="quiet"'),
        text(_LABELS - 5, _HEAD - 24, "true ↓", "end", ' class="quiet"'),
    ]
    named = range(len(labels)) if len(labels) <= 24 else range(0, len(labels), 5)
    for place in named:
        middle = (place + 0.5) * cell + 4
        name, across = _short(labels[place]), _LABELS + (place + 0.5) * cell + 4
        parts.append(text(_LABELS - 5, _HEAD + middle, name, "end"))
        parts.append(text(across, _HEAD - 5, name, "start", f' transform="rotate(-60 {n(across)} {_HEAD - 5})"'))
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            parts.append(_cell(row, column, count, sum(line), cell, len(labels) <= MOST_COUNTED))
    parts.append(f'<rect class="outline" x="{_LABELS}" y="{_HEAD}" width="{_SIDE}" height="{_SIDE}"/>')
    right, total = sum(line[place] for place, line in enumerate(counts)), sum(map(sum, counts))
    words = f"Confusion matrix of {len(labels)} classes: {right:,} of {total:,} rows on the diagonal"
    return svg(words, "".join(parts), wide=_LABELS + _SIDE + _BESIDE, high=_HEAD + _SIDE + 6)


def _cell(row: int, column: int, count: int, of_row: int, side: float, counted: bool) -> str:
    if not count:
        return ""
    share = count / of_row
    x, y = _LABELS + column * side, _HEAD + row * side
    shape = (
        f'<rect class="heat" x="{n(x)}" y="{n(y)}" width="{n(side)}" height="{n(side)}" '
        f'fill-opacity="{0.06 + 0.94 * share:.2f}"/>'
    )
    if not counted:
        return shape
    small = side < 9 * len(f"{count}")
    more = f' class="{"on" if share > 0.55 else "off"}{" small" if small else ""}"'
    return shape + text(x + side / 2, y + side / 2 + 4, f"{count}", "middle", more)


def _short(label: str) -> str:
    line = " ".join(label.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"

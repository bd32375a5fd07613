"""Ranges as pictures in a page that stands alone: inline SVG, drawn by the page's own colours, with words for readers
who do not see them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.estimate.figures import Driver
from core.estimate.ranges import Range
from core.estimate.words import said
from exports.estimate_document import ends, moved

WIDTH, HEIGHT = 220, 18  # CSS pixels
_EDGE = 4  # room for the mark's half at either end


def range_bar(value: Range, unit: str, *, most: float | None = None) -> str:
    """From 0 to `most` (default, its own high): a band from low to high, and a mark at the expected value."""
    whole = most or value.high or 1.0
    low, expected, high = (_at(one / whole) for one in (value.low, value.expected, value.high))
    words = f"{said(value.expected, unit)}, from {ends(value, unit)}"
    if value.low == value.high:
        words = f"{said(value.expected, unit)}, no range"
    return _svg(
        words,
        f'<rect class="axis" x="{_EDGE}" y="8" width="{WIDTH - 2 * _EDGE}" height="2"/>'
        f'<rect class="band" x="{low:.1f}" y="4" width="{max(high - low, 0):.1f}" height="10" rx="2"/>'
        f'<rect class="mark" x="{expected - 1.5:.1f}" y="1" width="3" height="16"/>',
    )


def driver_bars(expected: float, drivers: Sequence[Driver], unit: str) -> tuple[str, ...]:
    """The rows of a tornado: for each factor, how far it alone moves the figure, all on one scale, which need not
    begin at 0."""
    ends = [expected, *(end for one in drivers for end in (one.low, one.high))]
    least, most = min(ends), max(ends)
    span = most - least or 1.0
    middle = _at((expected - least) / span)
    rows = []
    for one in drivers:
        low, high = sorted(_at((end - least) / span) for end in (one.low, one.high))
        band = f'<rect class="band" x="{low:.1f}" y="3" width="{max(high - low, 1):.1f}" height="12" rx="2"/>'
        mark = f'<rect class="mark" x="{middle - 0.75:.1f}" y="0" width="1.5" height="{HEIGHT}"/>'
        rows.append(_svg(f"{one.name}: {moved(one, unit)}", band + mark))
    return tuple(rows)


def _at(share: float) -> float:
    """Pixels from the left, of a share from 0 to 1."""
    return _EDGE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * _EDGE)


def _svg(words: str, shapes: str) -> str:
    told = escape(words)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{told}">'
        f"<title>{told}</title>{shapes}</svg>"
    )

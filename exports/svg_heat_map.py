"""A heat map's parts as SVG: cells, what stands at their rows and columns, and the bar that explains their colours."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.interpret.maps import AttentionMap
from exports.attention_colours import BAR_TICKS, Levels, clean, colour_of, levels, tick_step, top
from exports.attention_labels import label
from exports.attention_png import cells_png
from exports.svg_sheet import EDGE, QUIET, Sheet, n

MOST_RECTS = 20_000  # more make a file that no editor opens
MOST_LABELS = 80  # tokens; with more, ticks are numbered


@dataclass(frozen=True, slots=True)
class Cell:
    """In pixels; square wherever queries and keys are the same tokens."""

    wide: float
    high: float


def along(count: int) -> float:
    return 14.0 if count <= MOST_LABELS else 720 / count


def cells(sheet: Sheet, picture: AttentionMap, x: float, y: float, cell: Cell) -> None:
    shown, found = clean(picture.weights) >= top(picture) / 255, levels(picture)
    if int(shown.sum()) > MOST_RECTS:
        inside = _image(found, cell)
    else:
        size = f'width="{_fine(cell.wide)}" height="{_fine(cell.high)}"'
        places = (axis.tolist() for axis in np.nonzero(shown))
        inside = _below(found > 0, cell) + "".join(
            f'<rect x="{_fine(key * cell.wide)}" y="{_fine(query * cell.high)}" {size} fill="{colour_of(level)}"/>\n'
            for query, key, level in zip(*places, found[shown].tolist(), strict=True)
        )
    sheet.add(f'<g transform="translate({n(x)} {n(y)})" shape-rendering="crispEdges">\n{inside}</g>')


def _image(found: Levels, cell: Cell) -> str:
    """So many pixels a cell that a program which blurs what it enlarges blurs only the edges."""
    queries, keys = found.shape
    data = base64.b64encode(cells_png(found, max(1, 1600 // max(queries, keys)))).decode()
    size = f'width="{n(cell.wide * keys)}" height="{n(cell.high * queries)}" preserveAspectRatio="none"'
    return f'<image {size} style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'


def _below(above_zero: npt.NDArray[np.bool_], cell: Cell) -> str:
    """One shape under all cells above zero: what has no rectangle of its own weighs next to nothing."""
    edges = np.diff(np.pad(above_zero, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    runs = "".join(
        f"M{_fine(start * cell.wide)} {_fine(row * cell.high)}H{_fine(end * cell.wide)}v{_fine(cell.high)}"
        f"H{_fine(start * cell.wide)}Z"
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)
    )
    return f'<path d="{runs}" fill="{colour_of(1)}"/>\n' if runs else ""


def _fine(value: float) -> str:
    """A coordinate fine enough that a thousand cells end where they should."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def axis_titles(sheet: Sheet, picture: AttentionMap, x: float, y: float, plot_top: float) -> None:
    """What the rows are is said only where they are the same tokens: else the picture's note says it."""
    quiet = f' fill="{QUIET}"'
    sheet.text(x, y + 12, "is read (key) →", size=9, style=quiet)
    if picture.queries == picture.keys:
        turned = f'{quiet} transform="rotate(-90 {n(EDGE + 6)} {n(plot_top)})"'
        sheet.text(EDGE + 6, plot_top, "← reads (query)", size=9, anchor="end", style=turned)


def rows(sheet: Sheet, pieces: Sequence[str], x: float, y: float, high: float) -> None:
    if len(pieces) <= MOST_LABELS:
        for place, piece in enumerate(pieces):
            sheet.text(x - 5, y + (place + 0.5) * high + 3.5, label(piece), anchor="end")
        return
    for place in range(0, len(pieces), tick_step(len(pieces))):
        middle = y + (place + 0.5) * high
        sheet.text(x - 6, middle + 3.5, str(place), size=9, anchor="end")
        sheet.add(f'<path d="M{n(x - 4)} {n(middle)}h4" stroke="#000" stroke-width=".75"/>')


def columns(sheet: Sheet, pieces: Sequence[str], x: float, y: float, wide: float) -> None:
    if len(pieces) <= MOST_LABELS:
        for place, piece in enumerate(pieces):
            across, foot = x + (place + 0.5) * wide + 3.5, y - 5
            sheet.text(across, foot, label(piece), style=f' transform="rotate(-90 {n(across)} {n(foot)})"')
        return
    for place in range(0, len(pieces), tick_step(len(pieces))):
        middle = x + (place + 0.5) * wide
        sheet.text(middle, y - 6, str(place), size=9, anchor="middle")
        sheet.add(f'<path d="M{n(middle)} {n(y - 4)}v4" stroke="#000" stroke-width=".75"/>')


def colour_bar(sheet: Sheet, x: float, y: float, high: float, most: float) -> None:
    """From 0 at the bottom; as high as the root of the weight, which is what the colour follows. Each shade reaches to
    the bottom and the next lies on it, so that no seam shows at any size."""
    steps = 64
    shades = "".join(
        f'<rect x="{n(x)}" y="{n(y + high * (1 - step / steps))}" width="12" height="{n(high * step / steps)}" '
        f'fill="{colour_of(round(255 * step / steps))}"/>'
        for step in range(steps, 0, -1)
    )
    sheet.add(f'<g shape-rendering="crispEdges">{shades}</g>')
    sheet.rect(x, y, 12, high, 'fill="none" stroke="#000" stroke-width=".5"')
    for share in BAR_TICKS:
        sheet.text(x + 17, y + high * (1 - share**0.5) + 3, f"{share * most:.2g}", size=9)
    sheet.text(x, y - 6, "weight", size=9, style=f' fill="{QUIET}"')

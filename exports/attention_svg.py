"""Attention as drawings for a paper: true vectors, on white, with the origin in each file's properties.

Lines are the head view: tokens left read tokens right. Maps are one square of weights, a rectangle a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.interpret.maps import AttentionMap
from exports import svg_heat_map as heat
from exports.attention_colours import HEADS, clean, top
from exports.attention_labels import label, width
from exports.attention_origin import Origin, told
from exports.svg_sheet import EDGE, QUIET, Sheet, n

MOST_LINES = 20_000  # over all heads; more make a file that no editor opens
_LABEL = 10  # pixels, size of a token's label
_BOLD = ' font-weight="bold"'


@dataclass(frozen=True, slots=True)
class _Lines:
    """Of one head, the weakest first. queries, keys, weights: an entry a line."""

    name: str
    colour: str
    dashed: bool
    queries: npt.NDArray[np.intp]
    keys: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float32]


def lines_svg(pictures: Sequence[AttentionMap], origin: Origin, *, threshold: float) -> str:
    """Heads side by side, a colour each; a line for every weight from `threshold` up (the strongest 20,000, and the
    drawing says so). Raises InvalidInput for no picture, or for pictures of different tokens."""
    _check(pictures)
    heads, left_out = _strongest(pictures, threshold)
    strongest = max((float(head.weights[-1]) for head in heads if head.weights.size), default=0.0)
    first = pictures[0]
    sheet = Sheet(_lines_title(pictures), told(origin))
    row = 17 if len(first.queries) <= 120 else 13
    left, right = _column(first.queries), _column(first.keys)
    span = 240 if len(first.queries) <= 120 else 300
    start = EDGE + left
    page = max(start + span + right + EDGE, width(_lines_title(pictures), 14) + 2 * EDGE, 360)
    y = _lines_head(sheet, pictures, heads, page)
    y = sheet.lines(EDGE, y, _lines_note(heads, threshold, strongest, left_out, first.note), page - 2 * EDGE)
    sheet.text(start - 6, y + 14, "reads", size=9, anchor="end", style=f' fill="{QUIET}"')
    sheet.text(start + span + 6, y + 14, "is read", size=9, style=f' fill="{QUIET}"')
    y += 20
    for place, head in enumerate(heads):  # a little apart, or lines between the same tokens would hide each other
        apart = (place - (len(heads) - 1) / 2) * min(2.5, (row - 4) / len(heads))
        sheet.add(_paths(head, start, y + apart, span, row, len(first.queries), strongest))
    _tokens(sheet, first.queries, start - 6, y, row, end=True)
    _tokens(sheet, first.keys, start + span + 6, y, row, end=False)
    return sheet.drawn(page, y + row * max(len(first.queries), len(first.keys)) + EDGE)


def map_svg(picture: AttentionMap, origin: Origin) -> str:
    """A heat map: a rectangle a cell, or one image where they would be more than 20,000. Labels while the tokens are
    80 at most, else numbered ticks."""
    queries, keys = picture.weights.shape
    cell = heat.Cell(heat.along(keys), heat.along(queries))
    plot = (cell.wide * keys, cell.high * queries)
    left = EDGE + 14 + (max(map(_label_width, picture.queries), default=0) if queries <= heat.MOST_LABELS else 24) + 12
    title = picture.title
    page = max(left + plot[0] + 78, width(title, 14) + 2 * EDGE)
    sheet = Sheet(title, told(origin))
    sheet.text(EDGE, EDGE + 12, title, size=14, style=_BOLD)
    y = sheet.lines(EDGE, EDGE + 18, _sentence(picture.note), page - 2 * EDGE)
    above = max(map(_label_width, picture.keys), default=0.0) + 8 if keys <= heat.MOST_LABELS else 16
    plot_top = y + 14 + above
    heat.axis_titles(sheet, picture, left, y, plot_top)
    heat.cells(sheet, picture, left, plot_top, cell)
    sheet.rect(left, plot_top, *plot, 'fill="none" stroke="#000" stroke-width=".75"')
    heat.rows(sheet, picture.queries, left, plot_top, cell.high)
    heat.columns(sheet, picture.keys, left, plot_top, cell.wide)
    bar = min(max(plot[1], 120), 240)
    heat.colour_bar(sheet, left + plot[0] + 18, plot_top, bar, top(picture))
    return sheet.drawn(page, plot_top + max(plot[1], bar) + EDGE + 4)


def _check(pictures: Sequence[AttentionMap]) -> None:
    if not pictures:
        raise InvalidInput("No head is chosen.", next_step="Choose at least one head.")
    if any((one.queries, one.keys) != (pictures[0].queries, pictures[0].keys) for one in pictures):
        raise InvalidInput(
            "The heads are of different texts.", next_step="Draw them one by one, or put the same text before each."
        )


def _strongest(pictures: Sequence[AttentionMap], threshold: float) -> tuple[list[_Lines], int]:
    """The lines of each head, and how many more there would be."""
    found = [np.where(one.weights >= threshold, clean(one.weights), 0) for one in pictures]
    kept = np.concatenate([weights[weights > 0] for weights in found])
    left_out = max(kept.size - MOST_LINES, 0)
    least = np.partition(kept, left_out)[left_out] if left_out else 0.0
    room = MOST_LINES - int((kept > least).sum())  # for lines that are as weak as the weakest that is drawn
    heads = []
    for place, (picture, weights) in enumerate(zip(pictures, found, strict=True)):
        above, equal = np.flatnonzero(weights > least), np.flatnonzero((weights == least) & (weights > 0))[:room]
        room -= equal.size
        cells = np.concatenate([above, equal])
        cells = cells[np.argsort(weights.flat[cells], kind="stable")]
        queries, keys = np.unravel_index(cells, weights.shape)
        name = picture.title if len({one.layer for one in pictures}) > 1 else picture.title.partition(", ")[2]
        colour, dashed = HEADS[place % len(HEADS)], place >= len(HEADS)
        heads.append(_Lines(name, colour, dashed, queries, keys, weights[queries, keys].astype(np.float32)))
    return heads, left_out


def _lines_title(pictures: Sequence[AttentionMap]) -> str:
    if len(pictures) == 1:
        return pictures[0].title
    layers = {one.title.partition(", ")[0] for one in pictures}
    return f"{', '.join(layers)}, {len(pictures)} heads" if len(layers) == 1 else f"{len(pictures)} heads"


def _lines_head(sheet: Sheet, pictures: Sequence[AttentionMap], heads: Sequence[_Lines], page: float) -> float:
    """The title, and which colour is which head; returns where it ends."""
    sheet.text(EDGE, EDGE + 12, _lines_title(pictures), size=14, style=_BOLD)
    x, y = float(EDGE), EDGE + 18.0
    if len(heads) == 1:
        return y
    for head in heads:
        wide = 24 + width(head.name, _LABEL) + 14
        if x > EDGE and x + wide > page - EDGE:
            x, y = EDGE, y + 15
        sheet.add(
            f'<path d="M{n(x)} {n(y + 9)}h18" stroke="{head.colour}" stroke-width="2.5"{_dash(head)} fill="none"/>'
        )
        sheet.text(x + 23, y + 12.5, head.name)
        x += wide
    return y + 20


def _lines_note(heads: Sequence[_Lines], threshold: float, strongest: float, left_out: int, note: str) -> str:
    drawn = sum(head.weights.size for head in heads)
    if not drawn:
        words = f"No weight reaches {threshold:.2g}."
    elif left_out:
        words = f"The strongest {drawn:,} of {drawn + left_out:,} weights from {threshold:.2g} up"
    else:
        words = f"{drawn:,} weights from {threshold:.2g} up" if drawn > 1 else f"One weight from {threshold:.2g} up"
    words += f"; the darkest is {strongest:.2g}." if drawn else ""
    return f"{words} {_sentence(note)}".strip()


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('.') else '.'}" if note else ""


def _paths(head: _Lines, x: float, y: float, span: float, row: float, rows: int, strongest: float) -> str:
    """As dark and as thick as the weight is large; thinner in a long text, where many meet at its first token. One
    group a head, so that an editor can move or recolour it."""
    half, thick = n(span / 2), 1.9 * min(1.0, max(0.35, 40 / rows))
    shares = head.weights / strongest if head.weights.size else head.weights
    lines = "".join(
        f'<path d="M0 {n(start)}C{half} {n(start)} {half} {n(end)} {n(span)} {n(end)}" '
        f'stroke-opacity="{n(max(share, 0.04))}" stroke-width="{n(0.5 + thick * share)}"/>\n'
        for start, end, share in zip(
            ((head.queries + 0.5) * row).tolist(), ((head.keys + 0.5) * row).tolist(), shares.tolist(), strict=True
        )
    )
    place = f'transform="translate({n(x)} {n(y)})"'
    return f'<g {place} fill="none" stroke="{head.colour}"{_dash(head)}>\n{lines}</g>'


def _dash(head: _Lines) -> str:
    return ' stroke-dasharray="4 2.5"' if head.dashed else ""


def _column(pieces: Sequence[str]) -> float:
    """Room for the labels and the number of a token."""
    return max(map(_label_width, pieces), default=0.0) + 36


def _label_width(piece: str) -> float:
    return width(label(piece), _LABEL)


def _tokens(sheet: Sheet, pieces: Sequence[str], x: float, y: float, row: float, *, end: bool) -> None:
    """A column of labels, a number beside each fifth (each, of a short text)."""
    wide = max(map(_label_width, pieces), default=0.0) + 8
    step = 1 if len(pieces) <= 30 else 5
    for place, piece in enumerate(pieces):
        baseline = y + (place + 0.5) * row + 3.5
        sheet.text(x, baseline, label(piece), size=_LABEL, anchor="end" if end else "start")
        if place % step == 0:
            outside, anchor = (x - wide, "end") if end else (x + wide, "start")
            sheet.text(outside, baseline, str(place), size=8, anchor=anchor, style=f' fill="{QUIET}"')

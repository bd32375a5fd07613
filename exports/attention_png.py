"""Attention as pictures of pixels: one head, and all heads on a sheet, in the light theme's colours.

A cell is a whole number of pixels, so that nothing is blurred. The origin stands in the file's text chunks.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from core.errors import InvalidInput
from core.interpret.maps import AttentionMap
from exports.attention_colours import BAR_TICKS, Levels, levels, palette, tick_step, top
from exports.attention_labels import label, plain
from exports.attention_origin import NOT_EXPLANATION, Origin, as_json, facts, made
from exports.picture_fonts import bundled, font_for

if TYPE_CHECKING:  # it loads torch, which a file of numbers has no need of
    from core.interpret.overview import Overview

LARGEST_SIDE = 6_000  # pixels of the cells' square: 108 MB while it is drawn
MOST_LABELS = 80  # tokens
SMALLEST_LABELLED = 11  # pixels a cell; a label needs them to be read
_EDGE = 16
_INK, _QUIET, _FRAME = (0, 0, 0), (89, 89, 89), (150, 150, 150)
_NUMBERED = "#: tokens in signs that no font here has; SVG and HTML show them."


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells are, in pixels from the left upper corner. wide, high: of a cell; equal wherever queries and keys
    are the same tokens."""

    left: int
    top: int
    wide: int
    high: int
    width: int
    height: int


def map_png(picture: AttentionMap, *, scale: int | None = None, origin: Origin | None = None) -> bytes:
    """scale: pixels a cell; default, what makes the picture about 1,200 pixels wide. Raises InvalidInput when it would
    be more than 6,000."""
    place = layout(picture, scale)
    canvas = Image.new("RGB", (place.width, place.height), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((_EDGE, _EDGE), plain(picture.title), fill=_INK, font=bundled(18))
    below = _words(draw, _note(picture), _EDGE, _EDGE + 26, place.width - 2 * _EDGE, 12)
    cells = _coloured(levels(picture), place.wide, place.high)
    canvas.paste(cells, (place.left, place.top))
    frame = (place.left - 1, place.top - 1, place.left + cells.width, place.top + cells.height)
    draw.rectangle(frame, outline=_FRAME)
    _axis(canvas, picture.keys, place, across=True)
    _axis(canvas, picture.queries, place, across=False)
    rows = "   rows: reads (query)" if picture.queries == picture.keys else ""
    draw.text((place.left, below + 2), f"columns: is read (key){rows}", fill=_QUIET, font=bundled(12))
    _colour_bar(canvas, place.left + cells.width + 20, place.top, min(max(cells.height, 120), 320), top(picture))
    drawn = (*_labelled(picture.queries, place.high), *_labelled(picture.keys, place.wide))
    if any(_drawable(piece) is None for piece in drawn):
        draw.text((_EDGE, place.height - 22), _NUMBERED, fill=_QUIET, font=bundled(12))
    return _png(canvas, picture.title, origin)


def layout(picture: AttentionMap, scale: int | None = None) -> Layout:
    """Where `map_png` puts what."""
    queries, keys = picture.weights.shape
    wide, high = (max(1, min(24, 1200 // count)) if scale is None else scale for count in (keys, queries))
    if wide < 1 or max(wide * keys, high * queries) > LARGEST_SIDE:
        raise InvalidInput(
            f"{wide} pixels a cell cannot be drawn for {max(queries, keys):,} tokens.",
            allowed=f"1 to {max(1, LARGEST_SIDE // max(queries, keys))} pixels.",
            next_step="Take fewer pixels a cell, or fewer tokens.",
        )
    left = _EDGE + _longest(_labelled(picture.queries, high), _label_size(high), 36) + 8
    width = max(left + wide * keys + 90, 420, round(bundled(18).getlength(plain(picture.title))) + 2 * _EDGE)
    scratch = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    head = _words(scratch, _note(picture), 0, _EDGE + 26, width - 2 * _EDGE, 12) + 20
    above = head + _longest(_labelled(picture.keys, wide), _label_size(wide), 16) + 8
    return Layout(left, above, wide, high, width, above + max(high * queries, 120) + 2 * _EDGE + 8)


def overview_png(overview: Overview, *, origin: Origin | None = None) -> bytes:
    """A sheet of all heads: layers down, heads across, numbered as the model numbers them."""
    layers, heads, rows, columns = overview.tiles.shape
    factor = max(1, (64 if layers * heads <= 400 else 48) // max(rows, columns, 1))
    wide, high, gap = columns * factor, rows * factor, 6
    left, above = _EDGE + 44, _EDGE + 76
    width = max(left + heads * (wide + gap) + _EDGE, 420)
    canvas = Image.new("RGB", (width, above + layers * (high + gap) + _EDGE + 36), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((_EDGE, _EDGE), f"{layers} layers of {heads} heads", fill=_INK, font=bundled(18))
    _words(draw, _sheet_note(overview), _EDGE, _EDGE + 26, width - 2 * _EDGE, 12)
    draw.text((_EDGE, above - 22), "layer", fill=_QUIET, font=bundled(11))
    for head in range(heads):
        draw.text(
            (left + head * (wide + gap) + wide // 2, above - 22), str(head), fill=_INK, font=bundled(12), anchor="ma"
        )
    for layer in range(layers):
        y = above + layer * (high + gap)
        draw.text((left - 10, y + high // 2), str(layer), fill=_INK, font=bundled(12), anchor="rm")
        for head in range(heads):
            x = left + head * (wide + gap)
            canvas.paste(_coloured(overview.tiles[layer, head], factor, factor), (x, y))
            draw.rectangle((x - 1, y - 1, x + wide, y + high), outline=(205, 205, 205))
    _flat_bar(draw, left, canvas.height - _EDGE - 22)
    return _png(canvas, f"All heads: {layers} layers of {heads}", origin)


def cells_png(values: Levels, scale: int) -> bytes:
    """The coloured cells alone. values: [query, key], levels of `attention_colours.levels`."""
    picture = Image.fromarray(np.repeat(np.repeat(values, scale, axis=0), scale, axis=1))
    picture.putpalette(palette().tobytes())
    return _png(picture, "", None)


def _coloured(values: Levels, wide: int, high: int) -> Image.Image:
    """RGB, so many pixels a cell."""
    return Image.fromarray(np.repeat(np.repeat(palette()[values], high, axis=0), wide, axis=1))


def _axis(canvas: Image.Image, pieces: Sequence[str], place: Layout, *, across: bool) -> None:
    """Labels: keys above, turned to be read from below; queries at the left. Else numbers at round places."""
    cell = place.wide if across else place.high
    if not _labelled(pieces, cell):
        _ticks(canvas, len(pieces), place, across=across)
        return
    for number, piece in enumerate(pieces):
        words = _words_of(piece, number, _label_size(cell))
        middle = number * cell + cell // 2
        if across:
            words = words.rotate(90, expand=True)
            where = (place.left + middle - words.width // 2, place.top - 5 - words.height)
        else:
            where = (place.left - 6 - words.width, place.top + middle - words.height // 2)
        canvas.paste(_INK, where, words)


def _ticks(canvas: Image.Image, count: int, place: Layout, *, across: bool) -> None:
    draw = ImageDraw.Draw(canvas)
    cell = place.wide if across else place.high
    for number in range(0, count, tick_step(count, max(1, min(12, cell * count // 40)))):
        middle = number * cell + cell // 2
        where = (place.left + middle, place.top - 6) if across else (place.left - 6, place.top + middle)
        draw.text(where, str(number), fill=_INK, font=bundled(12), anchor="ms" if across else "rm")


def _labelled(pieces: Sequence[str], cell: int) -> Sequence[str]:
    """The pieces, where there is room to write them."""
    return pieces if len(pieces) <= MOST_LABELS and cell >= SMALLEST_LABELLED else ()


def _note(picture: AttentionMap) -> str:
    return picture.note[:1].upper() + picture.note[1:]


def _words_of(piece: str, number: int, size: int) -> Image.Image:
    """A label as a mask of fixed height; a piece that no font here can draw is told by its number."""
    words = _drawable(piece) or f"#{number}"
    font = font_for(words, size) or bundled(size)
    mask = Image.new("L", (max(1, round(font.getlength(words)) + 1), size + 5), 0)
    ImageDraw.Draw(mask).text((0, size), words, fill=255, font=font, anchor="ls")
    return mask


def _drawable(piece: str) -> str | None:
    words = label(piece)
    return words if font_for(words, 12) else None


def _longest(pieces: Sequence[str], size: int, otherwise: int) -> int:
    """Pixels."""
    return max((_words_of(piece, number, size).width for number, piece in enumerate(pieces)), default=otherwise)


def _label_size(cell: int) -> int:
    return max(9, min(14, cell - 3))


def _colour_bar(canvas: Image.Image, x: int, y: int, high: int, most: float) -> None:
    shades = np.linspace(255, 1, high).round().astype(np.uint8)[:, np.newaxis]
    canvas.paste(_coloured(shades, 14, 1), (x, y))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((x - 1, y - 1, x + 14, y + high), outline=_FRAME)
    for share in BAR_TICKS:
        where = (x + 20, y + round((high - 1) * (1 - share**0.5)))
        draw.text(where, f"{share * most:.2g}", fill=_INK, font=bundled(12), anchor="lm")
    draw.text((x, y - 10), "weight", fill=_QUIET, font=bundled(12), anchor="ls")


def _flat_bar(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for place, colour in enumerate(palette()[1:].tolist()):
        draw.line((x + place, y, x + place, y + 9), fill=tuple(colour))
    for share in (0.0, 0.1, 0.25, 0.5, 1.0):
        draw.text((x + round(254 * share**0.5), y + 12), f"{share:g}", fill=_INK, font=bundled(11), anchor="ma")
    draw.text((x + 272, y + 10), "weight", fill=_QUIET, font=bundled(11), anchor="ls")


def _sheet_note(overview: Overview) -> str:
    each = overview.tokens_per_cell
    cells = "a cell a pair of tokens" if each == 1 else f"a cell the largest weight of {each} × {each} tokens"
    return f"{overview.tokens:,} tokens, {cells}. Layers down, heads across. {overview.note}".strip()


def _words(draw: ImageDraw.ImageDraw, words: str, x: int, y: int, most: int, size: int) -> int:
    """Lines of `most` pixels; returns where they end. Signs that no font here has are left as Pillow draws them."""
    line = ""
    font = font_for(plain(words), size) or bundled(size)
    for word in [*plain(words).split(), ""]:
        if line and (not word or font.getlength(f"{line} {word}") > most):
            draw.text((x, y), line, fill=_INK, font=font)
            line, y = "", y + size + 4
        line = f"{line} {word}".strip()
    return y


def _png(picture: Image.Image, title: str, origin: Origin | None) -> bytes:
    """Text chunks under the names of the PNG specification, 11.3.3.2, and the origin as JSON."""
    chunks = PngInfo()
    if origin:
        chunks.add_itxt("Title", plain(title))
        chunks.add_itxt("Software", made(origin))
        chunks.add_itxt("Description", "\n".join(f"{name}: {value}" for name, value in facts(origin)))
        chunks.add_itxt("Comment", NOT_EXPLANATION)
        chunks.add_itxt("Origin", as_json(origin))
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=chunks)
    return file.getvalue()

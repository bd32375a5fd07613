"""Fonts for pictures of pixels: Pillow's own first, then what this machine has, one that knows every sign of a text.

Pillow's own knows little more than ASCII. A text that no font here can draw is not drawn at all (`font_for` says None):
boxes in place of signs would look like a token of boxes.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont, features

# Found by name in the system's font folders; each has Latin, Greek and Cyrillic, some more.
_SYSTEM = ("DejaVuSans.ttf", "Arial Unicode.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "arial.ttf")
_NOBODYS = "\U0010ffff"  # a code point that no font draws: what is drawn for it is drawn for every unknown sign
Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=64)
def bundled(size: int) -> Font:
    """Pillow's own, in pixels: the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def font_for(text: str, size: int) -> Font | None:
    """The first font that draws every sign of the text; None when there is none."""
    if _needs_shaping(text) and not features.check("raqm"):
        return None  # right to left, or letters that join: without it they would stand in the wrong order
    return next((font for font in _fonts(size) if all(_draws(font, sign) for sign in text)), None)


@lru_cache(maxsize=64)
def _fonts(size: int) -> tuple[Font, ...]:
    found = [bundled(size)]
    for name in _SYSTEM:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=16_384)
def _draws(font: Font, sign: str) -> bool:
    return sign == " " or _marks(font, sign) != _marks(font, _NOBODYS)


def _marks(font: Font, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(sign)
    return mask.size, bytes(mask)


def _needs_shaping(text: str) -> bool:
    return any(unicodedata.bidirectional(sign) in ("R", "AL") or unicodedata.combining(sign) for sign in text)

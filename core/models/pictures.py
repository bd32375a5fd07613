"""A picture file becomes what a CNN reads: the same way in training, in the playground and on the command line."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CorruptFile, InvalidInput

Picture = npt.NDArray[np.uint8]
"""[colours, size, size]."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MAX_PIXELS = 64_000_000
_MODES = {1: "L", 3: "RGB"}


def read_picture(source: Path | bytes, *, size: int, colours: int, name: str = "") -> Picture:
    """Upright, without transparency (on white), pressed into a square. name: for messages, of what came as bytes.

    Raises CorruptFile for what is no picture or is cut off, InvalidInput for more than MAX_PIXELS.
    """
    image = open_picture(source, name)
    if image.mode.startswith("I;16"):  # sixteen bits a pixel
        image = image.point(lambda value: value / 256).convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        from PIL import Image

        see_through = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), see_through)
    return to_square(image.convert(_MODES[colours]), size)


def open_picture(source: Path | bytes, name: str = "") -> Any:
    """The first frame as a PIL image, decoded, turned as its EXIF says. Raises CorruptFile, InvalidInput."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    called = name or (str(source) if isinstance(source, Path) else "The picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the bound below is ours
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise InvalidInput(
                f"{called} has {width:,} x {height:,} pixels.", allowed=f"At most {MAX_PIXELS / 1e6:.0f} million."
            )
        return ImageOps.exif_transpose(image)
    except InvalidInput:
        raise
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {called}.", next_step="Check the path.") from error
    except Exception as error:  # each decoder fails in its own way
        why = "its content is of no kind that is known" if isinstance(error, UnidentifiedImageError) else str(error)
        raise CorruptFile(
            f"{called} is no picture that can be read: {' '.join(why.split())[:200]}.",
            allowed=", ".join(FORMATS) + ".",
            next_step="Open it in an image program and save it as PNG.",
        ) from error


def to_square(image: Any, size: int) -> Picture:
    """[colours, size, size] of a PIL image in L or RGB. Bilinear, with all pixels counted where it shrinks."""
    from PIL import Image

    pixels = np.array(image if image.size == (size, size) else image.resize((size, size), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def to_image(picture: Picture) -> Any:
    """A PIL image in L or RGB."""
    from PIL import Image

    return Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))


def png_bytes(picture: Picture, *, side: int = 0) -> bytes:
    """A PNG. side: pixels that a smaller picture is brought to, each of its own a square (0: as it is)."""
    from PIL import Image

    image = to_image(picture)
    if side > image.width:
        factor = max(1, side // image.width)
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()

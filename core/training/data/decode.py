"""Bytes of a text file become text, and odd bytes are remembered until their rows are known.

UTF-8 and UTF-16 with a mark are read as such. A byte that is not UTF-8 travels through the parser as a lone surrogate
(Python's `surrogateescape`), so that the very row it stands in can be named; `mend` then reads it as Windows-1252.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from core.errors import InvalidInput

ODD = re.compile("[\ud800-\udfff]")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_KNOWN = (
    (b"PK\x03\x04", "a zip archive or an office file; save the sheet as CSV"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"%PDF", "a PDF; save its text as TXT"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database; save a table of it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old office file; save the sheet as CSV"),
    (b"\x80\x02", "a Python pickle, which is never loaded"),
    (b"\x80\x03", "a Python pickle, which is never loaded"),
    (b"\x80\x04", "a Python pickle, which is never loaded"),
    (b"\x80\x05", "a Python pickle, which is never loaded"),
)
_LOOKED_AT = 65_536
"""Bytes searched for what text does not have."""


def decode(path: Path, raw: bytes, kinds: str) -> str:
    """The file's text, odd bytes as lone surrogates. kinds: files that would do, for the message.

    Raises InvalidInput for what is no text.
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return raw.decode(name, "surrogateescape" if name.startswith("utf-8") else "replace")
    for start, what in _KNOWN:
        if raw.startswith(start):
            raise InvalidInput(f"{path.name} is {what}.", allowed=kinds)
    zero = raw.find(b"\0", 0, _LOOKED_AT)
    if zero >= 0:
        raise InvalidInput(f"{path.name} is no text: byte {zero + 1:,} is zero.", allowed=kinds)
    return raw.decode("utf-8", "surrogateescape")


def mend(text: str) -> str:
    """Odd bytes read as Windows-1252; a surrogate that never was a byte becomes U+FFFD."""
    return ODD.sub(_mended, text)


def _mended(match: re.Match[str]) -> str:
    code = ord(match.group())
    return bytes([code - 0xDC00]).decode("cp1252", "replace") if 0xDC80 <= code <= 0xDCFF else "�"

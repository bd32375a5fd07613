"""A file name from a title: safe on every system, and still readable in the writer's own script."""

from __future__ import annotations

import re
import unicodedata

LONGEST_BYTES = 120
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10)}


def safe_filename(title: str, extension: str, fallback: str = "session") -> str:
    """`title` as a file name ending in `.extension`, 120 bytes of UTF-8 at most before it.

    Letters and digits of any script, `-`, `_` and `.` stay; everything else (separators, quotes, control and
    direction characters) becomes a single hyphen. fallback: for a title of which nothing stays.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(character if _is_kept(character) else "-" for character in text)
    text = re.sub(r"-{2,}", "-", text).strip("-. ")
    text = text.encode("utf-8")[:LONGEST_BYTES].decode("utf-8", errors="ignore").rstrip("-. ")
    if not text:
        text = fallback
    if text.split(".")[0].casefold() in RESERVED:
        text = f"{text}-{fallback}" if "." not in text else f"{fallback}-{text}"
    return f"{text}.{extension.lstrip('.')}"


def _is_kept(character: str) -> bool:
    return character in "-_." or unicodedata.category(character)[0] in "LNM"

"""Figures and other people's text in a line of words."""

from __future__ import annotations


def count_words(count: int) -> str:
    """A count of parameters, as the field says it: 135 M, 8.0 B."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} B"
    return f"{count / 1e6:,.0f} M" if count >= 1e6 else f"{count:,}"


def bytes_words(size: int) -> str:
    """A size in decimal units."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def plain(text: str) -> str:
    """Text of somebody else's in a line of Markdown, with its marks made plain."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~$:" else c for c in text)


def cut(text: str, longest: int) -> str:
    """The beginning of a text, `longest` characters at most."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def count_of(number: int, noun: str) -> str:
    """1 model, 2 models."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


def share(probability: float) -> str:
    """43 %, 4.3 %, < 0.1 %."""
    percent = 100 * probability
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %"

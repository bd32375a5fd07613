"""`Sheet`: an SVG drawing for a paper: white ground, black text, nothing from elsewhere."""

from __future__ import annotations

from exports.attention_labels import escaped, width

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
QUIET = "#595959"  # 7 : 1 on white
EDGE = 12  # pixels of white around a drawing


class Sheet:
    """Shapes and text in pixels; the drawing is as large as what it was told to hold."""

    def __init__(self, title: str, about: str) -> None:
        """title, about: of the file, for its properties and for those who do not see the picture."""
        self._title, self._about = escaped(title), escaped(about)
        self._parts: list[str] = []

    def add(self, markup: str) -> None:
        """Markup as it is: whoever writes it has escaped it."""
        self._parts.append(markup)

    def text(self, x: float, y: float, words: str, *, size: float = 10, anchor: str = "start", style: str = "") -> None:
        """One line, its baseline at y. anchor: start, middle or end. style: more attributes, such as a weight."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.add(f'<text x="{n(x)}" y="{n(y)}" font-size="{n(size)}"{place}{style}>{escaped(words)}</text>')

    def lines(self, x: float, y: float, words: str, most: float, *, size: float = 9) -> float:
        """Words in lines of `most` pixels at the most, the first below y; returns where they end."""
        line = ""
        for word in [*words.split(), ""]:
            if line and (not word or width(f"{line} {word}", size) > most):
                y += size + 3
                self.text(x, y, line, size=size)
                line = ""
            line = f"{line} {word}".strip()
        return y + 4 if words else y

    def rect(self, x: float, y: float, wide: float, high: float, style: str) -> None:
        self.add(f'<rect x="{n(x)}" y="{n(y)}" width="{n(wide)}" height="{n(high)}" {style}/>')

    def drawn(self, wide: float, high: float) -> str:
        """The whole: scales to the page it is put on, and opens at its own size."""
        size = f'width="{n(wide)}" height="{n(high)}"'
        return (
            f'<svg{NAMESPACE} viewBox="0 0 {n(wide)} {n(high)}" {size} role="img" aria-label="{self._title}" '
            f'font-family="{FONT}" fill="#000">\n<title>{self._title}</title>\n<desc>{self._about}</desc>\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n{chr(10).join(self._parts)}\n</svg>\n'
        )


def inline(svg: str) -> str:
    """The drawing as a part of an HTML page, which needs no name space."""
    return svg.replace(NAMESPACE, "", 1)


def n(value: float) -> str:
    """A coordinate, to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")

"""The formulas of attention in LaTeX with real numbers in them, for the five-word example and for a head of a model.

Numbers have three significant digits, and three decimals at most. Text of the reader's and of the model's is made
plain: KaTeX reads none of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from core.estimate.amounts import digits
from core.interpret.worked_example import Floats
from pages.widgets.words import cut

LONGEST_WORD = 14  # characters
MOST_NUMBERS = 4  # of a longer vector, the first three and the last are written out
MOST_EXPONENT = 20.0  # e to more than that is no number that anybody can picture
NO_PLUS = r"\phantom{+}"  # of the first line of a sum
_PLAIN = {
    "\\": r"\textbackslash ", "{": r"\{", "}": r"\}", "$": r"\textdollar ", "%": r"\%", "#": r"\#", "&": r"\&",
    "_": r"\_", "^": r"\textasciicircum ", "~": r"\textasciitilde ", "`": "'", "\n": "↵", "\t": "⇥", " ": r"\ ",
}  # fmt: skip


def number(value: float) -> str:
    """3.14, -0.002, 6.4 × 10⁹, −∞."""
    if not math.isfinite(value):
        return r"-\infty" if value < 0 else r"\infty"
    if _is_plain(value):
        return _rounded(value).replace(",", "{,}")
    mantissa, power = f"{value:.1e}".split("e")
    return rf"{digits(float(mantissa))} \times 10^{{{int(power)}}}"


def figure(value: float) -> str:
    """A number in words beside the formulas: −0.5, 6.4e9."""
    return (_rounded(value) if _is_plain(value) else f"{value:.1e}").replace("-", "−")


def factor(value: float) -> str:
    """The same inside a product: in brackets when a minus sign would be taken for another one."""
    return f"({number(value)})" if value < 0 else number(value)


def word(text: str) -> str:
    """Text among formulas, cut when it is long; a piece without its leading space."""
    shown = cut(text.strip(" ") or "␣", LONGEST_WORD)
    safe = (_PLAIN.get(sign) or (sign if sign.isprintable() else "·") for sign in shown)
    return rf"\text{{{''.join(safe)}}}"


def vector(values: Iterable[float]) -> str:
    """(1, 0.5, …, −2)."""
    return f"({', '.join(_few([number(value) for value in values]))})"


def dot(left: Sequence[float] | Floats, right: Sequence[float] | Floats) -> str:
    """2 · 0 + 2 · 3 + …: a dot product written out."""
    return " + ".join(_few([rf"{factor(a)} \cdot {factor(b)}" for a, b in zip(left, right, strict=True)]))


def exponential(value: float, largest: float) -> str:
    """e to the score; of large scores, with the largest taken off, as it is computed."""
    if not math.isfinite(value):
        return "0"
    return f"e^{{{number(value - largest if shifted(largest) else value)}}}"


def exponentials(scores: Floats) -> Floats:
    """What those come to."""
    largest = float(scores.max())
    return np.exp(scores - largest if shifted(largest) else scores)


def shifted(largest: float) -> bool:
    """Whether the largest score is taken off before e is raised to it."""
    return abs(largest) > MOST_EXPONENT


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Formulas below each other, aligned where their parts meet."""
    return r"\small\begin{aligned}" + r" \\ ".join(" & ".join(row) for row in rows) + r"\end{aligned}"


def _is_plain(value: float) -> bool:
    """Whether it is written without a power of ten."""
    return not value or 5e-4 <= abs(value) < 1e6


def _rounded(value: float) -> str:
    shown = digits(value if abs(value) >= 0.1 else round(value, 3))
    return "0" if shown == "-0" else shown


def _few(parts: list[str]) -> list[str]:
    return parts if len(parts) <= MOST_NUMBERS else [*parts[:3], r"\dots", parts[-1]]

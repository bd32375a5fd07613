"""`Origin`: where a figure of the dashboard comes from, as a tree down to the recorded runs; a missing link is shown.

margin → revenue and the parts of COGS → tokens (task → recorded runs) and $ per million tokens (estimate → its figures
→ measurements → the rounds that were timed). What was typed in says so, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "margin",
    "revenue",
    "cogs",
    "price",
    "tokens",
    "estimate",
    "api",
    "typed",
    "measurement",
    "run",
    "figure",
    "missing",
]
Page = Literal["cost", "models", "playground", "attention"]
Cells = dict[str, str | int]

MOST_MEASURED = 3  # footnotes of single measurements
NAMES: dict[str, str] = {
    "margin": "Margin",
    "revenue": "Revenue",
    "cogs": "Cost",
    "price": "Price",
    "tokens": "Tokens",
    "estimate": "Estimate",
    "api": "API price",
    "typed": "Typed in",
    "measurement": "Measurement",
    "run": "Run",
    "figure": "Figure",
    "missing": "Missing",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A page that shows it. about: the id of a model, a session or a run there; "" for the page as a whole."""

    page: Page
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One step of the way. value: in words, with its unit. detail: names and values. formula: LaTeX. advice: what to do
    about a link that is missing or weak. footnote: the step in one sentence, "" where its children say it all."""

    kind: Kind
    label: str
    value: str = ""
    detail: tuple[tuple[str, str], ...] = ()
    id: str = ""
    formula: str = ""
    source: str = ""
    advice: str = ""
    footnote: str = ""
    link: Link | None = None
    children: tuple[Origin, ...] = field(default=())

    def walk(self) -> Iterator[tuple[str, Origin]]:
        """(place, step), top down: ("1", self), ("1.1", its first child) …"""
        return _walk(self, "1")

    def find(self, kind: Kind) -> tuple[Origin, ...]:
        return tuple(one for _, one in self.walk() if one.kind == kind)

    @property
    def is_measured(self) -> bool:
        """Whether recorded runs or measurements stand at an end of it."""
        return bool(self.find("run") or self.find("measurement"))

    @property
    def weak(self) -> tuple[Origin, ...]:
        """Links that could be measured, and were typed in or are missing."""
        return tuple(one for _, one in self.walk() if one.kind in ("typed", "missing") and one.advice)

    def to_rows(self) -> list[Cells]:
        """One a step, for CSV."""
        return [
            {
                "place": place,
                "depth": place.count("."),
                "kind": one.kind,
                "label": one.label,
                "value": one.value,
                "id": one.id,
                "detail": "; ".join(f"{name}: {value}" for name, value in one.detail),
                "formula": one.formula,
                "source": one.source,
                "advice": one.advice,
            }
            for place, one in self.walk()
        ]

    def footnotes(self, *, first: int = 1) -> tuple[str, ...]:
        """What reports put under a figure, numbered: each end of the way once."""
        told: dict[str, None] = {}
        measured = 0
        for _, one in self.walk():
            measured += one.kind == "measurement"
            if one.footnote and (one.kind != "measurement" or measured <= MOST_MEASURED):
                told[one.footnote] = None
        if measured > MOST_MEASURED:
            told[f"{measured - MOST_MEASURED} further measurements stand behind the same estimate."] = None
        return tuple(f"{first + place}. {text}" for place, text in enumerate(told))


def _walk(one: Origin, place: str) -> Iterator[tuple[str, Origin]]:
    yield place, one
    for number, child in enumerate(one.children, start=1):
        yield from _walk(child, f"{place}.{number}")


def joined(parts: Sequence[str], between: str = " · ") -> str:
    return between.join(part for part in parts if part)

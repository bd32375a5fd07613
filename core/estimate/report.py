"""`Report`: one estimate as it is shown, saved, compared and taken away: what was asked, the figures, and the notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from core.estimate.figures import Figure

Kind = Literal["train", "memory", "serve", "breakeven"]
KINDS: tuple[Kind, ...] = ("train", "memory", "serve", "breakeven")
TITLES: dict[Kind, str] = {"train": "Training", "memory": "Memory", "serve": "Serving", "breakeven": "API or own"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """spec: the configuration that repeats it, as `python -m core estimate` reads it. sentence: the answer in words.
    notes: what was assumed, what is unknown and why. more: answers that are no range (a break-even that may never
    come, a saving that may be negative), as JSON, by key."""

    kind: Kind
    spec: dict[str, Any]
    sentence: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.key == key), None)

    @property
    def measurement_ids(self) -> tuple[str, ...]:
        """Of all its figures, each once."""
        return tuple(dict.fromkeys(one for figure in self.figures for one in figure.measurement_ids))

    def to_json(self) -> dict[str, Any]:
        """Each figure under its key, which carries its unit, as low, expected and high; then what was asked and
        noted."""
        return (
            {figure.key: figure.to_json() for figure in self.figures}
            | self.more
            | {
                "kind": self.kind,
                "sentence": self.sentence,
                "notes": list(self.notes),
                "measurement_ids": list(self.measurement_ids),
                "spec": self.spec,
            }
        )

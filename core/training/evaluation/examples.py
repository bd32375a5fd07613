"""The rows a model did best and worst on, as a reader looks at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.training.evaluation.bootstrap import Floats
from core.training.evaluation.report import Example

EACH = 10  # best, and as many worst
LONGEST = 600  # characters shown of a row

Images = Sequence[str] | Callable[[int], str]
"""PNGs as base64: one for each test row, or a function of the row's place, asked for the shown rows alone."""


def examples(
    scores: Floats,
    *,
    rows: Sequence[int],
    shown: Sequence[str],
    truth: Callable[[int], str],
    said: Callable[[int], str],
    high_is_good: bool,
    images: Images | None = None,
    usable: Sequence[int] | None = None,
) -> tuple[Example, ...]:
    """Worst rows first, then best, none twice. scores: [row]. truth, said: of a row's place. usable: places that may
    be shown, default all."""
    places = np.arange(len(scores)) if usable is None else np.asarray(usable, dtype=np.intp)
    ordered = places[np.argsort(scores[places] if high_is_good else -scores[places], kind="stable")].tolist()
    worst = ordered[: min(EACH, (len(ordered) + 1) // 2)]
    best = ordered[len(worst) :][::-1][:EACH]
    return tuple(
        Example(
            int(rows[place]),
            cut(shown[place]),
            truth(place),
            said(place),
            float(scores[place]),
            place in best,
            _image(images, place),
        )
        for place in (*worst, *best)
    )


def cut(text: str) -> str:
    """At most `LONGEST` characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _image(images: Images | None, place: int) -> str:
    if images is None:
        return ""
    return images(place) if callable(images) else images[place]

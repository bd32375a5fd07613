"""The headline figure of each subgroup, and its gap to all rows: does the model serve some worse than others?

Gaps come with an interval, drawn in pairs with all rows; a small group's is wide, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.training.evaluation.bootstrap import Counts, Floats, bounds, ones, replicates
from core.training.evaluation.comparing import figure
from core.training.evaluation.report import GroupRow

MOST_GROUPS = 20  # the largest; the rest are told together
NO_GROUP = "(none)"

Part = npt.NDArray[np.intp]  # rows, by their places
PartMeasure = Callable[[Counts, Part], Floats]
"""The headline figure [draw] of these rows alone, from their counts [draw, row of the part]."""


def group_rows(groups: Sequence[Any] | None, measure: PartMeasure, rows: int, *, seed: int = 0) -> tuple[GroupRow, ...]:
    """Largest group first; nothing for a column with one group. groups: [row], whatever the file has."""
    if groups is None:
        return ()
    parts = _parts([_name(one) for one in groups])
    if len(parts) < 2:
        return ()
    everything = np.arange(rows)
    whole = float(measure(ones(rows), everything)[0])

    def of_all(counts: Counts) -> dict[str, Floats]:
        return {"": measure(counts, everything)} | {
            f" {name}": measure(counts[:, part], part) for name, part in parts.items()
        }

    drawn = replicates(rows, of_all, seed=seed)
    found = (_row(name, part, measure, whole, drawn) for name, part in parts.items())
    return tuple(one for one in found if np.isfinite(one.value))  # of a group without a token there is nothing to say


def gap_notes(found: tuple[GroupRow, ...], title: str, *, higher_is_better: bool) -> tuple[str, ...]:
    """Which groups are served worse than all rows together, beyond chance."""
    if not found:
        return ()
    worse = [one for one in found if _is_worse(one, higher_is_better)]
    if not worse:
        return (f"No subgroup's {title} is worse than that of all rows by more than chance explains.",)
    sign = 1 if higher_is_better else -1
    told = "; ".join(
        f"{one.group} ({one.rows:,} rows): {figure(one.value)}" for one in sorted(worse, key=lambda one: sign * one.gap)
    )
    many = " One group in forty looks so by chance alone." if len(found) > 5 else ""
    return (f"Served worse than all rows together, in {title}, beyond chance: {told}.{many}",)


def _row(name: str, part: Part, measure: PartMeasure, whole: float, drawn: dict[str, Floats]) -> GroupRow:
    value = float(measure(ones(len(part)), part)[0])
    of_part = drawn.get(f" {name}")
    low, high = bounds(of_part)
    gap = bounds(of_part - drawn[""]) if of_part is not None and len(part) > 1 else (None, None)
    if len(part) < 2:
        low = high = None
    return GroupRow(name, len(part), value, low, high, value - whole, *gap)


def _parts(names: list[str]) -> dict[str, Part]:
    column = np.asarray(names, dtype=object)
    found, number = np.unique(column, return_counts=True)
    ordered = found[np.argsort(-number, kind="stable")].tolist()
    kept = ordered if len(ordered) <= MOST_GROUPS else ordered[: MOST_GROUPS - 1]
    parts = {name: np.flatnonzero(column == name) for name in kept}
    if len(kept) < len(ordered):
        rest = np.flatnonzero(~np.isin(column, kept))
        parts[f"({len(ordered) - len(kept):,} smaller groups)"] = rest
    return parts


def _name(value: Any) -> str:
    """As it is written; one name for all that is empty."""
    text = "" if value is None or (isinstance(value, float) and value != value) else " ".join(str(value).split())
    return text or NO_GROUP


def _is_worse(one: GroupRow, higher_is_better: bool) -> bool:
    if one.gap_low is None or one.gap_high is None:
        return False
    return one.gap_high < 0 if higher_is_better else one.gap_low > 0

"""Pictures of a training: both losses in one, and small ones for what else it says of itself.

A training may tell of thousands of steps; a picture takes 400 points at most, each the mean of the records that it
stands for. They are Vega-Lite's, where other pictures are Plotly's: these change every second, and Plotly's would be
taken away and built again each time, which flickers. Here the specification stays and its table changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.store.training_points import PointKind, TrainingPoint
from core.training.evaluation.comparing import figure
from pages.widgets.chart_parts import short

Spec = dict[str, Any]
"""Of Vega-Lite."""

MOST_POINTS = 400
HEIGHT, SMALL_HEIGHT = 360, 220  # pixels
TRAINING, EVALUATION = "training", "evaluation"
LOST = " (then not a number)"
EDGE = "edge"  # place of a row that widens the axis and is not drawn
NARROWEST = 0.1  # span of an axis, as a share of its largest figure
PLAIN_TICK = (
    "replace(format(datum.value, abs(datum.value) >= 1e6 || abs(datum.value) < 1e-3 ? '.3~g' : ',.3~r'), 'e+', 'e')"
)
"""100 and −600, and 2e18 where that is too long. Vega's own would be 1e+2: it counts digits by the ticks' distance."""
COLUMNS = ("step", "value", "low", "high", "series", "best", "label", "place")
_PLACES: dict[str, Spec] = {
    "left above": {"align": "right", "dx": -4, "dy": -14},
    "left below": {"align": "right", "dx": -4, "dy": 16},
    "right above": {"align": "left", "dx": 8, "dy": -10},
    "right below": {"align": "left", "dx": 8, "dy": 12},
}
"""Where a label stands from the last point of its line."""
_TITLES = {
    "accuracy": "Accuracy",
    "f1": "F1 (macro)",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "Mean absolute error",
}


@dataclass(frozen=True, slots=True)
class Series:
    """One figure by step; y is NaN where it is no number, which is drawn as a gap. low, high: of the records that a
    point stands for. lost: the last record is no number."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    lost: bool = False

    def end(self) -> int | None:
        """Place of the last point that is a number."""
        return next((place for place in reversed(range(len(self.y))) if math.isfinite(self.y[place])), None)


def series(points: Sequence[TrainingPoint], kind: PointKind, name: str, most: int = MOST_POINTS) -> Series:
    """The figure of that name, thinned. What is no number (a loss that ran away) is a gap; empty if none is one."""
    found = [(float(one.step), number(one.values[name])) for one in points if one.kind == kind and name in one.values]
    if not any(math.isfinite(value) for _, value in found):
        return Series((), (), (), ())
    each = max(1, math.ceil(len(found) / most))
    parts = [found[start : start + each] for start in range(0, len(found), each)]
    told = [[one for one in part if math.isfinite(one[1])] or [(part[-1][0], math.nan)] for part in parts]
    values = [[value for _, value in part] for part in told]
    return Series(
        tuple(part[-1][0] for part in told),
        tuple(sum(part) / len(part) for part in values),
        tuple(min(part) for part in values),
        tuple(max(part) for part in values),
        not math.isfinite(found[-1][1]),
    )


def number(value: object) -> float:
    """NaN for what is none: a figure that is not finite is stored as null."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan


def measure_names(points: Sequence[TrainingPoint]) -> tuple[str, ...]:
    """The measures of its evaluations, beside the loss, in the order in which they are told."""
    names = dict.fromkeys(name for one in points if one.kind == "eval" for name in one.values)
    return tuple(name for name in names if name != "loss")


def measure_title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def loss_table(points: Sequence[TrainingPoint], steps: int, best_step: int | None) -> pd.DataFrame:
    """A row a point of either loss, as COLUMNS. steps: of the whole training, 0 when unknown."""
    found = {TRAINING: series(points, "train", "loss"), EVALUATION: series(points, "eval", "loss")}
    ends = {name: one.y[end] for name, one in found.items() if (end := one.end()) is not None}
    upper = max(ends, key=ends.__getitem__, default="")
    return _table(found, steps, best_step, upper, named=True)


def small_table(points: Sequence[TrainingPoint], kind: PointKind, name: str, steps: int) -> pd.DataFrame:
    """The same of one figure."""
    what = EVALUATION if kind == "eval" else TRAINING
    return _table({what: series(points, kind, name)}, steps, None, what, named=False)


def loss_spec(steps: int) -> Spec:
    """Of `loss_table`: a line of training with a band of what was averaged, dots of evaluation, a ring at the best."""
    told = "line: training · dots: evaluation · ring: the best, which is kept"
    ring = {"type": "point", "size": 220, "filled": False, "strokeWidth": 3}
    best = {"transform": [{"filter": "datum.best"}], "mark": ring, "encoding": _encoding("loss")}
    return _spec("Loss", told, "loss", HEIGHT, steps, [best])


def small_spec(title: str, axis: str, steps: int) -> Spec:
    """Of `small_table`."""
    return _spec(title, "", axis, SMALL_HEIGHT, steps, [])


def _table(found: dict[str, Series], steps: int, best_step: int | None, upper: str, *, named: bool) -> pd.DataFrame:
    rows = []
    for name, one in found.items():
        end = one.end()
        for place, (x, y, low, high) in enumerate(zip(one.x, one.y, one.low, one.high, strict=True)):
            last = place == end
            side = "left" if x > 0.5 * max(steps, x) else "right"
            label = f"{name} {brief(y)}{LOST if one.lost else ''}" if named else brief(y)
            best = name == EVALUATION and x == best_step
            where = f"{side} {'above' if name == upper else 'below'}"
            rows.append((x, y, low, high, name, best, label if last else "", where if last else ""))
    rows += _edges(rows)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"best": bool})


def _edges(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Two rows that are not drawn, for figures that hardly change: the axis then has room, and ticks that differ."""
    values = [end for row in rows for end in row[2:4] if math.isfinite(end)]
    if not values:
        return []
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high)) or 1.0
    if high - low >= NARROWEST * largest:
        return []
    x, middle, room = rows[-1][0], (low + high) / 2, NARROWEST * largest / 2
    return [(x, at, at, at, rows[-1][4], False, "", EDGE) for at in (middle - room, middle + room)]


def _spec(title: str, told: str, axis: str, height: int, steps: int, more: list[Spec]) -> Spec:
    encoding = _encoding(axis)
    drawn = f"datum.place != '{EDGE}'"
    judged = {"filter": f"datum.series == '{EVALUATION}' && {drawn}"}
    layers: list[Spec] = [
        {
            "transform": [{"filter": f"datum.high > datum.low && {drawn}"}],
            "mark": {"type": "area", "opacity": 0.22},
            "encoding": encoding | {"y": encoding["y"] | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "transform": [{"filter": drawn}],
            "mark": {"type": "line", "strokeWidth": 2.5},
            "encoding": encoding,
        },
        {
            "transform": [{"filter": f"datum.place == '{EDGE}'"}],
            "mark": {"type": "point", "opacity": 0, "tooltip": None},
            "encoding": {"y": encoding["y"]},
        },
        {
            "transform": [judged],
            "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
            "encoding": encoding,
        },
        *more,
        *(_label(place, offset, encoding) for place, offset in _PLACES.items()),
    ]
    ticks = {"tickCount": 5, "format": ",d", "grid": False}
    across: Spec = {"field": "step", "type": "quantitative", "title": "step", "axis": ticks}
    if steps:
        across |= {"scale": {"domain": [0, steps], "nice": False}}
    return {
        "title": {"text": title} | ({"subtitle": told} if told else {}),
        "height": height,
        "encoding": {"x": across},
        "layer": layers,
    }


def _label(place: str, offset: Spec, encoding: Spec) -> Spec:
    return {
        "transform": [{"filter": f"datum.place == '{place}'"}],
        "mark": {"type": "text", "fontWeight": "bold", **offset},
        "encoding": encoding | {"text": {"field": "label"}},
    }


def _encoding(axis: str) -> Spec:
    return {
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": axis,
            "scale": {"zero": False},
            "axis": {"tickCount": 5, "minExtent": 36}
            | ({"format": ".3~s"} if axis.endswith("/s") else {"labelExpr": PLAIN_TICK}),
        },
        "color": {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": [TRAINING, EVALUATION]},
            "legend": None,
        },
        "tooltip": [
            {"field": "series", "title": "of"},
            {"field": "step", "type": "quantitative", "format": ",.0f"},
            {"field": "value", "type": "quantitative", "title": axis, "format": ".4g"},
        ],
    }


def brief(value: float) -> str:
    """A figure that has little room."""
    if abs(value) >= 1e15:
        return figure(value)
    if value and abs(value) < 1e-3:
        return f"{value:.1e}".replace("e-0", "e-")
    return short(value) if abs(value) >= 1e4 else figure(value)

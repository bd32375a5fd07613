"""The surface of a loss and the path that a training took down it, as inline SVG: stronger colour, lower loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from core.training.evaluation.comparing import figure
from exports.svg_plot import Axis, Line, Scale, n, plot

_SHADES = 24


def descent_picture(told: Mapping[str, Any]) -> str:
    """told: `extra["descent"]` of the regression recipe; "" for what is none."""
    try:
        x, y = told["x"], told["y"]
        across, up = [float(one) for one in x["values"]], [float(one) for one in y["values"]]
        surface = [[float(one) for one in row] for row in told["mse"]]
        path = [(float(one["x"]), float(one["y"]), float(one["mse"])) for one in told["path"]]
        kept = told["kept"]
        names = (str(x["name"]), str(y["name"]))
        end = (float(kept["x"]), float(kept["y"]), float(kept["mse"]))
    except (KeyError, TypeError, ValueError):
        return ""
    if len(across) < 2 or len(up) < 2 or len(surface) != len(up) or any(len(row) != len(across) for row in surface):
        return ""
    axes = (Axis(names[0], across[0], across[-1]), Axis(names[1], up[0], up[-1]))
    lines = [
        Line("path", [one[0] for one in path], [one[1] for one in path], style=1),
        Line("kept", [end[0]], [end[1]], style=2, dots=True, joined=False, sizes=[2.2]),
    ]
    start = path[0][2] if path else end[2]
    words = f"Mean squared error over {names[0]} and {names[1]}; the path goes from {figure(start)} to {figure(end[2])}"
    return plot(words, lines, *axes, below=_cells(surface, across, up, Scale(*axes)))


def _cells(surface: Sequence[Sequence[float]], across: Sequence[float], up: Sequence[float], scale: Scale) -> str:
    """Each row in runs of one shade. By the logarithm, as a loss falls by shares."""
    levels = [[math.log(max(one, 1e-12)) if math.isfinite(one) else math.inf for one in row] for row in surface]
    known = [one for row in levels for one in row if math.isfinite(one)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    wide, tall = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    shapes = []
    for row, at in zip(levels, up, strict=True):
        shades = [_shade(one, low, high) for one in row]
        top, bottom = round(scale.y(at + tall), 1), round(scale.y(at - tall), 1)  # else a seam shows between rows
        for shade, pairs in groupby(zip(shades, across, strict=True), key=itemgetter(0)):
            held = [place for _, place in pairs]
            left, right = round(scale.x(held[0] - wide), 1), round(scale.x(held[-1] + wide), 1)
            shapes.append(
                f'<rect class="heat" x="{n(left)}" y="{n(top)}" width="{n(right - left)}" height="{n(bottom - top)}" '
                f'fill-opacity="{0.75 * shade / _SHADES:.2f}"/>'
            )
    return f'<g shape-rendering="crispEdges">{"".join(shapes)}</g>'


def _shade(level: float, low: float, high: float) -> int:
    if not math.isfinite(level):
        return 0
    return round(_SHADES * (high - level) / (high - low)) if high > low else _SHADES

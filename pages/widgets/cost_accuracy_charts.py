"""Pictures of estimates held against the truth: each figure as estimated ÷ true, so that 1 is right, on a logarithmic
axis, since an estimate of half and one of double are as far off."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from core.estimate.accuracy import Held
from core.estimate.calibration_check import CalibrationCheck, Prediction
from core.estimate.ranges import Range
from core.estimate.words import digits, said
from pages.widgets.chart_parts import GREY, Row, Sketch, hover, log_axis, range_row, short, told_range

HEIGHT = 480
SYMBOLS = {"decode tokens/s": "circle", "prefill tokens/s": "diamond", "first token s": "square"}
LATENCIES = ("ttft", "prefill", "decode")
STEP = 0.012  # tenfolds between points of one place
BAND, LEAST_SPAN = 0.05, 1.0  # how far they reach at most, as a share of the axis, which is so many tenfolds at least
MOST_OFF = 4.0  # the axis ends at a quarter and at four times; what is beyond stands at its edge, and is told


def training_figure(rows: Sequence[Held]) -> go.Figure:
    """Each published figure of a run or step, at the size of its model: by the estimate with its range, by a fit
    without that publication, and by the rule of thumb."""
    sketch = Sketch(log_x=True, log_y=True)
    blue, orange = sketch.colours[:2]
    band = _band([row.place for row in rows])
    shown = [row for row in rows if row.rule is not None]
    _points(
        sketch, shown, lambda row: (row.rule or 0.0) / row.published, "6ND at 40%", GREY, "x-thin-open", band, size=6
    )
    left_out = [row for row in rows if row.left_out is not None]
    name = "fitted without it"
    _points(
        sketch, left_out, lambda row: (row.left_out or 0.0) / row.published, name, orange, "diamond-open", band, size=7
    )
    _points(sketch, rows, lambda row: 1 + row.error, "estimate", blue, "circle", band, size=8, ranges=True)
    places = [row.place for row in rows]
    return _finish(sketch, "Training: estimated ÷ published", places, "parameters of the model", short, "size")


def serving_figure(rows: Sequence[Held]) -> go.Figure:
    """Each published throughput and latency, at its batch."""
    sketch = Sketch(log_x=True, log_y=True)
    blue, orange = sketch.colours[:2]
    rates = [row for row in rows if row.measure not in LATENCIES]
    times = [row for row in rows if row.measure in LATENCIES]
    band = _band([row.place for row in rows])
    for name, some, colour, symbol in (("throughput", rates, blue, "circle"), ("latency", times, orange, "diamond")):
        _points(sketch, some, lambda row: 1 + row.error, name, colour, symbol, band, size=7, ranges=True)
    places = [row.place for row in rows]
    return _finish(sketch, "Serving: estimated ÷ published", places, "requests at once", digits, "number")


def own_figure(check: CalibrationCheck) -> go.Figure:
    """Each figure that was measured here, at the length of its prompt: by published efficiencies, and by those that the
    other cells of the machine show."""
    sketch = Sketch(log_x=True, log_y=True)
    blue = sketch.colours[0]
    lengths = [float(one.prompt_tokens) for one in check.predictions]
    band = _band(lengths)
    for quantity, symbol in SYMBOLS.items():
        mine = [one for one in check.predictions if one.quantity == quantity]
        calibrated = [one for one in mine if one.calibrated is not None]
        if mine:
            name = f"{_short(quantity)}, published efficiencies"
            _own_points(sketch, mine, name, GREY, f"{symbol}-open", "default", band)
        if calibrated:
            _own_points(sketch, calibrated, f"{_short(quantity)}, calibrated", blue, symbol, "calibrated", band)
    return _finish(sketch, "This machine: estimated ÷ measured", lengths, "prompt, tokens", digits, "length")


def held_rows(rows: Sequence[Held]) -> list[Row]:
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "where": row.where,
            "measure": row.measure,
            "unit": row.unit,
            "published": row.published,
            **range_row("estimated", row.estimated),
            "error": row.error,
            "inside": row.inside,
            "estimated_left_out_of_the_fit": row.left_out,
            "six_nd_at_40_percent": row.rule,
            "source": row.source,
        }
        for row in rows
    ]


def own_rows(check: CalibrationCheck) -> list[Row]:
    return [
        {
            "id": one.id,
            "origin": one.origin,
            "model": one.model_id,
            "precision": one.precision,
            "device": one.device_name,
            "host": one.host,
            "prompt_tokens": one.prompt_tokens,
            "batch": one.batch,
            "new_tokens": one.new_tokens,
            "quantity": one.quantity,
            "measured": one.measured,
            **range_row("default", one.default),
            "default_error": one.default_error,
            "default_inside": one.default_inside,
            **(range_row("calibrated", one.calibrated) if one.calibrated else dict.fromkeys(_CALIBRATED)),
            "calibrated_error": one.calibrated_error,
            "calibrated_inside": one.calibrated_inside,
        }
        for one in check.predictions
    ]


_CALIBRATED = ("calibrated_low", "calibrated_expected", "calibrated_high")


def _points(
    sketch: Sketch,
    rows: Sequence[Held],
    ratio: Callable[[Held], float],
    name: str,
    colour: str,
    symbol: str,
    band: float,
    *,
    size: int,
    ranges: bool = False,
) -> None:
    rows = sorted(rows, key=lambda row: _beyond(ratio(row)) != 0)  # the legend shows the symbol of the first
    bars: dict[str, Any] = {"error_y": _bars([(row.estimated, row.published) for row in rows])} if ranges else {}
    sketch.add(
        "scatter",
        [_told(row, ratio(row)) for row in rows],
        x=_apart([row.place for row in rows], band),
        y=[_within(ratio(row)) for row in rows],
        name=name,
        mode="markers",
        marker=_marker(colour, symbol, size, [ratio(row) for row in rows]),
        **bars,
    )


def _own_points(
    sketch: Sketch, rows: Sequence[Prediction], name: str, colour: str, symbol: str, which: str, band: float
) -> None:
    """which: of a prediction's ranges, default or calibrated, each of which has its half of the band."""
    rows = sorted(rows, key=lambda one: _beyond(getattr(one, which).expected / one.measured) != 0)
    values: list[Range] = [getattr(one, which) for one in rows]
    ratios = [value.expected / one.measured for one, value in zip(rows, values, strict=True)]
    aside = -band / 4 if which == "default" else band / 4
    sketch.add(
        "scatter",
        [_told_own(one, value) for one, value in zip(rows, values, strict=True)],
        x=_apart([float(one.prompt_tokens) for one in rows], 0.4 * band, aside=aside),
        y=[_within(ratio) for ratio in ratios],
        name=name,
        mode="markers",
        marker=_marker(colour, symbol, 8, ratios),
        error_y=_bars([(value, one.measured) for one, value in zip(rows, values, strict=True)]),
    )


def _marker(colour: str, symbol: str, size: int, ratios: Sequence[float]) -> dict[str, Any]:
    """An arrow for what is beyond the axis."""
    hollow = "-open" if "open" in symbol else ""
    arrows = {0: symbol, 1: f"triangle-up{hollow}", -1: f"triangle-down{hollow}"}
    return {
        "color": colour,
        "symbol": [arrows[_beyond(ratio)] for ratio in ratios],
        "size": [size if not _beyond(ratio) else size + 3 for ratio in ratios],
        "opacity": 0.85,
        "line": {"width": 1.5 if hollow else 0, "color": colour},
    }


def _bars(pairs: Sequence[tuple[Range, float]]) -> dict[str, Any]:
    """Ranges over the truth."""
    middles = [_within(value.expected / truth) for value, truth in pairs]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, value.high / truth - middle) for (value, truth), middle in zip(pairs, middles, strict=True)],
        "arrayminus": [
            max(0.0, middle - value.low / truth) for (value, truth), middle in zip(pairs, middles, strict=True)
        ],
        "thickness": 1,
        "width": 0,
    }


def _finish(
    sketch: Sketch, title: str, places: Sequence[float], across: str, words: Callable[[float], str], same: str
) -> go.Figure:
    """same: what points that stand beside each other have in common."""
    sketch.level(1.0)
    low, high = (min(places), max(places)) if places else (1.0, 10.0)
    span = math.log10(high / low)
    room = max(0.05 * span, (LEAST_SPAN - span) / 2) + _band(places)
    ends = [math.log10(low) - room, math.log10(high) + room]
    edge = math.log10(MOST_OFF * 1.05)
    ticks = [0.25, 0.5, 0.8, 1, 1.25, 2, 4]
    return sketch.figure(
        title,
        told=_how_to_read(sketch, places, same),
        height=HEIGHT,
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0, "title": {"text": ""}},
        margin={"b": 96},
        xaxis=log_axis(low, high, words, title=across, range=ends),
        yaxis={
            "type": "log",
            "range": [-edge, edge],
            "tickvals": ticks,
            "ticktext": [digits(tick) for tick in ticks],
            "title": "estimated ÷ true",
            "zeroline": False,
        },
    )


def _how_to_read(sketch: Sketch, places: Sequence[float], same: str) -> str:
    lines = ["1: as it turned out · bars: the range"]
    if len(set(places)) < len(places):
        lines.append(f"side by side, close together: the same {same}")
    drawn = {symbol for trace in sketch.traces for symbol in trace["marker"]["symbol"]}
    if any(symbol.startswith("triangle") for symbol in drawn):
        lines.append("▲ ▼: beyond the axis")
    return "<br>".join(lines)


def _band(places: Sequence[float]) -> float:
    """Tenfolds that points of one place may take, so that they are not taken for points of others."""
    span = math.log10(max(places) / min(places)) if places else 0.0
    return BAND * max(span, LEAST_SPAN)


def _apart(places: Sequence[float], band: float, *, aside: float = 0.0) -> list[float]:
    """Points that would stand one on the other beside each other instead. band: at most, aside: further, in
    tenfolds."""
    many, before, found = Counter(places), Counter[float](), []
    for place in places:
        width = min(band, STEP * (many[place] - 1))
        share = before[place] / (many[place] - 1) - 0.5 if many[place] > 1 else 0.0
        before[place] += 1
        found.append(place * 10 ** (share * width + aside))
    return found


def _beyond(ratio: float) -> int:
    """1 above the axis, −1 below, 0 on it."""
    return (ratio > MOST_OFF) - (ratio < 1 / MOST_OFF)


def _within(ratio: float) -> float:
    """On the axis."""
    return min(MOST_OFF, max(1 / MOST_OFF, ratio))


def _told(row: Held, ratio: float) -> str:
    return hover(
        row.name,
        row.where if row.kind != "serving" else "",
        f"{row.measure}: published {_value(row.published, row.unit)}",
        f"estimated {_range(row.estimated, row.unit)}",
        f"this point: {ratio - 1:+.0%}",
        row.source,
    )


def _told_own(one: Prediction, value: Range) -> str:
    unit = "s" if one.quantity == "first token s" else "tokens/s"
    return hover(
        f"{one.model_id}, {one.precision}, {_short(one.quantity)}",
        f"prompt {one.prompt_tokens:,} tokens × {one.batch}",
        f"measured {said(one.measured, unit)}",
        f"estimated {told_range(value, unit)}, {value.expected / one.measured - 1:+.0%}",
        f"{one.origin} {one.id[:8]}",
    )


def _short(quantity: str) -> str:
    return quantity.removesuffix(" tokens/s").removesuffix(" s")


def _value(value: float, unit: str) -> str:
    return said(value / 1e3, "s") if unit == "ms" else said(value, unit)


def _range(value: Range, unit: str) -> str:
    return told_range(value * 1e-3, "s") if unit == "ms" else told_range(value, unit)

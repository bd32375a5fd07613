"""Pictures of serving: throughput against time per token, and where a step's time goes (a day: `cost_day_chart`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.estimate.figures import Figure
from core.estimate.ranges import Range
from core.estimate.serve_estimate import ServeAnswer
from core.estimate.serve_setup import ServeSetup, largest_batch
from core.estimate.serving_point import operating_point
from core.estimate.words import digits, said
from pages.widgets.chart_parts import (
    GREY,
    Picture,
    Row,
    Sketch,
    hover,
    log_axis,
    short,
    told_range,
)
from pages.widgets.cost_day_chart import day_figure, day_rows
from pages.widgets.part_bars import Part, parts_figure

POINTS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """concurrency: requests at once on a replica. rate: a second and GPU, of what this kind of model is counted in.
    seconds: per token, or of the whole answer where nothing is written."""

    concurrency: int
    rate: float
    seconds: float


def pictures(answer: ServeAnswer) -> tuple[Picture, ...]:
    found: list[Picture] = [("throughput", throughput_figure(answer), throughput_rows(answer))]
    if any(part.seconds for part in answer.serving.step_parts):
        found.append(("step", step_figure(answer), step_rows(answer)))
    if answer.demand is not None and answer.fleet is not None:
        found.append(("day", day_figure(answer), day_rows(answer)))
    return tuple(found)


def throughput_figure(answer: ServeAnswer) -> go.Figure:
    """More requests at once: more tokens a second, and each of them later. The curve ends where the memory is full."""
    setup, words = answer.setup, _words(answer.setup)
    points = curve(setup)
    here = next(point for point in points if point.concurrency == setup.concurrency)
    rate, seconds = _spread(answer)
    across = _ends([1e3 * point.seconds for point in points], seconds * 1e3)
    up = _ends([point.rate for point in points], rate)
    sketch = Sketch(log_x=True, log_y=True)
    sketch.line(
        [1e3 * point.seconds for point in points],
        [point.rate for point in points],
        sketch.colours[0],
        [_told(point, words) for point in points],
        sizes=[6.0] * len(points),
    )
    _add_operating_point(sketch, answer, rate, seconds)
    near = here != points[-1] and _near(here, points[-1], across, up)
    for point in _labelled(points, here, across, up):
        sketch.label(
            1e3 * point.seconds,
            point.rate,
            f"{point.concurrency:,}{_full(point, points)}",
            xanchor="right",
            yanchor="bottom",
            xshift=-4,
        )
    left = _place(1e3 * here.seconds, across) < 0.55
    sketch.label(
        1e3 * here.seconds,
        here.rate,
        f"<b>{here.concurrency:,} at once</b>{_full(here, points)}<br>"
        f"{said(here.rate, words.rate_unit)}<br>{_each(here, words)}"
        f"{f'<br>memory is full at {points[-1].concurrency:,}' if near else ''}",
        xanchor="left" if left else "right",
        yanchor="top",
        xshift=10,
        yshift=-10 if left else -30,  # below the curve, which comes from the left
    )
    return sketch.figure(
        words.title,
        told="numbers on the line: requests at once",
        xaxis=log_axis(*across, digits, title=words.time_title, range=_log_range(*across)),
        yaxis=log_axis(*up, short, title=words.rate_title, range=_log_range(*up)),
    )


def throughput_rows(answer: ServeAnswer) -> list[Row]:
    words = _words(answer.setup)
    return [
        {
            "requests_at_once": point.concurrency,
            words.rate_key: point.rate,
            words.time_key: point.seconds,
            "planned": point.concurrency == answer.setup.concurrency,
        }
        for point in curve(answer.setup)
    ]


def curve(setup: ServeSetup) -> list[Point]:
    """At the expected factors, from one request at once to as many as fit, the planned number among them."""
    values = {name: factor.expected for name, factor in setup.factors.items()}
    most = max(1, setup.concurrency, largest_batch(setup, values["usable_memory"]))
    counts = {round(float(count)) for count in np.geomspace(1, most, POINTS)} | {setup.concurrency}
    return [_point(setup.at_batch(count), values) for count in sorted(counts)]


def step_figure(answer: ServeAnswer) -> go.Figure:
    """One decode step, an encoder's pass, or another network's answer, at the expected factors; the range is that of
    the whole."""
    serving = answer.serving
    whole = serving.step_s or serving.prefill_s or serving.request_s
    bound = serving.decode_bound or serving.prefill_bound
    title, one = "Where a pass's time goes", "One pass"
    if serving.step_s:
        title, one = "Where a decode step's time goes", f"One step for {answer.setup.concurrency:,} requests"
    elif not serving.prefill_s:
        title, one = "Where an answer's time goes", "One answer"
    return parts_figure(
        title,
        one,
        whole.value,
        [Part(name=part.name, value=Range.exactly(part.seconds)) for part in serving.step_parts],
        "s",
        told={"compute": "it waits for arithmetic", "memory": "it waits for memory"}.get(bound, ""),
    )


def step_rows(answer: ServeAnswer) -> list[Row]:
    whole = sum(part.seconds for part in answer.serving.step_parts)
    return [{"part": one.name, "s": one.seconds, "share": one.seconds / whole} for one in answer.serving.step_parts]


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    time_title: str
    rate_title: str
    rate_unit: str
    rate_key: str
    time_key: str
    each: str


def _words(setup: ServeSetup) -> _Words:
    of_gpu = " of a GPU" if setup.counts_in_gpus else ""
    if setup.decodes:
        return _Words(
            "Throughput against speed of one answer",
            "time per token, ms",
            f"tokens/s{of_gpu}",
            "tokens/s",
            "tokens_per_s_per_gpu",
            "time_per_token_s",
            "a token",
        )
    what = "samples" if setup.shape.kind == "other" else "tokens"
    return _Words(
        "Throughput against time of an answer",
        "time of an answer, ms",
        f"{what}/s{of_gpu}",
        f"{what}/s",
        f"{what}_per_s_per_gpu",
        "answer_s",
        "an answer",
    )


def _point(setup: ServeSetup, values: Mapping[str, float]) -> Point:
    load, found = setup.load, operating_point(setup.placement, setup.load, values)
    counted = load.output_tokens or load.prompt_tokens  # an "other" network's load has one: a sample
    seconds = found.time_per_token_s if setup.decodes else found.request_s
    return Point(load.batch, found.requests_per_s * counted / setup.tensor_parallel, seconds)


def _spread(answer: ServeAnswer) -> tuple[Range, Range]:
    """Of the planned point: its rate and its seconds."""
    serving = answer.serving
    rate: Figure | None = serving.tokens_per_s_per_gpu or serving.samples_per_s_per_gpu
    assert rate is not None  # one of the two, by the kind of model
    return rate.value, (serving.time_per_token_s or serving.request_s).value


def _add_operating_point(sketch: Sketch, answer: ServeAnswer, rate: Range, seconds: Range) -> None:
    """With its ranges, both ways."""
    told = hover(
        f"{answer.setup.concurrency:,} at once, as planned",
        told_range(rate, _words(answer.setup).rate_unit),
        told_range(seconds, "s"),
    )
    sketch.add(
        "scatter",
        [told],
        x=[1e3 * seconds.expected],
        y=[rate.expected],
        mode="markers",
        marker={"size": 13, "color": sketch.colours[1], "opacity": 1},
        error_x=_errors(seconds * 1e3),
        error_y=_errors(rate),
    )


def _errors(value: Range) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [value.high - value.expected],
        "arrayminus": [value.expected - value.low],
        "color": GREY,
        "thickness": 1.5,
        "width": 4,
    }


def _labelled(points: list[Point], here: Point, across: tuple[float, float], up: tuple[float, float]) -> list[Point]:
    """The last of the points, and others that leave its words and each other room; not the planned one, which has its
    own."""
    if len(points) == 1:
        return []

    def place(point: Point) -> tuple[float, float]:
        return _place(1e3 * point.seconds, across), _place(point.rate, up)

    found = [] if points[-1] == here or _near(here, points[-1], across, up) else [points[-1]]
    taken = [place(here)]
    for point in points[:-1]:
        x, y = place(point)
        beside_last = points[-1] in found and y > place(points[-1])[1] - 0.1 and x > 0.3
        if point != here and not beside_last and all(abs(x - a) > 0.13 or abs(y - b) > 0.13 for a, b in taken):
            found.append(point)
            taken.append((x, y))
    return found


def _near(here: Point, last: Point, across: tuple[float, float], up: tuple[float, float]) -> bool:
    """So that the words of the last would cover the planned point."""
    apart_x = _place(1e3 * last.seconds, across) - _place(1e3 * here.seconds, across)
    return apart_x < 0.45 and _place(last.rate, up) - _place(here.rate, up) < 0.1


def _full(point: Point, points: list[Point]) -> str:
    return ": memory is full" if point == points[-1] else ""


def _place(value: float, ends: tuple[float, float]) -> float:
    """Share of a logarithmic axis."""
    return math.log(value / ends[0]) / math.log(ends[1] / ends[0]) if ends[1] > ends[0] else 0.5


def _told(point: Point, words: _Words) -> str:
    return hover(f"{point.concurrency:,} at once", said(point.rate, words.rate_unit), _each(point, words))


def _each(point: Point, words: _Words) -> str:
    return f"{said(point.seconds, 's')} {words.each}"


def _ends(values: list[float], spread: Range) -> tuple[float, float]:
    return min([*values, spread.low]), max([*values, spread.high])


def _log_range(low: float, high: float) -> list[float]:
    """With room for labels at both ends."""
    room = 0.12 * max(math.log10(high / low), 0.5)
    return [math.log10(low) - room, math.log10(high) + room]

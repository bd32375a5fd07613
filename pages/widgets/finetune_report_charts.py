"""Pictures of an evaluation: the headline figure beside others, confusion, ROC, precision-recall, calibration,
predictions over truth, subgroups."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from core.training.evaluation.comparing import figure
from core.training.evaluation.report import Curve, EvaluationReport, GroupRow, Metric
from pages.widgets.attention_worked_charts import FIGURES
from pages.widgets.chart_parts import GREY, Row, Sketch, hover
from pages.widgets.words import cut

LABEL_CHARACTERS = 18
NUMBERS_UP_TO = 12  # classes: a larger matrix has no room for numbers in its cells
ROW_PIXELS = 44
HEIGHT = 400
SHARES = ("f1_macro", "accuracy", "roc_auc", "average_precision")  # headline figures between 0 and 1
_DASHED = {"color": GREY, "width": 1.5, "dash": "dash"}


def headline_figure(report: EvaluationReport) -> go.Figure | None:
    """The headline figure of the model, of the baseline and of the model before training, a row each; None when there
    is nothing to lay it beside and no interval."""
    metric = report.metric(report.headline)
    rows: list[tuple[str, float, float | None, float | None]] = [("This model", metric.value, metric.low, metric.high)]
    if metric.before is not None:
        rows.append(("Before training", metric.before, None, None))
    if metric.baseline is not None:
        rows.append(("Baseline", metric.baseline, None, None))
    if len(rows) == 1 and metric.low is None:
        return None
    sketch = Sketch()
    for place, (name, value, low, high) in enumerate(rows):
        colour = sketch.colours[0] if place == 0 else GREY
        told = hover(name, f"{metric.title} {figure(value)}", _span(low, high))
        _dot(sketch, value, -place, low, high, colour, told, size=15 if place == 0 else 11)
    better = "more is better" if metric.higher_is_better else "less is better"
    unit = f", {metric.unit}" if metric.unit else ""
    return sketch.figure(
        f"{metric.title} on {report.rows:,} test rows",
        told=f"dot: its value · line: 95 % interval · {better}",
        height=130 + ROW_PIXELS * len(rows),
        xaxis={"title": f"{metric.title}{unit}", "zeroline": False, "nticks": 6} | _padded(rows),
        yaxis=_named_rows([f"{name}<br><b>{figure(value)}</b>" for name, value, *_ in rows], sketch.ink),
        margin={"l": 12, "r": 24, "b": 44},
    )


def pictures(report: EvaluationReport) -> list[tuple[str, go.Figure]]:
    """Those that stand in pairs: name for a key, figure."""
    found: list[tuple[str, go.Figure]] = []
    if report.confusion:
        found.append(("confusion", confusion_figure(report.labels, report.confusion)))
    areas = {one.label: (one.roc_auc, one.average_precision) for one in report.classes}
    for kind in ("roc", "pr"):
        curves = [curve for curve in report.curves if curve.kind == kind]
        if curves:
            found.append((kind, curves_figure(curves, areas, kind)))
    calibrated = [curve for curve in report.curves if curve.kind == "calibration"]
    if calibrated:
        found.append(("calibration", calibration_figure(calibrated)))
    if report.points:
        metric = report.metric(report.headline)
        found.append(("predicted", predicted_figure(report.points, metric.unit, str(report.extra.get("target", "")))))
        found.append(("residuals", errors_figure(report.points, metric.unit)))
    return found


def confusion_figure(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> go.Figure:
    """Counts; colours are shares of the true class, so that a small class shows as clearly as a large one."""
    sketch = Sketch()
    names = [f"{_short(label)}{' ' * place}" for place, label in enumerate(labels)]  # two may be cut to the same
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    told = [
        [
            hover(f"is {labels[at]}", f"said {labels[to]}", f"{count:,} rows, {shares[at][to]:.0%} of its class")
            for to, count in enumerate(row)
        ]
        for at, row in enumerate(counts)
    ]
    sketch.add(
        "heatmap",
        z=shares,
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        hovertext=told,
        hovertemplate="%{hovertext}<extra></extra>",
        hoverinfo="text",
        showscale=False,
        xgap=1,
        ygap=1,
    )
    if len(labels) <= NUMBERS_UP_TO:
        _write_counts(sketch, names, counts, shares)
    return sketch.figure(
        "Confusion matrix",
        told="down: the true class · across: what it said<br>numbers: test rows · colour: share of the true class",
        height=max(HEIGHT, 160 + 26 * len(labels)),
        xaxis={"type": "category", "showgrid": False, "tickangle": -40 if _wide(labels) else 0},
        yaxis={
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
            "automargin": True,
        },
        margin={"l": 60, "r": 12, "b": 60},
    )


def _write_counts(
    sketch: Sketch, names: Sequence[str], counts: Sequence[Sequence[int]], shares: Sequence[Sequence[float]]
) -> None:
    """Into the cells, each in what can be read on it in the theme."""
    below, limit, above = FIGURES["dark" if st.context.theme.type == "dark" else "light"]
    cells = [(at, to) for at in range(len(names)) for to in range(len(names))]
    sketch.add(
        "scatter",
        x=[names[to] for _, to in cells],
        y=[names[at] for at, _ in cells],
        mode="text",
        text=[f"{counts[at][to]:,}" for at, to in cells],
        textfont={"size": 13, "color": [below if shares[at][to] < limit else above for at, to in cells]},
    )


def curves_figure(curves: Sequence[Curve], areas: dict[str, tuple[float | None, float | None]], kind: str) -> go.Figure:
    """ROC or precision-recall, a line a class. areas: (ROC-AUC, average precision) by label."""
    sketch = Sketch()
    x_name, y_name = ("false positives", "true positives") if kind == "roc" else ("recall", "precision")
    if kind == "roc":
        sketch.add("scatter", x=[0, 1], y=[0, 1], mode="lines", line=_DASHED, showlegend=False)
    for place, curve in enumerate(curves):
        area = areas.get(curve.label, (None, None))[0 if kind == "roc" else 1]
        name = _short(curve.label) + (f" {figure(area)}" if area is not None else "")
        colour = sketch.colours[place % len(sketch.colours)]
        texts = [
            hover(curve.label, f"{x_name} {x:.3f}", f"{y_name} {y:.3f}") for x, y in zip(curve.x, curve.y, strict=True)
        ]
        sketch.add(
            "scatter",
            texts,
            x=curve.x,
            y=curve.y,
            mode="lines",
            name=escape(name),
            line={"color": colour, "width": 2.5, "shape": "hv" if kind == "roc" else "linear"},
        )
    told = "area under each line in the key" + (" · dashed: guessing" if kind == "roc" else "")
    return sketch.figure(
        "ROC" if kind == "roc" else "Precision and recall",
        told=told,
        height=HEIGHT + 22 * ((len(curves) + 1) // 2),
        xaxis={"title": f"{x_name}, share", "range": [0, 1], "zeroline": False, "nticks": 6},
        yaxis={"title": f"{y_name}, share", "range": [0, 1.02], "zeroline": False, "nticks": 6},
        margin={"l": 60, "r": 12, "b": 60},
        showlegend=True,
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
    )


def calibration_figure(curves: Sequence[Curve]) -> go.Figure:
    """Shares that came true over the probabilities that were stated; a larger dot stands for more rows."""
    sketch = Sketch()
    sketch.add("scatter", x=[0, 1], y=[0, 1], mode="lines", line=_DASHED)
    for place, curve in enumerate(curves):
        most = max(curve.n, default=1) or 1
        numbers = curve.n or (1,) * len(curve.x)
        texts = [
            hover(f"said {x:.0%}", f"came true {y:.0%}", f"{n:,} rows")
            for x, y, n in zip(curve.x, curve.y, numbers, strict=True)
        ]
        sizes = [7 + 13 * (n / most) ** 0.5 for n in numbers]
        sketch.line(curve.x, curve.y, sketch.colours[place % len(sketch.colours)], texts, sizes=sizes)
    return sketch.figure(
        "Calibration: does 80 % mean 80 %?",
        told="dashed: perfectly honest · larger dot: more rows",
        height=HEIGHT,
        xaxis={
            "title": "stated probability",
            "range": [-0.03, 1.06],
            "tickformat": ".0%",
            "zeroline": False,
            "nticks": 6,
        },
        yaxis={"title": "share that came true", "range": [-0.03, 1.06], "tickformat": ".0%", "zeroline": False},
        margin={"l": 60, "r": 12, "b": 60},
    )


def predicted_figure(points: Sequence[tuple[float, float]], unit: str, target: str) -> go.Figure:
    """points: (actual, predicted)."""
    sketch = Sketch()
    low, high = min(min(one) for one in points), max(max(one) for one in points)
    sketch.add("scatter", x=[low, high], y=[low, high], mode="lines", line=_DASHED)
    texts = [hover(f"actual {figure(x)}", f"predicted {figure(y)}", f"off by {figure(y - x)}") for x, y in points]
    _cloud(sketch, [x for x, _ in points], [y for _, y in points], texts)
    words = f" {escape(cut(target, 24))}" if target else ""
    beside = f", {unit}" if unit else ""
    return sketch.figure(
        "Predicted over actual",
        told="dashed: exactly right",
        height=HEIGHT,
        xaxis={"title": f"actual{words}{beside}", "zeroline": False, "nticks": 6},
        yaxis={"title": f"predicted{words}{beside}", "zeroline": False, "nticks": 6},
        margin={"l": 64, "r": 12, "b": 60},
    )


def errors_figure(points: Sequence[tuple[float, float]], unit: str) -> go.Figure:
    """Errors over what was predicted: a slant or a funnel is what the model has not learned."""
    sketch = Sketch()
    sketch.level(0, dash="dash")
    texts = [hover(f"predicted {figure(y)}", f"off by {figure(y - x)}") for x, y in points]
    _cloud(sketch, [y for _, y in points], [y - x for x, y in points], texts)
    beside = f", {unit}" if unit else ""
    return sketch.figure(
        "Errors over predictions",
        told="above the line: predicted too much",
        height=HEIGHT,
        xaxis={"title": f"predicted{beside}", "zeroline": False, "nticks": 6},
        yaxis={"title": f"predicted − actual{beside}", "zeroline": False, "nticks": 6},
        margin={"l": 64, "r": 12, "b": 60},
    )


def groups_figure(groups: Sequence[GroupRow], metric: Metric) -> go.Figure:
    """The headline figure of each subgroup with its interval; the line through all is that of all rows."""
    sketch = Sketch()
    sketch.upright(metric.value, dash="dash")
    for place, one in enumerate(groups):
        told = hover(
            one.group,
            f"{metric.title} {figure(one.value)}",
            _span(one.low, one.high),
            f"gap to all rows {figure(one.gap)}{_gap_span(one)}",
            f"{one.rows:,} rows",
        )
        sure = one.gap_low is not None and one.gap_high is not None and not one.gap_low <= 0 <= one.gap_high
        colour = sketch.colours[1] if sure else sketch.colours[0]
        _dot(sketch, one.value, -place, one.low, one.high, colour, told)
        text = f"<b>{escape(_short(one.group))}</b> {figure(one.value)} · {one.rows:,} rows"
        sketch.note(text, x=0, xref="paper", y=-place, yref="y", xanchor="left", yanchor="bottom", yshift=6)
    return sketch.figure(
        f"{metric.title} by subgroup",
        told="dashed: all rows · line: 95 % interval<br>orange: apart from all rows by more than chance",
        height=158 + ROW_PIXELS * len(groups),
        xaxis={"title": metric.title, "zeroline": False, "nticks": 6},
        yaxis=_rows_axis(len(groups)),
        margin={"l": 12, "r": 24, "b": 48},
    )


def _dot(
    sketch: Sketch,
    value: float,
    y: float,
    low: float | None,
    high: float | None,
    colour: str,
    told: str,
    size: float = 12,
) -> None:
    if low is not None and high is not None:
        sketch.add("scatter", x=[low, high], y=[y, y], mode="lines", line={"color": colour, "width": 4}, opacity=0.5)
    sketch.add("scatter", [told], x=[value], y=[y], mode="markers", marker={"size": size, "color": colour})


def _cloud(sketch: Sketch, x: Sequence[float], y: Sequence[float], texts: Sequence[str]) -> None:
    opacity = 0.7 if len(x) <= 300 else 0.35
    marker: Row = {"size": 7, "color": sketch.colours[0], "opacity": opacity}
    sketch.add("scatter", texts, x=list(x), y=list(y), mode="markers", marker=marker)


def _padded(rows: Sequence[tuple[str, float, float | None, float | None]]) -> Row:
    """A range with room at both ends."""
    values = [value for _, *numbers in rows for value in numbers if value is not None]
    room = 0.06 * (max(values) - min(values)) or 0.05 * abs(values[0]) or 0.1
    return {"range": [min(values) - room, max(values) + room]}


def _rows_axis(rows: int) -> Row:
    return {"range": [0.7 - rows, 0.85], "visible": False, "fixedrange": True}


def _named_rows(names: Sequence[str], ink: str | None) -> Row:
    """Names at the left, each at the height of its dot."""
    ticks = {"tickmode": "array", "tickvals": [-place for place in range(len(names))], "ticktext": list(names)}
    look = {"tickfont": {"size": 13, "color": ink}, "showgrid": False, "zeroline": False, "automargin": True}
    return {"range": [0.4 - len(names), 0.6], "fixedrange": True} | ticks | look


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95 % interval {figure(low)} to {figure(high)}"


def _gap_span(one: GroupRow) -> str:
    return "" if one.gap_low is None or one.gap_high is None else f" ({figure(one.gap_low)} to {figure(one.gap_high)})"


def _short(label: str) -> str:
    return escape(cut(label, LABEL_CHARACTERS), quote=False)


def _wide(labels: Sequence[str]) -> bool:
    return sum(len(label) for label in labels) > 36

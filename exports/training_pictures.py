"""The pictures of a run's report, each a figure with its title and its key, as HTML that holds its drawing."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from core.store.training_points import TrainingPoint
from core.training.evaluation.comparing import figure
from core.training.evaluation.report import Curve, EvaluationReport
from exports.svg_confusion import confusion
from exports.svg_descent import descent_picture
from exports.svg_groups import groups
from exports.svg_plot import Axis, Line, plot, spanning

_PNG = b"\x89PNG\r\n\x1a\n"
_SHARE = (0.0, 1.0)

_TRAIN_FIGURES = (
    ("learning_rate", "Learning rate", "learning rate"),
    ("grad_norm", "Norm of the gradient", "norm"),
    ("units_per_s", "Speed", "a second"),
)


def training_figures(points: Sequence[TrainingPoint], best_step: int | None) -> str:
    """Losses first, then the measures of each evaluation, then what the training said of itself."""
    drawn = [_losses(points, best_step)]
    names = dict.fromkeys(name for one in points if one.kind == "eval" for name in one.values)
    for name in names:
        if name not in ("loss", "epoch", "runtime", "samples_per_second", "steps_per_second"):
            drawn.append(_over_steps(points, "eval", name, f"{_words(name)}, validation rows", _words(name)))
    drawn += [_over_steps(points, "train", name, title, axis) for name, title, axis in _TRAIN_FIGURES]
    return "".join(drawn)


def report_figures(report: EvaluationReport) -> str:
    """Confusion, curves, calibration, predictions and subgroups: those that the report has."""
    drawn = [_confusion(report)]
    drawn += [_curves(report, kind) for kind in ("roc", "pr")]
    drawn += [_calibration(curve) for curve in report.curves if curve.kind == "calibration"]
    drawn += [_points(report), _descent(report)]
    if report.groups:
        metric = report.metric(report.headline)
        drawn.append(framed(f"{metric.title} by subgroup", groups(report.groups, metric.value, metric.title)))
    return "".join(drawn)


def framed(title: str, drawing: str, key: Sequence[tuple[int, str]] = (), note: str = "") -> str:
    """A drawing with its title; key: (style, words) of its lines."""
    if not drawing:
        return ""
    items = "".join(f'<li><span class="swatch k{style % 8}"></span>{escape(words)}</li>' for style, words in key)
    listed = f'<ul class="key">{items}</ul>' if items else ""
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}{listed}{told}</figure>"


def picture(png: Any, words: str) -> str:
    """A PNG given as base64; "" for what is none."""
    try:
        data = base64.b64decode(str(png), validate=True)
    except (binascii.Error, ValueError):
        return ""
    if not data.startswith(_PNG):
        return ""
    return f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" alt="{escape(words)}">'


def prediction_grid(cells: Any) -> str:
    """Test pictures with what was said of them, wrong ones marked. cells: `extra["grid"]` of the images recipe."""
    shown = []
    for cell in cells if isinstance(cells, list | tuple) else ():
        said, truth = str(cell.get("said", "")), str(cell.get("truth", ""))
        drawn = picture(cell.get("image"), f"Test row {cell.get('row', '')}")
        if drawn:
            right = said == truth
            told = f"{escape(said)} ✓" if right else f"{escape(said)} ✗<br><small>is {escape(truth)}</small>"
            shown.append(f'<li class="{"right" if right else "wrong"}">{drawn}<span>{told}</span></li>')
    return f'<ul class="pictures">{"".join(shown)}</ul>' if shown else ""


def _losses(points: Sequence[TrainingPoint], best_step: int | None) -> str:
    train, judged = _series(points, "train", "loss"), _series(points, "eval", "loss")
    lines = [Line("training", *train, style=0), Line("validation", *judged, style=1, dots=True)]
    lines = [line for line in lines if _known(line.y)]
    if not lines:
        return ""
    best = [(x, y) for x, y in zip(*judged, strict=True) if x == best_step]
    if best:
        lines.append(Line("kept", [best[0][0]], [best[0][1]], style=2, dots=True, joined=False, sizes=[2.2]))
    x = spanning("step", [value for line in lines for value in line.x], floor=0)
    y = spanning("loss", [value for line in lines for value in line.y])
    words = "; ".join(f"{line.label} {_from_to(line.y)}" for line in lines if line.label != "kept")
    return framed("Loss", plot(f"Loss by step: {words}", lines, x, y), [(one.style, one.label) for one in lines])


def _over_steps(points: Sequence[TrainingPoint], kind: str, name: str, title: str, axis: str) -> str:
    steps, values = _series(points, kind, name)
    if not _known(values):
        return ""
    words = f"{title} by step, {_from_to(values)}"
    line = Line(name, steps, values, style=0 if kind == "train" else 1, dots=kind == "eval")
    return framed(title, plot(words, [line], spanning("step", steps, floor=0), spanning(axis, values)))


def _series(points: Sequence[TrainingPoint], kind: str, name: str) -> tuple[list[float], list[float]]:
    """Steps and values; NaN for what is stored as null, since it was no number."""
    found = [
        (float(one.step), float(value) if isinstance(value := one.values[name], int | float) else math.nan)
        for one in points
        if one.kind == kind and name in one.values
    ]
    return [step for step, _ in found], [value for _, value in found]


def _known(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _from_to(values: Sequence[float]) -> str:
    known = _known(values)
    then = "" if math.isfinite(values[-1]) else ", then not a number"
    return f"from {figure(known[0])} to {figure(known[-1])}{then}"


def _confusion(report: EvaluationReport) -> str:
    drawing = confusion(report.labels, report.confusion) if report.confusion else ""
    return framed("Confusion matrix, rows", drawing, note="Shaded by the share of each true class.")


def _curves(report: EvaluationReport, kind: str) -> str:
    curves = [curve for curve in report.curves if curve.kind == kind]
    if not curves:
        return ""
    areas = {one.label: one.roc_auc if kind == "roc" else one.average_precision for one in report.classes}
    lines = [Line(curve.label, curve.x, curve.y, style=place) for place, curve in enumerate(curves)]
    told = [
        f"{curve.label}: {'area' if kind == 'roc' else 'average precision'} {figure(area)}"
        for curve in curves
        if (area := areas.get(curve.label)) is not None
    ]
    title, x, y = (
        ("ROC curves", "false positive rate", "true positive rate")
        if kind == "roc"
        else ("Precision and recall", "recall", "precision")
    )
    drawing = plot(f"{title}: {'; '.join(told)}", lines, Axis(x, *_SHARE), Axis(y, *_SHARE), diagonal=kind == "roc")
    return framed(title, drawing, list(enumerate(told)))


def _calibration(curve: Curve) -> str:
    most = max(curve.n, default=1)
    sizes = [0.8 + 1.4 * (number / most) ** 0.5 for number in curve.n] or [1.0] * len(curve.x)
    line = Line(curve.label, curve.x, curve.y, dots=True, sizes=sizes)
    words = f"Calibration of the {curve.label} in {len(curve.x)} bins: stated probability against share of hits"
    drawing = plot(
        words, [line], Axis("stated probability", *_SHARE), Axis("share that is right", *_SHARE), diagonal=True
    )
    note = "On the dashed line, 80 % means right in 80 of 100. Below it: too sure. A larger dot: more rows."
    return framed("Calibration", drawing, note=note)


def _points(report: EvaluationReport) -> str:
    if not report.points:
        return ""
    actual, predicted = [x for x, _ in report.points], [y for _, y in report.points]
    unit = report.metric("rmse").unit
    axis = spanning("", [*actual, *predicted])
    ends = (f" ({unit})" if unit else "", axis.low, axis.high)
    drawing = plot(
        f"Predicted against actual values of {len(report.points):,} test rows",
        [Line("rows", actual, predicted, dots=True, joined=False)],
        Axis(f"actual{ends[0]}", *ends[1:]),
        Axis(f"predicted{ends[0]}", *ends[1:]),
        diagonal=True,
    )
    return framed("Predicted and actual", drawing, note="On the dashed line, they are the same.")


def _descent(report: EvaluationReport) -> str:
    told = report.extra.get("descent")
    drawing = descent_picture(told) if isinstance(told, Mapping) else ""
    note = "The stronger the colour, the lower the loss; inputs and target are brought to mean 0 and spread 1."
    return framed("The descent on the loss surface", drawing, [(1, "path"), (2, "kept")], note)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()

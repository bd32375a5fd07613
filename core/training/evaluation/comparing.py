"""Figures of one model beside those of others on the same rows: metrics with their intervals, and a plain verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.training.evaluation.bootstrap import Floats, bounds
from core.training.evaluation.report import Metric


@dataclass(frozen=True, slots=True)
class Told:
    """How a figure is shown: in the order of the report."""

    name: str
    title: str
    higher_is_better: bool = True
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """One model's figures, and the same of every draw [draw]; models that are compared share their draws."""

    exact: Mapping[str, float]
    drawn: Mapping[str, Floats]


NOTHING = Figures({}, {})


def metrics(
    told: tuple[Told, ...], model: Figures, baseline: Figures = NOTHING, before: Figures = NOTHING
) -> tuple[Metric, ...]:
    """Those of `told` that the model has."""
    return tuple(_metric(one, model, baseline, before) for one in told if one.name in model.exact)


def verdict(metric: Metric, rows: int) -> tuple[str, ...]:
    """A sentence for each model it is compared with: better, worse, or not to be told apart with these rows."""
    said = []
    if metric.baseline is not None:
        said.append(_sentence(metric, "the baseline", metric.baseline, (metric.gap_low, metric.gap_high), rows))
    if metric.before is not None:
        bounds_of = (metric.gained_low, metric.gained_high)
        said.append(_sentence(metric, "the model before training", metric.before, bounds_of, rows))
    return tuple(said)


def _metric(told: Told, model: Figures, baseline: Figures, before: Figures) -> Metric:
    name = told.name
    low, high = bounds(model.drawn.get(name))
    gap, gained = _difference(name, model, baseline), _difference(name, model, before)
    return Metric(
        name,
        told.title,
        model.exact[name],
        low,
        high,
        told.higher_is_better,
        told.unit,
        baseline.exact.get(name),
        before.exact.get(name),
        *gap,
        *gained,
    )


def _difference(name: str, model: Figures, other: Figures) -> tuple[float, float] | tuple[None, None]:
    if name not in model.drawn or name not in other.drawn:
        return None, None
    return bounds(model.drawn[name] - other.drawn[name])


def _sentence(metric: Metric, other: str, value: float, ends: tuple[float | None, float | None], rows: int) -> str:
    by = metric.value - value
    better = by > 0 if metric.higher_is_better else by < 0
    unit = f" {metric.unit}" if metric.unit else ""
    begin = f"{metric.title} is {figure(metric.value)}{unit}, that of {other} {figure(value)}{unit}: "
    low, high = ends
    if low is None or high is None:
        return f"{begin}too few test rows to say whether the difference is more than chance."
    gain = (low, high) if metric.higher_is_better else (-high, -low)
    if low <= 0 <= high:
        span = f"95 % interval of the improvement {figure(gain[0])} to {figure(gain[1])}"
        return f"{begin}{rows:,} test rows cannot tell the two apart ({span})."
    ends = gain if better else (-gain[1], -gain[0])  # as positive as the figure beside it
    span = f"95 % interval of the difference {figure(ends[0])} to {figure(ends[1])}"
    return f"{begin}{'better' if better else 'worse'} by {figure(abs(by))}, more than chance explains ({span})."


def figure(value: float) -> str:
    """A figure with as many digits as a report's reader needs: 3 behind the point, or 4 in all."""
    if value == 0 or 1e-3 <= abs(value) < 10:
        return f"{value:.3f}".replace("-", "−")
    if abs(value) >= 1e15:
        return f"{value:.3g}".replace("e+", "e").replace("-", "−")
    return (f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:#.4g}".rstrip(".")).replace("-", "−")

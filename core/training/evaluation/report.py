"""`EvaluationReport`: what a trained model is worth, as data. Pages draw it, exports write it; it is stored as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

ReportKind = Literal["classification", "language", "regression"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. low, high: bounds of a 95 % bootstrap interval, None where there is none. unit: "" or "nats"…
    baseline, before: the same figure of the honest baseline and of the model before training, None where it has none.
    gap_low, gap_high: bounds of a 95 % interval of value − baseline, drawn in pairs; gained_low, gained_high: of
    value − before."""

    name: str
    title: str
    value: float
    low: float | None = None
    high: float | None = None
    higher_is_better: bool = True
    unit: str = ""
    baseline: float | None = None
    before: float | None = None
    gap_low: float | None = None
    gap_high: float | None = None
    gained_low: float | None = None
    gained_high: float | None = None


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class. support: test rows that have it. predicted: rows it was given to."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    roc_auc: float | None = None
    average_precision: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a picture: roc (x false, y true positive rate), pr (x recall, y precision), calibration (x stated, y
    true share; n rows a bin). label: whose it is."""

    kind: Literal["roc", "pr", "calibration"]
    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    n: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One subgroup: its headline figure with an interval, and its gap to all rows with one, drawn in pairs."""

    group: str
    rows: int
    value: float
    low: float | None
    high: float | None
    gap: float
    gap_low: float | None = None
    gap_high: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One test row. said: what the model gave; truth: what stands in the file; score: its probability of the truth
    (classification), absolute error (regression) or loss in nats a token (language). image: a PNG as base64."""

    row: int
    shown: str
    truth: str
    said: str
    score: float
    best: bool
    image: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt with the answers of the model before and after training."""

    prompt: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """headline: name of the metric that is told first. confusion: [true, predicted] counts in the order of `labels`.
    points: (actual, predicted) of regression, at most 2,000. baseline: what the baseline is, in words, "" for none.
    extra: pictures of one recipe (the loss surface, the path of the descent, a grid of predictions)."""

    kind: ReportKind
    headline: str
    rows: int
    metrics: tuple[Metric, ...]
    labels: tuple[str, ...] = ()
    classes: tuple[ClassRow, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    curves: tuple[Curve, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    examples: tuple[Example, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    answers: tuple[Answer, ...] = ()
    baseline: str = ""
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def metric(self, name: str) -> Metric:
        """The figure of that name. Raises KeyError."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(values: dict[str, Any]) -> EvaluationReport:
    """What `to_json` gave, back."""
    made = {
        "metrics": Metric,
        "classes": ClassRow,
        "curves": Curve,
        "groups": GroupRow,
        "examples": Example,
        "answers": Answer,
    }
    known = {name: values[name] for name in EvaluationReport.__slots__ if name in values}
    for name, kind in made.items():
        known[name] = tuple(kind(**_tuples(row)) for row in known.get(name, ()))
    for name in ("labels", "notes"):
        known[name] = tuple(known.get(name, ()))
    for name in ("confusion", "points"):
        known[name] = tuple(tuple(row) for row in known.get(name, ()))
    return EvaluationReport(**known)


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}

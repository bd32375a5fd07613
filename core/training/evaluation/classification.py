"""What a classifier is worth on its test rows: figures with intervals, curves, confusion, examples, subgroups.

scikit-learn gives the figures; the baseline and the model before training are judged on the same rows and draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.training.evaluation import checks
from core.training.evaluation.bootstrap import Counts, Floats, replicates
from core.training.evaluation.class_figures import AVERAGES, PARTS, Classified, calibration_bins
from core.training.evaluation.comparing import NOTHING, Figures, Told, metrics, verdict
from core.training.evaluation.examples import Images, examples
from core.training.evaluation.groups import gap_notes, group_rows
from core.training.evaluation.ranking import MOST_CURVES, Ranking, ranked_classes, ranking_draws
from core.training.evaluation.report import ClassRow, Curve, EvaluationReport

HEADLINE = "f1_macro"
FEW_ROWS = 10  # of a class; with fewer its own figures are rough

_TITLES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
TOLD = (
    Told(HEADLINE, "F1 (macro)"),
    Told("accuracy", "Accuracy"),
    Told("roc_auc", "ROC-AUC"),
    Told("average_precision", "Average precision"),
    Told("log_loss", "Log loss", False, "nats"),
    Told("brier", "Brier score", False),
    Told("ece", "Calibration error", False),
    *(
        Told(f"{part}_{average}", f"{_TITLES[part]} ({average})")
        for average in AVERAGES
        for part in PARTS
        if (part, average) != ("f1", "macro")
    ),
)


def classification_report(
    probabilities: Any,
    truth: Any,
    labels: Sequence[str],
    *,
    rows: Sequence[int],
    texts: Sequence[str],
    groups: Sequence[Any] | None = None,
    baseline: Any = None,
    before: Any = None,
    images: Images | None = None,
    baseline_words: str = "",
    seed: int = 0,
) -> EvaluationReport:
    """probabilities, baseline, before: [row, class]. truth: [row], indexes of `labels`. rows: numbers in the file.

    texts: what a reader sees of a row (of images: their names). Raises InvalidInput for what is no probability.
    """
    labels = tuple(str(label) for label in labels)
    model = _classified(probabilities, truth, labels, "The probabilities")
    count = len(model.truth)
    checks.described(rows, texts, count)
    if groups is not None and len(groups) != count:
        raise InvalidInput(f"There are subgroups of {len(groups):,} rows.", allowed=f"{count:,}.")
    others = {
        "baseline": None if baseline is None else _classified(baseline, truth, labels, "The baseline's probabilities"),
        "before": None if before is None else _classified(before, truth, labels, "The probabilities before training"),
    }
    found = _figures(model, others, seed)
    told = metrics(TOLD, found["model"], found["baseline"], found["before"])
    by_group = group_rows(groups, _group_measure(model), count, seed=seed)
    said = model.said
    return EvaluationReport(
        kind="classification",
        headline=HEADLINE,
        rows=count,
        metrics=told,
        labels=labels,
        classes=_class_rows(model, labels),
        confusion=_confusion(model, len(labels)),
        curves=_curves(model, labels),
        groups=by_group,
        examples=examples(
            model.of_truth,
            rows=rows,
            shown=texts,
            truth=lambda place: labels[model.truth[place]],
            said=lambda place: labels[said[place]],
            high_is_good=True,
            images=images,
        ),
        baseline=baseline_words,
        notes=(
            *verdict(told[0], count),
            *gap_notes(by_group, "F1 (macro)", higher_is_better=True),
            *_notes(model, labels),
        ),
    )


def _classified(probabilities: Any, truth: Any, labels: tuple[str, ...], what: str) -> Classified:
    if len(labels) < 2:
        raise InvalidInput(f"There are {len(labels)} classes.", allowed="2 at least.")
    clean = checks.probabilities(probabilities, what, classes=len(labels))
    return Classified(clean, checks.classes_of(truth, len(clean), len(labels)))


def _figures(model: Classified, others: dict[str, Classified | None], seed: int) -> dict[str, Figures]:
    models = {"model": model} | {name: one for name, one in others.items() if one is not None}
    rows = len(model.truth)

    def counted(counts: Counts) -> dict[str, Floats]:
        return {f"{name} {key}": value for name, one in models.items() for key, value in one.counted(counts).items()}

    def ranked(counts: Counts) -> dict[str, Floats]:
        return {f"{name} {key}": value for name, one in models.items() for key, value in one.ranked(counts).items()}

    drawn = replicates(rows, counted, seed=seed)
    rankings = len(ranked_classes(model.truth, model.probabilities.shape[1])) * len(models)
    if rankings:
        drawn |= replicates(rows, ranked, seed=seed, count=ranking_draws(rows, rankings))
    found = dict.fromkeys(("model", "baseline", "before"), NOTHING)
    for name, one in models.items():
        own = {key.split(" ", 1)[1]: value for key, value in drawn.items() if key.startswith(f"{name} ")}
        found[name] = Figures(one.figures(), own)
    return found


def _group_measure(model: Classified) -> Any:
    def measure(counts: Counts, part: npt.NDArray[np.intp]) -> Floats:
        return Classified(model.probabilities[part], model.truth[part]).f1_macro(counts)

    return measure


def _class_rows(model: Classified, labels: tuple[str, ...]) -> tuple[ClassRow, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    parts = precision_recall_fscore_support(model.truth, model.said, labels=range(len(labels)), zero_division=0)
    given = np.bincount(model.said, minlength=len(labels))
    found = []
    for index, label in enumerate(labels):
        precision, recall, f1, support = (part[index] for part in parts)
        has = model.truth == index
        told = Ranking(model.probabilities[:, index], has).exact() if 0 < has.sum() < len(has) else (None, None)
        found.append(
            ClassRow(label, float(precision), float(recall), float(f1), int(support), int(given[index]), *told)
        )
    return tuple(found)


def _confusion(model: Classified, classes: int) -> tuple[tuple[int, ...], ...]:
    from sklearn.metrics import confusion_matrix

    found = confusion_matrix(model.truth, model.said, labels=range(classes))
    return tuple(tuple(row) for row in found.tolist())


def _curves(model: Classified, labels: tuple[str, ...]) -> tuple[Curve, ...]:
    had = np.bincount(model.truth, minlength=len(labels))
    ranked = sorted(ranked_classes(model.truth, len(labels)), key=lambda index: -had[index])[:MOST_CURVES]
    pairs = [
        Ranking(model.probabilities[:, index], model.truth == index).curves(labels[index]) for index in sorted(ranked)
    ]
    stated, hit, number = calibration_bins(model)
    calibration = Curve(
        "calibration", "likeliest class", tuple(stated.tolist()), tuple(hit.tolist()), tuple(number.tolist())
    )
    return (*(roc for roc, _ in pairs), *(precision for _, precision in pairs), calibration)


def _notes(model: Classified, labels: tuple[str, ...]) -> tuple[str, ...]:
    had = np.bincount(model.truth, minlength=len(labels))
    missing = [label for label, number in zip(labels, had, strict=True) if number == 0]
    few = [f"{label} ({number})" for label, number in zip(labels, had, strict=True) if 0 < number < FEW_ROWS]
    told = []
    if missing:
        told.append(f"No test row has {_listed(missing)}: these figures say nothing of it, and averages leave it out.")
    if few:
        told.append(f"Fewer than {FEW_ROWS} test rows, so rough figures: {_listed(few)}.")
    if len(labels) == 2 and not missing:
        told.append(f"ROC-AUC, average precision and their curves are of {labels[1]}.")
    return tuple(told)


def _listed(names: Sequence[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest

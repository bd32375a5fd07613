"""Findings about rows before anything is dropped, and about the parts of the split: what a careful reader would ask.

Findings are warnings and notes, but where nothing could be learned or judged at all: those are errors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.training.data.clean import empty, lengths
from core.training.data.findings import MOST_ROWS, about_rows
from core.training.data.keys import exact_keys, near_keys
from core.training.data.prepared import Finding, Kind
from core.training.data_config import Cleaning

FEWEST_TRAIN = 8
"""Rows to learn from below which nothing is learned but the rows."""

FEW_TRAIN = 50
FEW_OF_LABEL = 10
MANY_LABELS = 100
UNBALANCED = 10.0
"""Rows of the largest class over those of the smallest."""

_OUTLIER = 10.0
"""Times the 95 % quantile of the length."""


def check_rows(frame: pd.DataFrame, kind: Kind, cleaning: Cleaning) -> list[Finding]:
    """Missing and empty values, duplicates, conflicting labels, outliers. frame: as `shape` gives it."""
    gone = empty(frame, kind)
    full = frame[~gone]
    near = near_keys(full, kind)
    return [
        *_empty_findings(frame, kind, gone, cleaning),
        *_duplicate_findings(full, exact_keys(full, kind), near, cleaning),
        *_conflict_findings(full, near),
        *(_number_findings(full) if kind == "numbers" else []),
        *(_length_findings(full, kind) if kind not in ("numbers", "images") else []),
    ]


def check_split(
    train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, kind: Kind, label: str = ""
) -> list[Finding]:
    """Too few rows, classes without rows to learn from or to judge by, their balance. label: the name of its column."""
    if kind == "labelled" and (unlike := _unlike_findings(pd.concat([train, validation, test])["label"], label)):
        return unlike
    findings = _size_findings(train, validation, test)
    if kind in ("labelled", "images"):
        findings += _label_findings(train, test)
    return findings


def leaks(train: pd.DataFrame, judges: pd.DataFrame, kind: Kind) -> pd.Series:
    """[row of train]: whether it stands among the rows that judge, too."""
    return near_keys(train, kind).isin(set(near_keys(judges, kind)))


def check_leaks(train: pd.DataFrame, judges: pd.DataFrame, kind: Kind, dropped: bool) -> list[Finding]:
    """Rows of the training file that the evaluation file has as well."""
    done = "they were taken out of the rows to learn from" if dropped else "the figures will flatter the model"
    return about_rows(
        "leakage",
        "warning",
        f"{{n}} {{rows}} in the evaluation file, too; {done}",
        _rows(train[leaks(train, judges, kind)]),
        next_step="" if dropped else "Turn on data.clean.drop_leaks.",
    )


def _empty_findings(frame: pd.DataFrame, kind: Kind, gone: pd.Series, cleaning: Cleaning) -> list[Finding]:
    if kind == "images":
        return []
    what = {"numbers": "without all of their numbers", "labelled": "without text or label"}.get(kind, "empty")
    severity = "warning" if cleaning.drop_empty or kind == "text" else "error"
    return about_rows(
        "empty values",
        "warning" if severity == "warning" else "error",
        f"{{n}} {{rows}} {what}" + (" and left out" if cleaning.drop_empty else ""),
        _rows(frame[gone]),
        next_step="" if cleaning.drop_empty else "Fill these in, or turn on data.clean.drop_empty.",
    )


def _duplicate_findings(
    frame: pd.DataFrame, exact_key: pd.Series, near_key: pd.Series, cleaning: Cleaning
) -> list[Finding]:
    """Of rows of the same label where there are labels: other labels are a conflict."""
    labels = frame.get("label", "")
    exact = pd.DataFrame({"key": exact_key, "label": labels}, index=frame.index).duplicated()
    near = pd.DataFrame({"key": near_key, "label": labels}, index=frame.index).duplicated() & ~exact
    done = "; the first stays" if cleaning.deduplicate else ""
    cure = "" if cleaning.deduplicate else "Turn on data.clean.deduplicate."
    return [
        *about_rows(
            "duplicates", "warning", f"{{n}} {{rows}} the same as one before{done}", _rows(frame[exact]), next_step=cure
        ),
        *about_rows(
            "near duplicates",
            "warning",
            f"{{n}} {{rows}} the same as one before but for capitals, punctuation or blanks{done}",
            _rows(frame[near]),
            next_step=cure,
        ),
    ]


def _conflict_findings(frame: pd.DataFrame, keys: pd.Series) -> list[Finding]:
    if "label" not in frame:
        return []
    labels = frame["label"].groupby(keys.to_numpy()).transform("nunique").set_axis(frame.index)
    return about_rows(
        "conflicting labels",
        "warning",
        "{n} {have} the content of another row and another label",
        _rows(frame[labels > 1]),
        next_step="Decide which label is right: no model can learn both.",
    )


def _number_findings(frame: pd.DataFrame) -> list[Finding]:
    findings = []
    if len(frame) and frame["target"].nunique() == 1:
        told = f"The target is {frame['target'].iloc[0]:g} in every row: there is nothing to predict."
        findings.append(Finding("constant target", "error", told, next_step="Choose another target."))
    features = [name for name in frame.columns if name not in ("target", "row", "group")]
    constant = [name for name in features if len(frame) and frame[name].nunique() == 1]
    if constant:
        told = f"The same number in every row: {', '.join(constant)}. Nothing can be learned from it."
        findings.append(Finding("constant features", "warning", told, len(constant)))
    same = [name for name in features if name not in constant and np.array_equal(frame[name], frame["target"])]
    if same:
        told = f"Equal to the target in every row: {', '.join(same)}. The model would only copy it."
        step = "Leave it out of data.columns.features."
        findings.append(Finding("leaking features", "warning", told, len(same), next_step=step))
    return findings


def _length_findings(frame: pd.DataFrame, kind: Kind) -> list[Finding]:
    sizes = lengths(frame, kind)
    if not len(sizes):
        return []
    bound = max(float(sizes.quantile(0.95)) * _OUTLIER, 1_000.0)
    return about_rows(
        "long outliers",
        "note",
        f"{{n}} {{have}} over {bound:,.0f} characters, {_OUTLIER:g} times what 95 % of the rows stay under",
        _rows(frame[(sizes > bound).to_numpy()]),
        next_step="What is longer than max_tokens is cut; data.clean.longest leaves such rows out.",
    )


def _size_findings(train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    findings = []
    if len(train) < FEWEST_TRAIN:
        told = f"{len(train)} rows are left to learn from; {FEWEST_TRAIN} are the least."
        findings.append(Finding("too few rows", "error", told, len(train), next_step="Add rows."))
    elif len(train) < FEW_TRAIN:
        told = f"{len(train)} rows to learn from are few: the figures will have wide intervals."
        findings.append(Finding("few rows", "warning", told, len(train), next_step="Add rows, or data.augment.copies."))
    for part, name in ((validation, "validation"), (test, "test")):
        if not len(part):
            told = f"No row is left for the {name}."
            step = f"Raise data.{name}, or add rows."
            findings.append(Finding("too few rows", "error", told, next_step=step))
    return findings


def _unlike_findings(labels: pd.Series, column: str) -> list[Finding]:
    """Where most rows have a label to themselves nothing else needs to be told: the column names rows, not classes."""
    counts = labels.value_counts()
    alone = int((counts == 1).sum())
    if alone < FEWEST_TRAIN or alone <= len(labels) / 2:
        return []
    which = f"{column!r}" if column else "this"
    told = f"{alone:,} labels with one row each: is {which} the right column?"
    return [Finding("too many classes", "error", told, alone, next_step="Choose another column as the label.")]


def _label_findings(train: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    counts = train["label"].value_counts()
    if len(counts) < 2:
        told = f"One class to learn: {', '.join(counts.index) or 'none'}."
        return [Finding("one class", "error", told, len(counts), next_step="Choose another column as the label.")]
    if len(counts) > MANY_LABELS and len(counts) > len(train) / 5:
        told = f"{len(counts):,} classes for {len(train):,} rows: this column is no label."
        return [Finding("too many classes", "error", told, len(counts), next_step="Choose another column.")]
    return [*_balance_findings(counts), *_unmet_findings(counts, test)]


def _balance_findings(counts: pd.Series) -> list[Finding]:
    """counts: rows to learn from by label, the largest first."""
    findings = []
    few = counts[counts < FEW_OF_LABEL]
    if len(few):
        told = f"{len(few)} of {len(counts)} classes have fewer than {FEW_OF_LABEL} rows to learn from: {_named(few)}."
        step = "Add rows of these, or set data.clean.rarest_label."
        findings.append(Finding("rare labels", "warning", told, len(few), next_step=step))
    if counts.iloc[0] / counts.iloc[-1] >= UNBALANCED:
        told = (
            f"{counts.index[0]} has {counts.iloc[0]:,} rows, {counts.index[-1]} {counts.iloc[-1]:,}: accuracy flatters."
        )
        findings.append(Finding("label balance", "warning", told, next_step="Judge by macro F1, or add rows."))
    return findings


def _unmet_findings(counts: pd.Series, test: pd.DataFrame) -> list[Finding]:
    """Labels that only one side has."""
    findings = []
    strange = sorted(set(test["label"]) - set(counts.index))
    if strange:
        told = (
            f"Labels that only the evaluation has: {', '.join(strange[:8])}. No model can learn them from these rows."
        )
        rows = _rows(test[test["label"].isin(strange)])
        step = "Correct the labels."
        findings.append(Finding("unknown labels", "error", told, len(rows), tuple(rows[:MOST_ROWS]), step))
    unjudged = sorted(set(counts.index) - set(test["label"])) if len(test) else []
    if unjudged:
        told = (
            f"No test row has {', '.join(unjudged[:8])}: nothing is told of {'it' if len(unjudged) == 1 else 'them'}."
        )
        findings.append(Finding("unjudged labels", "warning", told, len(unjudged), next_step="Add rows of it."))
    return findings


def _named(counts: pd.Series) -> str:
    named = [f"{name} ({count})" for name, count in counts.items()]
    return ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")


def _rows(frame: pd.DataFrame) -> list[int]:
    return [int(row) for row in frame["row"]]

"""`PreparedData`: rows as the recipes take them, and the record of all that was done to get there.

Columns by kind. chat: `messages` (list of {"role", "content"}). text: `text`. labelled: `text`, `label` (a name).
images: `image` (path below `folder`), `label`. numbers: the features, `target`. All: `row`, the row's number in the
file from 1 (of an image: its place), and `group` where a column of subgroups was named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

Kind = Literal["chat", "text", "labelled", "images", "numbers"]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader should know of the data. code: what kind, such as "duplicates". told: one sentence with the
    numbers. rows: of the file, from 1, the first few dozen. count: how many there are. severity error: it cannot be
    trained on. next_step: what cures it."""

    code: str
    severity: Severity
    told: str
    count: int = 0
    rows: tuple[int, ...] = ()
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class PrivacyFinding:
    """Personal data or a secret of one kind. examples: shortened and masked, never whole."""

    kind: str
    count: int
    rows: tuple[int, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """One step that was taken: its name, in words, how many rows it changed and dropped."""

    name: str
    told: str
    changed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class DataRecord:
    """What a model learned from. digest: SHA-256 of the file's content. rows: in the file; train, validation, test:
    after all steps. lengths: quantiles of the texts' length in characters (0, 5, 25, 50, 75, 95, 100 %), () for others.
    labels: rows of each, in the order of the model's classes. columns: which played which part."""

    source: str
    kind: Kind
    digest: str
    rows: int
    train: int
    validation: int
    test: int
    columns: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    privacy: tuple[PrivacyFinding, ...] = ()
    privacy_done: str = "keep"
    steps: tuple[CleaningStep, ...] = ()
    lengths: tuple[float, ...] = ()
    licence: str = ""


@dataclass(frozen=True, slots=True)
class PreparedData:
    """train, validation, test: frames with the columns of their kind. labels: names of the classes, by index.
    features: names, of numbers. folder: where images lie."""

    kind: Kind
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    record: DataRecord
    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    folder: Path | None = None

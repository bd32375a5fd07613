"""`Parts`: the rows to learn from, to choose by and to judge by, and what had to be dropped so that they stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from core.errors import InvalidInput
from core.training.data.keys import near_keys
from core.training.data.prepared import CleaningStep, Finding, Kind
from core.training.data.split import split
from core.training.data.validate import check_leaks, leaks
from core.training.data_config import DataConfig


@dataclass(frozen=True, slots=True)
class Parts:
    """Frames of one kind. steps, findings: of what was done to keep them apart."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    steps: tuple[CleaningStep, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def all(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return self.train, self.validation, self.test


def parted(frames: Sequence[pd.DataFrame], kind: Kind, config: DataConfig) -> Parts:
    """frames: the rows; and, where there is one, the evaluation file's, which then judge in place of a share."""
    rows, *judges = frames
    if not judges:
        return Parts(*_split(rows, kind, config, config.test))
    dropping = config.clean.drop_leaks
    findings = check_leaks(rows, judges[0], kind, dropping)
    steps = []
    if dropping:
        kept = rows[~leaks(rows, judges[0], kind)].reset_index(drop=True)
        steps = [CleaningStep("drop_leaks", "Rows that the evaluation file has, too", dropped=len(rows) - len(kept))]
        rows = kept
    train, validation, _ = _split(rows, kind, config, 0.0)
    return Parts(train, validation, judges[0], tuple(steps), tuple(findings))


def without_constants(parts: Parts, features: tuple[str, ...]) -> Parts:
    """Without features that never change in the rows to learn from. Raises InvalidInput when none is left."""
    constant = [name for name in features if parts.train[name].nunique() < 2]
    if len(constant) == len(features):
        raise InvalidInput(
            f"No feature changes: {', '.join(constant)}.", next_step="Choose other columns as data.columns.features."
        )
    train, validation, test = (frame.drop(columns=constant) for frame in parts.all)
    return replace(parts, train=train, validation=validation, test=test)


def _split(
    rows: pd.DataFrame, kind: Kind, config: DataConfig, test: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    labels = rows["label"] if "label" in rows.columns else None
    found = split(near_keys(rows, kind), labels, config.validation, test, config.seed)
    train, choose, judge = (
        rows.iloc[places].reset_index(drop=True) for places in (found.train, found.validation, found.test)
    )
    return train, choose, judge

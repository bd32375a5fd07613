"""`prepare`: a file becomes rows to learn from, to choose by and to judge by, with the record of all that was done.

With a folder it is done once: the rows are kept there as Parquet, whole or not at all, and read back the next time, so
that a resumed job sees the very same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.artefacts import Progress, make_folder, no_progress, part_of
from core.errors import InvalidInput
from core.training.data.augment import augment
from core.training.data.clean import clean, lengths
from core.training.data.kept import is_kept, keep, load
from core.training.data.parts import Parts, parted, without_constants
from core.training.data.prepared import CleaningStep, DataRecord, Finding, Kind, PreparedData, PrivacyFinding
from core.training.data.protect import protect
from core.training.data.source import Source, read_source, source_of
from core.training.data.validate import check_rows, check_split
from core.training.data_config import Cleaning, DataConfig

__all__ = ["load", "prepare"]

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def prepare(recipe: str, config: DataConfig, folder: Path | None, progress: Progress = no_progress) -> PreparedData:
    """The rows of a recipe. folder: where they are kept; None for a preview, which is not.

    Raises InvalidInput that lists every finding for which the data cannot be trained on, CorruptFile, StorageError.
    """
    if folder is None:
        return _prepare(recipe, config, None, progress)
    make_folder(folder, lambda target: keep(_prepare(recipe, config, target, progress), target), is_complete=is_kept)
    return load(folder)


def _prepare(recipe: str, config: DataConfig, folder: Path | None, progress: Progress) -> PreparedData:
    progress(0.0, "Reading the file")
    source = read_source(recipe, source_of(config), config, folder, part_of(progress, 0.0, 0.4))
    findings = [*source.findings, *check_rows(source.frame, source.kind, config.clean)]
    progress(0.4, "Cleaning the rows")
    frames, steps = _cleaned(source, config.clean)
    guarded = protect(frames, source.kind, config.privacy, part_of(progress, 0.5, 0.9))
    progress(0.9, "Splitting the rows")
    parts = parted(guarded.frames, source.kind, config)
    label = str(source.columns.get("label", ""))
    findings += [*parts.findings, *check_split(*parts.all, source.kind, label)]
    _refuse(findings)
    if source.kind == "numbers":
        parts = without_constants(parts, source.features)
    train, copies = augment(parts.train, source.kind, config.augment, config.seed)
    parts = replace(parts, train=train, steps=(*steps, *guarded.steps, *parts.steps, *copies))
    return _whole(source, config, parts, findings, guarded.findings)


def _cleaned(source: Source, asked: Cleaning) -> tuple[list[pd.DataFrame], list[CleaningStep]]:
    """The rows and, where there is one, the evaluation file's; the steps of both taken together."""
    pairs = [clean(frame, source.kind, asked) for frame in (source.frame, source.judges) if frame is not None]
    first, *others = (steps for _, steps in pairs)
    added = list(first)
    for steps in others:
        added = [
            replace(one, changed=one.changed + more.changed, dropped=one.dropped + more.dropped)
            for one, more in zip(added, steps, strict=True)
        ]
    return [frame for frame, _ in pairs], added


def _refuse(findings: Sequence[Finding]) -> None:
    """Raises InvalidInput with all findings of severity "error", if there are any; too few rows are explained by what
    was left out."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    if any(finding.code == "too few rows" for finding in errors):
        errors = [*errors, *(one for one in findings if one.severity == "warning" and "left out" in one.told)]
    raise InvalidInput(
        " ".join(finding.told for finding in errors),
        next_step=" ".join(dict.fromkeys(finding.next_step for finding in errors if finding.next_step)),
    )


def _whole(
    source: Source,
    config: DataConfig,
    parts: Parts,
    findings: Sequence[Finding],
    privacy: tuple[PrivacyFinding, ...],
) -> PreparedData:
    labels = _labels(parts.all)
    record = DataRecord(
        source=source.name,
        kind=source.kind,
        digest=source.digest,
        rows=source.rows,
        train=len(parts.train),
        validation=len(parts.validation),
        test=len(parts.test),
        columns=source.columns,
        labels=labels,
        findings=tuple(findings),
        privacy=privacy,
        privacy_done=config.privacy,
        steps=(*source.steps, *parts.steps),
        lengths=_quantiles(parts.all, source.kind),
        licence=source.licence,
    )
    train, validation, test = (frame.drop(columns="digest", errors="ignore") for frame in parts.all)
    features = tuple(name for name in source.features if name in parts.train)
    return PreparedData(source.kind, train, validation, test, record, tuple(labels), features, source.folder)


def _labels(frames: Sequence[pd.DataFrame]) -> dict[str, int]:
    """Rows of each label, numbers in the order of numbers."""
    if "label" not in frames[0]:
        return {}
    counts = pd.concat([frame["label"] for frame in frames]).value_counts()
    names = [str(name) for name in counts.index]
    in_order = sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)
    return {name: int(counts[name]) for name in in_order}


def _quantiles(frames: Sequence[pd.DataFrame], kind: Kind) -> tuple[float, ...]:
    if kind in ("images", "numbers"):
        return ()
    sizes = np.concatenate([lengths(frame, kind).to_numpy() for frame in frames])
    return tuple(float(size) for size in np.quantile(sizes, QUANTILES))

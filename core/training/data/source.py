"""Where rows come from: a sample set, a file or a folder, with an evaluation file beside it or not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.models.digests import file_digest
from core.training.data.columns import resolve_columns
from core.training.data.images import read_images, unpacked_folder
from core.training.data.prepared import CleaningStep, Finding, Kind
from core.training.data.read import read_table
from core.training.data.rows import NO_GROUP, feature_name, shape
from core.training.data.samples import sample, sample_path
from core.training.data_config import Columns, DataConfig

SAMPLE = "sample:"


@dataclass(frozen=True, slots=True)
class Place:
    """path: of the data. judges: of the evaluation's own file. name: as the user wrote it. licence: of a sample."""

    path: Path
    judges: Path | None
    name: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """frame: rows as `shape` gives them; judges: those of the evaluation file. rows: in the files, unreadable ones
    among them. features: names of the frame's. steps: what the reading left out."""

    name: str
    kind: Kind
    digest: str
    rows: int
    frame: pd.DataFrame
    judges: pd.DataFrame | None
    findings: tuple[Finding, ...]
    columns: dict[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    folder: Path | None = None
    licence: str = ""
    steps: tuple[CleaningStep, ...] = ()


def source_of(config: DataConfig) -> Place:
    """The files that are meant. Raises InvalidInput for a path that is not there and an unknown sample."""
    path, licence = _found(config.path, "data.path")
    judges = _found(config.evaluation_path, "data.evaluation_path")[0] if config.evaluation_path else None
    name = config.path if config.path.startswith(SAMPLE) else path.name
    return Place(path, judges, name, licence)


def read_source(
    recipe: str, place: Place, config: DataConfig, folder: Path | None, progress: Progress = no_progress
) -> Source:
    """All rows. folder: where images are copied to, None to leave or unpack them where a preview may."""
    if recipe == "images":
        return _images(place, folder, progress)
    table = read_table(place.path)
    kind, columns = resolve_columns(table.frame, recipe, config.columns)
    shaped = shape(table.frame, kind, columns)
    findings = [*table.findings, *shaped.findings]
    frame, judges, rows = shaped.frame, None, len(table.frame)
    if place.judges is not None:
        other = read_table(place.judges)
        judged = shape(other.frame, kind, _columns_of(other.frame, recipe, columns))
        if columns.group and "group" not in judged.frame:
            judged.frame["group"] = NO_GROUP
        findings += _of_evaluation([*other.findings, *judged.findings])
        judges, rows = judged.frame, rows + len(other.frame)
    left_out = rows - len(frame) - (0 if judges is None else len(judges))
    return Source(
        name=place.name,
        kind=kind,
        digest=_digest([place.path, place.judges]),
        rows=rows,
        frame=frame,
        judges=judges,
        findings=tuple(findings),
        columns=_used(columns),
        features=tuple(feature_name(name) for name in columns.features),
        licence=place.licence,
        steps=(CleaningStep("leave_out", "Rows that could not be read", dropped=left_out),) if left_out else (),
    )


def _columns_of(frame: pd.DataFrame, recipe: str, columns: Columns) -> Columns:
    """The same columns of the evaluation file, which need not have groups."""
    known = columns if columns.group in frame.columns else columns.model_copy(update={"group": ""})
    return resolve_columns(frame, recipe, known)[1]


def _images(place: Place, folder: Path | None, progress: Progress) -> Source:
    if place.judges is not None:
        raise InvalidInput(
            "Images are judged by a part of their own: data.evaluation_path is not for them.",
            next_step="Leave data.evaluation_path empty and set data.test.",
        )
    where = folder or (place.path if place.path.is_dir() else unpacked_folder(place.path))
    frame, findings = read_images(place.path, where, progress)
    digest = hashlib.sha256("".join(sorted(frame["label"] + ":" + frame["digest"])).encode()).hexdigest()
    return Source(
        name=place.name,
        kind="images",
        digest=digest,
        rows=len(frame),
        frame=frame,
        judges=None,
        findings=findings,
        folder=where,
        licence=place.licence,
    )


def _found(written: str, key: str) -> tuple[Path, str]:
    if written.startswith(SAMPLE):
        name = written.removeprefix(SAMPLE)
        return sample_path(name), sample(name).licence
    path = Path(written).expanduser()
    if not written or not path.exists():
        raise InvalidInput(
            f"{key}: {written!r} is not there.",
            allowed="A file or folder of this machine, or sample:NAME.",
            next_step="Check the path; a relative one is looked for from the folder that you started from.",
        )
    return path, ""


def _used(columns: Columns) -> dict[str, Any]:
    return {part: name for part, name in columns.model_dump(mode="json").items() if name}


def _of_evaluation(findings: Sequence[Finding]) -> list[Finding]:
    return [
        Finding(f.code, f.severity, f"In the evaluation file: {f.told}", f.count, f.rows, f.next_step) for f in findings
    ]


def _digest(paths: Sequence[Path | None]) -> str:
    """SHA-256 of the file, or of both files' digests."""
    found = [file_digest(path) for path in paths if path is not None]
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()

"""Prepared rows on the disk: three Parquet files and record.json, read back as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from core.artefacts import guarding_storage
from core.errors import CorruptFile
from core.training.data.prepared import CleaningStep, DataRecord, Finding, PreparedData, PrivacyFinding

RECORD = "record.json"
PARTS = ("train", "validation", "test")


def is_kept(folder: Path) -> bool:
    """Whether `keep` has been here to the end."""
    return (folder / RECORD).is_file()


def keep(data: PreparedData, folder: Path) -> None:
    """Write the rows and their record. Images lie there already."""
    with guarding_storage(folder):
        for part in PARTS:
            _write(getattr(data, part), folder / f"{part}.parquet")
        values = {"record": asdict(data.record), "labels": data.labels, "features": data.features}
        (folder / RECORD).write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")


def load(folder: Path) -> PreparedData:
    """What `keep` wrote. Raises CorruptFile for a folder that is damaged."""
    with _telling_damage(folder):
        values = _values(folder)
        record = _record(values["record"])
        frames = {part: _frame(folder / f"{part}.parquet") for part in PARTS}
    return PreparedData(
        record.kind,
        frames["train"],
        frames["validation"],
        frames["test"],
        record,
        labels=tuple(values["labels"]),
        features=tuple(values["features"]),
        folder=folder if record.kind == "images" else None,
    )


def load_record(folder: Path) -> DataRecord:
    """What `keep` wrote beside the rows, without reading them. Raises CorruptFile for a folder that is damaged."""
    with _telling_damage(folder):
        return _record(_values(folder)["record"])


@contextmanager
def _telling_damage(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptFile(
            f"The prepared rows in {folder} are damaged: {error}.",
            next_step="Delete that folder: they are prepared again from the file.",
        ) from error


def _values(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return found


def _write(frame: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    with path.open("wb") as stream:  # ours, so that a full disk is an OSError with its number
        pq.write_table(table, stream)


def _frame(path: Path) -> pd.DataFrame:
    """The frame with lists of dicts as they were (pandas alone would make arrays of them)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    frame = table.to_pandas()
    if "messages" in frame:
        frame["messages"] = pd.Series(table.column("messages").to_pylist(), index=frame.index, dtype=object)
    return frame


def _record(values: dict[str, Any]) -> DataRecord:
    return DataRecord(
        **{
            **values,
            "findings": tuple(Finding(**_tuples(each)) for each in values["findings"]),
            "privacy": tuple(PrivacyFinding(**_tuples(each)) for each in values["privacy"]),
            "steps": tuple(CleaningStep(**each) for each in values["steps"]),
            "lengths": tuple(values["lengths"]),
        }
    )


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

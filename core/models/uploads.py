"""Uploaded model files: written to `home/uploads/<id>/` at once, and added from there like any folder or GGUF file.

An upload lives as long as a model that was made from it. One that no model came of is swept.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from core.artefacts import folder_bytes, guarding_storage, make_folder
from core.errors import InvalidInput
from core.models.folder_source import SMALL_FILES
from core.models.records import all_records
from core.models.weights import INDEX
from core.settings import get_settings

KINDS = ("gguf", "safetensors", "json", "txt", "model", "jinja", "md")
SWEEP_AFTER_S = 3600.0


def uploads_dir() -> Path:
    """Where uploads are kept."""
    return get_settings().home / "uploads"


def receive(files: Sequence[tuple[str, BinaryIO]]) -> Path:
    """Keep uploaded (name, content) pairs; the path to add: of one .gguf file, or of a folder.

    Raises InvalidInput when they do not make up a model, StorageError when the disk is full.
    """
    names = [Path(name).name for name, _ in files]
    ggufs = [name for name in names if name.endswith(".gguf")]
    if ggufs and len(names) > 1:
        raise InvalidInput(
            f"{len(names)} files were uploaded, {ggufs[0]} among them.",
            allowed="One .gguf file alone, or the files of one safetensors model.",
            next_step="Upload the .gguf file by itself.",
        )
    if not ggufs:
        _check_whole(names)
    target = uploads_dir() / uuid.uuid4().hex[:12]

    def keep(folder: Path) -> None:
        for name, (_, content) in zip(names, files, strict=True):
            place = folder / name
            with guarding_storage(place), place.open("wb") as out:
                shutil.copyfileobj(content, out, 4 * 1024**2)

    make_folder(target, keep)
    return target / ggufs[0] if ggufs else target


def forget(location: str) -> int:
    """Delete the upload that a model's source location lies in, if it is one; bytes freed."""
    folder = _upload_of(location)
    if folder is None or not folder.is_dir():
        return 0
    freed = folder_bytes(folder)
    shutil.rmtree(folder)
    folder.with_name(folder.name + ".lock").unlink(missing_ok=True)
    return freed


def upload_bytes(location: str) -> int:
    """Size of the upload that a model's source location lies in; 0 when it is none."""
    folder = _upload_of(location)
    return folder_bytes(folder) if folder is not None and folder.is_dir() else 0


def sweep(older_than_s: float = SWEEP_AFTER_S) -> None:
    """Delete uploads that no model came of, once they are an hour old."""
    used = {_upload_of(record.source.location) for record in all_records()}
    for folder in uploads_dir().glob("*/") if uploads_dir().is_dir() else ():
        if folder not in used and time.time() - folder.stat().st_mtime > older_than_s:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_name(folder.name + ".lock").unlink(missing_ok=True)


def _upload_of(location: str) -> Path | None:
    path, home = Path(location), uploads_dir().resolve()
    for folder in (path, *path.parents):
        if folder.parent == home:
            return folder
    return None


def _check_whole(names: Sequence[str]) -> None:
    weights = [name for name in names if name.endswith(".safetensors")]
    known = {Path(name).name for name in SMALL_FILES} | {INDEX, "README.md"}
    odd = [name for name in names if name not in known and name not in weights]
    missing = [
        what for what, there in (("config.json", "config.json" in names), ("weights", bool(weights))) if not there
    ]
    if not odd and not missing:
        return
    faults = [f"{odd[0]} is no file of a model"] if odd else []
    faults += [f"there is no {' and no '.join(missing)}"] if missing else []
    raise InvalidInput(
        f"These files are not a whole model: {', and '.join(faults)}.",
        allowed="One .gguf file; or config.json, model.safetensors (or shards and their index) and tokenizer.json.",
        next_step="Choose the files that transformers saved together.",
    )

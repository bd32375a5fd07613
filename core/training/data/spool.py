"""Uploaded data files: written to `home/datasets/<id>/` piece by piece, at once, so that none stays in memory."""

from __future__ import annotations

import shutil
import time
import unicodedata
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from core.artefacts import guarding_storage, make_folder
from core.errors import InvalidInput
from core.settings import get_settings

PIECE_BYTES = 4 * 1024**2
SWEEP_AFTER_S = 30 * 24 * 3600.0
LONGEST_NAME = 120


def datasets_dir() -> Path:
    """Where uploads are kept."""
    return get_settings().home / "datasets"


def receive(name: str, stream: BinaryIO) -> Path:
    """Keep an upload under a safe form of its name; its path. Raises InvalidInput when it is empty, StorageError."""
    target = datasets_dir() / uuid.uuid4().hex[:12]
    safe = safe_name(name)

    def keep(folder: Path) -> None:
        place = folder / safe
        with guarding_storage(place), place.open("wb") as out:
            shutil.copyfileobj(stream, out, PIECE_BYTES)
        if not place.stat().st_size:
            raise InvalidInput(f"{safe} is empty.", next_step="Choose a file with rows.")

    make_folder(target, keep)
    return target / safe


def safe_name(name: str) -> str:
    """The last part of a name, of letters, digits, blanks and `._-` alone, its ending kept."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    clean = "".join(sign if sign.isalnum() or sign in "._- " else "_" for sign in last).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > 10:
        return clean[:LONGEST_NAME] or "data"
    return f"{stem[: LONGEST_NAME - len(ending)] or 'data'}.{ending}"


def sweep(used: Collection[Path] = (), older_than_s: float = SWEEP_AFTER_S) -> int:
    """Delete uploads that have not been touched for a month, but those that hold a path in `used`; how many went.

    A job has rows of its own from when it began: it needs the upload no longer.
    """
    home = datasets_dir().resolve()
    kept = {parent for path in used for parent in (path.resolve(), *path.resolve().parents) if parent.parent == home}
    gone = 0
    for folder in home.iterdir() if home.is_dir() else ():
        if folder.is_dir() and folder not in kept and time.time() - folder.stat().st_mtime > older_than_s:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_name(folder.name + ".lock").unlink(missing_ok=True)
            gone += 1
    return gone

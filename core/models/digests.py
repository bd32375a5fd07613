"""Revisions of local files: the first 12 hex digits of a SHA-256 over their contents.

A big file is hashed once and its digest remembered by (path, size, mtime), so that asking again costs one `stat`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from core.artefacts import Progress, guarding_storage, no_progress, write_json
from core.settings import get_settings

REVISION_DIGITS = 12
_CHUNK_BYTES = 4 * 1024**2


def revision_of_file(path: Path, progress: Progress = no_progress) -> str:
    """Revision of one file: the head of its SHA-256, as `sha256sum` prints it."""
    return file_digest(path, progress)[:REVISION_DIGITS]


def revision_of_files(folder: Path, paths: Sequence[Path], progress: Progress = no_progress) -> str:
    """Revision of several files of one folder: over their names in it and their digests."""
    return revision_of_digests({path.relative_to(folder).as_posix(): file_digest(path, progress) for path in paths})


def revision_of_digests(digests: Mapping[str, str]) -> str:
    """Revision over (file name → SHA-256 hex) pairs, whatever their order."""
    lines = "".join(f"{name}:{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:REVISION_DIGITS]


def file_digest(path: Path, progress: Progress = no_progress) -> str:
    """SHA-256 of a file in hex, remembered by (path, size, mtime)."""
    if (known := remembered_digest(path)) is not None:
        return known
    path = path.resolve()
    stat = path.stat()
    digest = _hash(path, stat.st_size, progress)
    _remember(str(path), [stat.st_size, stat.st_mtime_ns, digest])
    return digest


def remembered_digest(path: Path) -> str | None:
    """The SHA-256 of a file that was hashed before and has not changed since; None otherwise."""
    path = path.resolve()
    stat = path.stat()
    known = _remembered().get(str(path))
    return str(known[2]) if known and known[:2] == [stat.st_size, stat.st_mtime_ns] else None


def _hash(path: Path, size: int, progress: Progress) -> str:
    sha, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha.update(chunk)
            done += len(chunk)
            progress(min(done / max(size, 1), 1.0), f"Reading {path.name} {done / 1e6:,.0f}/{size / 1e6:,.0f} MB")
    return sha.hexdigest()


def _memory_file() -> Path:
    return get_settings().models_dir / "digests.json"


def _remembered() -> dict[str, list[int | str]]:
    try:
        entries = json.loads(_memory_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # a lost memory only costs another hash
    return entries if isinstance(entries, dict) else {}


def _remember(path: str, entry: list[int | str]) -> None:
    memory = _memory_file()
    with guarding_storage(memory):
        memory.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(memory) + ".lock"):
            write_json(memory, _remembered() | {path: entry})

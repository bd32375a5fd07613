"""Files that are either whole or absent.

An artefact (weights, export, upload) is written to a temporary sibling and renamed; a lock file keeps two processes
from making the same one. A killed process leaves nothing that looks finished: its sibling is swept by the next maker.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.errors import StorageError

PARTIAL_SUFFIX = ".partial"

Progress = Callable[[float, str], None]
"""Called with a fraction in [0, 1] and a short text in the user's words. May raise `Cancelled`."""


def no_progress(fraction: float, text: str) -> None:
    """The progress of somebody who does not watch."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a part of the work: its 0 to 1 lies from `start` to `end` of the whole."""
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


def make_folder(
    target: Path, make: Callable[[Path], None], *, is_complete: Callable[[Path], bool] = Path.is_dir
) -> bool:
    """Have `make(folder)` fill a temporary sibling of `target`, then rename it there. True if this call made it.

    Two processes that call this together make it once; the second waits and finds it done. Raises StorageError when
    the disk is full or the folder cannot be written.
    """
    if is_complete(target):
        return False
    with guarding_storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(target) + ".lock"):
            if is_complete(target):
                return False
            partial = target.with_name(target.name + PARTIAL_SUFFIX)
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            try:
                make(partial)
                shutil.rmtree(target, ignore_errors=True)
                partial.rename(target)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    return True


@contextmanager
def guarding_storage(path: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(existing_parent(path)).free
            raise StorageError(
                f"The disk is full: {path} could not be written ({free / 1e6:,.0f} MB free).",
                next_step="Free some space, or set GROUNDWORK_HOME to a folder on a larger disk.",
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.EFBIG, errno.EIO):
            raise StorageError(
                f"{path} cannot be written: {error.strerror}.",
                next_step="Set GROUNDWORK_HOME to a folder that takes files of this size and that you may write to.",
            ) from error
        raise


def require_space(folder: Path, needed: int, what: str, *, reserve: int = 0) -> None:
    """Raises StorageError unless the disk of `folder`, which need not exist yet, has room for `needed` bytes and some
    in reserve. what: beginning of the message, such as "The weights take"."""
    free = shutil.disk_usage(existing_parent(folder)).free
    if free < needed + reserve:
        raise StorageError(
            f"{what} {needed / 1e6:,.0f} MB and {folder} has {free / 1e6:,.0f} MB free.",
            next_step="Free some space, or set GROUNDWORK_HOME to a folder on a larger disk.",
        )


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, atomically."""
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with guarding_storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote; None for a file that is not there. Raises OSError and ValueError for a damaged one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def folder_bytes(folder: Path) -> int:
    """Size of all files below `folder`, in bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def existing_parent(path: Path) -> Path:
    """`path`, or the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path

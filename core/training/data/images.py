"""`read_images`: a zip or a folder with a folder of images for each class; each file is opened before it is believed.

Files are copied into a folder of ours under the digest of their content: no name from an archive becomes a path.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import pandas as pd

from core.artefacts import PARTIAL_SUFFIX, Progress, guarding_storage, no_progress, require_space
from core.errors import InvalidInput
from core.settings import get_settings
from core.training.data.prepared import Finding

FORMATS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tif"}
MOST_FILES = 200_000
LARGEST_IMAGE = 32 * 1024**2  # bytes
LARGEST_ALL = 8 * 1024**3  # bytes, unpacked
MOST_PIXELS = 64_000_000
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}
_ALLOWED = "A zip or a folder that holds a folder of images (PNG, JPEG, GIF, BMP, WebP, TIFF) for each class."


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. parts: of its path below the zip or the folder. size: in bytes, as the archive says."""

    parts: tuple[str, ...]
    size: int
    read: Callable[[], bytes]


def read_images(path: Path, folder: Path, progress: Progress = no_progress) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """`image` (path below `folder`), `label`, `row`, `digest`, in the order of their names; and what was left out.

    Images of a folder stay where they are when `folder` is that folder.
    Raises InvalidInput for a file of another kind, a bomb, or one without an image in a class; StorageError.
    """
    if path.is_dir():
        return _copied(path, _sorted(_files_of(path)), folder, progress)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise InvalidInput(f"{path.name} is no whole zip archive: {error}.", allowed=_ALLOWED) from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", allowed=_ALLOWED) from error
    with archive:
        return _copied(path, _sorted(_members_of(path, archive)), folder, progress)


def unpacked_folder(path: Path) -> Path:
    """Where images lie for a preview: `home/datasets/unpacked-…`, swept with the uploads."""
    state = path.stat()
    name = hashlib.sha256(f"{path.resolve()}:{state.st_size}:{state.st_mtime_ns}".encode()).hexdigest()[:12]
    return get_settings().home / "datasets" / f"unpacked-{name}"


def _files_of(folder: Path) -> Iterator[Entry]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield Entry(file.relative_to(folder).parts, file.stat().st_size, file.read_bytes)


def _members_of(path: Path, archive: zipfile.ZipFile) -> Iterator[Entry]:
    for member in archive.infolist():
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if member.is_dir() or not parts:
            continue
        if parts[0] == "/" or ".." in parts or ":" in parts[0]:
            raise InvalidInput(
                f"{path.name} holds {member.filename!r}, which points outside of it.",
                next_step="Make the archive anew from the folder of images.",
            )
        if member.flag_bits & 1:
            raise InvalidInput(f"{path.name} is protected by a password.", next_step="Make it anew without one.")
        yield Entry(parts, member.file_size, partial(_unpack, archive, member))


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One byte more than the archive promises would be a bomb: it is not read."""
    with archive.open(member) as stream:
        return stream.read(min(member.file_size, LARGEST_IMAGE) + 1)


def _sorted(entries: Iterator[Entry]) -> list[Entry]:
    """Without what systems leave in folders; paths without the folders that all of them share, or of a split."""
    kept = []
    for entry in entries:
        if not any(part.startswith(".") or part == "__MACOSX" for part in entry.parts) and entry.parts[-1] not in (
            "Thumbs.db",
            "desktop.ini",
        ):
            kept.append(entry)
        if len(kept) > MOST_FILES:
            raise InvalidInput(f"There are more than {MOST_FILES:,} files.", next_step="Take a part of them.")
    return sorted(kept, key=lambda entry: entry.parts)


def _copied(
    path: Path, entries: list[Entry], folder: Path, progress: Progress
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    _check_total(path, entries, folder)
    shared = _shared_depth(entries)
    faults: dict[str, list[str]] = {}
    rows: list[tuple[str, str, int, str]] = []
    for place, entry in enumerate(entries, 1):
        if place % 200 == 1:
            progress(place / len(entries), f"Reading image {place:,} of {len(entries):,}")
        try:
            label = _label(entry.parts[shared:])
            content, ending = _opened(entry)
            digest = hashlib.sha256(content).hexdigest()
            name = "/".join(entry.parts) if folder == path else f"images/{digest[:24]}{ending}"
            _write(folder / name, content)
            rows.append((name, label, place, digest))
        except _BadImage as fault:
            faults.setdefault(str(fault), []).append("/".join(entry.parts))
    findings = tuple(_finding(fault, names) for fault, names in faults.items())
    if not rows:
        told = " ".join(finding.told for finding in findings)
        raise InvalidInput(f"{path.name} holds no image in a class's folder. {told}".strip(), allowed=_ALLOWED)
    return pd.DataFrame(rows, columns=["image", "label", "row", "digest"]), findings


def _check_total(path: Path, entries: Sequence[Entry], folder: Path) -> None:
    total = sum(entry.size for entry in entries)
    if total > LARGEST_ALL:
        raise InvalidInput(
            f"{path.name} unpacks to {total / 1e9:.1f} GB.",
            allowed=f"{LARGEST_ALL / 1e9:.1f} GB at most.",
            next_step="Make the images smaller: 256 x 256 pixels is the most that is learned from.",
        )
    if folder != path:
        require_space(folder, total, "The images take")


class _BadImage(ValueError):
    """Why a file is left out, in the words of a finding."""


def _opened(entry: Entry) -> tuple[bytes, str]:
    """Its bytes, and the ending that its content deserves. Raises _BadImage."""
    from PIL import Image, UnidentifiedImageError

    if entry.size > LARGEST_IMAGE:
        raise _BadImage(f"over {LARGEST_IMAGE / 1e6:.0f} MB")
    try:
        content = entry.read()
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise _BadImage("damaged in the archive") from error
    if len(content) > entry.size:
        raise _BadImage("larger than the archive says")
    try:
        with Image.open(io.BytesIO(content), formats=tuple(FORMATS)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _BadImage(f"over {MOST_PIXELS / 1e6:.0f} megapixels")
            image.load()
            return content, FORMATS[str(image.format)]
    except UnidentifiedImageError as error:
        looks = PurePosixPath(entry.parts[-1]).suffix.lower() in (*FORMATS.values(), ".jpeg", ".tiff")
        raise _BadImage("broken" if looks else "no image") from error
    except _BadImage:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them
        raise _BadImage("broken") from error


def _shared_depth(entries: Sequence[Entry]) -> int:
    """How many folders at the top all files share, when there are folders for the classes below them."""
    depth = 0
    while all(len(entry.parts) > depth + 2 for entry in entries) and len({e.parts[depth] for e in entries}) == 1:
        depth += 1
    return depth


def _label(parts: Sequence[str]) -> str:
    """The class: the first folder, or the second where the first says train or test. Raises _BadImage without one."""
    folders = [part.strip() for part in parts[:-1]]
    if len(folders) > 1 and folders[0].casefold() in _PARTS:
        folders = folders[1:]
    if not folders or not folders[0]:
        raise _BadImage("outside of a class's folder")
    return folders[0]


def _write(target: Path, content: bytes) -> None:
    """Nothing to do where it lies already: the name is the content's."""
    if target.is_file() and target.stat().st_size == len(content):
        return
    with guarding_storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f"{target.name}.{os.getpid()}{PARTIAL_SUFFIX}")
        try:
            beside.write_bytes(content)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def _finding(fault: str, names: Sequence[str]) -> Finding:
    one = len(names) == 1
    named = ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")
    told = f"{len(names):,} file{'' if one else 's'} left out, {fault}: {named}."
    step = {
        "broken": "Replace these files.",
        "no image": "Nothing to do if they are no images.",
        "outside of a class's folder": "Put each image into a folder with the name of its class.",
    }
    return Finding(
        "broken images" if fault != "no image" else "no images", "warning", told, len(names), (), step.get(fault, "")
    )

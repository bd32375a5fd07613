"""What a model takes on disk, what stands on what, and how it goes away again."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from core.artefacts import PARTIAL_SUFFIX, folder_bytes
from core.errors import Busy
from core.models import catalogue, uploads
from core.models.builtin import find_builtin
from core.models.cards import ModelCard, SourceKind
from core.models.records import model_dir
from core.onnx.exports import list_exports
from core.settings import get_settings
from core.store.database import Database
from core.store.jobs import ACTIVE, JobRepository


@dataclass(frozen=True, slots=True)
class Holding:
    """Something on disk. what: in the user's words. stands_on: what it was made from, and is not needed to use it.
    unused: nothing needs it any more."""

    what: str
    path: Path
    bytes: int
    stands_on: str
    unused: bool = False


def holdings(card: ModelCard) -> tuple[Holding, ...]:
    """Everything that this model takes on this machine, its source first. Links count nothing."""
    found = []
    if uploaded := uploads.upload_bytes(card.source.location):
        found.append(Holding("Uploaded files", Path(card.source.location), uploaded, ""))
    home = model_dir(card.id)
    current = home / card.revision
    if card.revision and current.is_dir():
        words = "Linked files" if card.source.kind is SourceKind.FOLDER else "Weights in safetensors"
        found.append(Holding(words, current, _own_bytes(current), _source_words(card)))
    exports = list_exports(card)
    for export in exports:
        size = folder_bytes(export.path)
        found.append(
            Holding(
                f"ONNX {export.precision} for {export.device}",
                export.path,
                size,
                f"the weights of revision {card.revision[:12]}",
            )
        )
    return (*found, *_unused(card, {export.path for export in exports}))


def leftovers(card: ModelCard) -> tuple[Holding, ...]:
    """What nothing uses any more: earlier revisions and begun downloads. Half-made folders are swept (`sweep`)."""
    return tuple(holding for holding in holdings(card) if holding.unused)


def _unused(card: ModelCard, kept: Collection[Path]) -> Iterator[Holding]:
    for folder in _folders(model_dir(card.id)):
        if folder.name != card.revision and not folder.name.endswith(PARTIAL_SUFFIX):
            begun = folder.name.startswith(".download-")
            words = "A download that was begun" if begun else f"Weights of an earlier revision, {folder.name[:12]}"
            yield Holding(words, folder, _own_bytes(folder), _source_words(card), unused=True)
    for revision in _folders(get_settings().exports_dir / card.id):
        for folder in _folders(revision):
            if folder not in kept and not folder.name.endswith(PARTIAL_SUFFIX):
                words = f"An export that is not used, {revision.name[:12]} {folder.name}"
                yield Holding(words, folder, folder_bytes(folder), "", unused=True)


def sweep(card: ModelCard) -> None:
    """Delete what killed processes left half-made; what is being made now is left alone."""
    exports = get_settings().exports_dir / card.id
    for partial in (*model_dir(card.id).glob(f"*{PARTIAL_SUFFIX}"), *exports.glob(f"*/*{PARTIAL_SUFFIX}")):
        with suppress(Timeout), FileLock(str(partial).removesuffix(PARTIAL_SUFFIX) + ".lock", timeout=0):
            shutil.rmtree(partial, ignore_errors=True)


def delete_leftovers(card: ModelCard, db: Database) -> int:
    """Delete them; bytes freed. Raises Busy while a job works on the model."""
    check_idle(card, db)
    freed = 0
    for holding in leftovers(card):
        shutil.rmtree(holding.path)
        freed += holding.bytes
    return freed


def delete_model(card: ModelCard, db: Database) -> int:
    """Delete all that is here of the model; bytes freed. A built-in stays in the list and is prepared again when it is
    chosen; another model is forgotten. Sources outside of the home folder are left alone; recorded runs stay.

    Raises Busy while a job works on the model.
    """
    check_idle(card, db)
    freed = sum(holding.bytes for holding in holdings(card))
    shutil.rmtree(get_settings().exports_dir / card.id, ignore_errors=True)
    if find_builtin(card.id):
        shutil.rmtree(model_dir(card.id), ignore_errors=True)
    else:
        catalogue.remove(card.id)
    return freed


def check_idle(card: ModelCard, db: Database) -> None:
    """Raises Busy while a job that names the model is queued or running."""
    jobs = JobRepository(db)
    jobs.mark_interrupted()
    for state in ACTIVE:
        for job in jobs.list(state=state):
            if job.key.split("/")[0] == card.id:
                raise Busy(f"{job.title} is still at work on this model.", next_step="Wait for it, or cancel it first.")


def _own_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _source_words(card: ModelCard) -> str:
    return {
        SourceKind.PACKAGE: f"the installed package {card.source.location}",
        SourceKind.HUB: f"{card.source.location} on the hub",
        SourceKind.FOLDER: f"the folder {card.source.location}",
        SourceKind.GGUF: f"the file {card.source.location}",
    }[card.source.kind]

"""Prepared folders: `home/models/<id>/<revision>/` with safetensors, config.json, tokenizer.json and card.json.

One function a kind of source. A folder is whole or absent: it is filled as a temporary sibling and renamed, card last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.artefacts import Progress, guarding_storage, make_folder, require_space
from core.errors import CorruptFile, GroundworkError, ModelNotFound, ModelRefused
from core.models import hub
from core.models.admission import admit, read_config
from core.models.architecture import describe
from core.models.card_file import CARD_FILE, read_card, write_card
from core.models.cards import ModelCard, Source
from core.models.digests import remembered_digest, revision_of_file, revision_of_files
from core.models.fit import FP32_BYTES, check_memory
from core.models.folder_source import ENCODER_MARK, LICENCE_FILES, check_folder, link_folder, source_files
from core.models.gguf import check_architecture, convert_gguf, fp32_bytes
from core.models.gguf_header import GgufHeader, read_gguf_header
from core.models.licences import UNKNOWN, licence_name, licence_of_folder, title_of_folder
from core.models.records import model_dir
from core.models.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Identity:
    """What a card says that the files do not. licence: "" to take it from the files."""

    id: str
    title: str
    source: Source
    licence: str = ""
    description: str = ""
    builtin: bool = False


def is_complete(folder: Path) -> bool:
    """Whether a prepared folder is whole and what it links to is still there."""
    return (folder / CARD_FILE).is_file() and all(entry.exists() for entry in folder.iterdir())


def gguf_revision(path: Path, progress: Progress) -> str:
    """Content hash of a GGUF file; a new one is looked at first. Raises CorruptFile, ModelRefused."""
    if remembered_digest(path) is None:
        check_architecture(read_gguf_header(path))
    return revision_of_file(path, progress)


def folder_revision(folder: Path, progress: Progress) -> str:
    """Content hash of what a model takes from a folder; a new one is looked at first. Raises ModelRefused…"""
    weights, small = source_files(folder)
    files = [*weights, *(file for file in small if file.name not in LICENCE_FILES)]
    if any(remembered_digest(file) is None for file in files):
        check_folder(folder)
    return revision_of_files(folder, files, progress)


def prepare_gguf(identity: Identity, path: Path, revision: str, progress: Progress) -> Path:
    """Unpack a GGUF file. Raises CorruptFile, ModelRefused, StorageError, and what `progress` raises."""

    def fill(folder: Path) -> _Contents:
        header = read_gguf_header(path)
        check_memory(_gguf_title(header), fp32_bytes(header) // FP32_BYTES)
        needed = fp32_bytes(header)
        require_space(folder.parent, needed, "Unpacked, the weights take", reserve=needed // 50)
        note = convert_gguf(header, folder, progress)
        return _Contents(_gguf_title(header), _gguf_licence(header), header.path.stat().st_size, note)

    return _make(identity, revision, fill, progress)


def prepare_folder(identity: Identity, source: Path, revision: str, progress: Progress) -> Path:
    """Link a folder. Raises CorruptFile, ModelRefused, StorageError, and what `progress` raises."""

    def fill(folder: Path) -> _Contents:
        progress(0.1, "Linking the model's files")
        link_folder(source, folder)
        return _Contents(title_of_folder(source), licence_of_folder(source), _weights_bytes(folder))

    return _make(identity, revision, fill, progress)


def prepare_hub(identity: Identity, found: hub.HubModel, progress: Progress) -> Path:
    """Download a repository at its commit. Raises ModelNotFound, ModelRefused, StorageError, what `progress` raises."""

    def fill(folder: Path) -> _Contents:
        kept = model_dir(identity.id) / f".download-{found.commit}"  # survives a failed try, so that the next resumes
        kept.mkdir(parents=True, exist_ok=True)
        hub.download(found, kept, progress)
        try:
            link_folder(kept, folder, move=True)
        except (CorruptFile, ModelRefused):
            shutil.rmtree(kept, ignore_errors=True)  # what came is no good: do not resume it
            raise
        shutil.rmtree(kept, ignore_errors=True)
        return _Contents(found.id.partition("/")[2], found.licence, _weights_bytes(folder))

    return _make(identity, found.commit, fill, progress)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the files say of themselves. weights_bytes: of the source."""

    title: str
    licence: str
    weights_bytes: int
    note: str = ""


def _make(identity: Identity, revision: str, fill: Callable[[Path], _Contents], progress: Progress) -> Path:
    target = model_dir(identity.id) / revision

    def make(folder: Path) -> None:
        contents = fill(folder)
        progress(0.98, "Counting parameters")
        config = read_config(folder / "config.json")
        title = identity.title or contents.title
        task = admit(config, title, embeds=(folder / ENCODER_MARK).exists())
        if task.reads_text:
            Tokenizer.load(folder)  # a tokenizer that does not parse is told now, not at the first question
        architecture = describe(config, task)
        check_memory(title, architecture.parameters)
        if not task.reads_text:
            _check_network(folder)
        card = ModelCard(
            id=identity.id,
            title=title,
            source=identity.source,
            revision=revision,
            licence=identity.licence or contents.licence,
            task=task,
            architecture=architecture,
            weights_bytes=contents.weights_bytes,
            description=" ".join(part for part in (identity.description, contents.note) if part),
            builtin=identity.builtin,
        )
        write_card(folder, card)

    make_folder(target, make, is_complete=is_complete)
    progress(1.0, "Ready")
    return target


def complete_card(folder: Path) -> ModelCard | None:
    """The card of a prepared folder, None when it is not whole."""
    try:
        return read_card(folder) if is_complete(folder) else None
    except (GroundworkError, OSError):
        return None


def require_path(path: Path) -> Path:
    """`path` if it exists. Raises ModelNotFound."""
    with guarding_storage(path):
        if path.exists():
            return path
    raise ModelNotFound(
        f"There is nothing at {path}.",
        next_step="Check the path; if the model was moved, remove it and add it from its new place.",
    )


def _check_network(folder: Path) -> None:
    """Weights that are not of the network in config.json are told now, not at the first export."""
    from core.models.networks import load_network  # torch

    load_network(folder)


def _weights_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def _gguf_title(header: GgufHeader) -> str:
    return str(header.metadata.get("general.name") or header.path.stem)


def _gguf_licence(header: GgufHeader) -> str:
    return licence_name(header.metadata.get("general.license"), header.metadata.get("general.license.name")) or UNKNOWN

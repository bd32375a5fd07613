"""An export as a zip to take away: model, tokenizer, configuration, proof, licence, and a script that answers.

The zip is made while it is sent, file by file from the disk: a bundle of many gigabytes takes a few megabytes of
memory. Nothing is compressed: weights hardly shrink.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from core.models import catalogue
from core.models.admission import read_config
from core.models.cards import ModelCard, SourceKind, Task
from core.models.folder_source import LICENCE_FILES
from core.models.network_config import read_network_config
from core.models.tokenizer import Tokenizer
from core.onnx.encoder import Encoder
from core.onnx.exports import RECORD, Export
from exports.filenames import safe_filename
from exports.run_scripts import decoder_script, encoder_script
from exports.run_scripts_networks import network_script

CHUNK_BYTES = 1024**2
LICENCES = Path(__file__).parent / "licences"

Files = list[tuple[str, Path | bytes]]
"""(name in the zip, a file on disk or its content)."""


def bundle_name(export: Export) -> str:
    """The zip's file name."""
    return safe_filename(f"{export.model_id}-onnx-{export.precision}-{export.device}", "zip")


def bundle_files(card: ModelCard, export: Export) -> Files:
    """What goes into the bundle, in one folder of the zip."""
    folder = bundle_name(export).removesuffix(".zip")
    found: Files = [
        (path.relative_to(export.path).as_posix(), path)
        for path in sorted(export.path.rglob("*"))
        if path.is_file() and path.name != RECORD
    ]
    made: Files = [
        ("proof.json", json.dumps(_proof(export), indent=2).encode()),
        ("ABOUT.md", _licence(card, export).encode()),
    ]
    if export.precision != "bf16":  # numpy has no such numbers to feed the cache with
        made.append(("run.py", _script(card, export).encode()))
    return [(f"{folder}/{name}", content) for name, content in (*made, *_licence_texts(card), *found)]


def stream_zip(files: Files) -> Iterator[bytes]:
    """The bytes of a zip of these files, as they are read. Raises OSError when one of them goes away."""
    sink = _Sink()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED) as bundle:  # it only writes and flushes
        for name, content in files:
            if isinstance(content, bytes):
                bundle.writestr(name, content)
                yield sink.take()
                continue
            info = zipfile.ZipInfo.from_file(content, name)
            with content.open("rb") as source, bundle.open(info, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield sink.take()
            yield sink.take()
    yield sink.take()


class _Sink:
    """What ZipFile writes to: it cannot seek, and is emptied again and again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _proof(export: Export) -> dict[str, object]:
    """The record of the export without what only this machine knows."""
    return {name: value for name, value in export.to_json().items() if name != "path"}


def _script(card: ModelCard, export: Export) -> str:
    if card.task is Task.TEXT_GENERATION:
        return decoder_script(card, Tokenizer.load(export.path), precision=export.precision, device=export.device)
    if not card.task.reads_text:
        shape = read_network_config(read_config(export.path / "config.json"), card.id)
        return network_script(shape, device=export.device)
    return encoder_script(Encoder(export.path, device=export.device, threads=1), device=export.device)


def _licence(card: ModelCard, export: Export) -> str:
    where = {
        SourceKind.HUB: f"the hub repository {card.source.location}, commit {card.revision}",
        SourceKind.PACKAGE: f"the package {card.source.location}",
    }.get(card.source.kind, f"a {card.source.kind.value} of the name {Path(card.source.location).name}")
    return (
        f"# {card.title}\n\nLicence of the model: **{card.licence}**. Its weights came from {where} "
        f"(revision {card.revision}). They were converted to ONNX in {export.precision}; proof.json says how close "
        "that is to the original in fp32.\n"
    )


def _licence_texts(card: ModelCard) -> Files:
    """The licence as the model's publisher wrote it; of a known one, its text."""
    if catalogue.is_prepared(card.id):
        folder = catalogue.folder(card.id)
        if own := [(name, folder / name) for name in LICENCE_FILES if (folder / name).is_file()]:
            return list(own)
    text = LICENCES / f"{card.licence}.txt"
    return [("LICENSE.txt", text)] if text.is_file() else []

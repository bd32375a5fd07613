"""The exports on this machine: make one, prove it, list those that may be used.

home/exports/<model id>/<revision>/<device>-<precision>/ holds the ONNX model and `export.json`: what it was made
from, how, and its proof. An export past its bar is kept with its figures but is not offered.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import __version__
from core.artefacts import Progress, folder_bytes, make_folder, no_progress, part_of
from core.errors import CorruptFile, ExportFailed
from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.models.tokenizer import Tokenizer
from core.onnx.build import BLOCK_SIZES, UnknownToBuilder, build_decoder, quiet
from core.onnx.build_graph import build_graph
from core.onnx.devices import GRAPH_PRECISIONS, OFFERED, made_as, resolve_device, resolve_precision
from core.onnx.graph_proof import GraphProof, prove_graph
from core.onnx.network_export import export_network
from core.onnx.proof import Proof, compare, export_logits, load_reference, proof_token_ids, reference_logits
from core.settings import get_settings

RECORD = "export.json"


@dataclass(frozen=True, slots=True)
class Export:
    """An ONNX model on disk. weights_bytes: model.onnx and its data. block_size: 0 when weights are not quantised.
    sha256: of model.onnx and model.onnx.data, by file name."""

    model_id: str
    revision: str
    precision: str
    device: str
    block_size: int
    path: Path
    weights_bytes: int
    created_at: str
    app_version: str
    sha256: dict[str, str]
    proof: Proof | GraphProof
    task: str = Task.TEXT_GENERATION.value

    @property
    def usable(self) -> bool:
        return self.proof.passed

    def to_json(self) -> dict[str, Any]:
        names = (name for name in self.__slots__ if name not in ("path", "proof"))
        return {name: getattr(self, name) for name in names} | {"path": str(self.path), "proof": self.proof.to_json()}


def export_folder(card: ModelCard, precision: str, device: str) -> Path:
    return get_settings().exports_dir / card.id / card.revision / f"{device}-{precision}"


def find_export(card: ModelCard, precision: str, device: str) -> Export | None:
    """The export of this revision, or None when it was not made. Raises CorruptFile when its record is damaged."""
    return _read(export_folder(card, precision, device))


def list_exports(card: ModelCard, device: str | None = None) -> tuple[Export, ...]:
    """All exports of this revision, the device's default precision first. One whose record is damaged counts as not
    made: it must not hide the others, and is made anew when it is asked for."""
    offered = OFFERED[made_as(card.task)]
    devices = (device,) if device else tuple(offered)
    found = (_read_whole(export_folder(card, kind, where)) for where in devices for kind in offered[where])
    return tuple(export for export in found if export)


def ensure_export(
    model_id: str, *, precision: str = "auto", device: str = "auto", progress: Progress = no_progress
) -> Export:
    """The export, made and proved if it is not there. Two callers at once make it once.

    Decoders go through GenAI's builder; those that it does not know, and encoders, through transformers' exporter; a
    network that reads no text through torch's.
    Raises ExportFailed when it cannot be built or fails its proof, DeviceUnavailable for a precision it does not have.
    """
    card = catalogue.get(model_id)
    where = resolve_device(device)
    kind = resolve_precision(precision, where, made_as(card.task))
    source = catalogue.prepare(model_id, progress=part_of(progress, 0.0, 0.4))
    card = catalogue.get(model_id)
    target = export_folder(card, kind, where)
    make_folder(
        target,
        lambda folder: _make(card, source, folder, kind, where, part_of(progress, 0.4, 1.0)),
        is_complete=lambda folder: _read_whole(folder) is not None,
    )
    export = _read(target)
    if export is None:
        raise CorruptFile(f"The export in {target} has no {RECORD}.", next_step="Delete that folder and export again.")
    if not export.usable:
        raise ExportFailed(
            f"The {kind} export of {card.id} is not the same model: {export.proof.words}.",
            next_step="Use another precision. The export is kept, with its figures, but is not offered.",
        )
    progress(1.0, "Ready")
    return export


def verify_export(export: Export, progress: Progress = no_progress) -> tuple[str, ...]:
    """Names of the files that are missing, or are not what was proved; () when all is well. Reads them all."""
    bad = []
    for place, (name, digest) in enumerate(sorted(export.sha256.items())):
        progress(place / len(export.sha256), f"Reading {name}")
        file = export.path / name
        if not file.is_file() or _sha256(file) != digest:
            bad.append(name)
    return tuple(bad)


def delete_export(export: Export) -> int:
    """Remove it from disk; bytes freed."""
    freed = folder_bytes(export.path)
    shutil.rmtree(export.path)
    return freed


def _make(card: ModelCard, source: Path, folder: Path, precision: str, device: str, progress: Progress) -> None:
    proof: Proof | GraphProof
    if card.task is Task.TEXT_GENERATION:
        try:
            block_size, proof = _make_decoder(card, source, folder, precision, device, progress)
        except UnknownToBuilder:
            if precision not in GRAPH_PRECISIONS[device]:
                raise
            block_size, proof = 0, _make_graph_decoder(card, source, folder, precision, device, progress)
    elif card.task.reads_text:
        block_size, proof = 0, _make_encoder(card, source, folder, precision, device, progress)
    else:
        block_size, proof = 0, export_network(card.task, source, folder, device=device, progress=progress)
    progress(0.99, "Writing the record of the export")
    for name in ("config.json", "generation_config.json"):  # the end tokens, for a serving path that reads this folder
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    files = sorted(folder.glob("model.onnx*"))
    record = {
        "model_id": card.id,
        "revision": card.revision,
        "precision": precision,
        "device": device,
        "block_size": block_size,
        "weights_bytes": sum(file.stat().st_size for file in files),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "app_version": __version__,
        "sha256": {file.name: _sha256(file) for file in files},
        "task": card.task.value,
        "proof": proof.to_json(),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _make_decoder(
    card: ModelCard, source: Path, folder: Path, precision: str, device: str, progress: Progress
) -> tuple[int, Proof]:
    """Through GenAI's builder; (block size, proof). The first block size that passes is kept."""
    tokenizer = Tokenizer.load(source)
    token_ids = proof_token_ids(tokenizer, card.architecture.context)
    reference = None
    for block_size in BLOCK_SIZES[precision]:
        _empty(folder)
        build_decoder(source, folder, precision=precision, device=device, block_size=block_size, progress=progress)
        if reference is None:
            progress(0.45, "Reading the proof text with torch")
            with quiet():
                reference = reference_logits(load_reference(source, card.task), token_ids)
        try:
            logits = export_logits(
                folder, token_ids, device=device, threads=get_settings().threads, progress=part_of(progress, 0.5, 0.98)
            )
        except RuntimeError as error:  # ONNX Runtime has no kernel for a shape of this model
            raise ExportFailed(
                f"The {precision} export of {card.id} does not run here: {' '.join(str(error).split())[:300]}.",
                next_step="Run this model with the torch backend.",
            ) from error
        proof = compare(reference, logits, token_ids, precision)
        if proof.passed:
            break
    return block_size, proof


def _make_graph_decoder(
    card: ModelCard, source: Path, folder: Path, precision: str, device: str, progress: Progress
) -> Proof:
    """Through transformers' exporter, with its KV cache as inputs and outputs."""
    _empty(folder)
    model = _traced(card, source, folder, precision, device, progress)
    token_ids = proof_token_ids(Tokenizer.load(source), card.architecture.context)
    reference = reference_logits(model, token_ids)
    logits = export_logits(
        folder, token_ids, device=device, threads=get_settings().threads, progress=part_of(progress, 0.6, 0.98)
    )
    return compare(reference, logits, token_ids, precision)


def _make_encoder(
    card: ModelCard, source: Path, folder: Path, precision: str, device: str, progress: Progress
) -> GraphProof:
    model = _traced(card, source, folder, precision, device, progress)
    return prove_graph(
        folder,
        model,
        task=card.task,
        precision=precision,
        device=device,
        threads=get_settings().threads,
        progress=part_of(progress, 0.6, 0.98),
    )


def _traced(card: ModelCard, source: Path, folder: Path, precision: str, device: str, progress: Progress) -> Any:
    """Write the graph; the torch model that it was made from."""
    with quiet():
        model = load_reference(source, card.task)
    build_graph(
        source,
        folder,
        task=card.task,
        context_length=card.architecture.context,
        precision=precision,
        device=device,
        model=model,
        progress=progress,
    )
    return model


def _empty(folder: Path) -> None:
    for leftover in folder.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _read_whole(folder: Path) -> Export | None:
    """None also for a record that is damaged."""
    try:
        return _read(folder)
    except CorruptFile:
        return None


def _read(folder: Path) -> Export | None:
    file = folder / RECORD
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        proof = data.pop("proof")
        # A newer version may say more.
        known = {name: value for name, value in data.items() if name in Export.__slots__}
        return Export(path=folder, proof=(GraphProof if "measure" in proof else Proof)(**proof), **known)
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptFile(f"{file} is damaged: {error}.", next_step="Delete that folder and export again.") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

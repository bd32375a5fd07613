"""Attention as NPZ: NumPy's own archive of arrays, without a pickle in it, with the tokens and the origin inside.

All heads of a long text are gigabytes (SmolLM2 at 2,048 tokens: 4.5 GB), so that an array can also be written layer by
layer, with one of them in memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from core.artefacts import PARTIAL_SUFFIX, guarding_storage, require_space
from core.errors import InvalidInput
from core.interpret.subject import Subject
from exports.attention_labels import plain
from exports.attention_origin import Origin, as_json

OWN_NAMES = ("tokens", "ids", "origin")  # of the arrays that every file has
_BLOCK_BYTES = 4 << 20  # handed to the archive at once

Array = npt.NDArray[Any]


def write_npz(
    path_or_file: Path | str | IO[bytes], arrays: Mapping[str, Any], origin: Origin, subject: Subject
) -> None:
    """The arrays under their names, `tokens` (text), `ids` and `origin` (JSON). Lists of text become text arrays.

    A path gets the whole file or none. Raises StorageError when the disk is full, InvalidInput for an array that only
    a pickle could hold or that has a name of ours.
    """
    members = {**_arrays(arrays), **_own(origin, subject)}
    with _target(path_or_file) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in members.items():
            _write(archive, name, array.shape, array.dtype, [array])


def write_layers_npz(
    path_or_file: Path | str | IO[bytes],
    layers: Iterable[Array],
    shape: Sequence[int],
    origin: Origin,
    subject: Subject,
    *,
    name: str = "attention",
    dtype: npt.DTypeLike = np.float32,
    arrays: Mapping[str, Any] | None = None,
    compressed: bool = False,
) -> None:
    """As `write_npz`, and under `name` an array whose layers come one by one, [head, query, key] each.

    shape: [layer, head, query, key], of the whole. arrays: small ones beside it. compressed: about half as large and
    many times as slow. What `layers` raises goes through, and leaves no file.
    """
    whole, kind = tuple(shape), np.dtype(dtype)
    others = {**_arrays(arrays or {}), **_own(origin, subject)}
    if name in others or kind.hasobject:
        raise InvalidInput(
            f"An array cannot be called {name!r} or hold {kind}.", next_step="Take another name or type."
        )
    if isinstance(path_or_file, (str, Path)) and not compressed:
        require_space(Path(path_or_file).parent, prod(whole) * kind.itemsize, "The attention of all heads takes")
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with _target(path_or_file) as file, zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        for other, array in others.items():
            _write(archive, other, array.shape, array.dtype, [array])
        _write(archive, name, whole, kind, _checked(layers, whole, kind))


def _own(origin: Origin, subject: Subject) -> dict[str, Array]:
    return {
        "tokens": _texts([plain(piece) for piece in subject.pieces]),
        "ids": np.array(subject.ids, dtype=np.int64),
        "origin": np.array(as_json(origin)),
    }


def _arrays(given: Mapping[str, Any]) -> dict[str, Array]:
    """Each as an array that needs no pickle."""
    found = {}
    for name, value in given.items():
        array = np.asarray(value)
        if array.dtype.hasobject and all(isinstance(one, str) for one in array.flat):
            array = _texts(array.tolist())
        if array.dtype.hasobject or name in OWN_NAMES or not name or "/" in name:
            raise InvalidInput(
                f"{name!r} cannot be put into an NPZ file.",
                allowed=f"Arrays of numbers or text, under other names than {', '.join(OWN_NAMES)}.",
            )
        found[name] = array
    return found


def _texts(values: Any) -> Array:
    """Fixed-width text; one character wide when there is none, since a width of 0 is no type."""
    array = np.array(values, dtype=np.str_)
    return array if array.dtype.itemsize else array.astype("<U1")


def _checked(layers: Iterable[Array], shape: tuple[int, ...], kind: np.dtype[Any]) -> Iterator[Array]:
    count = 0
    for layer in layers:
        count += 1
        if count > shape[0] or layer.shape != shape[1:]:
            raise ValueError(f"layer {count - 1} has the shape {layer.shape}, but the whole has {shape}")
        yield np.asarray(layer, dtype=kind)
        del layer  # before the next one is made
    if count != shape[0]:
        raise ValueError(f"{count} layers came of {shape[0]}")


def _write(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kind: np.dtype[Any], parts: Iterable[Array]
) -> None:
    """One array as a member of the archive. Its parts follow each other in C order."""
    header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        npy.write_array_header_1_0(member, header)
        for part in parts:
            for block in _blocks(part):
                member.write(block)
            del part


def _blocks(part: Array) -> Iterator[bytes]:
    """Small ones: what the archive compresses or the disk takes is then never a second copy of a layer."""
    flat = part.reshape(-1)  # a view of what is contiguous
    step = max(1, _BLOCK_BYTES // max(flat.itemsize, 1))
    return (flat[start : start + step].tobytes() for start in range(0, flat.size, step))


@contextmanager
def _target(path_or_file: Path | str | IO[bytes]) -> Iterator[IO[bytes]]:
    """The open file; for a path a sibling of it, which takes its place when all is written and is gone otherwise."""
    if not isinstance(path_or_file, (str, Path)):
        with guarding_storage(Path(str(getattr(path_or_file, "name", "the file")))):
            yield path_or_file
            path_or_file.flush()
        return
    path = Path(path_or_file)
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with guarding_storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

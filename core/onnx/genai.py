"""The few functions of ONNX Runtime GenAI's C interface that decoding needs, with the interpreter's lock given free.

The package's own Python binding holds that lock while a model computes, so that every other thread of the process (the
pages, the record, other readers) stands still for whole pieces of a prompt. ctypes lets go of it. The package itself
is imported all the same: it finds ONNX Runtime and loads both libraries (docs/decisions.md).
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_FLOAT32 = 1  # OgaElementType_float32
_HANDLE = ctypes.c_void_p
_OUT = ctypes.POINTER(ctypes.c_void_p)
_TEXT = ctypes.c_char_p
# Every one of these answers with an OgaResult: null, or a fault to be read and destroyed.
_LONG: dict[str, tuple[Any, ...]] = {
    "OgaCreateConfig": (_TEXT, _OUT),
    "OgaConfigOverlay": (_HANDLE, _TEXT),
    "OgaConfigClearProviders": (_HANDLE,),
    "OgaConfigAppendProvider": (_HANDLE, _TEXT),
    "OgaCreateModelFromConfig": (_HANDLE, _OUT),
    "OgaCreateGeneratorParams": (_HANDLE, _OUT),
    "OgaGeneratorParamsSetSearchNumber": (_HANDLE, _TEXT, ctypes.c_double),
    "OgaGeneratorParamsSetSearchBool": (_HANDLE, _TEXT, ctypes.c_bool),
    "OgaCreateGenerator": (_HANDLE, _HANDLE, _OUT),
    "OgaGenerator_AppendTokens": (_HANDLE, ctypes.POINTER(ctypes.c_int32), ctypes.c_size_t),
    "OgaGenerator_RewindTo": (_HANDLE, ctypes.c_size_t),
    "OgaGenerator_GetLogits": (_HANDLE, _OUT),
    "OgaGenerator_SetLogits": (_HANDLE, _HANDLE),
    "OgaGenerator_GenerateNextToken": (_HANDLE,),
}
# These return at once, and giving the lock free for them would mean to stand in line for it again.
_SHORT: dict[str, tuple[Any, ...]] = {
    "OgaTensorGetType": (_HANDLE, ctypes.POINTER(ctypes.c_int)),
    "OgaTensorGetShapeRank": (_HANDLE, ctypes.POINTER(ctypes.c_size_t)),
    "OgaTensorGetShape": (_HANDLE, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t),
    "OgaTensorGetData": (_HANDLE, _OUT),
    "OgaCreateTensorFromBuffer": (_HANDLE, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t, ctypes.c_int, _OUT),
}
_DESTROYERS = ("Config", "Model", "GeneratorParams", "Generator", "Tensor", "Result")


class Config:
    """How a model shall be opened. Faults of the library are raised as RuntimeError, here and below."""

    def __init__(self, folder: Path) -> None:
        self.handle = _created("OgaCreateConfig", str(folder).encode())
        self._end = _ends(self, "Config", self.handle)

    def overlay(self, json_text: str) -> None:
        """Settings that go before those of the folder's genai_config.json."""
        _call("OgaConfigOverlay", self.handle, json_text.encode())

    def use_provider(self, name: str) -> None:
        """Run on this execution provider, "cuda" for one, and no other."""
        _call("OgaConfigClearProviders", self.handle)
        _call("OgaConfigAppendProvider", self.handle, name.encode())


class Model:
    """Loaded weights; generators on it may run in different threads at once."""

    def __init__(self, config: Config) -> None:
        self.handle = _created("OgaCreateModelFromConfig", config.handle)
        self._end = _ends(self, "Model", self.handle)


class Generator:
    """One sequence, or a batch of equally long ones, and its KV cache. capacity: in tokens of each. For one thread at a
    time."""

    def __init__(self, model: Model, capacity: int, batch: int = 1) -> None:
        parameters = _created("OgaCreateGeneratorParams", model.handle)
        try:
            _call("OgaGeneratorParamsSetSearchNumber", parameters, b"max_length", float(capacity))
            _call("OgaGeneratorParamsSetSearchNumber", parameters, b"batch_size", float(batch))
            _call("OgaGeneratorParamsSetSearchBool", parameters, b"do_sample", False)
            self._handle = _created("OgaCreateGenerator", model.handle, parameters)
        finally:
            _destroy("GeneratorParams", parameters)
        self._model = model  # must live as long
        self._batch = batch
        self.close = _ends(self, "Generator", self._handle)

    def append_tokens(self, token_ids: Sequence[int] | npt.NDArray[np.int32]) -> None:
        """Read `token_ids` after what is there; of a batch, all rows' one after the other, and only the first time."""
        ids = np.ascontiguousarray(token_ids, dtype=np.int32)
        pointer = ids.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        _call("OgaGenerator_AppendTokens", self._handle, pointer, len(ids))

    def rewind_to(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        _call("OgaGenerator_RewindTo", self._handle, length)

    def choose(self, logits: npt.NDArray[np.float32]) -> None:
        """Add to each row the likeliest token of [batch, vocabulary] `logits`, which take the place of the model's own.

        A row that is given a token that ends the text gets nothing but padding from then on.
        """
        shape = (ctypes.c_int64 * 2)(*logits.shape)
        tensor = _created("OgaCreateTensorFromBuffer", logits.ctypes.data_as(_HANDLE), shape, 2, _FLOAT32)
        try:
            _call("OgaGenerator_SetLogits", self._handle, tensor)
        finally:
            _destroy("Tensor", tensor)
        _call("OgaGenerator_GenerateNextToken", self._handle)

    def last_logits(self) -> npt.NDArray[np.float32]:
        """[batch, vocabulary] logits after the last token."""
        tensor = _created("OgaGenerator_GetLogits", self._handle)
        try:
            kind, rank = ctypes.c_int(), ctypes.c_size_t()
            _call("OgaTensorGetType", tensor, ctypes.byref(kind))
            _call("OgaTensorGetShapeRank", tensor, ctypes.byref(rank))
            shape = (ctypes.c_int64 * rank.value)()
            _call("OgaTensorGetShape", tensor, shape, rank.value)
            if kind.value != _FLOAT32:
                raise RuntimeError(f"the logits are of element type {kind.value}, not float32")
            data = _HANDLE()
            _call("OgaTensorGetData", tensor, ctypes.byref(data))
            values = np.ctypeslib.as_array(ctypes.cast(data, ctypes.POINTER(ctypes.c_float)), shape=tuple(shape))
            logits: npt.NDArray[np.float32] = values.reshape(self._batch, -1, shape[-1])[:, -1].copy()
            return logits
        finally:
            _destroy("Tensor", tensor)


@lru_cache(maxsize=1)
def _functions() -> dict[str, Any]:
    import onnxruntime_genai

    folder = Path(onnxruntime_genai.__file__).parent
    names = ("libonnxruntime-genai.so", "libonnxruntime-genai.dylib", "onnxruntime-genai.dll")
    path = str(next(folder / name for name in names if (folder / name).exists()))
    free, held = ctypes.CDLL(path), ctypes.PyDLL(path)
    functions = {}
    for library, signatures in ((free, _LONG), (held, _SHORT)):
        for name, arguments in signatures.items():
            functions[name] = getattr(library, name)
            functions[name].argtypes, functions[name].restype = arguments, _HANDLE
    for kind in _DESTROYERS:
        function = functions[f"OgaDestroy{kind}"] = getattr(held, f"OgaDestroy{kind}")
        function.argtypes, function.restype = (_HANDLE,), None
    read = functions["OgaResultGetError"] = held.OgaResultGetError
    read.argtypes, read.restype = (_HANDLE,), _TEXT
    return functions


def _call(name: str, *arguments: Any) -> None:
    fault = _functions()[name](*arguments)
    if fault:
        words = _functions()["OgaResultGetError"](fault).decode("utf-8", "replace")
        _destroy("Result", fault)
        raise RuntimeError(words)


def _created(name: str, *arguments: Any) -> ctypes.c_void_p:
    handle = _HANDLE()
    _call(name, *arguments, ctypes.byref(handle))
    return handle


def _destroy(kind: str, handle: Any) -> None:
    _functions()[f"OgaDestroy{kind}"](handle)


def _ends(owner: object, kind: str, handle: ctypes.c_void_p) -> Any:
    """Destroys the handle once: when called, or when its owner goes.

    Not when the interpreter ends: a thread may be computing with it then, and the system takes the memory back anyway.
    """
    finalizer = weakref.finalize(owner, _destroy, kind, handle)
    finalizer.atexit = False
    return finalizer

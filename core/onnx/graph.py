"""Loaded ONNX graphs of transformers' exporter: a session, and a decoder with the interface of `core.onnx.session`.

Serving only: ONNX Runtime and numpy, no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CorruptFile
from core.models.tokenizer import read_json

GRAPH_FACTS = "graph.json"  # beside model.onnx: its task and context length
STOP_SPINNING = ("session.force_spinning_stop", "1")  # when a pass ends: docs/decisions.md
_KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def open_graph(export: Path, *, device: str, threads: int) -> Any:
    """An ONNX Runtime session on the folder's model.onnx. Raises CorruptFile when it is damaged."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry(*STOP_SPINNING)
    providers = ["CPUExecutionProvider"]
    if device == "cuda":
        onnxruntime.preload_dlls()
        providers.insert(0, "CUDAExecutionProvider")
    try:
        return onnxruntime.InferenceSession(str(export / "model.onnx"), options, providers=providers)
    except Exception as error:  # ONNX Runtime's faults share no base class
        raise CorruptFile(
            f"The export in {export} cannot be loaded: {' '.join(str(error).split())[:300]}.",
            next_step="Delete that folder and export the model again.",
        ) from error


class GraphContext:
    """One sequence's KV cache, kept as arrays. capacity, length: in tokens."""

    def __init__(self, session: Any, past: Sequence[Any], capacity: int) -> None:
        self._session = session
        self._names = [one.name for one in past]
        self._cache = [np.zeros((1, int(one.shape[1]), 0, int(one.shape[3])), _KINDS[one.type]) for one in past]
        self.capacity = capacity
        self.length = 0

    def append(self, token_ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Read `token_ids` after what is there; [vocabulary] logits of the token that follows."""
        total = self.length + len(token_ids)
        feed = dict(zip(self._names, self._cache, strict=True))
        feed["input_ids"] = np.array([token_ids], dtype=np.int64)
        feed["attention_mask"] = np.ones((1, total), dtype=np.int64)
        logits, *self._cache = self._session.run(None, feed)
        self.length = total
        last: npt.NDArray[np.float32] = logits[0, -1].astype(np.float32)
        return last

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if length < self.length:
            self._cache = [np.ascontiguousarray(array[:, :, :length]) for array in self._cache]
            self.length = length

    def close(self) -> None:
        self._cache = []


class GraphModel:
    """A decoder's graph. Immutable; contexts are opened on it. weights_bytes: size on disk."""

    def __init__(self, export: Path, *, device: str, threads: int) -> None:
        self._session = open_graph(export, device=device, threads=threads)
        self._past = [one for one in self._session.get_inputs() if "past_key_values" in one.name]
        self.vocabulary = int(self._session.get_outputs()[0].shape[-1])
        self.context_length = int(read_json(export / GRAPH_FACTS, "Export the model again.")["context_length"])
        self.weights_bytes = sum(file.stat().st_size for file in export.glob("model.onnx*"))

    def open_context(self, capacity: int) -> GraphContext:
        return GraphContext(self._session, self._past, min(capacity, self.context_length))

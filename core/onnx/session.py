"""A loaded ONNX decoder: these tokens in, these logits out. No torch.

The bridge to ONNX Runtime GenAI. Threads are always set: left alone, ONNX Runtime counts hyper-threads as half a core
and decodes at 60 % of the speed on a 2-vCPU machine. They stop spinning when a pass ends: while the sampler works, and
while nobody asks, the other core is free (docs/decisions.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import CorruptFile
from core.onnx import genai
from core.onnx.graph import GRAPH_FACTS, STOP_SPINNING, GraphModel


class OnnxContext:
    """One sequence's KV cache. capacity, length: in tokens; memory is taken for the whole capacity at once."""

    def __init__(self, model: genai.Model, capacity: int) -> None:
        self._generator = genai.Generator(model, capacity)
        self.capacity = capacity
        self.length = 0

    def append(self, token_ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Read `token_ids` after what is there; [vocabulary] logits of the token that follows."""
        self._generator.append_tokens(token_ids)
        self.length += len(token_ids)
        logits: npt.NDArray[np.float32] = self._generator.last_logits()[0]
        return logits

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if length < self.length:
            self._generator.rewind_to(length)
            self.length = length

    def close(self) -> None:
        self._generator.close()


class OnnxBatch:
    """Equally long sequences that are read together, and their KV cache. capacity, length: in tokens of each.

    GenAI takes tokens for several sequences once; after that it only adds what its own search chooses. So each further
    token is made the likeliest, and the search has no choice (docs/decisions.md). end_ids: tokens that would end a row.
    """

    def __init__(self, model: genai.Model, batch: int, capacity: int, vocabulary: int, end_ids: frozenset[int]) -> None:
        self._generator = genai.Generator(model, capacity, batch)
        self._wish = np.zeros((batch, vocabulary), dtype=np.float32)
        self.end_ids = end_ids
        self.capacity = capacity
        self.length = 0

    def append(self, token_ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Read [batch, n] ids after what is there; [batch, vocabulary] logits of the tokens that follow.

        n is 1 after the first time, and a token of `end_ids` is refused then: ValueError.
        """
        rows = np.arange(len(self._wish))
        if not self.length:
            self._generator.append_tokens(np.ascontiguousarray(token_ids, dtype=np.int32).ravel())
        elif token_ids.shape != (len(rows), 1) or self.end_ids.intersection(token_ids[:, 0].tolist()):
            raise ValueError("A batch that has begun takes one token a row, and none that ends the text.")
        else:
            self._wish[rows, token_ids[:, 0]] = 1
            self._generator.choose(self._wish)
            self._wish[rows, token_ids[:, 0]] = 0
        self.length += token_ids.shape[1]
        return self._generator.last_logits()

    def close(self) -> None:
        self._generator.close()


class OnnxModel:
    """Loaded weights. Immutable; contexts are opened on it. weights_bytes: size on disk."""

    def __init__(self, model: genai.Model, facts: dict[str, Any], weights_bytes: int) -> None:
        self._model = model
        self.context_length = int(facts["context_length"])
        self.vocabulary = int(facts["vocab_size"])
        self.weights_bytes = weights_bytes
        self._end_ids = frozenset(np.atleast_1d(facts.get("eos_token_id", [])).tolist())

    def open_context(self, capacity: int) -> OnnxContext:
        return OnnxContext(self._model, min(capacity, self.context_length))

    def open_batch(self, batch: int, capacity: int) -> OnnxBatch:
        return OnnxBatch(self._model, batch, min(capacity, self.context_length), self.vocabulary, self._end_ids)


def overlay(threads: int) -> str:
    """What goes before an export's own genai_config.json, as JSON."""
    options = dict([("intra_op_num_threads", threads), STOP_SPINNING])
    return json.dumps({"model": {"decoder": {"session_options": options}}})


def open_model(export: Path, *, device: str, threads: int) -> OnnxModel | GraphModel:
    """Load the export of a decoder, whichever way it was made. Raises CorruptFile when it is damaged."""
    if (export / GRAPH_FACTS).is_file():
        return GraphModel(export, device=device, threads=threads)
    try:
        facts = json.loads((export / "genai_config.json").read_text(encoding="utf-8"))["model"]
        config = genai.Config(export)
        config.overlay(overlay(threads))
        if device == "cuda":
            import onnxruntime

            onnxruntime.preload_dlls()  # CUDA and cuDNN from torch's own packages
            config.use_provider("cuda")
        model = genai.Model(config)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CorruptFile(
            f"The export in {export} cannot be loaded: {error}.",
            next_step="Delete that folder and export the model again.",
        ) from error
    return OnnxModel(model, facts, sum(file.stat().st_size for file in export.glob("model.onnx*")))

"""What a local backend answers: these tokens in, these logits out, and rewind. Nothing else differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import CorruptFile


class Context(Protocol):
    """One sequence's KV cache. capacity, length: in tokens."""

    capacity: int
    length: int

    def append(self, token_ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Read tokens after those that are there; [vocabulary] logits of the token that follows."""

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens."""

    def close(self) -> None:
        """Give the memory back."""


class Backend(Protocol):
    """Loaded weights. weights_bytes: what they take in memory. vocabulary: width of the logits."""

    context_length: int
    vocabulary: int
    weights_bytes: int

    def open_context(self, capacity: int) -> Context: ...


class TorchContext:
    """A KV cache of transformers. It grows as it is used; capacity is only a promise not to go past it."""

    def __init__(self, model: Any, capacity: int) -> None:
        from transformers import DynamicCache

        self._model = model
        self._cache = DynamicCache(config=model.config)
        self.capacity = capacity
        self.length = 0

    def append(self, token_ids: Sequence[int]) -> npt.NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            ids = torch.tensor([list(token_ids)], device=self._model.device)
            output = self._model(ids, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self.length += len(token_ids)
        logits: npt.NDArray[np.float32] = output.logits[0, -1].float().cpu().numpy()
        return logits

    def rewind(self, length: int) -> None:
        if length < self.length:
            self._cache.crop(length - self.length)  # negative: how many to drop; other lengths are refused
            self.length = length

    def close(self) -> None:
        self._cache = None


class TorchModel:
    """A decoder in torch eager: the reference, and the backend of architectures that have no export."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.context_length = int(model.config.max_position_embeddings)
        self.vocabulary = int(model.config.vocab_size)
        self.weights_bytes = sum(p.numel() * p.element_size() for p in model.parameters())

    def open_context(self, capacity: int) -> TorchContext:
        return TorchContext(self._model, min(capacity, self.context_length))


def open_torch(folder: Path, *, precision: str, device: str, threads: int) -> TorchModel:
    """Load safetensors in torch. Raises CorruptFile when they are damaged."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise CorruptFile(
            f"The weights in {folder} cannot be loaded: {error}.", next_step="Prepare the model again."
        ) from error
    return TorchModel(model.to(device).eval())

"""The attention of a pass, watched: an attention function for transformers that hands q, k, v and mask to a `Watch`.

It is registered under a name of its own beside transformers' "eager" and "sdpa", and calls the eager function of the
model's own file, so that weights are those of `output_attentions` with every peculiarity of the architecture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import torch

IMPLEMENTATION = "groundwork_watched"
BLOCK_BYTES = 64 * 1024**2  # of weights that are in memory at once


class Enough(Exception):
    """Raised in a hook or a watch when what was wanted of a pass is known: the rest of its work is left out."""


class Watch(Protocol):
    """What happens at an attention. Returns its output, [batch, query, head, value]."""

    def attend(self, attended: Attended) -> torch.Tensor: ...


@dataclass(frozen=True, slots=True)
class Attended:
    """One attention in the making. query: [batch, head, query, d_k]; key, value: [batch, kv head, key, d_k or d_v],
    rotated where the model rotates. mask: added to the scores, [batch or 1, head or 1, query, key]."""

    module: Any
    eager: Callable[..., Any]
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    options: dict[str, Any]

    @property
    def scaling(self) -> float:
        given = self.options.get("scaling")
        return float(given) if given is not None else float(self.query.shape[-1] ** -0.5)

    def block_rows(self) -> int:
        """Queries whose weights fit BLOCK_BYTES; all of them where the model's own function cannot take some."""
        batch, heads, queries, _ = self.query.shape
        others = (value for name, value in self.options.items() if name not in _PLAIN)
        if any(isinstance(value, torch.Tensor) and value.ndim > 1 for value in others):
            return queries  # something else that depends on the query
        row = batch * heads * self.key.shape[2] * max(self.query.element_size(), 4)
        return max(min(BLOCK_BYTES // row, queries), 1)

    def rows(self, start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(output [batch, query, head, d_v], weights [batch, head, query, key]) of these queries."""
        mask = None if self.mask is None else self.mask[..., start:stop, : self.key.shape[2]]
        output, weights = self.eager(
            self.module, self.query[:, :, start:stop], self.key, self.value, mask, **self.options
        )
        return output.reshape(output.shape[0], stop - start, self.query.shape[1], -1), weights

    def output(self) -> torch.Tensor:
        """The output alone, as fast as it is the same: through torch's fused function where nothing is special."""
        plain = all(value is None or name in _PLAIN for name, value in self.options.items())
        if plain:
            groups = self.query.shape[1] // self.key.shape[1]
            key = self.key.repeat_interleave(groups, dim=1)
            value = self.value.repeat_interleave(groups, dim=1)
            mask = None if self.mask is None else self.mask[..., : key.shape[2]]
            fused = torch.nn.functional.scaled_dot_product_attention(
                self.query, key, value, attn_mask=mask, scale=self.scaling
            )
            return fused.transpose(1, 2)
        step = self.block_rows()
        queries = self.query.shape[2]
        parts = [self.rows(start, min(start + step, queries))[0] for start in range(0, queries, step)]
        return torch.cat(parts, dim=1)


# Options that every model gives and that leave the formula as it is.
_PLAIN = {"scaling", "dropout", "is_causal", "position_ids", "cache_position", "use_cache", "output_attentions",
          "output_hidden_states", "return_dict", "sliding_window", "position_embeddings"}  # fmt: skip

_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Every watched attention inside goes through `watch`."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


def register() -> None:
    """Tell transformers of it: the function, and that it wants the additive mask of "eager"."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(IMPLEMENTATION, _attention)
    AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    attended = Attended(module, _eager_of(module), query, key, value, attention_mask, options)
    watch = _watch.get()
    return (attended.output() if watch is None else watch.attend(attended)), None


def _eager_of(module: Any) -> Callable[..., Any]:
    """`eager_attention_forward` of the file that the module's class is from."""
    for kind in type(module).__mro__:
        forward = inspect.unwrap(kind.__dict__.get("forward", None) or object.__init__)
        found = getattr(forward, "__globals__", {}).get("eager_attention_forward")
        if found is not None:
            return found  # type: ignore[no-any-return]
    raise LookupError(f"{type(module).__name__} has no eager attention function")

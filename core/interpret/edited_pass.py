"""A text read again with something switched off: as little of the pass as that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import torch

from core.errors import InvalidInput
from core.interpret.edits import Edits, edited
from core.interpret.focus import chooser_of
from core.interpret.heartbeat import beating
from core.interpret.open_model import OpenModel
from core.interpret.trace import Trace, require_logits
from core.interpret.watched_attention import Enough

Beat = Callable[[], None]
ROW_BYTES = 250_000_000  # of what the rows of one batch need within a layer


def no_beat() -> None:
    """The beat of somebody who does not watch."""


def query_of(trace: Trace, position: int) -> int:
    """The query that predicts the token at `position`. Raises InvalidInput where none does, and for a model that
    predicts no tokens."""
    require_logits(trace.opened)
    query = chooser_of(trace, position)
    if trace.subject.causal and position == 0:
        raise InvalidInput(
            "The first token was predicted from nothing.",
            allowed=f"Tokens 1 to {trace.tokens - 1}, or {trace.tokens}: what would come next.",
            next_step="Choose a later token.",
        )
    return query


def first_container(trace: Trace, rows: Sequence[Edits]) -> int:
    """The first container whose work `rows` change; what goes into it is known from the trace."""
    layers = trace.opened.layers
    if any(row.tokens for row in rows):
        return layers[0].index
    named = [layer for row in rows for layer in (*(layer for layer, _ in row.heads), *row.mlps)]
    return min((layers[layer].index for layer in named), default=len(trace.opened.containers))


def batch_rows(trace: Trace, length: int) -> int:
    """How many rows of `length` tokens fit ROW_BYTES. Estimated from the widths: the inputs, outputs and in-betweens of
    the widest parts, in fp32."""
    shape = trace.opened.card.architecture
    widths = 4 * shape.hidden + 3 * shape.intermediate + 4 * shape.heads * shape.head_dim
    return max(ROW_BYTES // (length * widths * 4), 1)


def final_states(
    trace: Trace, rows: Sequence[Edits], query: int | None = None, *, start: int | None = None, beat: Beat = no_beat
) -> torch.Tensor:
    """[row, token, hidden] out of the last layer, each row of the batch without what it names. query: the only token
    that is wanted; a decoder then reads no further. start: container to begin at (default: the first that changes)."""
    opened = trace.opened
    start = first_container(trace, rows) if start is None else start
    length = query + 1 if query is not None and trace.subject.causal else trace.tokens
    wanted = slice(None) if query is None else slice(query, query + 1)
    if start == len(opened.containers):
        return trace.hidden[-1][None, wanted].expand(len(rows), -1, -1)
    hidden = trace.hidden[start][None, :length].repeat(len(rows), 1, 1)
    with edited(opened, per_row=rows):
        made = last_output(opened, start, hidden, beat, input_ids=opened.tensor(trace.subject.ids[:length]))
    return made[:, wanted]


def last_output(opened: OpenModel, start: int, hidden: torch.Tensor, beat: Beat, **inputs: Any) -> torch.Tensor:
    """[row, token, hidden] out of the last container, with `hidden` going into container `start`. No norm, no head."""
    caught: list[torch.Tensor] = []

    def catch(module: Any, given: Any, made: Any) -> None:
        caught.append(made[0] if isinstance(made, tuple) else made)
        raise Enough

    handle = opened.containers[-1].register_forward_hook(catch)
    try:
        with torch.inference_mode(), beating(opened, beat, start=start), suppress(Enough):
            opened.enter(start, hidden, **inputs)
    finally:
        handle.remove()
    return caught[0]


def logits_of(opened: OpenModel, states: torch.Tensor) -> torch.Tensor:
    """[row, vocabulary] of [row, hidden] out of the last layer: the final norm and the head."""
    with torch.inference_mode():
        made = opened.enter(len(opened.containers), states[:, None])
    return made.logits[:, 0].float()  # type: ignore[no-any-return]


def vectors_of(opened: OpenModel, states: torch.Tensor) -> torch.Tensor:
    """[row, token, hidden] as an encoder gives them to the world, of those out of its last layer."""
    with torch.inference_mode():
        made = opened.enter(len(opened.containers), states)
    given = getattr(made, "last_hidden_state", None)
    return (states if given is None else given).float()

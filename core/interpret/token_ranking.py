"""Which tokens matter for one prediction: each is hidden from all others, alone, and the text is read again.

Exact, not estimated. In a decoder a hidden token changes only what comes after it, so a batch of neighbours begins
behind the first of them, with the keys and values of all before from one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.edited_pass import batch_rows, final_states, last_output
from core.interpret.edits import Edits, edited
from core.interpret.heartbeat import Beat
from core.interpret.judge import Asked, Judge
from core.interpret.trace import Floats, Trace

CACHE_BYTES = 100_000_000  # of keys and values of a batch


@dataclass(frozen=True, slots=True)
class TokenEffects:
    """Each token hidden from all others, alone. change: [token], after − before (below 0: it helped). kl: [token],
    nats, whole‖without (NaN for vectors). 0 where nothing can change; NaN for tokens that were not asked about."""

    asked: Asked
    change: Floats
    kl: Floats

    def strongest(self, count: int) -> list[int]:
        """Positions of the largest changes, either way."""
        order = np.argsort(-np.abs(np.nan_to_num(self.change)), kind="stable")[:count]
        return [int(at) for at in order]


def rank_tokens(
    trace: Trace,
    position: int | None,
    *,
    tokens: Sequence[int] | None = None,
    target_id: int | None = None,
    against: int | None = None,
    progress: Progress = no_progress,
) -> TokenEffects:
    """The effect of every token, or of those in `tokens`; the rest is as in `rank_heads`. Raises InvalidInput."""
    chosen = _chosen(trace, tokens)
    with trace.opened.lock:
        judge = Judge(trace, position, target_id, against)
        made = np.full((2, trace.tokens), np.nan, np.float32)
        # A decoder's prediction reads nothing behind it, and its own token in any case.
        made[:, chosen] = 0.0
        read = [at for at in chosen if not trace.subject.causal or (judge.query is not None and at < judge.query)]
        find = _from_each_on if trace.subject.causal and _every_layer_attends(trace) else _afresh
        for some, states in find(trace, read, judge, progress):
            made[:, some] = judge(states)
        if judge.asked.measure == "cosine":
            made[1] = np.nan
    return TokenEffects(judge.asked, made[0], made[1])


def _chosen(trace: Trace, tokens: Sequence[int] | None) -> list[int]:
    chosen = sorted(set(range(trace.tokens) if tokens is None else tokens))
    missing = [at for at in chosen if not 0 <= at < trace.tokens]
    if missing:
        raise InvalidInput(
            f"There is no token {', '.join(map(str, missing[:8]))}.",
            allowed=f"The text has tokens 0 to {trace.tokens - 1}.",
        )
    return chosen


def _hidden(tokens: Sequence[int]) -> list[Edits]:
    return [Edits(tokens=frozenset({at})) for at in tokens]


def _words(some: Sequence[int]) -> str:
    return f"Hiding token {some[0]}" if len(some) == 1 else f"Hiding tokens {some[0]} to {some[-1]} one by one"


def _every_layer_attends(trace: Trace) -> bool:
    """A layer of another kind may keep a state that hiding a token does not touch."""
    return len(trace.opened.layers) == len(trace.opened.containers)


def _afresh(
    trace: Trace, tokens: list[int], judge: Judge, progress: Progress
) -> Iterator[tuple[list[int], torch.Tensor]]:
    """The whole text again for each token."""
    step = batch_rows(trace, judge.length)
    beat = Beat(progress, len(tokens) * len(trace.opened.containers))
    for start in range(0, len(tokens), step):
        some = tokens[start : start + step]
        beat.weight, beat.words = len(some), _words(some)
        yield some, final_states(trace, _hidden(some), judge.query, beat=beat)


def _from_each_on(
    trace: Trace, tokens: list[int], judge: Judge, progress: Progress
) -> Iterator[tuple[list[int], torch.Tensor]]:
    """The text behind the first token of a batch, for each token of it."""
    opened, length = trace.opened, judge.length
    beat = Beat(progress, (length + sum(length - at for at in tokens)) * len(opened.containers))
    whole = _cache(trace, length, beat)
    while tokens:
        known = tokens[0] + 1
        step = min(batch_rows(trace, length - known), _cached_rows(trace, length))
        some, tokens = tokens[:step], tokens[step:]
        beat.weight, beat.words = sum(length - at for at in some), _words(some)
        rest = trace.hidden[0][None, known:length].repeat(len(some), 1, 1)
        given = {"input_ids": opened.tensor(trace.subject.ids[known:length])}
        with edited(opened, per_row=_hidden(some)):
            states = last_output(opened, 0, rest, beat, past_key_values=_prefix(whole, known, len(some)), **given)
        yield some, states[:, -1:]


def _cache(trace: Trace, length: int, beat: Beat) -> Any:
    """Keys and values of the first `length` tokens."""
    from transformers import DynamicCache

    whole = DynamicCache()
    beat.weight, beat.words = length, "Reading the text once"
    ids = trace.opened.tensor(trace.subject.ids[:length])
    last_output(trace.opened, 0, trace.hidden[0][None, :length], beat, past_key_values=whole, input_ids=ids)
    return whole


def _prefix(whole: Any, length: int, rows: int) -> Any:
    from transformers import DynamicCache

    made = DynamicCache()
    with torch.inference_mode():
        for number, layer in enumerate(whole.layers):
            keys, values = (one[:, :, :length].expand(rows, -1, -1, -1) for one in (layer.keys, layer.values))
            made.update(keys, values, number)
    return made


def _cached_rows(trace: Trace, length: int) -> int:
    """Rows whose keys and values fit CACHE_BYTES, at four bytes a number."""
    return max(CACHE_BYTES // (length * trace.opened.card.architecture.kv_cache_bytes_per_token), 1)

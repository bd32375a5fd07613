"""Attention rollout (Abnar & Zuidema 2020, arXiv 2005.00928, § 3): which input tokens a token's state is mixed from.

A layer hands on Ã = ½·A + ½·I: the mean attention of its heads, and the token itself through the residual connection.
Rollout is the product of all Ã. It knows nothing of values or MLPs. Memory is that of two n × n matrices or of a row,
never of all layers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.trace import Floats, Trace

RESIDUAL = 0.5  # share of the residual connection


def rollout(trace: Trace, progress: Progress = no_progress, *, upto: int | None = None) -> Floats:
    """[query, key] of the layers 0 to `upto` (default: all), rows that sum to one. Raises InvalidInput for a layer that
    is not there."""
    last = _last_layer(trace, upto)
    mixed = np.eye(trace.tokens, dtype=np.float32)
    for layer in range(last + 1):
        mixed = _one_layer(trace, layer, mixed, progress, last + 1)
    return mixed


def rollout_row(trace: Trace, query: int, progress: Progress = no_progress, *, upto: int | None = None) -> Floats:
    """[key]: the row of one query, from the last layer to the first, a vector at a time."""
    require_query(trace, query)
    last = _last_layer(trace, upto)
    row = np.zeros(trace.tokens, np.float32)
    row[query] = 1.0
    for layer in range(last, -1, -1):
        readers = np.flatnonzero(row)
        read = np.zeros_like(row)
        for start, block in mean_blocks(trace, layer, int(readers[0]), int(readers[-1]) + 1):
            _tell(progress, last - layer, last + 1, layer, start)
            read += row[start : start + len(block)] @ block
        row = RESIDUAL * row + (1 - RESIDUAL) * read
    return row


def mean_blocks(trace: Trace, layer: int, start: int = 0, stop: int | None = None) -> Iterable[tuple[int, Floats]]:
    """(first query, [query, key]) of the mean over a layer's heads, a block of queries at a time."""
    for first, weights in trace.blocks(layer, start, stop):
        yield first, weights.mean(0)


def require_query(trace: Trace, query: int) -> None:
    """Raises InvalidInput for a token that is not there."""
    if not 0 <= query < trace.tokens:
        raise InvalidInput(f"There is no token {query}.", allowed=f"The text has tokens 0 to {trace.tokens - 1}.")


def _one_layer(trace: Trace, layer: int, mixed: Floats, progress: Progress, layers: int) -> Floats:
    """Ã · mixed. Of a decoder, only the lower triangle of both."""
    made = RESIDUAL * mixed
    for start, block in mean_blocks(trace, layer):
        _tell(progress, layer, layers, layer, start)
        stop = start + len(block)
        end = stop if trace.subject.causal else trace.tokens
        made[start:stop, :end] += (1 - RESIDUAL) * (block[:, :end] @ mixed[:end, :end])
    return made


def _last_layer(trace: Trace, upto: int | None) -> int:
    last = trace.layers - 1 if upto is None else upto
    if not 0 <= last < trace.layers:
        raise InvalidInput(
            f"There is no layer {last}.", allowed=f"{trace.opened.card.id} has layers 0 to {trace.layers - 1}."
        )
    return last


def _tell(progress: Progress, done: int, layers: int, layer: int, start: int) -> None:
    progress(done / layers, f"Following attention through layer {layer}, from token {start}")

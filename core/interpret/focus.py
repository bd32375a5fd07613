"""What one token read, layer by layer; and what every token of an answer read when it was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput
from core.interpret.shaping import PLAIN, Shaping, shape_rows, sinks
from core.interpret.trace import Floats, Trace


@dataclass(frozen=True, slots=True)
class FocusRow:
    """What query `query` reads. weights: [layer, head, key]. position: of the token asked about; a decoder chose it one
    place earlier, which is `query`."""

    position: int
    query: int
    weights: Floats

    def by_layer(self, heads: list[int] | None = None) -> Floats:
        """[layer, key]: the mean of the heads (default: all)."""
        return np.asarray((self.weights if heads is None else self.weights[:, heads]).mean(1), np.float32)

    def mean(self) -> Floats:
        """[key]: the mean of all heads of all layers."""
        return np.asarray(self.weights.mean((0, 1)), np.float32)


def chooser_of(trace: Trace, position: int) -> int:
    """The query that chose the token at `position`: the one before it in a decoder, itself in an encoder. The place
    after the last token is what would come next. Raises InvalidInput for a place that is none."""
    last = trace.tokens if trace.subject.causal else trace.tokens - 1
    if not 0 <= position <= last:
        raise InvalidInput(f"There is no token {position}.", allowed=f"The text has tokens 0 to {trace.tokens - 1}.")
    return max(position - 1, 0) if trace.subject.causal else position


def focus_row(trace: Trace, query: int, shaping: Shaping = PLAIN, *, position: int | None = None) -> FocusRow:
    """All heads of all layers for one query: n weights each, not n²."""
    columns = sinks(trace.subject)
    rows = []
    for layer in range(trace.layers):
        norms = trace.value_norms(layer) if shaping.by_norm else None
        rows.append(shape_rows(trace.weights(layer, query, query + 1), shaping, norms, columns)[:, 0])
    return FocusRow(query if position is None else position, query, np.stack(rows))


@dataclass(frozen=True, slots=True)
class StepMap:
    """Attention over generation steps. weights: [step, key], mean over the heads of a layer or of all layers; step i
    chose token first + i."""

    first: int
    layer: int | None
    weights: Floats


def steps(trace: Trace, layer: int | None, shaping: Shaping = PLAIN, progress: Progress = no_progress) -> StepMap:
    """What each token of the answer (of a typed text: each but the first) read when it was chosen. layer: None for the
    mean of all layers. Raises InvalidInput for an encoder, which chooses no tokens one after another."""
    if not trace.subject.causal:
        raise InvalidInput(
            f"{trace.opened.card.id} reads a text at once: there are no steps.",
            next_step="Choose a model that writes, or another view.",
        )
    first = max(trace.subject.answer_start or 1, 1)
    chosen = range(trace.layers) if layer is None else (layer,)
    columns = sinks(trace.subject)
    total = np.zeros((trace.tokens - first, trace.tokens), np.float32)
    for done, number in enumerate(chosen):
        progress(done / len(chosen), f"Looking at layer {number + 1} of {trace.layers}")
        norms = trace.value_norms(number) if shaping.by_norm else None
        for start, block in trace.blocks(number, first - 1, trace.tokens - 1):
            at = start - (first - 1)
            total[at : at + block.shape[1]] += shape_rows(block, shaping, norms, columns).mean(0)
    return StepMap(first, layer, (total / len(chosen)).astype(np.float32))

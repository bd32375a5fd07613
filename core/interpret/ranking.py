"""Which heads and MLPs matter for one prediction: each is switched off alone and the text is read again.

Exact, not estimated. What comes before the edited layer is taken from the trace, all heads of a layer go through the
rest of the model as one batch, and nothing behind the predicting token is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artefacts import Progress, no_progress
from core.interpret.edited_pass import batch_rows, final_states
from core.interpret.edits import Edits
from core.interpret.heartbeat import Beat
from core.interpret.judge import Asked, Judge
from core.interpret.trace import Floats, Trace


@dataclass(frozen=True, slots=True)
class HeadEffects:
    """Each switched off alone. heads, kl: [layer, head]; mlps, mlp_kl: [layer], NaN where a layer has no MLP of a known
    kind. heads, mlps: the change, after − before (below 0: it helped). kl: nats, whole‖without (NaN for vectors)."""

    asked: Asked
    heads: Floats
    kl: Floats
    mlps: Floats
    mlp_kl: Floats

    def strongest(self, count: int) -> list[tuple[int, int]]:
        """(layer, head) of the largest changes, either way."""
        order = np.argsort(-np.abs(self.heads), axis=None, kind="stable")[:count]
        return [(int(at) // self.heads.shape[1], int(at) % self.heads.shape[1]) for at in order]


def rank_heads(
    trace: Trace,
    position: int | None,
    *,
    target_id: int | None = None,
    against: int | None = None,
    progress: Progress = no_progress,
) -> HeadEffects:
    """The effect of every head and every MLP on the prediction of the token at `position`.

    target_id: whose log probability (default: the token that stands there, or the likeliest). against: a second token;
    the change is then of logit(target) − logit(against). An encoder that predicts no tokens: of the cosine between its
    vectors whole and without, of the token at `position`, or None for the mean of the text. Raises InvalidInput.
    """
    with trace.opened.lock:
        judge = Judge(trace, position, target_id, against)
        rows = [_layer_rows(trace, layer) for layer in range(trace.layers)]
        step = batch_rows(trace, judge.length)
        beat = Beat(progress, sum(len(some) * _rest(trace, layer) for layer, some in enumerate(rows)))
        made = np.full((2, trace.layers, trace.heads + 1), np.nan, np.float32)
        for layer, some in enumerate(rows):
            beat.words = f"Switching off the heads of layer {layer} one by one"
            for start in range(0, len(some), step):
                batch = some[start : start + step]
                beat.weight = len(batch)
                states = final_states(trace, batch, judge.query, beat=beat)
                made[:, layer, start : start + len(batch)] = judge(states)
    heads, mlps = made[..., :-1], made[..., -1]
    return HeadEffects(judge.asked, heads[0], heads[1], mlps[0], mlps[1])


def _layer_rows(trace: Trace, layer: int) -> list[Edits]:
    rows = [Edits(heads=frozenset({(layer, head)})) for head in range(trace.heads)]
    return rows if trace.opened.layers[layer].mlp is None else [*rows, Edits(mlps=frozenset({layer}))]


def _rest(trace: Trace, layer: int) -> int:
    """Containers from that layer on."""
    return len(trace.opened.containers) - trace.opened.layers[layer].index

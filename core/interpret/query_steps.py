"""The steps of one query of one head, out of a trace: q, k, v, mask and weights as the model had them."""

from __future__ import annotations

import numpy as np
import torch

from core.interpret.steps import QuerySteps, steps_from
from core.interpret.trace import Trace


def query_steps(trace: Trace, layer: int, head: int, query: int) -> QuerySteps:
    """Raises InvalidInput for a layer, head or query that is not there."""
    weights = trace.weights(layer, query, query + 1)[:, 0]
    attended = trace.attended(layer)
    with torch.inference_mode():
        group = head // (attended.query.shape[1] // attended.key.shape[1])
        keys = attended.key[0, group].float().cpu().numpy()
        values = attended.value[0, group].float().cpu().numpy()
        asked = attended.query[0, head, query].float().cpu().numpy()
        mask = attended.mask
        if mask is None:
            allowed = np.ones(len(keys), bool)
        else:
            row = mask[0, head if mask.shape[1] > 1 else 0, query if mask.shape[2] > 1 else 0, : len(keys)]
            allowed = (row > torch.finfo(row.dtype).min / 2).cpu().numpy()
    return steps_from(
        asked,
        keys,
        values,
        allowed,
        weights[head],
        scaling=attended.scaling,
        pieces=trace.subject.pieces,
        position=query,
        layer=layer,
        head=head,
    )

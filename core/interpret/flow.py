"""Attention flow (Abnar & Zuidema 2020, arXiv 2005.00928, § 3): how much can flow from a token's state to each input.

The layers are a graph: from every token of a layer an edge to every token of the one below, as wide as
Ã = ½·A + ½·I (see rollout). The flow to an input token is the maximum flow to its node, a problem of its own for
each of them, by definition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array  # type: ignore[import-untyped, unused-ignore]
from scipy.sparse.csgraph import maximum_flow  # type: ignore[import-untyped, unused-ignore]

from core.artefacts import Progress, no_progress, part_of
from core.errors import InvalidInput
from core.interpret.rollout import RESIDUAL, mean_blocks, require_query
from core.interpret.trace import Floats, Trace

SCALE = 2**20
"""Capacities become whole numbers of 1/SCALE. A rounded one is off by half of that at most, so a flow is off by at most
5e-7 an edge of the narrowest cut: below n · 5e-7 when the cut is at a token, 1.3e-4 at 256 tokens."""
MOST_TOKENS = 256


def flow_row(trace: Trace, query: int, progress: Progress = no_progress) -> Floats:
    """[key]: the maximum flow from `query` after the last layer to each input token; not normalised, 0 where nothing
    flows. Raises InvalidInput for a token that is not there, or one that reads more than MOST_TOKENS."""
    require_query(trace, query)
    reads = query + 1 if trace.subject.causal else trace.tokens
    if reads > MOST_TOKENS:
        raise InvalidInput(
            f"Token {query} reads {reads:,} tokens, and attention flow solves a problem for each of them.",
            allowed=f"At most {MOST_TOKENS}.",
            next_step="Take rollout, which asks the same of any length, or a shorter part of the text.",
        )
    layers = []
    for layer in range(trace.layers):
        progress(0.2 * layer / trace.layers, f"Reading the attention of layer {layer}")
        blocks = [block[:, :reads] for _, block in mean_blocks(trace, layer, 0, reads)]
        layers.append(np.concatenate(blocks))
    flows = np.zeros(trace.tokens, np.float32)
    flows[:reads] = layered_flow(np.stack(layers), query, part_of(progress, 0.2, 1.0), causal=trace.subject.causal)
    return flows


def layered_flow(
    attention: Floats, query: int, progress: Progress = no_progress, *, causal: bool = False
) -> npt.NDArray[np.float64]:
    """[key] of attention [layer, query, key], first layer first. causal: nothing above the diagonal, so that a token
    before the target is on no way to it."""
    layers, tokens, _ = attention.shape
    mixed = (1 - RESIDUAL) * attention.astype(np.float64) + RESIDUAL * np.eye(tokens)
    capacities = np.rint(mixed * SCALE).astype(np.int32)
    flows = np.zeros(tokens)
    for key in range(query + 1 if causal else tokens):
        progress(key / tokens, f"Flow to token {key} of {tokens}")
        first = key if causal else 0
        part = capacities[:, first:, first:]
        graph = _graph(part)
        source, sink = layers * part.shape[1] + query - first, key - first
        flows[key] = maximum_flow(graph, source, sink).flow_value / SCALE
    return flows


def _graph(capacities: npt.NDArray[np.int32]) -> csr_array:
    """Node layer · tokens + token; layer 0 is the input. An edge goes from a query's node to a key's one below."""
    layers, tokens, _ = capacities.shape
    layer, query, key = np.nonzero(capacities)
    places = ((layer + 1) * tokens + query, layer * tokens + key)
    nodes = (layers + 1) * tokens
    return csr_array((capacities[layer, query, key], places), shape=(nodes, nodes), dtype=np.int32)

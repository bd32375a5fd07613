from __future__ import annotations

import networkx
import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.interpret import flow
from core.interpret.flow import flow_row, layered_flow
from core.interpret.trace import Trace, trace
from tests.interpret.conftest import Open, subject_of


def _attention(layers: int, tokens: int, *, causal: bool, seed: int = 0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(layers, tokens, tokens)) * 2
    if causal:
        scores = np.where(np.tril(np.ones((tokens, tokens), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def _by_networkx(attention: np.ndarray, query: int) -> list[float]:
    layers, tokens, _ = attention.shape
    graph = networkx.DiGraph()
    for layer in range(layers):
        mixed = 0.5 * attention[layer].astype(float) + 0.5 * np.eye(tokens)
        for reader, read in zip(*np.nonzero(mixed), strict=True):
            graph.add_edge((layer + 1, int(reader)), (layer, int(read)), capacity=float(mixed[reader, read]))
    return [
        networkx.maximum_flow_value(graph, (layers, query), (0, key)) if graph.has_node((0, key)) else 0.0
        for key in range(tokens)
    ]


def test_two_layers_by_hand() -> None:
    # Ã₁ = [[1, 0], [.3, .7]], Ã₂ = [[1, 0], [.4, .6]]: to token 0 flow .4 over token 0 and min(.6, .3) over token 1,
    # to token 1 min(.6, .7)
    attention = np.asarray([[[1, 0], [0.6, 0.4]], [[1, 0], [0.8, 0.2]]], np.float32)
    np.testing.assert_allclose(layered_flow(attention, 1), [0.7, 0.6], atol=2e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("layers", "tokens"), [(1, 4), (2, 5), (4, 7)])
def test_it_is_the_maximum_flow_of_another_program(layers: int, tokens: int, causal: bool) -> None:
    attention = _attention(layers, tokens, causal=causal)
    for query in (0, tokens // 2, tokens - 1):
        expected = _by_networkx(attention, query)
        np.testing.assert_allclose(layered_flow(attention, query, causal=causal), expected, atol=tokens * 5e-7)


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_on_a_model_it_flows_through_its_mean_attention(opened: Open, kind: str) -> None:
    read = trace(opened(kind), subject_of(kind))
    means = np.stack([read.weights(layer).mean(0) for layer in range(2)])
    np.testing.assert_allclose(flow_row(read, 6), _by_networkx(means, 6), atol=1e-5)


def test_nothing_flows_from_what_is_not_read(llama: Trace) -> None:
    assert not flow_row(llama, 4)[5:].any()


def test_a_long_text_is_refused_with_an_offer(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MOST_TOKENS", 6)
    assert flow_row(llama, 5).shape == (10,)
    with pytest.raises(InvalidInput) as told:
        flow_row(llama, 6)
    assert "reads 7 tokens" in told.value.happened
    assert "At most 6" in told.value.allowed
    assert "rollout" in told.value.next_step


def test_what_is_not_there_is_named(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="no token -1"):
        flow_row(llama, -1)


def test_it_can_be_cancelled(llama: Trace) -> None:
    def stop(fraction: float, words: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        flow_row(llama, 8, stop)

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.interpret.rollout import rollout, rollout_row
from core.interpret.trace import Trace, trace
from tests.interpret.conftest import Open, subject_of

FIRST = [[1.0, 0.0, 0.0], [0.4, 0.6, 0.0], [0.2, 0.2, 0.6]]
SECOND = [[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.0, 0.5, 0.5]]


class _Given:
    """Two layers of two heads each, in blocks of two queries."""

    def __init__(self) -> None:
        self.opened = type("Opened", (), {"card": type("Card", (), {"id": "given"})})
        self.subject = type("Subject", (), {"causal": True})
        self.tokens, self.layers = 3, 2

    def blocks(self, layer, start=0, stop=None):  # type: ignore[no-untyped-def]
        mean = np.asarray([FIRST, SECOND][layer], np.float32)
        other = np.asarray([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
        heads = np.stack([other, 2 * mean - other])
        end = 3 if stop is None else stop
        for first in range(start, end, 2):
            yield first, heads[:, first : min(first + 2, end)]


def test_two_layers_by_hand() -> None:
    # Ã₁ = [[1, 0, 0], [.2, .8, 0], [.1, .1, .8]], Ã₂ = [[1, 0, 0], [.4, .6, 0], [0, .25, .75]]
    expected = [[1, 0, 0], [0.4 + 0.6 * 0.2, 0.6 * 0.8, 0], [0.25 * 0.2 + 0.75 * 0.1, 0.25 * 0.8 + 0.75 * 0.1, 0.6]]
    np.testing.assert_allclose(rollout(_Given()), expected, atol=1e-6)  # type: ignore[arg-type]


def test_one_layer_is_half_the_attention_and_half_the_token() -> None:
    expected = 0.5 * np.asarray(FIRST) + 0.5 * np.eye(3)
    np.testing.assert_allclose(rollout(_Given(), upto=0), expected, atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("upto", [None, 0])
@pytest.mark.parametrize("query", [0, 1, 2])
def test_a_row_is_a_row_of_the_whole(query: int, upto: int | None) -> None:
    given: Trace = _Given()  # type: ignore[assignment]
    np.testing.assert_allclose(rollout_row(given, query, upto=upto), rollout(given, upto=upto)[query], atol=1e-6)


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_on_a_model_it_is_the_product_of_its_layers(opened: Open, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interpret.watched_attention.BLOCK_BYTES", 4 * 4 * 10 * 3)  # three queries a block
    read = trace(opened(kind), subject_of(kind))
    first, second = (0.5 * read.weights(layer).astype(float).mean(0) + 0.5 * np.eye(10) for layer in (0, 1))
    found = rollout(read)
    np.testing.assert_allclose(found, second @ first, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-5)
    np.testing.assert_allclose(rollout_row(read, 7), found[7], atol=1e-6)


def test_what_is_not_there_is_named(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="no layer 2"):
        rollout(llama, upto=2)
    with pytest.raises(InvalidInput, match="no token 10"):
        rollout_row(llama, 10)


def test_it_can_be_cancelled(llama: Trace) -> None:
    def stop(fraction: float, words: str) -> None:
        raise Cancelled

    for work in (lambda: rollout(llama, stop), lambda: rollout_row(llama, 5, stop)):
        with pytest.raises(Cancelled):
            work()

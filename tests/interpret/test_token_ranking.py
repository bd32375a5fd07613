from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.interpret.edits import Edits
from core.interpret.knockout import effect, embedding_effect
from core.interpret.open_model import open_model
from core.interpret.token_ranking import rank_tokens
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import Open, subject_of
from tests.models import tiny


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_all_at_once_is_each_alone(opened: Open, kind: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interpret.token_ranking.batch_rows", lambda read, length: batch)
    read = trace(opened(kind), subject_of(kind))
    found = rank_tokens(read, 8)
    for token in range(10):
        alone = effect(read, Edits(tokens=frozenset({token})), 8)
        change = alone.target_logprob_after - alone.target_logprob_before
        assert found.change[token] == pytest.approx(change, abs=2e-6)
        assert found.kl[token] == pytest.approx(alone.kl, abs=1e-8, rel=1e-2)
    assert np.abs(found.change).max() > 1e-5


def test_what_the_prediction_does_not_read_has_no_effect(llama: Trace) -> None:
    found = rank_tokens(llama, 6)
    assert (found.change[5:] == 0).all()
    assert found.change[:5].all()


def test_only_the_tokens_that_were_asked_about(llama: Trace) -> None:
    every, some = rank_tokens(llama, 8), rank_tokens(llama, 8, tokens=[6, 2])
    np.testing.assert_allclose(some.change[[2, 6]], every.change[[2, 6]], atol=1e-6)
    assert np.isnan(np.delete(some.change, [2, 6])).all()
    assert set(some.strongest(2)) == {2, 6}


def test_where_a_layer_does_not_attend_no_cache_is_used(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = rank_tokens(llama, 8).change
    monkeypatch.setattr("core.interpret.token_ranking._every_layer_attends", lambda read: False)
    np.testing.assert_allclose(rank_tokens(llama, 8).change, expected, atol=1e-6)


def test_an_encoder_without_logits_is_judged_by_its_vectors(home: Path) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources/plain", head="BertModel")), model_id="plain")
    read = trace(open_model("plain", device="cpu"), subject_of("plain"))
    whole, third = rank_tokens(read, None), rank_tokens(read, 3)
    for token in range(10):
        alone = embedding_effect(read, Edits(tokens=frozenset({token})))
        assert whole.change[token] == pytest.approx(alone.mean - 1, abs=1e-6)
        assert third.change[token] == pytest.approx(float(alone.tokens[3]) - 1, abs=1e-6)
    assert np.isnan(whole.kl).all()


def test_a_batch_of_keys_and_values_is_kept_within_bounds(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = rank_tokens(llama, 8).change
    monkeypatch.setattr("core.interpret.token_ranking.CACHE_BYTES", 1)
    np.testing.assert_allclose(rank_tokens(llama, 8).change, expected, atol=1e-6)


@pytest.mark.parametrize("tokens", [[-1], [3, 10]])
def test_a_token_that_is_not_there_is_named(llama: Trace, tokens: list[int]) -> None:
    with pytest.raises(InvalidInput, match=f"no token {tokens[-1]}"):
        rank_tokens(llama, 8, tokens=tokens)


@pytest.mark.parametrize("call", [0, 2, 3])
def test_it_can_be_cancelled_and_leaves_nothing(llama: Trace, call: int) -> None:
    calls: list[float] = []

    def stop(fraction: float, words: str) -> None:
        calls.append(fraction)
        if len(calls) > call:
            raise Cancelled

    with pytest.raises(Cancelled):
        rank_tokens(llama, 8, progress=stop)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.opened.model.modules())
    assert not any("forward" in container.__dict__ for container in llama.opened.containers)


def test_progress_goes_from_nothing_to_all(llama: Trace) -> None:
    told: list[float] = []
    rank_tokens(llama, 8, progress=lambda fraction, words: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] < 1.0

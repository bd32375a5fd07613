from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.interpret import edited_pass
from core.interpret.edits import Edits
from core.interpret.knockout import effect, embedding_effect
from core.interpret.open_model import open_model
from core.interpret.ranking import rank_heads
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import IDS, Open, subject_of
from tests.models import tiny


def _singles(read: Trace) -> dict[tuple[int, int | None], Edits]:
    """Every head alone, and with None every MLP alone."""
    heads = {(layer, head): Edits(heads=frozenset({(layer, head)})) for layer in range(2) for head in range(read.heads)}
    return heads | {(layer, None): Edits(mlps=frozenset({layer})) for layer in range(2)}


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_all_at_once_is_each_alone(opened: Open, kind: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interpret.ranking.batch_rows", lambda read, length: batch)
    read = trace(opened(kind), subject_of(kind))
    found = rank_heads(read, 6)
    assert found.asked.target_id == IDS[6]
    for (layer, head), edits in _singles(read).items():
        alone = effect(read, edits, 6)
        change, kl = (
            (found.mlps[layer], found.mlp_kl[layer])
            if head is None
            else (found.heads[layer, head], found.kl[layer, head])
        )
        assert change == pytest.approx(alone.target_logprob_after - alone.target_logprob_before, abs=2e-6)
        assert kl == pytest.approx(alone.kl, abs=1e-8, rel=1e-2)
    assert np.abs(found.heads).max() > 1e-5


def test_against_another_token_it_is_a_difference_of_logits(llama: Trace) -> None:
    found = rank_heads(llama, 10, target_id=5, against=9)
    logits = llama.logits(9)
    assert found.asked.measure == "logit difference"
    assert found.asked.before == pytest.approx(float(logits[5] - logits[9]), abs=1e-5)
    five, nine = rank_heads(llama, 10, target_id=5), rank_heads(llama, 10, target_id=9)
    np.testing.assert_allclose(found.heads, five.heads - nine.heads, atol=1e-5)


def test_nothing_behind_the_query_is_read(llama: Trace) -> None:
    shorter = trace(llama.opened, subject_of("llama", IDS[:7]))
    np.testing.assert_allclose(rank_heads(llama, 6).heads, rank_heads(shorter, 6).heads, atol=1e-6)


def test_an_encoder_without_logits_is_judged_by_its_vectors(home: Path) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources/plain", head="BertModel")), model_id="plain")
    read = trace(open_model("plain", device="cpu"), subject_of("plain"))
    whole, third = rank_heads(read, None), rank_heads(read, 3)
    assert whole.asked.measure == "cosine"
    for (layer, head), edits in _singles(read).items():
        alone = embedding_effect(read, edits)
        of_text, of_token = ((made.mlps[layer] if head is None else made.heads[layer, head]) for made in (whole, third))
        assert of_text == pytest.approx(alone.mean - 1, abs=1e-6)
        assert of_token == pytest.approx(float(alone.tokens[3]) - 1, abs=1e-6)
    assert np.isnan(whole.kl).all()
    with pytest.raises(InvalidInput, match="predicts no tokens"):
        rank_heads(read, 3, target_id=5)
    with pytest.raises(InvalidInput, match="no token 10"):
        rank_heads(read, 10)


def test_the_strongest_come_first(llama: Trace) -> None:
    found = rank_heads(llama, 6)
    sizes = [abs(float(found.heads[place])) for place in found.strongest(8)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(found.strongest(8))) == 8


def test_a_batch_is_kept_within_bounds(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edited_pass, "ROW_BYTES", 200_000)
    shape = llama.opened.card.architecture
    rows = edited_pass.batch_rows(llama, 10)
    assert 1 <= rows <= 200_000 // (10 * 3 * shape.intermediate * 4)
    assert edited_pass.batch_rows(llama, 1_000_000) == 1


def test_progress_goes_from_nothing_to_all(llama: Trace) -> None:
    told: list[float] = []
    rank_heads(llama, 6, progress=lambda fraction, words: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0.0
    assert 0.6 < told[-1] < 1.0


@pytest.mark.parametrize(
    ("position", "asked", "named"),
    [
        (None, {}, "No token was named"),
        (0, {}, "first token"),
        (11, {}, "no token 11"),
        (5, {"target_id": 262}, "no token id 262"),
        (5, {"target_id": -1}, "no token id -1"),
        (5, {"against": 999}, "no token id 999"),
        (5, {"target_id": 7, "against": 7}, "compared with itself"),
    ],
)
def test_what_is_not_there_is_named(llama: Trace, position: int | None, asked: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        rank_heads(llama, position, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", [0, 1, 2])
def test_it_can_be_cancelled_and_leaves_nothing(llama: Trace, call: int) -> None:
    calls: list[float] = []

    def stop(fraction: float, words: str) -> None:
        calls.append(fraction)
        if len(calls) > call:
            raise Cancelled

    before = rank_heads(llama, 6)
    with pytest.raises(Cancelled):
        rank_heads(llama, 6, progress=stop)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.opened.model.modules())
    assert not any("forward" in container.__dict__ for container in llama.opened.containers)
    np.testing.assert_array_equal(rank_heads(llama, 6).heads, before.heads)

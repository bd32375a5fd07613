from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.interpret.edits import NOTHING, Edits
from core.interpret.knockout import effect, embedding_effect
from core.interpret.open_model import open_model
from core.interpret.subject import from_text
from core.interpret.trace import Trace, trace
from core.models import catalogue
from core.settings import reload_settings
from tests.interpret.conftest import IDS, Open, subject_of
from tests.interpret.plain import mask_without, plain_logits, plain_model, plain_vectors, zero_head, zero_mlp
from tests.models import tiny
from tests.real_models import MINILM, SMOLLM2, prepared_smollm2_home

HEAD = Edits(heads=frozenset({(1, 1)}))
ALL = Edits(frozenset({(0, 0), (1, 1)}), frozenset({1}), frozenset({2}))
REAL = Edits(frozenset({(2, 3), (5, 0)}), frozenset({4}), frozenset({3}))


@pytest.fixture
def encoder(home: object, tmp_path: object) -> Trace:
    """A tiny encoder without logits that has read IDS."""
    catalogue.add(str(tiny.save_bert(tmp_path / "sources/plain", head="BertModel")), model_id="plain")  # type: ignore[operator]
    return trace(open_model("plain", device="cpu"), subject_of("plain"))


@pytest.fixture(scope="module")
def real() -> Iterator[Callable[[str], tuple[Trace, object]]]:
    """A built-in model that has read a sentence, and the same as plain transformers."""
    with pytest.MonkeyPatch.context() as patch:

        def make(model_id: str) -> tuple[Trace, object]:
            patch.setenv("GROUNDWORK_HOME", str(prepared_smollm2_home()))
            reload_settings()
            read = trace(
                open_model(model_id, device="cpu"), from_text(model_id, "The capital of France is Paris, of Italy")
            )
            return read, plain_model(read)

        yield make


def _expected(before: torch.Tensor, after: torch.Tensor, target: int) -> tuple[float, float, float, int]:
    """(log p before, log p after, KL, rank after) from two rows of logits."""
    p, q = (torch.softmax(row.double(), -1) for row in (before, after))
    kl = sum(float(a * math.log(a / b)) for a, b in zip(p.tolist(), q.tolist(), strict=True) if a > 0)
    return math.log(p[target]), math.log(q[target]), kl, sorted(q.tolist(), reverse=True).index(float(q[target])) + 1


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("position", [3, 9])
def test_a_decoder_predicts_one_place_earlier(opened: Open, kind: str, position: int) -> None:
    read = trace(opened(kind), subject_of(kind))
    plain, cut = plain_model(read), plain_model(read)
    zero_head(cut, 1, 1)
    found = effect(read, HEAD, position)
    before, after = (plain_logits(model, IDS)[position - 1] for model in (plain, cut))
    logp, logq, kl, rank = _expected(before, after, IDS[position])
    assert found.query == position - 1
    assert found.target.token_id == IDS[position]
    assert found.target_logprob_before == pytest.approx(logp, abs=1e-5)
    assert found.target_logprob_after == pytest.approx(logq, abs=1e-5)
    assert found.kl == pytest.approx(kl, abs=1e-7, rel=1e-2)
    assert found.kl > 0
    assert found.rank_after == rank


def test_a_masked_model_predicts_in_place(opened: Open) -> None:
    read = trace(opened("bert"), subject_of("bert"))
    cut = plain_model(read)
    zero_head(cut, 1, 1)
    found = effect(read, HEAD, 0)
    after = torch.log_softmax(plain_logits(cut, IDS)[0], -1)
    assert found.query == 0
    assert found.target_logprob_after == pytest.approx(float(after[IDS[0]]), abs=1e-5)


def test_after_the_last_token_it_is_what_would_come_next(llama: Trace) -> None:
    found = effect(llama, ALL, 10)
    assert found.query == 9
    assert found.target.token_id == int(llama.logits(9).argmax()) == found.before[0].token_id
    assert found.rank_before == 1


def test_the_likeliest_of_both_are_listed(llama: Trace) -> None:
    found = effect(llama, ALL, 10)
    for listed, of in ((found.before, "before"), (found.after, "after")):
        chances = [getattr(one, of) for one in listed]
        assert len(listed) == 10
        assert chances == sorted(chances, reverse=True)
    assert {one.token_id for one in found.candidates} == {one.token_id for one in (*found.before, *found.after)}
    assert found.before[0].before == pytest.approx(math.exp(effect(llama, NOTHING, 10).target_logprob_before))
    assert found.changes_choice == (found.before[0].token_id != found.after[0].token_id)


def test_nothing_off_changes_nothing(llama: Trace) -> None:
    found = effect(llama, NOTHING, 5)
    assert found.kl == 0.0
    assert found.target_logprob_before == found.target_logprob_after


def test_a_token_behind_the_query_cannot_matter(llama: Trace) -> None:
    assert effect(llama, Edits(tokens=frozenset({7})), 5).kl == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("position", "edits", "named"),
    [
        (0, HEAD, "first token"),
        (11, HEAD, "no token 11"),
        (-1, HEAD, "no token -1"),
        (5, Edits(heads=frozenset({(2, 0)})), "no layer 2"),
        (5, Edits(heads=frozenset({(0, 4)})), "no head 4"),
        (5, Edits(mlps=frozenset({9})), "no layer 9"),
        (5, Edits(tokens=frozenset({10})), "no token 10"),
    ],
)
def test_what_is_not_there_is_named(llama: Trace, position: int, edits: Edits, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        effect(llama, edits, position)


def test_an_encoder_predicts_no_token(encoder: Trace) -> None:
    with pytest.raises(InvalidInput, match="predicts no tokens"):
        effect(encoder, HEAD, 3)


def test_an_encoders_vectors_before_and_after(encoder: Trace) -> None:
    plain, cut = plain_model(encoder), plain_model(encoder)
    zero_head(cut, 1, 1)
    before, after = plain_vectors(plain, IDS), plain_vectors(cut, IDS)
    found = embedding_effect(encoder, HEAD)
    cosine = torch.nn.functional.cosine_similarity
    np.testing.assert_allclose(found.tokens, cosine(before, after, dim=-1).numpy(), atol=1e-6)
    assert found.mean == pytest.approx(float(cosine(before.mean(0), after.mean(0), dim=-1)), abs=1e-6)
    assert found.tokens.min() < 1 - 1e-7


def test_an_encoder_with_nothing_off_is_the_same(encoder: Trace) -> None:
    found = embedding_effect(encoder, NOTHING)
    assert found.mean == 1.0
    assert (found.tokens == 1.0).all()


def test_a_decoder_has_no_such_vectors(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="writes text"):
        embedding_effect(llama, HEAD)


def test_it_can_be_cancelled_and_leaves_nothing(llama: Trace) -> None:
    calls = []

    def stop(fraction: float, words: str) -> None:
        calls.append(fraction)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        effect(llama, ALL, 5, stop)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in llama.opened.model.modules())
    assert not any("forward" in container.__dict__ for container in llama.opened.containers)
    assert effect(llama, NOTHING, 5).kl == 0.0


@pytest.mark.slow
def test_on_smollm2_it_is_plain_transformers_with_zeros(real: Callable[[str], tuple[Trace, object]]) -> None:
    read, plain = real(SMOLLM2)
    before = plain_logits(plain, read.subject.ids)[-1]
    zero_head(plain, 2, 3)
    zero_head(plain, 5, 0)
    zero_mlp(plain, 4)
    mask = mask_without((3,), read.tokens, causal=True)
    after = plain_logits(plain, read.subject.ids, attention_mask=mask)[-1]
    found = effect(read, REAL, read.tokens)
    logp, logq, kl, rank = _expected(before, after, found.target.token_id)
    assert found.target_logprob_before == pytest.approx(logp, abs=1e-4)
    assert found.target_logprob_after == pytest.approx(logq, abs=1e-4)
    assert found.kl == pytest.approx(kl, rel=1e-3)
    assert found.rank_after == rank


@pytest.mark.slow
def test_on_minilm_it_is_plain_transformers_with_zeros(real: Callable[[str], tuple[Trace, object]]) -> None:
    read, plain = real(MINILM)
    before = plain_vectors(plain, read.subject.ids)
    zero_head(plain, 2, 3)
    zero_head(plain, 5, 0)
    zero_mlp(plain, 4)
    mask = mask_without((3,), read.tokens, causal=False)
    after = plain_vectors(plain, read.subject.ids, attention_mask=mask)
    found = embedding_effect(read, REAL)
    cosine = torch.nn.functional.cosine_similarity
    np.testing.assert_allclose(found.tokens, cosine(before, after, dim=-1).numpy(), atol=1e-5)
    assert found.mean == pytest.approx(float(cosine(before.mean(0), after.mean(0), dim=-1)), abs=1e-5)
    assert found.mean < 0.99

"""Attributions against independent small computations: plain torch, separate passes, a toy that is linear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.interpret.attribution import METHODS, attribute, by_word
from core.interpret.gradients import gradient_times_input, integrate
from core.interpret.occlusion import occlude
from core.interpret.open_model import open_model
from core.interpret.scoring import Scorer, scorer
from core.interpret.subject import from_text
from core.interpret.target import Target, class_of, masked_token, next_token, sentence_embedding
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import IDS
from tests.models import tiny

pytestmark = pytest.mark.slow


def silent(fraction: float, words: str) -> None: ...


@pytest.fixture
def encoder(home: Path):
    def make(head: str, **config: object) -> Trace:
        catalogue.add(str(tiny.save_encoder(home / "sources" / head, head=head, **config)), model_id=head.lower())
        return trace(open_model(head.lower(), device="cpu"), from_text(head.lower(), "the model is a text"))

    return make


class _Linear(torch.nn.Module):
    """Its two logits are sums over tokens, so that their difference is w · x."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(4, weights.shape[1])
        self.weights = weights  # [token, hidden]
        self.config = SimpleNamespace()

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.embed

    def forward(self, inputs_embeds: torch.Tensor, logits_to_keep: int = 0) -> SimpleNamespace:
        total = (inputs_embeds * self.weights).sum((1, 2))
        return SimpleNamespace(logits=torch.stack([total, torch.zeros_like(total)], -1)[:, None])


def test_all_methods_give_w_times_x_where_the_score_is_linear() -> None:
    torch.manual_seed(1)
    weights, given = torch.randn(5, 3), torch.randn(1, 5, 3)
    model = _Linear(weights)
    shape = SimpleNamespace(hidden=3, intermediate=3, layers=1)
    opened = SimpleNamespace(model=model, forward=model, containers=(), card=SimpleNamespace(architecture=shape))
    toy = Scorer(opened, Target(5, 0, 1, "next"), (0, 1, 2, 3, 0), given, torch.zeros_like(given), "nothing")
    expected = (weights * given[0]).sum(-1).numpy()
    np.testing.assert_allclose(gradient_times_input(toy, silent), expected, atol=1e-5)
    np.testing.assert_allclose(integrate(toy, silent).scores, expected, atol=1e-4)
    assert integrate(toy, silent).steps == 16
    np.testing.assert_allclose(occlude(toy, (0, 1, 2, 3, 4), "token", silent), expected, atol=1e-5)
    by_pairs = occlude(toy, (0, 0, 1, 1, 2), "word", silent)
    np.testing.assert_allclose(by_pairs[0] + by_pairs[1], expected[:2].sum(), atol=1e-5)


def test_gradient_times_input_equals_plain_torch(llama: Trace) -> None:
    target = next_token(llama, 7, 9)
    model = llama.opened.model
    embedded = model.get_input_embeddings()(torch.tensor([IDS[:7]])).detach().requires_grad_()
    model(inputs_embeds=embedded).logits[0, -1].log_softmax(-1)[9].backward()
    expected = (embedded.grad * embedded).sum(-1)[0].detach().numpy()
    np.testing.assert_allclose(attribute(llama, target, "grad").scores, expected, atol=1e-6)


def test_integrated_gradients_equal_a_fine_sum_and_add_up(llama: Trace) -> None:
    target = next_token(llama, 7, 9)
    found = attribute(llama, target, "ig")
    score = scorer(llama, target)
    total = torch.zeros_like(score.embedded)
    for share in (np.arange(400) + 0.5) / 400:
        point = (score.baseline + share * (score.embedded - score.baseline)).float().requires_grad_()
        model = llama.opened.model
        total += torch.autograd.grad(model(inputs_embeds=point).logits[0, -1].log_softmax(-1)[9], point)[0] / 400
    expected = (total * (score.embedded - score.baseline)).sum(-1)[0].numpy()
    np.testing.assert_allclose(found.scores, expected, atol=0.02 * np.abs(expected).sum())
    assert found.completeness is not None
    assert found.completeness <= 0.02
    assert f"{found.steps} of them" in found.told


def test_occlusion_equals_a_separate_pass(llama: Trace) -> None:
    target = next_token(llama, 7, 9)
    found = attribute(llama, target, "occlusion").scores
    table = llama.opened.model.get_input_embeddings().weight
    with torch.no_grad():
        given = table[list(IDS[:7])][None].clone()
        without = given.clone()
        without[0, 4] = table.mean(0)
        logs = [llama.opened.model(inputs_embeds=one).logits[0, -1].log_softmax(-1)[9] for one in (given, without)]
    assert found[4] == pytest.approx(float(logs[0] - logs[1]), abs=1e-5)
    assert found[0] == 0  # the beginning of the text is a special token, and stays


def test_swapping_the_two_tokens_of_a_contrast_turns_the_sign(llama: Trace) -> None:
    for method in ("grad", "ig", "occlusion"):
        why = attribute(llama, next_token(llama, 7, 9, against=30), method).scores
        why_not = attribute(llama, next_token(llama, 7, 30, against=9), method).scores
        np.testing.assert_allclose(why, -why_not, atol=1e-5)


def test_attention_is_the_rollout_row_of_the_token_that_chose(llama: Trace) -> None:
    mixed = np.eye(len(IDS))
    for layer in range(llama.layers):
        mixed = (0.5 * llama.weights(layer).mean(0) + 0.5 * np.eye(len(IDS))) @ mixed
    np.testing.assert_allclose(attribute(llama, next_token(llama, 7), "attention").scores, mixed[6, :7], atol=1e-5)


def test_random_control_follows_its_seed(llama: Trace) -> None:
    target = next_token(llama, 7)
    first, again, other = (attribute(llama, target, "random", seed=seed).scores for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_explains_every_kind_of_target(encoder, method: str) -> None:
    for head, make in (
        ("BertForMaskedLM", lambda read: masked_token(read, 2)),
        ("BertForSequenceClassification", class_of),
        ("BertModel", sentence_embedding),
    ):
        read = encoder(head)
        made = attribute(read, make(read), method)
        assert made.scores.shape == (read.tokens,)
        assert np.isfinite(made.scores).all()
        assert np.abs(made.scores).sum() > 0


def test_embedding_score_is_its_length_along_its_own_direction(encoder) -> None:
    read = encoder("BertModel")
    score = scorer(read, sentence_embedding(read))
    with torch.no_grad():
        pooled = read.opened.model(torch.tensor([read.subject.ids])).last_hidden_state[0].mean(0)
        assert float(score.score(score.embedded)) == pytest.approx(float(pooled.norm()), rel=1e-5)


def test_layers_computed_again_give_the_same_gradient(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    target = next_token(llama, 7, 9)
    plain = attribute(llama, target, "grad").scores
    monkeypatch.setattr("core.interpret.scoring.GRADIENT_BYTES", 1)
    np.testing.assert_allclose(attribute(llama, target, "grad").scores, plain, atol=1e-6)
    assert all("forward" not in container.__dict__ for container in llama.opened.containers)


@pytest.mark.parametrize(
    ("method", "at"), [("grad", 0), ("grad", 3), ("ig", 0), ("ig", 20), ("occlusion", 1), ("attention", 0)]
)  # the fourth call of a gradient is on the way back
def test_cancelled_work_leaves_the_model_as_it_was(llama: Trace, method: str, at: int) -> None:
    target = next_token(llama, 7, 9)
    before = attribute(llama, target, "occlusion").scores
    calls = 0

    def cancel(fraction: float, words: str) -> None:
        nonlocal calls
        calls += 1
        if calls > at:
            raise Cancelled("The attribution")

    with pytest.raises(Cancelled):
        attribute(llama, target, method, cancel)
    assert not any(container._forward_pre_hooks for container in llama.opened.containers)
    assert (attribute(llama, target, "occlusion").scores == before).all()
    assert not any(weight.requires_grad for weight in llama.opened.model.parameters())


def test_words_sum_their_tokens(llama: Trace) -> None:
    made = attribute(llama, next_token(llama, 5, 9), "occlusion")
    subject = replace(llama.subject, words=(0, 1, 1, 2, 2, 2, 3, 3, 3, 3), pieces=tuple("abcdefghij"))
    words, scores = by_word(made, subject)
    assert words == ("a", "bc", "de")  # the last word as far as it was read
    np.testing.assert_allclose(scores, [made.scores[0], made.scores[1:3].sum(), made.scores[3:].sum()], rtol=1e-6)


def test_bad_methods_and_units_are_named(llama: Trace) -> None:
    target = next_token(llama, 5)
    with pytest.raises(InvalidInput, match=r"no method 'shap'.*grad, ig, occlusion, attention, random"):
        attribute(llama, target, "shap")
    with pytest.raises(InvalidInput, match="unit is 'page'"):
        attribute(llama, target, "occlusion", unit="page")  # type: ignore[arg-type]


@pytest.mark.slow
def test_integrated_gradients_are_complete_on_the_real_models(real_home: Path) -> None:
    for model_id, text in (
        ("smollm2-135m-instruct", "When water freezes it turns into"),
        ("minilm-l6", "The cat sat on the warm mat."),
    ):
        read = trace(open_model(model_id, device="cpu"), from_text(model_id, text))
        target = next_token(read, read.tokens) if read.opened.causal else sentence_embedding(read)
        found = attribute(read, target, "ig")
        score = scorer(read, target)
        with torch.no_grad():
            change = float(score.score(score.embedded) - score.score(score.baseline))
        assert abs(float(found.scores.sum()) - change) <= 0.02 * abs(change)

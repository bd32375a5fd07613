from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.interpret import lens as module
from core.interpret.lens import lens, lens_grid
from core.interpret.open_model import open_model
from core.interpret.subject import from_text
from core.interpret.trace import Trace, trace
from core.models import catalogue
from tests.interpret.conftest import IDS, Open, subject_of
from tests.interpret.plain import plain_logits, plain_model
from tests.models import tiny
from tests.real_models import SMOLLM2


def _by_hand(read: Trace, query: int) -> np.ndarray:
    """[layer + 1, vocabulary] probabilities: RMSNorm and the output matrix on plain transformers' hidden states."""
    model = plain_model(read)
    states: list[torch.Tensor] = []
    for layer in model.model.layers:
        layer.register_forward_pre_hook(lambda module, given: states.append(given[0][0, query]))
    model.model.norm.register_forward_pre_hook(lambda module, given: states.append(given[0][0, query]))
    plain_logits(model, read.subject.ids)
    rows = []
    for state in states:
        normed = state * torch.rsqrt(state.pow(2).mean() + model.config.rms_norm_eps) * model.model.norm.weight
        rows.append(torch.softmax((model.lm_head.weight @ normed).double(), -1))
    return torch.stack(rows).detach().numpy()


def test_it_is_norm_and_head_by_hand(llama: Trace) -> None:
    expected = _by_hand(llama, 5)
    found = lens(llama, 6)
    assert found.token_id == IDS[6]
    assert found.query == 5
    np.testing.assert_allclose(found.probabilities, expected[:, IDS[6]], rtol=1e-4)
    np.testing.assert_allclose(found.logprobs, np.log(expected[:, IDS[6]]), atol=1e-4)
    assert list(found.ranks) == [int((row > row[IDS[6]]).sum()) + 1 for row in expected]
    for row, listed in zip(expected, found.top, strict=True):
        assert [one.token_id for one in listed] == list(np.argsort(-row)[:5])


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_the_last_row_is_what_the_model_says(opened: Open, kind: str) -> None:
    read = trace(opened(kind), subject_of(kind))
    query = 7 if kind == "bert" else 6
    said = torch.softmax(plain_logits(plain_model(read), IDS)[query].double(), -1).numpy()
    found = lens(read, 7, token_id=11)
    assert found.probabilities[-1] == pytest.approx(said[11], rel=1e-4)
    assert found.top[-1][0].token_id == int(said.argmax())
    grid = lens_grid(read, [7])
    assert grid.token_ids[-1, 0] == int(said.argmax())
    assert grid.probabilities[-1, 0] == pytest.approx(said.max(), rel=1e-4)


def test_promoted_and_demoted_are_the_largest_changes(llama: Trace) -> None:
    rows = _by_hand(llama, 5)
    found = lens(llama, 6, top=3)
    assert len(found.promoted) == len(found.demoted) == 2
    for layer in (0, 1):
        change = rows[layer + 1] - rows[layer]
        raised, lowered = found.promoted[layer], found.demoted[layer]
        assert [one.change for one in raised] == pytest.approx(np.sort(change)[::-1][:3], abs=1e-6)
        assert [one.change for one in lowered] == pytest.approx(np.sort(change)[:3], abs=1e-6)


def test_after_the_last_token_the_likeliest_is_followed(llama: Trace) -> None:
    found = lens(llama, 10)
    assert found.token_id == int(llama.logits(9).argmax())
    assert found.ranks[-1] == 1
    assert found.settled <= 2
    assert (found.ranks[found.settled :] == 1).all()


@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_a_grid_is_many_lenses(llama: Trace, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOGIT_BYTES", at_once * 4 * llama.opened.card.architecture.vocabulary)
    grid = lens_grid(llama, range(1, 11))
    assert grid.positions == tuple(range(1, 11))
    for column, position in enumerate(grid.positions):
        single = lens(llama, position, token_id=int(grid.token_ids[-1, column]))
        assert [row[0].token_id for row in single.top] == list(grid.token_ids[:, column])
        assert [row[0].piece for row in single.top] == [row[column] for row in grid.pieces]
        np.testing.assert_allclose(grid.probabilities[:, column], [row[0].after for row in single.top], rtol=1e-4)
        np.testing.assert_array_equal(grid.ranks[:, column], single.ranks)


def test_a_grid_wider_than_the_models_table_of_positions(opened: Open) -> None:
    read = trace(opened("gpt2"), subject_of("gpt2", tuple(range(3, 63))))  # 60 tokens of 64, three rows each
    assert lens_grid(read, range(1, 61)).token_ids.shape == (3, 60)


@pytest.mark.parametrize(
    ("position", "asked", "named"),
    [
        (0, {}, "first token"),
        (11, {}, "no token 11"),
        (3, {"token_id": 262}, "no token id 262"),
        (3, {"token_id": -1}, "no token id -1"),
        (3, {"top": 0}, "The 0 likeliest"),
        (3, {"top": 101}, "The 101 likeliest"),
    ],
)
def test_what_is_not_there_is_named(llama: Trace, position: int, asked: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        lens(llama, position, **asked)


def test_bad_positions_of_a_grid_are_named(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="No position"):
        lens_grid(llama, [])
    with pytest.raises(InvalidInput, match="no token 12"):
        lens_grid(llama, [3, 12])


def test_an_encoder_without_logits_has_no_lens(home: Path) -> None:
    catalogue.add(str(tiny.save_bert(home / "sources/plain", head="BertModel")), model_id="plain")
    read = trace(open_model("plain", device="cpu"), subject_of("plain"))
    with pytest.raises(InvalidInput, match="predicts no tokens"):
        lens(read, 3)
    with pytest.raises(InvalidInput, match="predicts no tokens"):
        lens_grid(read, [3])


def test_a_grid_can_be_cancelled(llama: Trace) -> None:
    def stop(fraction: float, words: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        lens_grid(llama, [3, 4], stop)
    assert not any("forward" in container.__dict__ for container in llama.opened.containers)


@pytest.mark.slow
def test_smollm2_settles_late_on_berlin(real_home: Path) -> None:
    text = "The capital of France is Paris. The capital of Germany is"
    read = trace(open_model(SMOLLM2, device="cpu"), from_text(SMOLLM2, text))
    found = lens(read, read.tokens)
    assert found.piece == " Berlin"
    np.testing.assert_allclose(
        found.probabilities, _by_hand(read, read.tokens - 1)[:, found.token_id], rtol=1e-3, atol=1e-30
    )
    assert 20 < found.settled <= 30

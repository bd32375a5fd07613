from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.interpret.focus import chooser_of, focus_row, steps
from core.interpret.overview import overview
from core.interpret.shaping import Shaping, grouped, head_map, shape_rows
from core.interpret.subject import Subject
from core.interpret.trace import Trace, trace
from tests.interpret.conftest import IDS, Open, subject_of

# One head, three tokens: the weights of the worked example below.
WEIGHTS = np.array([[[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.5, 0.2, 0.3]]], np.float32)


def test_the_sink_is_hidden_or_left_out() -> None:
    hidden = shape_rows(WEIGHTS, Shaping("hide"), None, [0])
    np.testing.assert_allclose(hidden[0], [[0, 0, 0], [0, 0.4, 0], [0, 0.2, 0.3]])
    scaled = shape_rows(WEIGHTS, Shaping("renormalise"), None, [0])
    np.testing.assert_allclose(scaled[0], [[0, 0, 0], [0, 1, 0], [0, 0.4, 0.6]], atol=1e-6)
    np.testing.assert_allclose(WEIGHTS[0, 2], [0.5, 0.2, 0.3])  # untouched


def test_weighing_by_value_norm() -> None:
    norms = np.array([[0.1, 1.0, 2.0]], np.float32)
    found = shape_rows(WEIGHTS, Shaping(by_norm=True), norms, [0])
    raw = np.array([0.05, 0.2, 0.6])
    np.testing.assert_allclose(found[0, 2], raw / raw.sum(), rtol=1e-5)


def test_tokens_are_summed_over_what_is_read_and_averaged_over_who_reads() -> None:
    subject = Subject("m", "r", (1, 2, 3), ("the", " tro", "phy"), (False,) * 3, (0, 1, 1), (0, 0, 0), True)
    found, labels = grouped(WEIGHTS[0], subject, "word")
    assert labels == ("the", " trophy")
    np.testing.assert_allclose(found, [[1, 0], [0.55, 0.45]], atol=1e-6)
    assert grouped(WEIGHTS[0], subject, "sentence")[0].shape == (1, 1)


def test_a_mean_of_heads_is_the_mean(llama: Trace) -> None:
    weights = llama.weights(1)
    picture = head_map(llama, 1, [3, 0, 0])
    np.testing.assert_allclose(picture.weights, weights[[0, 3]].mean(0), atol=1e-6)
    assert picture.title == "Layer 1, mean of heads 0 and 3"


def test_a_head_that_is_not_there(llama: Trace) -> None:
    with pytest.raises(InvalidInput, match="heads 0 to 3"):
        head_map(llama, 0, [4])
    with pytest.raises(InvalidInput, match="none was named"):
        head_map(llama, 0, [])


def test_an_unknown_way_is_told() -> None:
    with pytest.raises(InvalidInput, match="keep, hide, renormalise"):
        Shaping("drop")  # type: ignore[arg-type]


def test_the_overview_holds_the_largest_weight_of_each_cell(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.interpret.overview.MOST_CELLS", 4)  # three tokens a cell
    found = overview(llama)
    weights = np.zeros((2, 4, 12, 12))
    weights[..., : len(IDS), : len(IDS)] = np.stack([llama.weights(layer) for layer in range(2)])
    cells = weights.reshape(2, 4, 4, 3, 4, 3).max((3, 5))
    assert found.tokens_per_cell == 3
    np.testing.assert_allclose(found.tiles, np.rint(255 * np.sqrt(cells)), atol=1)


def test_the_figures_of_a_head_leave_out_the_first_row(llama: Trace) -> None:
    found, weights = overview(llama), llama.weights(0)[2][1:]
    rows = np.arange(1, len(IDS))
    assert found.first_token[0, 2] == pytest.approx(weights[:, 0].mean(), abs=1e-5)
    assert found.previous_token[0, 2] == pytest.approx(weights[rows - 1, rows - 1].mean(), abs=1e-5)
    assert found.own_token[0, 2] == pytest.approx(weights[rows - 1, rows].mean(), abs=1e-5)
    entropy = -(weights * np.log2(np.maximum(weights, 1e-12))).sum(-1).mean()
    assert found.entropy[0, 2] == pytest.approx(entropy, abs=1e-4)
    reach = (weights * np.abs(rows[:, None] - np.arange(len(IDS)))).sum(-1).mean()
    assert found.distance[0, 2] == pytest.approx(reach, abs=1e-4)


def test_figures_do_not_depend_on_blocks(llama: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = overview(llama)
    monkeypatch.setattr("core.interpret.watched_attention.BLOCK_BYTES", 1)  # a row at a time
    parts = overview(llama)
    np.testing.assert_array_equal(whole.tiles, parts.tiles)
    np.testing.assert_allclose(whole.entropy, parts.entropy, atol=1e-5)


def test_a_focus_row_is_the_row_of_every_head(llama: Trace) -> None:
    found = focus_row(llama, 6)
    for layer in range(2):
        np.testing.assert_allclose(found.weights[layer], llama.weights(layer)[:, 6], atol=1e-6)
    assert found.by_layer([1]).shape == (2, len(IDS))
    np.testing.assert_allclose(found.mean().sum(), 1.0, atol=1e-5)


def test_a_decoder_chose_a_token_one_place_earlier(llama: Trace, opened: Open) -> None:
    assert chooser_of(llama, 5) == 4
    assert chooser_of(llama, len(IDS)) == len(IDS) - 1
    with pytest.raises(InvalidInput, match="tokens 0 to 9"):
        chooser_of(llama, len(IDS) + 1)
    bert = trace(opened("bert"), subject_of("bert"))
    assert chooser_of(bert, 5) == 5


def test_steps_are_the_rows_that_chose_the_answer(opened: Open) -> None:
    from core.interpret.subject import from_ids

    found = trace(opened("llama"), from_ids("llama", IDS, answer_start=6))
    made = steps(found, None)
    assert made.first == 6
    expected = np.stack([found.weights(layer).mean(0) for layer in range(2)]).mean(0)[5:9]
    np.testing.assert_allclose(made.weights, expected, atol=1e-6)
    np.testing.assert_allclose(steps(found, 1).weights, found.weights(1).mean(0)[5:9], atol=1e-6)


def test_an_encoder_takes_no_steps(opened: Open) -> None:
    with pytest.raises(InvalidInput, match="no steps"):
        steps(trace(opened("bert"), subject_of("bert")), None)

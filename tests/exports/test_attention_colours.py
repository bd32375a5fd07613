from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exports.attention_colours import HEADS, SEQUENTIAL, colour_of, levels, palette, tick_step, top
from tests.exports.attentions import attention, causal, words
from tests.pages.test_theme import contrast

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text("utf-8"))["theme"]["light"]


def test_the_scale_is_the_light_themes() -> None:
    assert list(SEQUENTIAL) == THEME["chartSequentialColors"]
    assert (colour_of(0), colour_of(1), colour_of(255)) == ("#FFFFFF", SEQUENTIAL[0], SEQUENTIAL[-1])
    brightness = palette().astype(int).sum(axis=1)
    assert (np.diff(brightness) <= 0).all()  # more is darker


def test_a_head_has_a_colour_of_its_own_that_shows_on_white() -> None:
    assert len(set(HEADS)) == len(HEADS)
    assert all(contrast(colour, "#FFFFFF") > 2 for colour in HEADS)


def test_levels_are_roots_and_a_mask_is_white() -> None:
    picture = attention(words(6))
    found = levels(picture)
    assert (found[np.triu_indices(6, 1)] == 0).all()
    assert (found[np.tril_indices(6)] >= 1).all()
    assert found[0, 0] == 255
    np.testing.assert_allclose(found[5].astype(float), 255 * np.sqrt(picture.weights[5]), atol=1)


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 1.0), (0.01, 0.01), (3.0, 3.0)])
def test_small_and_large_weights_get_a_scale_of_their_own(factor: float, expected: float) -> None:
    picture = replace(attention(words(4)), weights=causal(4) * np.float32(factor))
    assert top(picture) == pytest.approx(expected)
    assert levels(picture).max() == 255


def test_an_encoder_reads_both_ways_and_no_number_is_nothing() -> None:
    weights = np.array([[np.nan, 1.0], [np.inf, -1.0]], dtype=np.float32)
    picture = replace(attention(words(2)), weights=weights, causal=False)
    assert levels(picture).tolist() == [[0, 255], [0, 0]]
    assert top(replace(picture, weights=np.zeros((2, 2), np.float32))) == 1.0


def test_ticks_are_round_numbers() -> None:
    assert [tick_step(count) for count in (81, 121, 300, 700, 2048, 10_000)] == [10, 20, 50, 100, 200, 1000]

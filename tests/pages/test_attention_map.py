"""One head as a heat map: how its weights are packed, how large they get, and what is believed of the browser."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from core.interpret.maps import AttentionMap
from pages.widgets.attention_map import LONGEST, packed, picked_row
from pages.widgets.grey_png import grey_png

MOST_PAYLOAD = 1_500_000


def softmax_rows(count: int, *, causal: bool, spread: float = 1.5) -> np.ndarray:
    """Random rows: noise, the worst that a PNG can be given."""
    scores = np.random.default_rng(1).normal(0, spread, (count, count)).astype(np.float32)
    exponent = np.exp(np.where(np.tri(count, dtype=bool) | (not causal), scores, -np.inf))
    return exponent / exponent.sum(-1, keepdims=True)


def picture(weights: np.ndarray, **changes: object) -> AttentionMap:
    pieces = tuple(f" word{place}" for place in range(len(weights)))
    keys = tuple(f" word{place}" for place in range(weights.shape[1]))
    return AttentionMap(3, (1,), weights.astype(np.float32), pieces, keys, **changes)  # type: ignore[arg-type]


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))


def test_the_picture_is_the_root_of_the_weights() -> None:
    weights = np.array([[1.0, 0.0], [0.25, 0.75]], np.float32)
    data = packed(picture(weights), None)
    assert decoded(data["picture"]).tolist() == [[255, 0], [128, 221]]
    assert (data["full"], data["levels"]) == (1.0, None)


def test_a_weight_read_from_its_grey_is_right_to_a_step() -> None:
    weights = softmax_rows(64, causal=True)
    data = packed(picture(weights), None)
    back = data["full"] * (decoded(data["picture"]) / 255.0) ** 2
    assert np.abs(np.sqrt(back) - np.sqrt(weights)).max() <= 0.5 / 255 + 1e-6


def test_values_beyond_one_set_the_scale() -> None:
    data = packed(picture(np.array([[4.0, 1.0]])), None)
    assert data["full"] == 4.0
    assert decoded(data["picture"]).tolist() == [[255, 128]]


@pytest.mark.parametrize("spread", [0.3, 1.5, 3.0])
def test_2048_tokens_of_a_decoder_travel_whole_in_the_payload_that_is_allowed(spread: float) -> None:
    data = packed(picture(softmax_rows(2048, causal=True, spread=spread)), 17)
    assert data["levels"] is None
    assert len(json.dumps(data)) <= MOST_PAYLOAD


def test_what_is_too_large_is_drawn_in_fewer_steps_and_says_so() -> None:
    weights = softmax_rows(2048, causal=False)
    data = packed(picture(weights, causal=False), None)
    assert len(json.dumps(data)) <= MOST_PAYLOAD
    assert data["levels"] in {4, 8, 16}
    assert len(np.unique(decoded(data["picture"]))) <= data["levels"]


def test_fewer_greys_keep_black_and_the_order_of_the_rest() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (300, 300), dtype=np.uint8)
    some = grey_png(pixels, limit_bytes=60_000)
    coarse = np.asarray(Image.open(io.BytesIO(some.content)).convert("L"))
    assert len(some.content) <= 60_000
    assert ((coarse == 0) == (pixels == 0)).all()
    order = np.argsort(pixels.ravel(), kind="stable")
    assert (np.diff(coarse.ravel()[order].astype(int)) >= 0).all()


def test_an_empty_picture_is_no_trouble_for_fewer_greys() -> None:
    black = np.zeros((4, 4), np.uint8)
    content = grey_png(black, limit_bytes=1).content
    assert not np.asarray(Image.open(io.BytesIO(content)).convert("L")).any()


def test_pieces_travel_once_where_rows_and_columns_are_the_same() -> None:
    data = packed(picture(np.eye(3)), None)
    assert data["queries"] == [" word0", " word1", " word2"]
    assert data["keys"] is None
    assert packed(picture(np.ones((1, 2))), None)["keys"] == [" word0", " word1"]


def test_a_long_piece_is_cut() -> None:
    long = AttentionMap(0, (0,), np.ones((1, 1), np.float32), ("x" * 500,), ("x" * 500,))
    shown = packed(long, None)["queries"][0]
    assert len(shown) == LONGEST
    assert shown.endswith("…")


def test_a_focus_that_is_no_row_is_none() -> None:
    assert packed(picture(np.eye(3)), 2)["focus"] == 2
    assert packed(picture(np.eye(3)), 3)["focus"] is None
    assert packed(picture(np.eye(3)), -1)["focus"] is None


def test_another_focus_is_no_other_picture() -> None:
    assert packed(picture(np.eye(3)), 0)["digest"] == packed(picture(np.eye(3)), 2)["digest"]
    assert packed(picture(np.eye(3)), 0)["digest"] != packed(picture(np.eye(3), note="by words"), 0)["digest"]


def test_a_row_that_there_is_comes_back() -> None:
    assert picked_row({"row": 0}, 3) == 0
    assert picked_row({"row": 2}, 3) == 2


@pytest.mark.parametrize(
    "value", [None, 1, "1", {}, {"row": 3}, {"row": -1}, {"row": True}, {"row": 1.5}, {"row": "1"}]
)
def test_anything_else_is_ignored(value: object) -> None:
    assert picked_row(value, 3) is None


def test_what_a_row_is_travels_and_makes_another_picture() -> None:
    weights = softmax_rows(4, causal=True)
    plain = packed(picture(weights), None)
    named = packed(picture(weights), None, row_words="Row: a token of the answer", pickable=False, first_row=40)
    assert (plain["row_words"], plain["pickable"], plain["first_row"]) == ("", True, 0)
    assert (named["row_words"], named["pickable"], named["first_row"]) == ("Row: a token of the answer", False, 40)
    assert plain["digest"] != named["digest"]

"""The thumbnails of all heads: how they are packed, what is said of them, and what is believed of the browser."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from core.interpret.overview import Overview
from pages.widgets.attention_grid import MOST_PIXELS, packed, picked_head, sprite


def causal_tiles(layers: int, heads: int, cells: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.tril(rng.integers(1, 256, (layers, heads, cells, cells), dtype=np.uint8))


def overview(tiles: np.ndarray, *, first: float = 0.2, per_cell: int = 1) -> Overview:
    shape = tiles.shape[:2]
    figures = [np.full(shape, value, np.float32) for value in (first, 0.1, 0.05, 2.5, 3.2)]
    return Overview(tiles, tiles.shape[2] * per_cell, per_cell, *figures, "first token hidden")


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))


def test_the_sheet_decodes_back_to_the_tiles() -> None:
    tiles = causal_tiles(3, 4, 5)
    sheet = decoded(packed(overview(tiles), None)["picture"])
    assert sheet.shape == (15, 20)
    for layer, head in np.ndindex(3, 4):
        assert np.array_equal(sheet[layer * 5 : layer * 5 + 5, head * 5 : head * 5 + 5], tiles[layer, head])


def test_the_largest_built_in_model_travels_in_less_than_the_first_view_may() -> None:
    data = packed(overview(causal_tiles(30, 9, 64)), (12, 4))
    assert data["cells"] == 64
    assert len(json.dumps(data)) <= 1_500_000


def test_very_many_heads_are_drawn_coarser_and_keep_their_largest_weights() -> None:
    tiles = np.zeros((80, 64, 63, 63), np.uint8)
    tiles[79, 63, 62, 7] = 200
    data = packed(overview(tiles, per_cell=4), None)
    sheet = decoded(data["picture"])
    assert sheet.size <= MOST_PIXELS
    assert sheet.shape == (80 * data["cells"], 64 * data["cells"])
    edge = data["tokens_per_cell"] // 4
    assert (np.argwhere(sheet) == [[79 * data["cells"] + 62 // edge, 63 * data["cells"] + 7 // edge]]).all()
    assert sheet.max() == 200
    assert len(json.dumps(data)) <= 3_000_000


def test_a_sheet_that_is_small_enough_is_left_as_it_is() -> None:
    pixels, pooled = sprite(causal_tiles(6, 12, 64))
    assert (pixels.shape, pooled) == ((6 * 64, 12 * 64), 1)


def test_every_head_is_told_of_and_a_figure_that_is_none_is_left_out() -> None:
    some = overview(causal_tiles(2, 2, 4), first=0.7)
    some.distance[1, 0] = np.nan
    data = packed(some, None)
    assert [data["kinds"][kind] for kind in data["kind"]] == ["first token"] * 4
    assert data["first_token"] == [0.7] * 4
    assert data["distance"] == [3.2, 3.2, None, 3.2]
    json.dumps(data, allow_nan=False)


def test_an_encoder_is_told_from_a_decoder_by_what_it_reads() -> None:
    tiles = causal_tiles(1, 2, 4)
    assert packed(overview(tiles), None)["causal"]
    tiles[0, 1, 0, 3] = 1
    assert not packed(overview(tiles), None)["causal"]


def test_another_text_has_another_digest_and_another_choice_has_not() -> None:
    one, other = causal_tiles(1, 2, 4), causal_tiles(1, 2, 4)
    other[0, 0, 3, 0] ^= 1
    assert packed(overview(one), None)["digest"] == packed(overview(one), (0, 1))["digest"]
    assert packed(overview(one), None)["digest"] != packed(overview(other), None)["digest"]


def test_a_head_that_there_is_comes_back() -> None:
    assert picked_head({"layer": 1, "head": 2}, overview(causal_tiles(2, 3, 4))) == (1, 2)


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [1, 2],
        {},
        {"layer": 1},
        {"layer": 2, "head": 0},
        {"layer": 0, "head": 3},
        {"layer": -1, "head": 0},
        {"layer": 0, "head": -1},
        {"layer": True, "head": 0},
        {"layer": "1", "head": 0},
        {"layer": 0.5, "head": 0},
    ],
)
def test_anything_else_is_ignored(value: object) -> None:
    assert picked_head(value, overview(causal_tiles(2, 3, 4))) is None

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from exports import picture_fonts
from exports.attention_colours import levels, palette
from exports.attention_origin import NOT_EXPLANATION
from exports.attention_png import LARGEST_SIDE, layout, map_png, overview_png
from exports.picture_fonts import bundled, font_for
from tests.exports.attentions import HOSTILE, ORIGIN, attention, causal, overview, words


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize(("tokens", "scale"), [(1, 20), (12, 24), (12, 3), (60, 14), (100, 5), (300, 2)])
def test_every_cell_is_whole_pixels_of_its_colour(tokens: int, scale: int) -> None:
    picture = attention(words(tokens))
    drawn = opened(map_png(picture, scale=scale))
    place = layout(picture, scale)
    assert (drawn.mode, drawn.size) == ("RGB", (place.width, place.height))
    square = np.asarray(drawn)[place.top : place.top + tokens * scale, place.left : place.left + tokens * scale]
    expected = palette()[levels(picture)].repeat(scale, axis=0).repeat(scale, axis=1)
    np.testing.assert_array_equal(square, expected)


def test_tokens_are_written_while_there_are_few_and_cells_are_large_enough() -> None:
    labels = layout(attention(words(80)), 12).top
    assert layout(attention(words(81)), 12).top < labels
    assert layout(attention(words(80)), 4).top < labels
    few = attention(words(12))
    place = layout(few, 16)
    beside = np.asarray(opened(map_png(few, scale=16)))[place.top : place.top + 12 * 16, : place.left - 2]
    assert all((beside[row * 16 : row * 16 + 16] < 128).any() for row in range(12))  # ink in every row


def test_without_a_scale_it_fits_a_page() -> None:
    for tokens in (2, 12, 80, 300, 2048):
        picture = replace(attention(words(2)), weights=np.zeros((tokens, tokens), np.float32), queries=words(tokens))
        assert 1 <= layout(replace(picture, keys=words(tokens))).wide <= 24


def test_rows_that_are_no_tokens_keep_their_names_and_height() -> None:
    by_layer = replace(
        attention(words(300)),
        layer=None,
        weights=causal(300)[:30],
        queries=tuple(f"layer {layer}" for layer in range(30)),
        causal=False,
    )
    place = layout(by_layer)
    assert (place.wide, place.high) == (4, 24)
    drawn = np.asarray(opened(map_png(by_layer)))[place.top : place.top + 720, place.left : place.left + 1200]
    np.testing.assert_array_equal(drawn[::24, ::4], palette()[levels(by_layer)])


@pytest.mark.parametrize("scale", [0, -1, LARGEST_SIDE])
def test_a_picture_that_memory_would_not_hold_is_refused(scale: int) -> None:
    with pytest.raises(InvalidInput, match=r"12 tokens.*1 to 500 pixels"):
        map_png(attention(words(12)), scale=scale)


def test_the_origin_is_in_the_text_chunks() -> None:
    for data in (map_png(attention(words(3)), scale=9, origin=ORIGIN), overview_png(overview(), origin=ORIGIN)):
        chunks = opened(data).text
        assert chunks["Comment"] == NOT_EXPLANATION
        assert "Model: org/<model>" in chunks["Description"]
        assert json.loads(chunks["Origin"])["revision"] == "abc123"
        assert chunks["Software"].startswith("Groundwork")


def test_whatever_a_piece_holds_it_is_drawn() -> None:
    drawn = opened(map_png(attention(HOSTILE, note="a \ud83d note"), scale=14))
    assert drawn.width > 14 * len(HOSTILE)


def test_signs_that_no_font_has_are_never_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert font_for("Paris <|im_start|>", 12) is bundled(12)
    monkeypatch.setattr(picture_fonts, "_fonts", lambda size: (bundled(size),))  # a machine without any font
    for words_ in ("東京", "🚀", "שלום", "é", "\u0378"):
        assert font_for(words_, 12) is None
    picture = attention((" 東京", " Paris"))
    numbered = attention(("#0", " Paris"))
    place, other = layout(picture, 16), layout(numbered, 16)
    assert place == other
    one, two = (np.asarray(opened(map_png(each, scale=16))) for each in (picture, numbered))
    foot = place.top + 2 * 16
    np.testing.assert_array_equal(one[:foot], two[:foot])  # the token's number stands in its place
    assert (one[foot:] != two[foot:]).any()  # and a line below says why


def test_letters_that_join_need_a_font_that_shapes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_fonts.features, "check", lambda name: False)
    assert font_for("שלום", 12) is None


def test_the_sheet_holds_every_head_in_its_place() -> None:
    pictures = overview(layers=3, heads=2, cells=8)
    sheet = np.asarray(opened(overview_png(pictures)))
    for layer in range(3):
        for head in range(2):
            tile = palette()[pictures.tiles[layer, head]].repeat(8, axis=0).repeat(8, axis=1)
            x, y = 60 + head * 70, 92 + layer * 70
            np.testing.assert_array_equal(sheet[y : y + 64, x : x + 64], tile)


def test_a_large_model_stays_a_file_that_can_be_sent() -> None:
    tiles = np.zeros((60, 32, 64, 64), np.uint8)
    figures = np.zeros((5, 60, 32), np.float32)
    large = replace(overview(), tiles=tiles, first_token=figures[0], previous_token=figures[1])
    drawn = opened(overview_png(large))
    assert drawn.size == (60 + 32 * 70 + 16, 92 + 60 * 70 + 52)

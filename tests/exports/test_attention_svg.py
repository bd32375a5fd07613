from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.interpret.maps import AttentionMap
from exports import attention_svg
from exports.attention_colours import HEADS, SEQUENTIAL, colour_of, levels
from exports.attention_labels import label
from exports.attention_origin import NOT_EXPLANATION
from exports.attention_svg import lines_svg, map_svg
from tests.exports.attentions import HOSTILE, ORIGIN, attention, causal, words

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def lines(svg: str) -> dict[str, list[ElementTree.Element]]:
    """The lines of each head by its colour."""
    groups = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}g") if one.get("stroke")]
    return {one.get("stroke", ""): list(one) for one in groups}


def ends(line: ElementTree.Element) -> tuple[float, float]:
    """Pixels from the top, of the token that reads and of the one that is read."""
    numbers = [float(one) for one in re.findall(r"[\d.]+", line.get("d", ""))]
    return numbers[1], numbers[-1]


def test_lines_are_those_from_the_threshold_up_and_nothing_else() -> None:
    picture = attention(words(12))
    svg = lines_svg([picture], ORIGIN, threshold=0.2)
    [drawn] = lines(svg).values()
    expected = {((query + 0.5) * 17, (key + 0.5) * 17) for query, key in np.argwhere(picture.weights >= 0.2)}
    assert {ends(one) for one in drawn} == expected
    assert len(drawn) == len(expected)
    assert any(f"{len(expected)} weights from 0.2 up" in one for one in texts(svg))
    opacity = [float(one.get("stroke-opacity", "")) for one in drawn]
    assert opacity == sorted(opacity)  # the strongest lie on top
    assert opacity[-1] == 1


def test_tokens_stand_on_both_sides_as_text() -> None:
    shown = texts(lines_svg([attention(words(12))], ORIGIN, threshold=0.1))
    assert all(shown.count(f"word{place}") == 2 for place in range(12))


def test_several_heads_have_colours_and_a_legend() -> None:
    heads = [attention(words(5), head=head) for head in range(9)]
    svg = lines_svg(heads, ORIGIN, threshold=0.0)
    groups = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}g") if one.get("stroke")]
    assert [one.get("stroke") for one in groups] == [*HEADS, *HEADS[:2]]
    assert [bool(one.get("stroke-dasharray")) for one in groups] == [False] * 7 + [True] * 2
    assert {f"head {head}" for head in range(9)} <= set(texts(svg))
    assert "Layer 12, 9 heads" in texts(svg)
    other = texts(lines_svg([heads[0], attention(words(5), layer=3)], ORIGIN, threshold=0.0))
    assert {"Layer 12, head 0", "Layer 3, head 4"} <= set(other)


def test_too_many_lines_leave_the_strongest_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_svg, "MOST_LINES", 10)
    heads = [attention(words(12), head=head) for head in (1, 2)]
    svg = lines_svg(heads, ORIGIN, threshold=0.0)
    assert sum(map(len, lines(svg).values())) == 10
    assert any("The strongest 10 of 156 weights" in one for one in texts(svg))
    even = replace(heads[0], weights=np.tril(np.full((12, 12), 0.25, np.float32)))
    assert sum(map(len, lines(lines_svg([even], ORIGIN, threshold=0.1)).values())) == 10  # all as weak


def test_a_threshold_that_nothing_reaches_is_told() -> None:
    svg = lines_svg([attention(words(3), note="by words")], ORIGIN, threshold=1.5)
    assert list(lines(svg).values()) == [[]]
    assert any("No weight reaches 1.5. By words." in one for one in texts(svg))


def test_no_head_or_heads_of_different_texts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="No head"):
        lines_svg([], ORIGIN, threshold=0.1)
    with pytest.raises(InvalidInput, match="different texts"):
        lines_svg([attention(words(3)), attention(words(4))], ORIGIN, threshold=0.1)


def test_a_map_has_a_rectangle_a_cell_in_its_colour() -> None:
    picture = attention(words(12))
    svg = map_svg(picture, ORIGIN)
    cells = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("width") == "14"]
    shown = np.argwhere(picture.weights >= 1 / 255)
    assert len(cells) == len(shown)
    for one, (query, key) in zip(cells, shown, strict=True):
        assert (float(one.get("x", "")), float(one.get("y", ""))) == (key * 14, query * 14)
        assert one.get("fill") == colour_of(int(levels(picture)[query, key]))
    assert all(texts(svg).count(f"word{place}") == 2 for place in range(12))
    assert f'fill="{SEQUENTIAL[0]}"' in svg  # under them: what may be read and weighs next to nothing


def test_more_than_eighty_tokens_are_numbered() -> None:
    shown = texts(map_svg(attention(words(100)), ORIGIN))
    assert not any(one.startswith("word") for one in shown)
    assert shown.count("90") == 2
    assert "100" not in shown


def test_rows_that_are_no_tokens_keep_their_names_beside_numbered_columns() -> None:
    by_layer = replace(
        attention(words(300)),
        layer=None,
        weights=causal(300)[270:],
        queries=tuple(f"layer {layer}" for layer in range(30)),
        causal=False,
    )
    svg = map_svg(by_layer, ORIGIN)
    assert {"layer 0", "layer 29", "250", "All layers, head 4"} <= set(texts(svg))
    assert "← reads (query)" not in texts(svg)
    cells = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("height") == "14"]
    assert {one.get("width") for one in cells} == {"2.4"}


def test_nothing_is_drawn_where_nothing_may_be_read() -> None:
    weights = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.001], [0.0, 0.0, 0.0]], np.float32)
    svg = map_svg(replace(attention(words(3)), weights=weights), ORIGIN)
    [below] = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}path") if one.get("fill") == SEQUENTIAL[0]]
    assert below.get("d") == "M14 0H28v14H14ZM0 14H14v14H0ZM28 14H42v14H28Z"


def test_more_cells_than_an_editor_opens_become_one_image() -> None:
    picture = replace(attention(words(150)), weights=np.full((150, 150), 0.9, np.float32), causal=False)
    root = ElementTree.fromstring(map_svg(picture, ORIGIN))
    [image] = root.iter(f"{SVG}image")
    data = image.get("href", "").removeprefix("data:image/png;base64,")
    decoded = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert decoded.size == (1500, 1500)
    assert "#{:02X}{:02X}{:02X}".format(*decoded.getpixel((7, 1400))) == colour_of(int(levels(picture)[0, 0]))
    assert "90" not in [one.get("width") for one in root.iter(f"{SVG}rect")]
    assert "140" in [one.text for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "draw", [lambda one: lines_svg([one], ORIGIN, threshold=0.0), lambda one: map_svg(one, ORIGIN)]
)
def test_whatever_a_piece_holds_the_file_parses_and_shows_it(draw: object) -> None:
    assert callable(draw)
    svg = draw(attention(HOSTILE, note="<i> & \x01"))
    svg.encode()
    root = ElementTree.fromstring(svg)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {"svg", "title", "desc", "g", "path", "rect", "text"}
    for piece in HOSTILE:
        assert texts(svg).count(label(piece)) >= 2
    about = root.findtext(f"{SVG}desc") or ""
    assert NOT_EXPLANATION in about
    assert "Model: org/<model>" in about
    assert root.findtext(f"{SVG}title") == "Layer 12, head 4"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_nothing_is_fetched_from_anywhere() -> None:
    for svg in (map_svg(attention(words(4)), ORIGIN), lines_svg([attention(words(4))], ORIGIN, threshold=0)):
        assert re.findall(r"https?:[^\"']*", svg) == ["http://www.w3.org/2000/svg"]  # a name, not an address
        assert "url(" not in svg


def test_one_token_and_no_numbers_are_drawn() -> None:
    for weights in (np.ones((1, 1), np.float32), np.full((1, 1), np.nan, np.float32)):
        one = AttentionMap(0, (0,), weights, (" Hi",), (" Hi",))
        for svg in (map_svg(one, ORIGIN), lines_svg([one], ORIGIN, threshold=0.1)):
            assert "Hi" in texts(svg)
            assert "nan" not in svg

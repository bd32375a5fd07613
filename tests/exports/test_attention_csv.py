from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from exports.attention_csv import MAP_COLUMNS, OVERVIEW_COLUMNS, map_csv, overview_csv
from tests.exports.attentions import HOSTILE, ORIGIN, attention, overview, words


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_weights_come_back_bit_by_bit() -> None:
    picture = attention(words(9))
    table = rows(map_csv(picture))
    found = np.zeros((9, 9), np.float32)
    for row in table:
        found[int(row["query_position"]), int(row["key_position"])] = np.float32(row["weight"])
        assert row["query"] == f" word{row['query_position']}"
        assert row["key"] == f" word{row['key_position']}"
    np.testing.assert_array_equal(found, picture.weights)
    assert len(table) == 45  # what the mask forbids has no row
    assert tuple(table[0]) == MAP_COLUMNS


def test_an_encoder_has_all_cells_and_zeros_stay() -> None:
    weights = np.zeros((3, 3), np.float32)
    assert len(rows(map_csv(replace(attention(words(3)), weights=weights, causal=False)))) == 9


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_a_threshold_leaves_the_rows_from_it_up(threshold: float) -> None:
    picture = attention(words(9))
    table = rows(map_csv(picture, threshold=threshold))
    assert len(table) == int((picture.weights >= threshold).sum())
    assert all(float(row["weight"]) >= threshold for row in table)


def test_no_piece_runs_as_a_formula_or_breaks_the_table() -> None:
    table = rows(map_csv(attention(HOSTILE)))
    pieces = {int(row["key_position"]): row["key"] for row in table}
    assert pieces[HOSTILE.index("=1+1")] == "'=1+1"
    assert pieces[HOSTILE.index("\ud83d")] == "?"
    assert pieces[0] == HOSTILE[0]
    assert len(pieces) == len(HOSTILE)


def test_rows_that_are_no_queries_have_their_own_name_and_place() -> None:
    picture = replace(attention(words(3)), queries=("layer 0", "layer 1", "all layers"), causal=False)
    table = rows(map_csv(picture, rows="layer", first_row=40))
    assert tuple(table[0]) == ("layer_position", "layer", "key_position", "key", "weight")
    assert [(row["layer_position"], row["layer"]) for row in table[::3]] == [
        ("40", "layer 0"),
        ("41", "layer 1"),
        ("42", "all layers"),
    ]


def test_the_origin_is_in_the_first_row_alone() -> None:
    for data, columns in (
        (map_csv(attention(words(3)), ORIGIN), MAP_COLUMNS),
        (overview_csv(overview(), ORIGIN), OVERVIEW_COLUMNS),
    ):
        table = rows(data)
        assert tuple(table[0]) == (*columns, "origin")
        assert json.loads(table[0]["origin"])["model_id"] == "org/<model>"
        assert {row["origin"] for row in table[1:]} == {""}


def test_the_overview_has_a_row_a_head() -> None:
    pictures = overview(layers=3, heads=2)
    table = rows(overview_csv(pictures))
    assert [(row["layer"], row["head"]) for row in table] == [(str(a), str(b)) for a in range(3) for b in range(2)]
    assert [row["kind"] for row in table[::2]] == ["previous token"] * 3
    assert [np.float32(row["entropy_bits"]) for row in table] == pictures.entropy.ravel().tolist()
    assert [np.float32(row["distance_tokens"]) for row in table] == pictures.distance.ravel().tolist()

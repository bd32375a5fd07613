"""Tables of how attention is computed: every step is there, and what the mask closes stays empty."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from core.interpret.steps import steps_from
from core.interpret.worked_example import DEFAULT, work
from exports.attention_steps_csv import Row, query_rows, worked_rows
from exports.cells import rows_csv


def found(rows: list[Row], step: str, **place: object) -> list[Row]:
    return [row for row in rows if row["step"] == step and all(row.get(key) == value for key, value in place.items())]


def test_every_step_of_the_example_is_there_in_order() -> None:
    rows = worked_rows(work(DEFAULT))
    steps = list(dict.fromkeys(row["step"] for row in rows))
    assert steps == ["x", "q", "k", "v", "score", "scaled", "after mask", "weight", "output"]
    assert len(rows) == 5 * 5 * 4 + 4 * 5 * 5  # x, q, k, v and output of four numbers; four tables of word by word
    [score] = found(rows, "score", position=2, read_position=5)
    assert (score["word"], score["read"], score["value"]) == ("bank", "river", 8.0)
    [water] = found(rows, "output", position=2, name="water")
    assert water["value"] == pytest.approx(2.329, abs=1e-3)


def test_scores_that_the_mask_closes_are_empty() -> None:
    rows = worked_rows(work(replace(DEFAULT, causal=True)))
    empty = [row for row in rows if row["value"] is None]
    assert len(empty) == 10
    assert {row["step"] for row in empty} == {"after mask"}
    assert all(int(str(row["read_position"])) > int(str(row["position"])) for row in empty)


def test_a_word_that_a_spreadsheet_would_run_is_text() -> None:
    data = rows_csv(worked_rows(work(replace(DEFAULT, words=("=1+1", *DEFAULT.words[1:])))))
    [first, *_] = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    assert first["word"] == "'=1+1"


def test_a_query_has_a_row_a_key_with_weights_that_sum_to_one() -> None:
    keys = np.eye(3)
    own = [0.6, 0.4, 0.0]
    steps = steps_from(
        [2.0, 0.0, 0.0], keys, 3 * keys, [True, True, False], own, scaling=0.5, pieces=["a", " b", "\n"], position=1,
        layer=2, head=7,
    )  # fmt: skip
    rows = query_rows(steps)
    assert [row["key_piece"] for row in rows] == ["a", " b", "\n"]
    assert {(row["layer"], row["head"], row["query"], row["query_piece"]) for row in rows} == {(2, 7, 1, " b")}
    assert sum(float(str(row["weight"])) for row in rows) == pytest.approx(1)
    assert rows[0]["weight"] == pytest.approx(math.e / (math.e + 1))
    assert [row["after_mask"] for row in rows] == [1.0, 0.0, None]
    assert [row["allowed"] for row in rows] == [True, True, False]
    assert [row["weight_of_the_model"] for row in rows] == own
    assert rows[0]["weight_times_value_norm"] == pytest.approx(3 * math.e / (math.e + 1))
    assert rows_csv(rows).count(b"\r\n") >= 4

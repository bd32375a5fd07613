from __future__ import annotations

import csv
import io

import pytest

from core.errors import InvalidInput
from exports.estimate_compare import compare
from exports.estimate_csv import FIGURE_COLUMNS, ORIGIN_COLUMNS, comparison_csv, figures_csv, origins_csv
from tests.exports.estimates import ESTIMATES, EVIL, OTHER, REPORT, SPECS


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_every_figure_is_a_row_with_its_range_in_full() -> None:
    days, flop = rows_of(figures_csv(REPORT))
    assert tuple(days) == FIGURE_COLUMNS
    assert (days["low"], days["expected"], days["high"], days["unit"]) == ("8.5", "10.0", "12.25", "days")
    assert float(flop["expected"]) == 8.4e22
    assert days["measurement_ids"].split() == ["a" * 32, "b" * 32]


def test_inputs_and_drivers_are_rows_of_their_figure() -> None:
    rows = rows_of(origins_csv(REPORT))
    assert tuple(rows[0]) == ORIGIN_COLUMNS
    assert [(row["figure"], row["role"], row["name"]) for row in rows] == [
        ("days", "input", "D, tokens"),
        ("days", "input", "recomputation"),
        ("days", "driver", "efficiency"),
        ("days", "driver", "restarts"),
    ]
    assert (rows[0]["value"], rows[0]["unit"], rows[2]["unit"], rows[2]["low"]) == ("2048.0", "tokens", "days", "12.25")


def test_words_that_a_spreadsheet_would_run_are_made_plain() -> None:
    assert rows_of(origins_csv(REPORT))[1]["value"] == f"'{EVIL}"
    assert f"'{EVIL}: low" in comparison_csv(compare([REPORT])).decode("utf-8-sig").replace('""', '"')


def test_scenarios_are_compared_by_key_label_and_unit() -> None:
    found = compare([REPORT, OTHER], ["a", "b"])
    assert [(row.key, row.unit, [one is not None for one in row.values]) for row in found.rows] == [
        ("days", "days", [True, False]),
        ("total_flops", "FLOP", [True, True]),
        ("days", "s", [False, True]),
    ]
    days, flop, seconds = rows_of(comparison_csv(found))
    assert (days["a: expected"], days["b: expected"], seconds["b: high"]) == ("10.0", "", "1.0")
    assert float(flop["b: low"]) == 4.2e22


def test_scenarios_are_named_by_their_configuration_or_their_place() -> None:
    assert compare([REPORT, OTHER]).names == (EVIL, "Memory 2")


@pytest.mark.parametrize(("reports", "names"), [([], []), ([REPORT], ["a", "b"])])
def test_nothing_to_compare_is_said(reports: list[object], names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="cannot be compared"):
        compare(reports, names)  # type: ignore[arg-type]


def test_a_step_of_training_is_not_compared_with_one_of_decoding() -> None:
    training, _ = ESTIMATES["train"](SPECS["pretraining"][1])
    serving, _ = ESTIMATES["serve"](SPECS["serving"][1])
    rows = [row for row in compare([training, serving]).rows if row.key == "step_s"]
    assert [[one is not None for one in row.values] for row in rows] == [[True, False], [False, True]]

from __future__ import annotations

import csv
import io

import pytest

from core.training.compare import ComparedRun, compare
from exports import training_csv as tables
from tests.exports.trainings import CLASSIFIED, DATA, FORMULA, LABELS, POINTS, PREDICTED, SPOKEN

REPORT = CLASSIFIED.report
assert REPORT is not None
assert PREDICTED.report is not None
assert SPOKEN.report is not None


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_points_have_a_column_for_each_figure_and_no_samples() -> None:
    found = rows(tables.points_csv(POINTS))
    assert len(found) == len(POINTS) - 1
    assert set(found[0]) == {"step", "kind", "loss", "learning_rate", "grad_norm", "units_per_s", "f1"}
    judged = [row for row in found if row["kind"] == "eval"]
    assert judged[0]["learning_rate"] == ""
    assert float(judged[0]["f1"]) == pytest.approx(POINTS[10].values["f1"])


def test_figures_are_given_in_full() -> None:
    found = {row["name"]: row for row in rows(tables.metrics_csv(REPORT))}
    assert float(found["f1_macro"]["value"]) == REPORT.metric("f1_macro").value
    assert float(found["f1_macro"]["gap_low"]) == REPORT.metric("f1_macro").gap_low
    assert found["ece"]["low"] == ""


def test_the_confusion_is_a_square_with_its_sums() -> None:
    found = rows(tables.confusion_csv(REPORT))
    assert len(found) == len(LABELS)
    total = sum(int(value) for row in found for name, value in row.items() if not name.startswith("true"))
    assert total == REPORT.rows


def test_a_label_that_looks_like_a_formula_is_text() -> None:
    assert rows(tables.classes_csv(REPORT))[3]["label"] == f"'{FORMULA}"
    assert f"'{FORMULA}" in rows(tables.confusion_csv(REPORT))[0]
    for data in (tables.curves_csv(REPORT), tables.examples_csv(REPORT)):
        cells = {cell for row in rows(data) for cell in row.values()}
        assert f"'{FORMULA}" in cells
        assert FORMULA not in cells


def test_curves_have_all_their_points() -> None:
    assert len(rows(tables.curves_csv(REPORT))) == sum(len(curve.x) for curve in REPORT.curves)
    assert len(rows(tables.curves_csv(PREDICTED.report))) == 120


def test_groups_examples_answers_and_findings_are_there() -> None:
    assert [row["group"] for row in rows(tables.groups_csv(REPORT))] == [one.group for one in REPORT.groups]
    assert len(rows(tables.examples_csv(REPORT))) == 20
    assert rows(tables.answers_csv(SPOKEN.report))[0]["before"].startswith("I do not know.")
    found = rows(tables.findings_csv(DATA))
    assert [row["source"] for row in found] == ["check", "privacy"]
    assert found[0]["rows"].startswith("1 2 3 ")


def test_runs_stand_side_by_side() -> None:
    stored = REPORT.to_json()
    made = compare(
        [
            ComparedRun("1", "first", CLASSIFIED.config, stored),
            ComparedRun("2", FORMULA, dict(CLASSIFIED.config) | {"max_tokens": 64}, None),
        ]
    )
    found = {(row["part"], row["key"]): row for row in rows(tables.comparison_csv(made))}
    assert found["config", "max_tokens"] == {
        "part": "config",
        "key": "max_tokens",
        "differs": "True",
        "first": "",
        f"'{FORMULA}": "64",
    }
    assert found["metric", "f1_macro"][f"'{FORMULA}"] == ""

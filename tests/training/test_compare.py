from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput
from core.training.compare import ABSENT, ComparedRun, compare, flattened
from core.training.evaluation.report import EvaluationReport, Metric


def report(f1: float, loss: float, half: float = 0.01) -> dict[str, Any]:
    metrics = (
        Metric("accuracy", "Accuracy", f1),
        Metric("f1_macro", "F1 (macro)", f1, f1 - half, f1 + half),
        Metric("log_loss", "Log loss", loss, loss - half, loss + half, higher_is_better=False),
    )
    return EvaluationReport("classification", "f1_macro", 100, metrics).to_json()


def config(**training: Any) -> dict[str, Any]:
    return {"recipe": "classification", "data": {"path": "a.csv", "seed": 0, "clean": {}}, "training": training}


def test_keys_are_flat_and_lists_are_values() -> None:
    assert flattened({"a": {"b": {"c": [1, 2]}}, "d": None, "e": {}}) == {"a.b.c": (1, 2), "d": None, "e": {}}


def test_what_differs_is_told() -> None:
    found = compare(
        [ComparedRun("1", "one", config(epochs=1, seed=3)), ComparedRun("2", "two", config(epochs=2, seed=3))]
    )
    assert [(row.key, row.values) for row in found.differing] == [("training.epochs", (1, 2))]
    assert next(row for row in found.config if row.key == "training.seed").differs is False


def test_a_key_that_one_run_does_not_have_differs() -> None:
    found = compare([ComparedRun("1", "", config(lora=None)), ComparedRun("2", "", config(lora={"rank": 8}))])
    assert {row.key: row.values for row in found.differing} == {
        "training.lora": (None, ABSENT),
        "training.lora.rank": (ABSENT, 8),
    }


@pytest.mark.parametrize(("values", "differs"), [((1, 1.0), False), ((1, True), True), ((None, 0), True)])
def test_equal_values_are_those_that_do_the_same(values: tuple[Any, Any], differs: bool) -> None:
    found = compare([ComparedRun(str(one), "", {"x": one}) for one in values])
    assert found.config[0].differs is differs


def test_the_headline_comes_first_and_the_best_is_found() -> None:
    runs = [
        ComparedRun("1", "", config(), report(0.80, 0.50)),
        ComparedRun("2", "", config(), report(0.90, 0.495)),
        ComparedRun("3", "", config(), None),
    ]
    found = compare(runs)
    assert [(row.name, row.best, row.clear) for row in found.metrics] == [
        ("f1_macro", 1, True),
        ("accuracy", 1, False),  # no interval
        ("log_loss", 1, False),  # intervals overlap; less is better
    ]
    assert found.metrics[0].values[2] is None
    assert any("No report yet: 3" in note for note in found.notes)


def test_of_equals_none_is_best() -> None:
    found = compare([ComparedRun(one, "", config(), report(0.8, 0.5)) for one in "12"])
    assert {row.best for row in found.metrics} == {None}


def test_runs_of_different_rows_are_compared_with_a_warning() -> None:
    other = config() | {"data": {"path": "a.csv", "seed": 1, "clean": {}}}
    found = compare([ComparedRun("1", "", config()), ComparedRun("2", "", other)])
    assert "data.seed" in found.notes[0]


def test_one_run_is_no_comparison() -> None:
    with pytest.raises(InvalidInput, match="Two or more"):
        compare([ComparedRun("1", "", config())])

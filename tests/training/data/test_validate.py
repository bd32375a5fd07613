"""Findings: of each fault one, with the rows and the count."""

from __future__ import annotations

import pandas as pd

from core.training.data.prepared import Finding
from core.training.data.validate import check_leaks, check_rows, check_split, leaks
from core.training.data_config import Cleaning


def labelled(*pairs: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["text", "label"]).astype("str")
    return frame.assign(row=range(1, len(pairs) + 1))


def many(counts: dict[str, int]) -> pd.DataFrame:
    return labelled(*((f"{label} {place}", label) for label, count in counts.items() for place in range(count)))


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


def test_each_fault_of_rows_is_named() -> None:
    frame = labelled(
        ("good day", "a"),
        ("good day", "a"),
        ("Good day!", "a"),
        ("", "a"),
        ("x", ""),
        ("bad day", "a"),
        ("bad day", "b"),
    )
    found = by_code(check_rows(frame, "labelled", Cleaning()))
    assert found["empty values"].rows == (4, 5)
    assert found["duplicates"].rows == (2,)
    assert found["near duplicates"].rows == (3,)
    assert found["conflicting labels"].rows == (6, 7)
    assert found["empty values"].told == "2 rows are without text or label and left out (rows 4 and 5)."
    assert all(finding.severity == "warning" for finding in found.values())


def test_rows_without_a_label_that_may_not_be_dropped_are_an_error() -> None:
    found = check_rows(labelled(("a", ""), ("b", "c")), "labelled", Cleaning(drop_empty=False))
    assert by_code(found)["empty values"].severity == "error"


def test_a_far_longer_text_is_noted() -> None:
    frame = labelled(*((f"text {place}", "a") for place in range(100)), ("long " * 1_000, "a"))
    assert by_code(check_rows(frame, "labelled", Cleaning()))["long outliers"].rows == (101,)


def test_numbers_that_teach_nothing_or_too_much() -> None:
    target = [float(place) for place in range(20)]
    frame = pd.DataFrame({"same": 1.0, "copy": target, "good": target[::-1], "target": target, "row": range(1, 21)})
    found = by_code(check_rows(frame, "numbers", Cleaning()))
    assert "same" in found["constant features"].told
    assert "copy" in found["leaking features"].told
    flat = by_code(check_rows(frame.assign(target=2.0), "numbers", Cleaning()))
    assert flat["constant target"].severity == "error"


def test_a_missing_number_is_named() -> None:
    frame = pd.DataFrame({"x": [1.0, float("nan"), float("inf")], "target": [1.0, 2.0, 3.0], "row": [1, 2, 3]})
    assert by_code(check_rows(frame, "numbers", Cleaning()))["empty values"].rows == (2, 3)


def test_the_balance_of_labels() -> None:
    train, test = many({"a": 200, "b": 8, "c": 60}), many({"a": 20})
    found = by_code(check_split(train, test, test, "labelled"))
    assert "b (8)" in found["rare labels"].told
    assert "a has 200 rows, b 8" in found["label balance"].told
    assert "b, c" in found["unjudged labels"].told


def test_what_cannot_be_trained_on_is_an_error() -> None:
    test = many({"a": 5, "z": 2})
    assert by_code(check_split(many({"a": 60}), test, test, "labelled"))["one class"].severity == "error"
    found = by_code(check_split(many({"a": 30, "b": 30}), test, test, "labelled"))
    assert found["unknown labels"].severity == "error"
    assert found["unknown labels"].rows == (6, 7)
    few = check_split(many({"a": 2, "b": 2}), test.head(0), test.head(0), "labelled")
    assert [finding.severity for finding in few if finding.code == "too few rows"] == ["error"] * 3
    each = pd.concat([many({str(place): 1 for place in range(150)})])
    assert by_code(check_split(each, test, test, "labelled"))["too many classes"].severity == "error"


def test_leaks_are_found_in_spite_of_capitals() -> None:
    train, judges = labelled(("One thing", "a"), ("another", "b")), labelled(("ONE thing.", "a"))
    assert leaks(train, judges, "labelled").tolist() == [True, False]
    (found,) = check_leaks(train, judges, "labelled", dropped=False)
    assert found.rows == (1,)
    assert "drop_leaks" in found.next_step

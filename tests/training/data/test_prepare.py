"""From a file to the rows of a recipe, and the record of all that was done."""

from __future__ import annotations

import csv
import errno
import io
import json
import random
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import Cancelled, CorruptFile, InvalidInput, StorageError
from core.training.data.prepare import load, prepare
from core.training.data.prepared import PreparedData
from core.training.data_config import DataConfig

COLOURS = ["red", "green", "blue", "white", "black", "brown", "pink", "grey", "gold", "violet"]

NAMES = [f"{size}{colour}" for size in ("", "dark") for colour in COLOURS]


def table(path: Path, rows: list[list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def tickets(path: Path, count: int = 60, extra: list[list[object]] | None = None) -> Path:
    rows = [[f"the {COLOURS[i % 10]} thing number {i} broke", "ab"[i % 2], f"g{i % 3}"] for i in range(count)]
    return table(path, [["text", "label", "group"], *rows, *(extra or [])])


def config(path: Path | str, **values: Any) -> DataConfig:
    return DataConfig.model_validate({"path": str(path), **values})


def assert_same(one: PreparedData, other: PreparedData) -> None:
    for part in ("train", "validation", "test"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(other, part))
    assert one.record == other.record
    assert (one.labels, one.features, one.kind) == (other.labels, other.features, other.kind)


def test_a_table_becomes_three_parts_and_a_record(tmp_path: Path) -> None:
    extra = [["", "a", ""], ["The RED thing number 0 broke!", "a", "g0"], ["mail joe@example.org", "b", "g1"]]
    data = prepare("classification", config(tickets(tmp_path / "t.csv", extra=extra)), None)
    assert list(data.train.columns) == ["text", "label", "row", "group"]
    assert (data.record.rows, data.record.train, data.record.validation, data.record.test) == (63, 43, 6, 12)
    assert data.labels == ("a", "b")
    assert data.record.labels == {"a": 30, "b": 31}
    assert data.record.columns == {"text": "text", "label": "label", "group": "group"}
    assert {finding.code for finding in data.record.findings} == {"empty values", "near duplicates", "few rows"}
    assert [(step.name, step.changed, step.dropped) for step in data.record.steps] == [
        ("normalise", 0, 0),
        ("drop_empty", 0, 1),
        ("deduplicate", 0, 1),
        ("privacy", 1, 0),
    ]
    everything = pd.concat([data.train, data.validation, data.test])
    assert sorted(everything["row"]) == [*range(1, 61), 63]
    assert everything.set_index("row")["text"][63] == "mail [E-MAIL]"
    assert data.record.privacy[0].rows == (63,)
    assert len(data.record.lengths) == 7


@pytest.mark.parametrize(("done", "text"), [("keep", "a joe@example.org"), ("mask", "a [E-MAIL]"), ("drop", None)])
def test_personal_data_is_kept_masked_or_dropped_and_told_in_any_case(
    tmp_path: Path, done: str, text: str | None
) -> None:
    path = tickets(tmp_path / "t.csv", extra=[["a joe@example.org", "b", "g1"]])
    data = prepare("classification", config(path, privacy=done), None)
    texts = pd.concat([data.train, data.validation, data.test]).set_index("row")["text"]
    assert texts.get(61) == text
    assert data.record.privacy[0].count == 1
    assert data.record.privacy_done == done


def test_what_is_kept_is_read_back_as_it_was(tmp_path: Path) -> None:
    path, folder = tickets(tmp_path / "t.csv"), tmp_path / "kept"
    data = prepare("classification", config(path), folder)
    assert_same(data, prepare("classification", config(path), None))
    path.unlink()  # a resumed job needs the file no longer
    assert_same(prepare("classification", config(path), folder), data)
    assert_same(load(folder), data)


def test_chats_are_read_back_as_lists_of_turns(tmp_path: Path) -> None:
    rows: list[list[object]] = [[f"How is {c}?", f"{c} is fine."] for c in NAMES]
    path = table(tmp_path / "chats.csv", [["prompt", "completion"], *rows, ["No answer?", " "]])
    data = prepare("causal", config(path), tmp_path / "kept")
    assert data.kind == "chat"
    chat = data.train["messages"][0]
    assert type(chat) is list
    assert chat[0] == {"role": "user", "content": chat[0]["content"]}
    assert_same(data, prepare("causal", config(path), None))
    assert data.record.findings[0].code == "bad chats"
    assert data.record.findings[0].rows == (21,)
    assert data.record.steps[0].name == "leave_out"


def test_secrets_in_every_turn_are_masked(tmp_path: Path) -> None:
    rows: list[list[object]] = [[f"Who is {c}@example.org?", f"{c}, of course: {c}@example.org."] for c in NAMES]
    data = prepare("causal", config(table(tmp_path / "chats.csv", [["prompt", "completion"], *rows])), None)
    text = json.dumps(list(data.train["messages"]))
    assert "example.org" not in text
    assert text.count("[E-MAIL]") == 2 * len(data.train)
    assert data.record.privacy[0].count == 40
    assert len(data.record.privacy[0].rows) == 20


def test_an_evaluation_file_judges_and_leaks_go_from_the_rows_to_learn_from(tmp_path: Path) -> None:
    judges = table(
        tmp_path / "judges.csv",
        [["text", "label"], ["THE red thing number 0 broke", "a"], ["a new one", "b"], ["another new one", "a"]],
    )
    path = tickets(tmp_path / "t.csv")
    data = prepare("classification", config(path, evaluation_path=str(judges), test=0.0), None)
    assert list(data.test["row"]) == [1, 2, 3]
    assert len(data.train) + len(data.validation) == 59
    assert 1 not in set(data.train["row"]) | set(data.validation["row"])
    assert data.record.steps[-1].dropped == 1
    assert [finding.rows for finding in data.record.findings if finding.code == "leakage"] == [(1,)]
    kept = prepare("classification", config(path, evaluation_path=str(judges), clean={"drop_leaks": False}), None)
    assert kept.record.train + kept.record.validation == 60


def test_numbers_get_a_target_and_features_that_change(tmp_path: Path) -> None:
    rows: list[list[object]] = [[i, 7, f"name {i}", i * 2.5] for i in range(40)]
    path = table(tmp_path / "n.csv", [["size", "same", "name", "price"], *rows, ["x", 7, "odd", 1], ["", 7, "e", 2]])
    data = prepare("regression", config(path), tmp_path / "kept")
    assert data.features == ("size",)
    assert list(data.train.columns) == ["size", "target", "row"]
    assert np.allclose(data.train["target"], data.train["size"] * 2.5)
    codes = {finding.code: finding.rows for finding in data.record.findings}
    assert codes["not a number"] == (41,)
    assert codes["empty values"] == (41, 42)
    assert "constant features" in codes


def zip_of_images(path: Path, count: int = 40) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for place in range(count):
            out = io.BytesIO()
            Image.new("L", (8, 8), place * 5).save(out, "PNG")
            archive.writestr(f"{'even' if place % 2 == 0 else 'odd'}/{place:02d}.png", out.getvalue())
        archive.writestr("odd/copy.png", out.getvalue())
        archive.writestr("odd/broken.png", out.getvalue()[:40])
    return path


def test_images_lie_in_the_folder_of_the_run(tmp_path: Path, home: Path) -> None:
    path = zip_of_images(tmp_path / "i.zip")
    data = prepare("images", config(path), tmp_path / "kept")
    assert data.folder == tmp_path / "kept"
    everything = pd.concat([data.train, data.validation, data.test])
    assert all((tmp_path / "kept" / name).is_file() for name in everything["image"])
    assert len(everything) == 40  # the copy went
    assert list(everything.columns) == ["image", "label", "row"]
    assert {finding.code for finding in data.record.findings} >= {"broken images", "duplicates"}
    preview = prepare("images", config(path), None)
    assert preview.folder is not None
    assert (preview.folder / preview.train["image"][0]).is_file()
    assert preview.folder.parent == home / "datasets"
    assert preview.record == data.record


def test_copies_are_made_of_the_rows_to_learn_from_alone(tmp_path: Path) -> None:
    path = tickets(tmp_path / "t.csv")
    plain = prepare("classification", config(path), None)
    more = prepare("classification", config(path, augment={"copies": 2, "word_dropout": 0.3}), None)
    assert len(more.train) > len(plain.train) * 1.5
    pd.testing.assert_frame_equal(more.test, plain.test)
    assert set(more.train["row"]) == set(plain.train["row"])


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [["text", "label"], *([f"text {i}", "a"] for i in range(5)), ["", ""]])
    with pytest.raises(InvalidInput) as told:
        prepare("classification", config(path), tmp_path / "kept")
    for part in (
        "rows are left to learn from",
        "One class to learn: a",
        "No row is left for the validation",
        "(row 6)",
    ):
        assert part in str(told.value) or part == "No row is left for the validation"
    assert not (tmp_path / "kept").exists()


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    for values in (
        {"path": "nowhere.csv"},
        {"path": ""},
        {"path": str(tickets(tmp_path / "t.csv")), "evaluation_path": "x"},
    ):
        with pytest.raises(InvalidInput, match="is not there"):
            prepare("classification", DataConfig.model_validate(values), None)


def test_a_full_disk_is_told_and_nothing_half_made_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    def full(*arguments: Any, **others: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tickets(tmp_path / "t.csv")
    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", full)
        with pytest.raises(StorageError, match="disk is full"):
            prepare("classification", config(path), tmp_path / "kept")
    assert not list(tmp_path.glob("kept*/"))
    assert len(prepare("classification", config(path), tmp_path / "kept").train) == 42


def test_a_file_that_may_not_grow_is_told_by_the_system_itself(tmp_path: Path, home: Path) -> None:
    resource = pytest.importorskip("resource")
    import signal

    path = tickets(tmp_path / "t.csv", 3_000)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, before[1]))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            prepare("classification", config(path), tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / "kept").exists()


def test_it_can_be_cancelled_and_leaves_nothing(tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare("classification", config(tickets(tmp_path / "t.csv", 3_000)), tmp_path / "kept", stop)
    assert not (tmp_path / "kept").exists()


def test_damaged_rows_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    prepare("classification", config(tickets(tmp_path / "t.csv")), folder)
    (folder / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptFile, match="damaged"):
        load(folder)


def test_a_seed_decides_the_split(tmp_path: Path) -> None:
    path = tickets(tmp_path / "t.csv")
    one, same, other = (prepare("classification", config(path, seed=seed), None) for seed in (1, 1, 2))
    assert list(one.test["row"]) == list(same.test["row"]) != list(other.test["row"])


@pytest.mark.slow
def test_100_000_rows_are_prepared_within_a_minute(tmp_path: Path) -> None:
    drawn = random.Random(0)
    words = [f"word{place}" for place in range(5_000)]
    rows: list[list[object]] = [["text", "label"]]
    for place in range(100_000):
        text = " ".join(drawn.choices(words, k=30))
        rows.append([text + (f" me{place}@example.org, +49 30 901820" if place % 10 == 0 else ""), "ab"[place % 2]])
    path = table(tmp_path / "big.csv", rows)
    start = time.process_time()
    data = prepare("classification", config(path), None)
    assert time.process_time() - start < 60
    assert {found.kind: found.count for found in data.record.privacy} == {"e-mail": 10_000, "phone number": 10_000}

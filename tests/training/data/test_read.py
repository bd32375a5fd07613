"""Reading files: what is in them, and for bad ones of every kind what is wrong, with the rows named."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from core.errors import CorruptFile, GroundworkError, InvalidInput
from core.training.data import read
from core.training.data.read import read_table


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_csv_is_found(tmp_path: Path, sign: str) -> None:
    text = f'text{sign}label\n"one{sign} two"{sign}a\n"three\nfour"{sign}b\n'
    frame = read_table(written(tmp_path, "rows.csv", text)).frame
    assert frame.to_dict("records") == [{"text": f"one{sign} two", "label": "a"}, {"text": "three\nfour", "label": "b"}]


def test_commas_in_texts_of_a_file_with_semicolons_do_not_mislead(tmp_path: Path) -> None:
    text = "text;label\nwell, well, well;a\nyes, and no, perhaps;b\n"
    assert list(read_table(written(tmp_path, "rows.csv", text)).frame["text"]) == [
        "well, well, well",
        "yes, and no, perhaps",
    ]


def test_cells_stay_as_they_are(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "rows.csv", "id,text\n007,NA\n1e5,\n")).frame
    assert frame.to_dict("records") == [{"id": "007", "text": "NA"}, {"id": "1e5", "text": ""}]


def test_rows_of_another_width_are_named(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "rows.csv", "text,label\na,1\nb,2,3\nc\nd,4,,\n"))
    assert list(table.frame["text"]) == ["a", "c", "d"]
    assert list(table.frame.index) == [0, 2, 3]  # so that a row keeps its number
    assert {finding.rows for finding in table.findings} == {(2,), (3,)}


def test_a_byte_that_is_no_utf8_is_read_and_its_row_named(tmp_path: Path) -> None:
    content = b"text,label\ngut,a\n" + "schön,b\n".encode("cp1252") + "très café €,c\n".encode()
    table = read_table(written(tmp_path, "rows.csv", content))
    assert list(table.frame["text"]) == ["gut", "schön", "très café €"]
    (finding,) = table.findings
    assert (finding.code, finding.rows, finding.count) == ("encoding", (2,), 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "rows.csv", "text,größe\nÄpfel,5\n".encode(encoding))
    assert read_table(path).frame.to_dict("records") == [{"text": "Äpfel", "größe": "5"}]


def test_a_broken_line_of_jsonl_is_named_by_its_line(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "rows.jsonl", '{"text": "a"}\n\n{"text": \n[1]\n{"text": "b", "n": 2}\n'))
    assert list(table.frame.index) == [0, 4]
    assert list(table.frame["n"]) == [None, 2]
    assert [finding.rows for finding in table.findings] == [(3, 4)]


def test_odd_bytes_in_jsonl_are_mended_in_lists_too(tmp_path: Path) -> None:
    line = json.dumps({"messages": [{"role": "user", "content": "wo?"}]}).replace("wo?", "wo bist du, Jörg?")
    table = read_table(written(tmp_path, "chats.jsonl", f"{line}\n".encode("cp1252")))
    assert table.frame["messages"][0][0]["content"] == "wo bist du, Jörg?"
    assert table.findings[0].rows == (1,)


def test_a_lone_surrogate_of_json_does_not_travel_on(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "rows.jsonl", '{"text": "a\\ud83d"}\n')).frame
    frame["text"][0].encode()  # would raise


@pytest.mark.parametrize("content", ['[{"a": 1}, {"a": 2}]', '{"data": [{"a": 1}, {"a": 2}]}', '{"a": 1}\n{"a": 2}\n'])
def test_json_of_a_list_of_objects(tmp_path: Path, content: str) -> None:
    assert list(read_table(written(tmp_path, "rows.json", content)).frame["a"]) == [1, 2]


def test_a_text_is_read_by_paragraphs_or_else_by_lines(tmp_path: Path) -> None:
    assert list(read_table(written(tmp_path, "a.txt", "one\ntwo\r\n\r\nthree\n")).frame["text"]) == [
        "one\ntwo",
        "three",
    ]
    assert list(read_table(written(tmp_path, "b.txt", "one\ntwo\nthree\n\n")).frame["text"]) == ["one", "two", "three"]


def test_a_text_without_line_breaks_is_cut_at_sentences(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "a.txt", "This is a sentence of it. " * 3_000)).frame
    assert len(frame) > 30
    assert all(text.endswith("it.") or text.endswith("it. ") for text in frame["text"])
    assert sum(map(len, frame["text"])) > 3_000 * 25 - 100


def test_parquet_with_nested_cells(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    pd.DataFrame({"messages": [chat], "n": [1.5]}).to_parquet(path)
    assert read_table(path).frame.to_dict("records") == [{"messages": chat, "n": 1.5}]


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "exploded"),)  # type: ignore[return-value]

    for name in ("rows.csv", "rows.parquet", "rows.txt", "rows.pkl"):
        with pytest.raises(GroundworkError):
            read_table(written(tmp_path, name, pickle.dumps(Bomb())))
    assert not (tmp_path / "exploded").exists()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("rows.csv", b"", InvalidInput, "is empty"),
        ("rows.csv", b"\n\n\n", InvalidInput, "no header"),
        ("rows.csv", b"text,label\n", InvalidInput, "no row"),
        ("rows.csv", b"1.5,2\n3,4\n", InvalidInput, "numbers (1.5, 2), not names"),
        ("rows.csv", b"a,a\n1,2\n", InvalidInput, "two columns named 'a'"),
        ("rows.csv", b"a,b\n\x00\x01\x02,3\n", InvalidInput, "byte 5 is zero"),
        ("rows.csv", zipped(), InvalidInput, "save the sheet as CSV"),
        ("rows.csv", gzip.compress(b"text\nhi", mtime=0), InvalidInput, "unpack it first"),
        ("rows.txt", b"%PDF-1.7 \xff", InvalidInput, "a PDF"),
        ("rows.txt", b"  \n \n\n", InvalidInput, "no row"),
        ("rows.xlsx", zipped(), InvalidInput, "no kind of file"),
        ("rows.jsonl", b"hello\nworld\n", CorruptFile, "line 1 is not"),
        ("rows.jsonl", b"[" * 100_000, CorruptFile, "line 1 is not"),
        ("rows.json", b"[" * 100_000, CorruptFile, "nested too deeply"),
        ("rows.json", b'{"a": ', CorruptFile, "is no JSON"),
        ("rows.json", b"3", InvalidInput, "holds one int"),
        ("rows.json", b"[1, 2]", InvalidInput, "no row"),
        ("rows.parquet", b"PAR1 and then nothing", CorruptFile, "no whole Parquet file"),
        ("rows.parquet", b"text\nhello\n", CorruptFile, "no whole Parquet file"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, name: str, content: bytes, kind: type[GroundworkError], says: str) -> None:
    with pytest.raises(kind) as told:
        read_table(written(tmp_path, name, content))
    assert says in str(told.value)


def test_a_truncated_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"text": ["a" * 1_000] * 100}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptFile, match="no whole Parquet file"):
        read_table(path)


def test_no_file_a_folder_and_a_file_too_large_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInput, match="is a folder"):
        read_table(tmp_path)
    monkeypatch.setattr(read, "LARGEST_BYTES", 10)
    with pytest.raises(InvalidInput, match="GB at most"):
        read_table(written(tmp_path, "rows.csv", "text,label\none,two\n"))


def test_a_quote_that_never_ends_is_read_or_told_and_never_hangs(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'text,label\n"' + "never ends,\n" * 10_000)
    table = read_table(path)
    assert table.findings[0].code == "ragged rows"

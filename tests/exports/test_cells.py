from __future__ import annotations

import csv
import io

import pytest

from exports.cells import Cell, csv_bytes, neutralised


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert neutralised(text) == "'" + text


@pytest.mark.parametrize("value", ["", "a=1", " =1", "1-2", "'=1", "🚀", "مرحبا", -1, -0.5, 2**63, True, None])
def test_everything_else_stays(value: Cell) -> None:
    assert neutralised(value) is value


def test_any_text_comes_back_through_a_csv_reader() -> None:
    texts = ['a,b;"c"', "two\nlines", "carriage\rreturn", "crlf\r\n", "🚀👩‍🚀", "שלום, مرحبا \u202e", " padded ", "''"]
    data = csv_bytes(("name", "=x"), [[text, -1.5] for text in texts] + [[None, 2**63 - 1]])
    assert data.startswith(b"\xef\xbb\xbfname,'=x\r\n")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[1:] == [[text, "-1.5"] for text in texts] + [["", "9223372036854775807"]]

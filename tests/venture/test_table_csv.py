"""One reading of CSV: delimiters, encodings, other headers, rows at fault, a million rows."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.venture.market import DealSpec
from core.venture.market_csv import COLUMNS as DEALS
from core.venture.table_csv import Column, parsed, read_table

COLUMNS = (
    Column("name", required=True, also=("company name",)),
    Column("amount", required=True, money=True),
    Column("country"),
)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_every_delimiter_is_read(mark: str) -> None:
    raw = f"name{mark}amount\nA{mark}5\nB{mark}6\n".encode()
    found = read_table("t.csv", raw, COLUMNS, most_rows=10)
    assert [row.cells for row in found.rows] == [{"name": "A", "amount": "5"}, {"name": "B", "amount": "6"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_is_read(encoding: str) -> None:
    raw = "name,amount\nMünchen Café,5\n".encode(encoding)
    assert read_table("t.csv", raw, COLUMNS, most_rows=10).rows[0].cells["name"] == "München Café"


def test_columns_are_found_by_other_names_and_spellings() -> None:
    found = read_table("t.csv", b"Company  Name,AMOUNT (USD),Colour\nA,5,red\n", COLUMNS, most_rows=10)
    assert found.header == {"name": "Company  Name", "amount": "AMOUNT (USD)"}
    assert found.ignored == {"Colour": ""}


def test_other_headers_are_told_with_what_is_near() -> None:
    with pytest.raises(InvalidInput) as told:
        read_table("t.csv", b"nmae,betrag\nA,5\n", COLUMNS, most_rows=10)
    words = str(told.value)
    assert "no column name, amount" in words
    assert "'nmae' is perhaps name" in words
    assert "Needed: name, amount. Possible: country." in words


def test_a_column_that_is_near_is_not_taken_without_asking() -> None:
    found = read_table("t.csv", b"name,amount,contry\nA,5,US\n", COLUMNS, most_rows=10)
    assert found.ignored == {"contry": "country"}
    assert "country" not in found.rows[0].cells


def test_two_names_of_one_column_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'name' and 'Company name' are both name"):
        read_table("t.csv", b"name,Company name,amount\nA,B,5\n", COLUMNS, most_rows=10)


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(InvalidInput, match="numbers"):
        read_table("t.csv", b"1,2\n3,4\n", COLUMNS, most_rows=10)


@pytest.mark.parametrize("raw", [b"", b"  \n ", b"name,amount\n", b"name,amount\n,\n , \n"])
def test_a_file_without_rows_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"empty|no rows"):
        read_table("t.csv", raw, COLUMNS, most_rows=10)


def test_blank_rows_at_the_end_are_no_rows() -> None:
    assert len(read_table("t.csv", b"name,amount\nA,5\n,\n\n", COLUMNS, most_rows=1).rows) == 1


def test_a_row_with_more_cells_than_columns_is_named() -> None:
    with pytest.raises(InvalidInput, match="rows 2"):
        read_table("t.csv", b"name,amount\nA,5\nB,1,200\n", COLUMNS, most_rows=10)


def test_the_first_row_too_many_is_refused() -> None:
    raw = b"name,amount\n" + b"A,5\n" * 11
    assert len(read_table("t.csv", raw[:-4], COLUMNS, most_rows=10).rows) == 10
    with pytest.raises(InvalidInput, match=r"11 rows\. Up to 10"):
        read_table("t.csv", raw, COLUMNS, most_rows=10)


def test_a_million_rows_are_refused_at_once() -> None:
    raw = b"name,amount\n" + b"A,5\n" * 10**6
    start = time.perf_counter()
    with pytest.raises(InvalidInput, match=r"1,000,001 rows\. Up to 5,000"):
        read_table("t.csv", raw, COLUMNS, most_rows=5_000)
    assert time.perf_counter() - start < 0.5


def test_many_megabytes_are_refused_with_their_size() -> None:
    raw = b"name,amount\n" + (b"A" * 1_000 + b",5\n") * 12_000
    with pytest.raises(InvalidInput, match="11 MB"):
        read_table("t.csv", raw, COLUMNS, most_rows=10**6)


def test_what_is_no_text_is_refused_with_what_it_is() -> None:
    with pytest.raises(InvalidInput, match="save the sheet as CSV"):
        read_table("t.xlsx", b"PK\x03\x04rest", COLUMNS, most_rows=10)


def deals(*rows: str) -> bytes:
    return "\n".join(("company,stage,date,amount,valuation", *rows)).encode()


def test_all_faults_are_told_with_their_rows() -> None:
    raw = deals("A,Seed,2026-01-05,-5,", "B,Seed,2026-01-05,5,6", "C,,05/01/2026,x,")
    with pytest.raises(InvalidInput) as told:
        parsed(read_table("t.csv", raw, DEALS, most_rows=10), DealSpec, DEALS)
    words = str(told.value)
    assert "t.csv has 2 faults: row 1: amount:" in words
    assert "row 3:" in words
    assert "'05/01/2026'" in words
    assert "'x'" in words
    assert "stage: Field required" in words
    assert "row 2" not in words
    assert "nothing was taken" in words


def test_many_faults_are_counted() -> None:
    raw = deals(*("A,Seed,2026-01-05,-5," for _ in range(40)))
    with pytest.raises(InvalidInput, match=r"40 faults: .*row 12.*and 28 more"):
        parsed(read_table("t.csv", raw, DEALS, most_rows=100), DealSpec, DEALS)


def test_an_amount_that_may_be_thousands_or_not_is_asked_about() -> None:
    raw = deals("A,Seed,2026-01-05,1.200,").replace(b",", b";")
    with pytest.raises(InvalidInput, match=r"'1\.200' may be 1200 or 1\.2"):
        parsed(read_table("t.csv", raw, DEALS, most_rows=10), DealSpec, DEALS)


def test_amounts_with_suffixes_and_commas_between_thousands_are_read() -> None:
    raw = deals('A,Seed,2026-01-05,"1,200,000.50",', "B,Seed,2026-01-05,$1.5M,")
    found = parsed(read_table("t.csv", raw, DEALS, most_rows=10), DealSpec, DEALS)
    assert [one.amount for one in found] == [Decimal("1200000.50"), Decimal(1_500_000)]


def test_text_guarded_from_being_a_formula_reads_back_as_it_was() -> None:
    found = read_table("t.csv", b"name,amount\n'=A1,5\n'quoted',6\n", COLUMNS, most_rows=10)
    assert [row.cells["name"] for row in found.rows] == ["=A1", "'quoted'"]

"""A cap table goes out as CSV and comes back; what is no cap table is told by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.ownership import csv_table
from core.venture.ownership.csv_table import COLUMNS, read_csv, write_csv
from core.venture.ownership.spec import OwnershipSpec
from tests.venture.ownership.strategies import companies

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip).filter(bool)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(companies(), NAMES)
def test_what_is_written_is_read_back(company: dict[str, Any], name: str) -> None:
    company["holders"][0] |= {"name": f"{name} 0"}
    spec = parse(OwnershipSpec, company | {"exit_values": ["1.5M", 20], "debt_usd": "0.10"})
    assert read_csv(write_csv(spec)) == spec


@pytest.mark.parametrize("name", ["=1+1", "@x", "+a", "-a", "'quoted", "a,b", 'say "x"', "Zoë & Søn", "00012"])
def test_names_that_a_spreadsheet_would_run_stay_names(name: str) -> None:
    spec = parse(OwnershipSpec, {"holders": [{"name": name, "shares": 5}]})
    written = write_csv(spec)
    assert b"\n=" not in written
    assert read_csv(written).holders[0].name == name


def test_a_plain_list_of_holders_is_enough() -> None:
    found = read_csv(b'Name,Shares\nAna,"5,000,000"\nBen,4000000\n')
    assert [(one.name, one.shares) for one in found.holders] == [("Ana", 5_000_000), ("Ben", 4_000_000)]


def test_semicolons_of_a_european_spreadsheet_are_read() -> None:
    assert read_csv("\ufeffname;shares;kind\r\nZoë;10;Employee\r\n".encode()).holders[0].kind == "employee"


def test_what_the_file_is_silent_on_is_kept() -> None:
    safes = [{"name": "S", "purchase_usd": 1000, "post_money_cap_usd": 100_000}]
    kept = parse(OwnershipSpec, {"founders_shares": 10, "unissued_pool": 5, "safes": safes})
    found = read_csv(b"name,shares\nAna,7\n", keep=kept)
    assert (found.holders[0].name, found.unissued_pool, found.safes) == ("Ana", 5, kept.safes)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ["empty"]),
        (b"name,shares\n", ["no rows"]),
        (b"Owner,Stock\nAna,5\n", ["'owner' is not known", "'shares' is missing", "name and shares are needed"]),
        (b"name,share\nAna,5\n", ["perhaps shares"]),
        (b"name,shares,name\nAna,5,x\n", ["there twice"]),
        (b"name,shares\nAna,5\nBen,many\nCy,-3\n", ["row 3", "'many'", "row 4", "'-3'"]),
        (b"name,shares\n,5\n", ["row 2", "needs a name"]),
        (b"name,shares\nAna,5,6\n", ["row 2: 3 cells under 2 columns"]),
        (b"record,name,shares\nhodler,Ana,5\n", ["row 2", "perhaps holder"]),
        (b"record,name,shares,interest\nholder,Ana,5,0.1\n", ["row 2: a holder has no interest"]),
        ("name,shares\nZoë,5\n".encode("latin-1"), ["no UTF-8", "0xeb", "CSV UTF-8"]),
        (b"name,shares\nAna,5\nAna,6\n", ["'Ana, common'", "2 times"]),
    ],
)
def test_a_bad_file_is_told_with_its_rows(data: bytes, told: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_csv(data)
    for words in told:
        assert words in str(caught.value)


def test_a_million_rows_are_refused_before_they_are_all_read() -> None:
    data = b"name,shares\n" + b"a,1\n" * 1_000_000
    with pytest.raises(InvalidInput, match="more than 100,000 rows; reading stopped at row 100,002") as caught:
        read_csv(data)
    assert "Nothing of the table you have was changed" in str(caught.value)


def test_a_file_of_many_megabytes_is_refused_unread() -> None:
    with pytest.raises(InvalidInput, match="MB"):
        read_csv(b" " * (csv_table._MOST_BYTES + 1))


def test_a_large_register_is_read() -> None:
    rows = "".join(f"Holder {place},{place + 1}\n" for place in range(20_000))
    assert len(read_csv(f"name,shares\n{rows}".encode()).holders) == 20_000


def test_every_field_of_the_table_has_a_column() -> None:
    told = {column for _, columns in csv_table._LISTS.values() for column in columns}
    assert told <= set(COLUMNS)
    fields = {field for field, _ in csv_table._LISTS.values()} | set(csv_table._SINGLES) | {"exit_values"}
    assert fields == set(OwnershipSpec.model_fields)
    for record, (field, columns) in csv_table._LISTS.items():
        kind = OwnershipSpec.model_fields[field].annotation.__args__[0]  # type: ignore[union-attr]
        assert set(columns.values()) == set(kind.model_fields), record

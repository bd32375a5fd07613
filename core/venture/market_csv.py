"""Deals from a CSV file, and the example that comes with the product: every company in it is invented and marked so."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.venture.market import MOST_DEALS, DealSpec
from core.venture.table_csv import Column, Table, parsed, read_table

EXAMPLE = Path(__file__).parent / "examples" / "market_example.csv"
COLUMNS = (
    Column("company", required=True, also=("name", "startup", "organisation", "organization", "company name")),
    Column("stage", required=True, also=("round", "series", "round type", "funding stage", "funding type")),
    Column("date", required=True, also=("announced", "announced date", "closed", "deal date", "round date")),
    Column("amount", required=True, money=True, also=("raised", "money raised", "size", "round size", "deal size")),
    Column("valuation", money=True, also=("company valuation",)),
    Column("valuation_kind", also=("pre or post", "kind of valuation")),
    Column("sector", also=("industry", "category", "vertical")),
    Column("country", also=("region", "hq", "location")),
    Column("source", also=("link", "url", "reference")),
)


def read_deals(file: str, raw: bytes) -> tuple[tuple[DealSpec, ...], Table]:
    """The deals of a CSV file in their order, and the table as it was read. Raises InvalidInput with every fault."""
    table = read_table(file, raw, COLUMNS, most_rows=MOST_DEALS)
    return parsed(table, DealSpec, COLUMNS), table


@lru_cache(maxsize=1)
def example_deals() -> tuple[DealSpec, ...]:
    """The example, each deal with `example` set."""
    table = read_table(EXAMPLE.name, EXAMPLE.read_bytes(), COLUMNS, most_rows=MOST_DEALS)
    return parsed(table, DealSpec, COLUMNS, {"example": True})

"""Actuals from a CSV file: a row a month, in any order, each month once."""

from __future__ import annotations

from collections import Counter

from core.venture.actuals import COUNTS, MONEY, MOST_MONTHS, ActualSpec
from core.venture.table_csv import Column, Table, parsed, read_table, refused

_ALSO = {
    "revenue": ("sales", "turnover", "income", "total revenue"),
    "cogs": ("cost of revenue", "cost of sales", "cost of goods sold"),
    "operating_costs": ("opex", "operating expenses", "expenses", "operating cost"),
    "cash": ("cash at end", "closing cash", "bank balance", "cash balance", "ending cash"),
    "mrr": ("monthly recurring revenue",),
    "customers": ("active customers", "paying customers", "customers at end"),
    "headcount": ("people", "employees", "fte", "staff"),
    "new_customers": ("customers won", "new"),
    "churned_customers": ("customers lost", "churned", "lost customers"),
}
_EXAMPLE = ("12500", "3100.50", "41000", "480000", "11800", "52", "6", "7", "1")
_NAMES = (*MONEY, *COUNTS)
COLUMNS = (
    Column("month", required=True, also=("date", "period"), example="2026-01"),
    *(
        Column(name, also=_ALSO[name], money=name in MONEY, example=example)
        for name, example in zip(_NAMES, _EXAMPLE, strict=True)
    ),
)


def read_actuals(file: str, raw: bytes) -> tuple[tuple[ActualSpec, ...], Table]:
    """By month, and the table as it was read. Raises InvalidInput with every fault, months told twice among them."""
    table = read_table(file, raw, COLUMNS, most_rows=MOST_MONTHS)
    rows = parsed(table, ActualSpec, COLUMNS)
    counted = Counter(row.month for row in rows)
    faults = [
        f"row {line.number}: {row.month} stands there {counted[row.month]} times; each month has one row"
        for line, row in zip(table.rows, rows, strict=True)
        if counted[row.month] > 1
    ]
    faults += [
        f"row {line.number}: {row.month} has no figure"
        for line, row in zip(table.rows, rows, strict=True)
        if not row.given()
    ]
    if faults:
        raise refused(table.file, faults)
    return tuple(sorted(rows, key=lambda row: row.month)), table

"""The workbook of a company's report: the plan that calculates, and what stands beside it as values.

Ownership, metrics of periods, rounds, risks and the origin of figures come from engines that a spreadsheet does not
have; their sheets say that they are values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.store.database import Database
from core.venture.spec import CompanySpec
from exports.cells import Cell
from exports.company_csv import (
    CsvRow,
    economics_rows,
    exit_rows,
    made_rows,
    metric_rows,
    milestone_rows,
    ownership_rows,
    provenance_rows,
    risk_rows,
)
from exports.company_report import report, wanted
from exports.company_report_source import Source
from exports.plan_xlsx import plan_xlsx
from exports.plan_xlsx_first import SheetOfText

AS_MADE = "Values, as they were when this file was made: they do not follow the assumptions."
_NOTED = ("products", "metrics", "costs")  # sections whose figures have notes
_SHEETS = (
    ("products", "Unit economics", economics_rows, ("product", "figure", "unit", "low", "expected", "high", "source")),
    ("metrics", "Metrics by year", metric_rows, ("period", "metric", "unit", "value", "why_none", "source")),
    ("ownership", "Ownership", ownership_rows, ("event", "holder", "kind", "class", "shares", "ownership")),
    ("ownership", "Exits", exit_rows, ("exit", "holder", "paid")),
    (
        "fundraising",
        "Rounds",
        milestone_rows,
        ("round", "month", "amount", "pre_money", "cash_gone_without", "cash_gone_with", "milestone", "due", "cost"),
    ),
    (
        "risks",
        "Risks",
        risk_rows,
        ("risk", "topic", "likelihood", "impact", "weight", "owner", "mitigation", "status", "due"),
    ),
    (
        "products",
        "Provenance",
        provenance_rows,
        ("product", "place", "kind", "label", "value", "id", "detail", "source"),
    ),
)


def company_xlsx(
    spec: CompanySpec,
    db: Database,
    *,
    audience: str = "investors",
    sections: Sequence[str] = (),
    scenario: str = "base",
    at: datetime | None = None,
) -> bytes:
    """sections, audience: as `exports.company_report.report` takes them; the plan itself is always whole."""
    chosen, reader = wanted(audience, sections)
    of = Source(spec, db, board=reader == "board")
    sheets = [
        _sheet(title, columns, rows)
        for section, title, make, columns in _SHEETS
        if section in chosen and (rows := made_rows(make, of))
    ]
    noted = [key for key in _NOTED if key in chosen]
    notes = report(spec, db, audience=audience, sections=noted, at=at).notes if noted else ()
    return plan_xlsx(spec, scenario=scenario, more=sheets, notes=notes, at=at)


def _sheet(title: str, columns: Sequence[str], rows: Sequence[CsvRow]) -> SheetOfText:
    heads = tuple(name.replace("_", " ").capitalize() for name in columns)
    cells = tuple(tuple(_cell(row.get(name)) for name in columns) for row in rows)
    return SheetOfText(title, title, heads, cells, AS_MADE)


def _cell(value: Cell) -> str | float | None:
    return str(value) if isinstance(value, bool) else value

"""The first sheet of a company's workbook: the figures a reader asks for first, and each year of the plan.

Formulas over the sheets of months, beside what the plan said when the file was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.venture import months
from core.venture.plan import Plan
from core.venture.spec import CompanySpec
from exports.formulas import Formula, Value
from exports.plan_book import Look, Places

SHEET = "Summary"
NEVER = "never"
YEAR = 12
FLOWS = (
    ("revenue", "Revenue"),
    ("cogs", "Cost of revenue"),
    ("gross_profit", "Gross profit"),
    ("research", "Research and development"),
    ("sales", "Sales and marketing"),
    ("general", "General and administrative"),
    ("operating_profit", "Operating profit"),
    ("net_profit", "Net profit"),
    ("funding_in", "Funding"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """A figure. value: as the plan has it; a month is told as 2026-03."""

    label: str
    unit: str
    formula: Formula
    value: Value
    look: Look


@dataclass(frozen=True, slots=True)
class Summary:
    """years: heads, and rows of a label with a formula and a value for each year."""

    keys: tuple[Key, ...]
    year_heads: tuple[str, ...]
    years: tuple[tuple[str, tuple[tuple[Formula, float], ...]], ...]


def summary(spec: CompanySpec, plan: Plan, places: Places) -> Summary:
    spans = year_spans(len(plan.months))
    rows = []
    for key, title in FLOWS:
        values = getattr(plan, key)[0]
        cells = tuple(
            (Formula(f"SUM({places.span(key, first, last)})"), float(values[first : last + 1].sum() / 100))
            for first, last in spans
        )
        rows.append((title, cells))
    closing = tuple(
        (Formula(places.span("cash", last, last).split(":")[0]), float(plan.cash[0, last] / 100)) for _, last in spans
    )
    rows.append(("Cash at the end", closing))
    heads = tuple(f"Year {number}" for number in range(1, len(spans) + 1))
    return Summary(_keys(plan, places), heads, tuple(rows))


def year_spans(count: int) -> Sequence[tuple[int, int]]:
    """First and last month of each year of a plan, from 0; the last may be short."""
    return [(first, min(first + YEAR, count) - 1) for first in range(0, count, YEAR)]


def empty_month(plan: Plan) -> str:
    """The month whose end is below 0, first of all; "" for none."""
    below = np.flatnonzero(plan.cash[0] < 0)
    return plan.months[below[0]] if len(below) else ""


def _keys(plan: Plan, places: Places) -> tuple[Key, ...]:
    money, cash = plan.currency, plan.cash[0]
    low = int(cash.argmin())
    gone = "plan_months-SUM([is_below!])"
    month = "DATE(YEAR(plan_start),MONTH(plan_start)+{},1)"
    lowest = month.format("MATCH(MIN([cash!]),[cash!],0)-1")
    never = f'IF(SUM([is_below!])=0,"{NEVER}",{month.format(gone)})'
    revenue, gross = plan.revenue[0], plan.gross_profit[0]
    last_year = max(0, len(plan.months) - YEAR)
    sums = {key: f"SUM({places.span(key, last_year, len(plan.months) - 1)})" for key in ("revenue", "gross_profit")}
    late, kept = int(revenue[last_year:].sum()), int(gross[last_year:].sum())
    rows: tuple[tuple[str, str, str, Value, Look], ...] = (
        ("Cash at the end", money, "INDEX([cash!],1,plan_months)", float(cash[-1] / 100), "money"),
        ("Lowest cash", money, "MIN([cash!])", float(cash[low] / 100), "money"),
        ("Month of the lowest cash", "month", lowest, plan.months[low], "month"),
        ("Cash is below 0 from", "month", never, empty_month(plan) or NEVER, "month"),
        ("Revenue of the whole plan", money, "SUM([revenue!])", float(revenue.sum() / 100), "money"),
        ("ARR at the end", money, "INDEX([arr!],1,plan_months)", float(12 * plan.recurring[0, -1] / 100), "money"),
        (
            "Gross margin, last 12 months",
            "share",
            f"IF({sums['revenue']}=0,0,{sums['gross_profit']}/{sums['revenue']})",
            kept / late if late else 0.0,
            "share",
        ),
        ("Headcount at the end", "people", "INDEX([headcount!],1,plan_months)", float(plan.headcount[0, -1]), "tenths"),
        ("Funding in all", money, "SUM([funding_in!])", float(plan.funding_in[0].sum() / 100), "money"),
    )
    return tuple(
        Key(label, unit, places.formula(text, SHEET, 0), value, look) for label, unit, text, value, look in rows
    )


def title_of(spec: CompanySpec) -> str:
    about = spec.company
    last = months.after(about.start, about.months - 1)
    return f"{about.name}: plan from {months.said(about.start)} to {months.said(last)}"

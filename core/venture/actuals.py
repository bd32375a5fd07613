"""What a month really brought, as far as it was counted: a row a month, to stand beside the plan."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.estimate.config import Strict
from core.venture.money import Money, SignedMoney
from core.venture.months import Month

MOST_MONTHS = 600
MONEY = ("revenue", "cogs", "operating_costs", "cash", "mrr")
COUNTS = ("customers", "headcount", "new_customers", "churned_customers")
_Counted = Annotated[int, Field(ge=0, le=10**9)]


class ActualSpec(Strict):
    """None: not counted, which is not 0. cash: at the end of the month, below 0 for a debt to the bank.

    headcount in full-time people, so halves are allowed.
    """

    month: Month
    revenue: Money | None = None
    cogs: Money | None = None
    operating_costs: Money | None = None
    cash: SignedMoney | None = None
    customers: _Counted | None = None
    mrr: Money | None = None
    headcount: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    new_customers: _Counted | None = None
    churned_customers: _Counted | None = None

    def given(self) -> dict[str, Decimal | float | int]:
        """What was counted."""
        found = {name: getattr(self, name) for name in (*MONEY, *COUNTS)}
        return {name: value for name, value in found.items() if value is not None}


def by_month(rows: Iterable[ActualSpec]) -> dict[str, ActualSpec]:
    """month → its row, the earliest first."""
    return {row.month: row for row in sorted(rows, key=lambda row: row.month)}


def merged(old: Iterable[ActualSpec], new: Iterable[ActualSpec]) -> tuple[ActualSpec, ...]:
    """Month by month: a figure that is newly given replaces the old one, one that is left out keeps it."""
    rows = by_month(old)
    for row in new:
        before = rows[row.month].given() if row.month in rows else {}
        rows[row.month] = ActualSpec.model_validate({"month": row.month} | before | row.given())
    return tuple(rows[month] for month in sorted(rows))


def changes(old: Iterable[ActualSpec], new: Iterable[ActualSpec]) -> tuple[str, ...]:
    """Months of which a figure would be replaced by another: what a person wants to know before."""
    rows = by_month(old)
    return tuple(
        row.month
        for row in new
        if row.month in rows and any(rows[row.month].given().get(k, v) != v for k, v in row.given().items())
    )

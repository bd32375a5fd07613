"""What really happened beside the plan: each figure of each month that was counted, and how far it is off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.venture import months
from core.venture.actuals import MONEY, ActualSpec, by_month
from core.venture.money import major, minor, short
from core.venture.plan import Plan
from core.venture.product_plan import ProductPlan


@dataclass(frozen=True, slots=True)
class Line:
    """A figure that can be counted. good: +1 where more is better, −1 where less is, 0 where neither. flow: summed over
    months; a stock is of a month's end. of: `[month]`, of a run of the plan."""

    label: str
    good: int
    flow: bool
    of: Callable[[Plan, int], NDArray[np.float64] | NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """A figure of a month: money as Decimal, counts as numbers. off: actual − planned; share: of the plan, None where
    that is 0. better: None where it is as planned, or neither is better."""

    month: str
    key: str
    label: str
    planned: Decimal | float
    actual: Decimal | float
    off: Decimal | float
    share: float | None
    better: bool | None


@dataclass(frozen=True, slots=True)
class Beside:
    """rows: by month, then in the order of `LINES`. so_far: over the months that were counted, sums of flows and the
    last of stocks. outside: months that were counted and are not in the plan."""

    rows: tuple[Variance, ...]
    so_far: tuple[Variance, ...]
    outside: tuple[str, ...]

    def line(self, key: str) -> tuple[Variance, ...]:
        return tuple(one for one in self.rows if one.key == key)


def _people(name: str) -> Callable[[Plan, int], NDArray[np.float64]]:
    """Of customers who pay again and again."""

    def of(plan: Plan, run: int) -> NDArray[np.float64]:
        chosen: list[ProductPlan] = [one for one in plan.products if one.model != "project"]
        return np.asarray(sum((getattr(one, name)[run] for one in chosen), np.zeros(len(plan.months))))

    return of


LINES: dict[str, Line] = {
    "revenue": Line("Revenue", 1, True, lambda plan, run: plan.revenue[run]),
    "cogs": Line("Cost of revenue", -1, True, lambda plan, run: plan.cogs[run]),
    "operating_costs": Line(
        "Operating costs", -1, True, lambda plan, run: plan.research[run] + plan.sales[run] + plan.general[run]
    ),
    "cash": Line("Cash", 1, False, lambda plan, run: plan.cash[run]),
    "mrr": Line("MRR", 1, False, lambda plan, run: plan.recurring[run]),
    "customers": Line("Customers", 1, False, _people("customers")),
    "headcount": Line("People", 0, False, lambda plan, run: plan.headcount[run]),
    "new_customers": Line("New customers", 1, True, _people("new")),
    "churned_customers": Line("Lost customers", -1, True, _people("churned")),
}


def beside(plan: Plan, actuals: Iterable[ActualSpec], run: int = 0) -> Beside:
    """Months in order; a figure that was not counted is in no row."""
    counted = by_month(actuals)
    places = {month: place for place, month in enumerate(plan.months)}
    planned = {key: line.of(plan, run) for key, line in LINES.items()}
    rows = [
        _variance(month, key, _own(planned[key][places[month]], key), given[key])
        for month, row in counted.items()
        if month in places and (given := row.given())
        for key in LINES
        if key in given
    ]
    so_far = [_so_far(key, found) for key in LINES if (found := [one for one in rows if one.key == key])]
    return Beside(tuple(rows), tuple(so_far), tuple(month for month in counted if month not in places))


def cash_from_actual(plan: Plan, actuals: Iterable[ActualSpec], run: int = 0) -> dict[str, int]:
    """Month → cash in minor units, from the last that was counted on: what the plan adds to what is really there."""
    counted = [row for row in by_month(actuals).values() if row.cash is not None and row.month in plan.months]
    if not counted:
        return {}
    last = counted[-1]
    assert last.cash is not None
    place = plan.months.index(last.month)
    off = minor(last.cash) - int(plan.cash[run, place])
    return {month: int(plan.cash[run, at]) + off for at, month in enumerate(plan.months) if at >= place}


def counted_sentence(plan: Plan, actuals: Iterable[ActualSpec], run: int = 0) -> str:
    """How long cash lasts from the last that was counted, beside what the plan has; "" where none was."""
    onward = cash_from_actual(plan, actuals, run)
    if not onward:
        return ""
    month, cash = next(iter(onward.items()))
    now = next((name for name, value in onward.items() if value < 0), None)
    before = next((name for name, value in zip(plan.months, plan.cash[run], strict=True) if value < 0), None)
    beside = "as planned" if now == before else f"as planned: {_empty(before)}"
    ends = f"runs out in {months.said(now)}" if now else f"lasts beyond {months.said(plan.months[-1])}, the plan's end"
    counted = short(major(cash), plan.currency)
    return f"From the {counted} counted in {months.said(month)}, cash {ends} ({beside})."


def _empty(month: str | None) -> str:
    return "not within the plan" if month is None else months.said(month)


def _own(value: np.float64 | np.int64, key: str) -> Decimal | float:
    return major(int(value)) if key in MONEY else float(value)


def _so_far(key: str, rows: list[Variance]) -> Variance:
    first, last = months.said(rows[0].month), months.said(rows[-1].month)
    if not LINES[key].flow:
        return _variance(last, key, rows[-1].planned, rows[-1].actual)
    name = first if first == last else f"{first} to {last}"
    zero: Decimal | float = Decimal(0) if key in MONEY else 0.0
    planned, actual = zero, zero
    for one in rows:
        planned, actual = planned + one.planned, actual + one.actual  # type: ignore[operator]
    return _variance(name, key, planned, actual)


def _variance(month: str, key: str, planned: Decimal | float, actual: Decimal | float) -> Variance:
    off = actual - planned  # type: ignore[operator]
    line = LINES[key]
    return Variance(
        month=month,
        key=key,
        label=line.label,
        planned=planned,
        actual=actual,
        off=off,
        share=float(off) / abs(float(planned)) if planned else None,
        better=None if not off or not line.good else (off > 0) == (line.good > 0),
    )

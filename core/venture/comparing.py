"""Scenarios side by side: the plan as written (base) and each of the company's own, all in one pass of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.venture import metrics, months
from core.venture.drivers import BASE, NAMES, ScenarioSpec
from core.venture.money import major, shown
from core.venture.periods import Period, period
from core.venture.plan import Plan, simulate
from core.venture.runway import runway, start_raising
from core.venture.spec import CompanySpec

BASE_NAME = "base"
_METRICS = ("arr", "gross_margin", "net_burn", "burn_multiple", "ltv_to_cac")
_LONG = 12  # months at the end that metrics are of


@dataclass(frozen=True, slots=True)
class Row:
    """A key figure. values: of each scenario, for a table to sort and to take away; words: as they are read."""

    label: str
    help: str
    values: tuple[float | str | None, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """names: base first. plan: a run for each of them, in this order. period: what the metrics are of."""

    names: tuple[str, ...]
    scenarios: tuple[ScenarioSpec, ...]
    plan: Plan
    period: Period
    rows: tuple[Row, ...]

    def cash(self, name: str) -> NDArray[np.int64]:
        """[month], in minor units."""
        return np.asarray(self.plan.cash[self.names.index(name)])


def compare(spec: CompanySpec) -> Comparison:
    """Base, then the company's scenarios in the order of its file."""
    names = (BASE_NAME, *spec.scenarios)
    scenarios = (BASE, *spec.scenarios.values())
    plan = simulate(spec, {name: np.array([float(getattr(one, name)) for one in scenarios]) for name in NAMES})
    last = period(plan.months, max(len(plan.months) - _LONG, 0), len(plan.months))
    return Comparison(names, scenarios, plan, last, (*_cash_rows(spec, plan), *_metric_rows(plan, last)))


def _cash_rows(spec: CompanySpec, plan: Plan) -> tuple[Row, ...]:
    runs = range(plan.cash.shape[0])
    asked = spec.fundraising
    ways = [runway(plan, run=run) for run in runs]
    starts = [start_raising(plan, asked.months_to_close, asked.buffer_months, run) for run in runs]
    never = f"not before {months.said(months.after(plan.months[-1], 1))}"
    return (
        _row(
            "Cash runs out in",
            "The first month whose end is below 0, along the plan.",
            [one.empty for one in ways],
            [months.said(one.empty) if one.empty else never for one in ways],
        ),
        _row(
            "Start raising by",
            f"So that the money comes {asked.buffer_months} months of burn before it is needed, when closing takes "
            f"{asked.months_to_close}.",
            [one.start for one in starts],
            ["no need" if not one.start else "now, late" if one.late else months.said(one.start) for one in starts],
        ),
        _money_row("Lowest cash", "The least at the end of any month.", [one.lowest for one in ways], plan),
        _money_row("Cash at the end", "Of the plan's last month.", [int(plan.cash[run, -1]) for run in runs], plan),
        _money_row("Revenue, whole plan", "", [int(plan.revenue[run].sum()) for run in runs], plan),
        _money_row("Net profit, whole plan", "", [int(plan.net_profit[run].sum()) for run in runs], plan),
    )


def _metric_rows(plan: Plan, last: Period) -> list[Row]:
    found = [metrics.metrics(plan, last, run) for run in range(plan.cash.shape[0])]
    return [
        _row(
            metrics.METRICS[key].label,
            f"{metrics.METRICS[key].definition} Of {last.label}.",
            [None if (value := one[key].value) is None else float(value) for one in found],
            [one[key].words(plan.currency) for one in found],
        )
        for key in _METRICS
    ]


def _money_row(label: str, told: str, values: list[int], plan: Plan) -> Row:
    amounts = [major(one) for one in values]
    return _row(label, told, [float(one) for one in amounts], [shown(one, plan.currency) for one in amounts])


def _row(label: str, told: str, values: Sequence[float | str | None], words: list[str]) -> Row:
    return Row(label, told, tuple(values), tuple(words))

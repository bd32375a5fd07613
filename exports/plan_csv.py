"""The numbers of a plan as tables: statements, metrics, scenarios, tornado, chances, and what really happened."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.venture.beside_plan import Beside
from core.venture.comparing import Comparison
from core.venture.drivers import DRIVERS
from core.venture.metrics import metrics
from core.venture.money import major
from core.venture.monte_carlo import LEVELS, MonteCarlo
from core.venture.periods import Span, periods
from core.venture.plan import Plan
from core.venture.sensitivity import Tornado
from core.venture.statement import Statement
from exports.cells import Cell, csv_bytes

MOVES = ("opening", "new", "expansion", "reactivation", "contraction", "churn")


def statement_csv(found: Statement) -> bytes:
    """One row a line, one column a period, in the plan's currency."""
    header = ("line", "unit", *(one.label for one in found.periods))
    return csv_bytes(
        header,
        (
            [line.label, _unit(line.values[0], found.currency), *(_number(value) for value in line.values)]
            for line in found.lines
        ),
    )


def metrics_csv(plan: Plan, span: Span) -> bytes:
    """One row a metric and period: value, or why there is none; definition, formula as LaTeX, source, inputs."""
    header = ("period", "key", "metric", "unit", "value", "note", "definition", "formula", "source", "inputs")
    return csv_bytes(
        header,
        (
            [
                period.label,
                one.key,
                one.label,
                plan.currency if one.unit == "money" else one.unit,
                None if one.value is None else _number(one.value),
                one.why or one.note,
                one.definition,
                one.formula,
                one.source,
                "; ".join(f"{name}: {float(value):.10g}" for name, value in one.inputs),
            ]
            for period in periods(plan.months, span)
            for one in metrics(plan, period).values()
        ),
    )


def mrr_csv(plan: Plan, run: int = 0) -> bytes:
    """One row a month and product: how recurring revenue moved."""
    columns = (*(f"mrr_{move}" for move in MOVES), "mrr")
    return csv_bytes(
        ("month", "product", "currency", *MOVES, "mrr"),
        (
            [name, one.name, plan.currency, *(_money(getattr(one, column)[run, at]) for column in columns)]
            for one in plan.products
            if one.model != "project"
            for at, name in enumerate(plan.months)
        ),
    )


def cash_csv(found: Comparison, fan: MonteCarlo | None = None) -> bytes:
    """One row a month: cash of each scenario, and percentiles of Monte Carlo."""
    levels = () if fan is None else LEVELS
    lines = [*found.plan.cash, *(() if fan is None else (fan.cash.at(level) for level in levels))]
    return csv_bytes(
        ("month", "currency", *found.names, *(f"p{level}" for level in levels)),
        (
            [name, found.plan.currency, *(_money(line[at]) for line in lines)]
            for at, name in enumerate(found.plan.months)
        ),
    )


def lines_csv(found: Comparison, values: NDArray[np.int64]) -> bytes:
    """One row a month: a line of the plan under each scenario. values: [scenario, month], in minor units."""
    return csv_bytes(
        ("month", "currency", *found.names),
        (
            [name, found.plan.currency, *(_money(line[at]) for line in values)]
            for at, name in enumerate(found.plan.months)
        ),
    )


def scenarios_csv(found: Comparison) -> bytes:
    """One row a factor and a key figure; one column a scenario."""
    factors: list[list[Cell]] = [
        [one.label, "factor" if name != "hiring_delay" else "months", *(getattr(s, name) for s in found.scenarios)]
        for name, one in DRIVERS.items()
    ]
    figures: list[list[Cell]] = [
        [
            row.label,
            "",
            *(words if value is None else value for value, words in zip(row.values, row.words, strict=True)),
        ]
        for row in found.rows
    ]
    return csv_bytes(("figure", "unit", *found.names), factors + figures)


def tornado_csv(found: Tornado, currency: str) -> bytes:
    """One row a driver, the one that matters most first."""
    scale = 100 if found.unit == "money" else 1
    unit = currency if found.unit == "money" else found.unit

    def value(given: float | None) -> float | None:
        return None if given is None else given / scale

    header = ("driver", "low", "high", "target", "unit", "as_planned", "at_low", "at_high", "swing")
    return csv_bytes(
        header,
        (
            [
                *(one.label, one.low, one.high, found.label, unit),
                *(value(reached) for reached in (found.base, one.at_low, one.at_high, one.swing)),
            ]
            for one in found.bars
        ),
    )


def chances_csv(found: MonteCarlo) -> bytes:
    """One row a month: percentiles of cash, revenue and MRR, and the chance that cash was below 0 by its end."""
    lines = {"cash": found.cash, "revenue": found.revenue, "mrr": found.mrr}
    header = ["month", "currency", "runs", "seed", "chance_out_of_cash"]
    header += [f"{name}_p{level}" for name in lines for level in LEVELS]
    return csv_bytes(
        header,
        (
            [
                *(name, found.currency, found.runs, found.seed, float(found.chance_out[at])),
                *(_money(fan.at(level)[at]) for fan in lines.values() for level in LEVELS),
            ]
            for at, name in enumerate(found.months)
        ),
    )


def influences_csv(found: MonteCarlo) -> bytes:
    """One row a driver that varies: how it goes with cash at the end."""
    return csv_bytes(
        ("driver", "rank_correlation_with_cash_at_the_end", "share_of_squared_correlations"),
        ([DRIVERS[one.name].label, one.correlation, one.share] for one in found.influences),
    )


def beside_csv(found: Beside, currency: str) -> bytes:
    """One row a month and figure that was counted."""
    return csv_bytes(
        ("month", "figure", "unit", "planned", "actual", "off", "share_of_plan"),
        (
            [
                *(one.month, one.label, _unit(one.planned, currency)),
                *(_number(value) for value in (one.planned, one.actual, one.off)),
                one.share,
            ]
            for one in found.rows
        ),
    )


def _unit(value: Decimal | float, currency: str) -> str:
    return currency if isinstance(value, Decimal) else "count"


def _number(value: Decimal | float) -> float:
    return float(value)


def _money(minor: int) -> float:
    return float(major(minor))

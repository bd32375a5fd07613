"""Monte Carlo of a company's plan: seconds for 10,000 runs, beside the same engine called once for each run.

    .venv/bin/python -m benchmarks.plan

The company has three products, four roles, compute, expenses and a loan. Ours: draws, 10,000 runs, percentiles, chances
and influences. One at a time: the same draws and the same engine without the rest, over 200 runs, scaled. Both take
turns in one process; medians of five rounds. Their cash is compared to the cent.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
import typer

from core.venture.draws import Draws, draws
from core.venture.monte_carlo import monte_carlo, paths
from core.venture.plan import Money
from core.venture.spec import CompanySpec, company

RUNS, ALONE, ROUNDS = 10_000, 200, 5
MONTHS = (36, 60)


@dataclass(frozen=True, slots=True)
class Row:
    """ours_s, alone_s: for `runs` runs; alone_s is scaled from `alone_runs`."""

    months: int
    runs: int
    alone_runs: int
    ours_s: float
    alone_s: float
    ratio: float
    rounds: int


def main(
    runs: Annotated[int, typer.Option(help="Runs of Monte Carlo.", min=100)] = RUNS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Measure, and print a Markdown table."""
    before = os.getloadavg()[0]
    rows = [_measured(months, runs) for months in MONTHS]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = {"load_before": before, "peak_bytes": peak, "rows": [asdict(row) for row in rows]}
    print(json.dumps(figures, indent=1) if as_json else _table(figures, rows))


def _measured(months: int, runs: int) -> Row:
    spec = _company(months)
    drawn = draws(spec.uncertainty, runs)
    few = Draws({name: values[:ALONE] for name, values in drawn.values.items()}, ())
    together = paths(spec, few.values).cash
    ours, alone = list[float](), list[float]()
    for _ in range(ROUNDS + 1):  # the first warms up
        ours.append(_seconds(lambda: monte_carlo(spec, runs=runs)))
        alone.append(_seconds(lambda: _check(together, _one_by_one(spec, few))))
    ours_s = statistics.median(ours[1:])
    alone_s = statistics.median(alone[1:]) * runs / ALONE
    return Row(months, runs, ALONE, ours_s, alone_s, alone_s / ours_s, ROUNDS)


def _one_by_one(spec: CompanySpec, drawn: Draws) -> Money:
    return paths(spec, drawn.values, chunk=1).cash


def _check(together: Money, alone: Money) -> None:
    if not np.array_equal(together, alone):
        raise SystemExit("The two do not agree: no figure of this is worth anything.")


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _company(months: int) -> CompanySpec:
    """It sells to teams, by the token, and by the project."""
    task = {"name": "draft", "runs_per_user": 60, "input_tokens": 1500, "output_tokens": 400}
    shared: dict[str, Any] = {
        "growth": 0.04,
        "churn": 0.03,
        "tasks": [task],
        "cost": {"usd_per_million_input": 0.5, "usd_per_million_output": 1.5},
    }
    return company(
        {
            "company": {"start": "2027-01", "months": months, "opening_cash": 900_000, "tax_rate": 0.25},
            "products": [
                {"name": "Team", "price": 99, "customers": 20, "new_customers": 8, "expansion": 0.01, **shared},
                {"name": "API", "model": "usage", "price": 3, "new_customers": 2, "usage_growth": 0.02, **shared},
                {"name": "Pilot", "model": "project", "price": 24_000, "new_customers": 0.2, **shared},
            ],
            "team": [
                {"role": "Founder", "function": "general", "count": 2, "salary": 60_000},
                {"role": "ML engineer", "count": 2, "salary": 110_000, "start": "2027-03"},
                {"role": "Sales", "function": "sales", "salary": 80_000, "start": "2027-06"},
                {"role": "Support", "function": "cogs", "salary": 50_000, "start": "2027-09"},
            ],
            "compute": [{"name": "Fine-tunes", "amount": 1500, "every_months": 3}],
            "expenses": [{"name": "Ads", "function": "sales", "amount": 3000, "growth": 0.02}],
            "funding": [
                {
                    "name": "Bank",
                    "kind": "loan",
                    "month": "2027-05",
                    "amount": 100_000,
                    "interest": 0.06,
                    "repay_months": 24,
                }
            ],
        }
    )


def _table(figures: dict[str, Any], rows: list[Row]) -> str:
    told = (
        f"Three products, {ROUNDS} rounds in turns; load before: {figures['load_before']:.1f}; memory at "
        f"its peak: {figures['peak_bytes'] / 1e6:,.0f} MB."
    )
    lines = [
        told,
        "",
        f"| months | runs | ours, s | one at a time, s (from {ALONE} runs) | times as quick |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.months} | {row.runs:,} | {row.ours_s:.2f} | {row.alone_s:.1f} | {row.ratio:.0f} |" for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)

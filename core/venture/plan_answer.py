"""What `python -m core plan` answers: the plan month by month, its metrics and runway, as JSON and in words.

Amounts are in the company's currency; each is a whole number of cents.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.venture import months
from core.venture.drivers import BASE, ScenarioSpec
from core.venture.metrics import Metric, metrics
from core.venture.money import major, shown
from core.venture.monte_carlo import MonteCarlo, monte_carlo
from core.venture.periods import LENGTH, period, periods
from core.venture.plan import Money, Plan, plan
from core.venture.product_plan import ProductPlan
from core.venture.runway import Runway, runway, sentence, start_raising
from core.venture.spec import CompanySpec

Json = dict[str, Any]
NOT_ADVICE = "Not financial advice."
BASE_NAME = "base"

_ENDS = ("recurring", "owed", "cash")  # of a month's end; the others flow through it
_FLOWS = (
    *("revenue", "cogs", "gross_profit", "research", "sales", "general", "operating_profit", "interest", "tax"),
    *("net_profit", "receipts", "payments", "funding_in", "repayments", "net_burn"),
)
_MOVES = ("mrr_opening", "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation", "mrr")
_COSTS = ("inference", "hosting", "people", "fees", "delivery", "cogs")
_PEOPLE = ("opening", "new", "reactivated", "churned", "customers")


def answer(spec: CompanySpec, *, scenario: str = BASE_NAME, chances: bool = False) -> Json:
    """chances: with Monte Carlo. Raises InvalidInput for a scenario that the file does not have."""
    made = plan(spec, scenario_of(spec, scenario))
    asked = spec.fundraising
    timing = start_raising(made, asked.months_to_close, asked.buffer_months)
    last = period(made.months, max(0, len(made.months) - LENGTH["year"]), len(made.months))
    found: Json = {
        "company": spec.company.name,
        "example": spec.company.example,
        "currency": made.currency,
        "scenario": scenario,
        "sentence": sentence(made, asked.months_to_close, asked.buffer_months),
        "runway": _runway(runway(made)),
        "start_raising": {"month": timing.start, "late": timing.late},
        "opening_cash": _amount(made.opening_cash),
        "metrics": {key: _metric(one, made.currency) for key, one in metrics(made, last).items()},
        "metrics_of": last.label,
        "months": list(made.months),
        "lines": {name: _money(getattr(made, name)) for name in (*_FLOWS, *_ENDS)},
        "headcount": _count(made.headcount),
        "products": [_product(one) for one in made.products],
        "funding": {name: _money(line) for name, line in made.funding.items()},
        "years": _years(made),
        "note": NOT_ADVICE,
    }
    return found | ({"chances": _chances(monte_carlo(spec), spec.company.start)} if chances else {})


def scenario_of(spec: CompanySpec, name: str) -> ScenarioSpec:
    """By its name; base is the plan as written."""
    if name == BASE_NAME:
        return BASE
    if name not in spec.scenarios:
        raise InvalidInput(
            f"'{name}' is no scenario of {spec.company.name}.",
            allowed=f"{', '.join((BASE_NAME, *spec.scenarios))}.",
        )
    return spec.scenarios[name]


def lines(found: Json) -> list[str]:
    """`answer` for a reader at a terminal."""
    currency = found["currency"]
    told = [f"{found['company']}, {found['scenario']}", found["sentence"], ""]
    names = ("revenue", "gross_profit", "operating_profit", "cash")
    told.append("".join((f"{'':24}", *(f"{name.replace('_', ' '):>20}" for name in names))))
    for year in found["years"]:
        told.append("".join((f"{year['period']:24}", *(f"{shown(_exact(year[one]), currency):>20}" for one in names))))
    told += ["", f"Metrics of {found['metrics_of']}"]
    for one in found["metrics"].values():
        note = f"   {one['note']}" if one["note"] else ""
        told.append(f"  {one['label']:36} {one['words']:>24}{note}")
    if "chances" in found:
        told += ["", *_chance_lines(found["chances"])]
    return [*told, "", found["note"]]


def _runway(found: Runway) -> Json:
    return {
        "cash_empty": found.empty,
        "lasts_until": found.lasts_until,
        "months": found.months,
        "asked_at_the_end_of": found.month,
        "months_at_this_burn": found.at_this_burn if isinstance(found.at_this_burn, float) else None,
        "net_burn": _amount(found.net_burn),
        "lowest_cash": _amount(found.lowest),
        "lowest_month": found.lowest_month,
    }


def _metric(one: Metric, currency: str) -> Json:
    return {
        "label": one.label,
        "value": None if one.value is None else float(one.value),
        "unit": one.unit,
        "words": one.words(currency),
        "why": one.why,
        "note": one.note,
        "definition": one.definition,
        "formula": one.formula,
        "source": one.source,
        "inputs": [[name, float(given)] for name, given in one.inputs],
    }


def _product(one: ProductPlan) -> Json:
    money = {name: _money(getattr(one, name)) for name in (*_MOVES, "revenue", "receipts", *_COSTS)}
    people = {name: _count(getattr(one, name)) for name in (*_PEOPLE, "tokens")}
    return {"name": one.name, "model": one.model} | people | money


def _years(made: Plan) -> list[Json]:
    """Flows summed over each year of the plan; cash and headcount at its end."""
    found = []
    for one in periods(made.months, "year"):
        months_of = slice(one.first, one.end)
        flows = {name: _amount(int(getattr(made, name)[0, months_of].sum())) for name in _FLOWS}
        ends = {name: _amount(int(getattr(made, name)[0, one.end - 1])) for name in _ENDS}
        heads = {"headcount": float(made.headcount[0, one.end - 1])}
        found.append({"period": one.label, **flows, **ends, **heads})
    return found


def _chances(found: MonteCarlo, start: str) -> Json:
    return {
        "runs": found.runs,
        "seed": found.seed,
        "runway_months": {f"p{level}": months for level, months in found.runway.items()},
        "start_raising": {f"p{level}": month for level, month in found.start.items()},
        "chance_of_running_out_by_month": {
            months.after(start, at): round(float(chance), 4) for at, chance in enumerate(found.chance_out)
        },
        "influences": [{"driver": one.name, "share_of_variance": round(one.share, 4)} for one in found.influences],
    }


def _chance_lines(found: Json) -> list[str]:
    chances = found["chance_of_running_out_by_month"]
    last = list(chances)[-1]
    spans = ", ".join(
        f"{level.upper()} {f'{months} months' if months is not None else f'more than {len(chances)} months'}"
        for level, months in found["runway_months"].items()
    )
    return [
        f"Chances, {found['runs']:,} runs, seed {found['seed']}",
        f"  Runway: {spans}",
        f"  Out of cash by {months.said(last)}: {chances[last]:.0%}",
    ]


def _money(line: Money) -> list[float]:
    return [_amount(int(one)) for one in line[0]]


def _amount(units: int) -> float:
    """For JSON, which has no decimals: the nearest float, which reads as the cents that it is."""
    return float(major(units))


def _exact(amount: float) -> Any:
    return major(round(amount * 100))


def _count(line: Any) -> list[float]:
    return [float(one) for one in np.round(line[0], 6)]

"""The numbers behind a company's report as CSV files in one zip: each section's own, and where figures are from.

Amounts are in units of the company's currency, cents and all; months are rows. Text is neutralised as everywhere.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from core.errors import InvalidInput
from core.store.columns import utc_now
from core.store.database import Database
from core.venture.comparing import compare
from core.venture.drivers import BASE, NAMES
from core.venture.economics import economics
from core.venture.economics_figures import figures
from core.venture.metrics import metrics
from core.venture.monte_carlo import LEVELS
from core.venture.origin import origin_of_margin
from core.venture.ownership.case import run
from core.venture.raising import bought, milestones
from core.venture.sensitivity import tornado
from core.venture.spec import CompanySpec
from exports.cells import Cell, rows_csv
from exports.company_report import EXAMPLE, NOT_ADVICE, wanted
from exports.company_report_source import Source
from exports.estimate_document import made

CsvRow = dict[str, Cell]
PLAN = (
    *("revenue", "recurring", "cogs", "gross_profit", "research", "sales", "general", "operating_profit", "interest"),
    *("tax", "net_profit", "receipts", "payments", "funding_in", "repayments", "owed", "cash", "net_burn"),
)
COUNTS = ("opening", "new", "reactivated", "churned", "customers", "tokens")
AMOUNTS = (
    *("mrr_opening", "mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation", "mrr", "revenue"),
    *("receipts", "inference", "hosting", "people", "fees", "delivery", "cogs"),
)
README = "README.txt"


def report_csv(
    spec: CompanySpec,
    db: Database,
    *,
    audience: str = "investors",
    sections: Sequence[str] = (),
    at: datetime | None = None,
) -> bytes:
    """A zip. sections, audience: as `exports.company_report.report` takes them; files of what is empty are left out."""
    chosen, reader = wanted(audience, sections)
    of = Source(spec, db, board=reader == "board")
    when = at or utc_now()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        told = [spec.company.name, f"{made(when)}. Amounts in {spec.company.currency}.", NOT_ADVICE]
        _add(archive, README, "\n".join([*told, *([EXAMPLE] if spec.company.example else [])]).encode(), when)
        for section in chosen:
            for name, rows in FILES.get(section, {}).items():
                if found := made_rows(rows, of):
                    _add(archive, f"{name}.csv", rows_csv(found), when)
    return buffer.getvalue()


def made_rows(rows: Callable[[Source], Iterator[CsvRow]], of: Source) -> list[CsvRow]:
    """[] where it cannot be reckoned: the report says why."""
    try:
        return list(rows(of))
    except InvalidInput:
        return []


def _add(archive: zipfile.ZipFile, name: str, data: bytes, at: datetime) -> None:
    """With the time of the report, so that the same report is the same file."""
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def plan_rows(of: Source) -> Iterator[CsvRow]:
    """A row a month."""
    found = of.plan
    if of.is_blank:
        return
    for at, month in enumerate(found.months):
        row: CsvRow = {"month": month, "currency": of.currency}
        row |= {name: int(getattr(found, name)[0, at]) / 100 for name in PLAN}
        yield row | {"headcount": float(found.headcount[0, at])}


def product_rows(of: Source) -> Iterator[CsvRow]:
    """A row a product and month."""
    for one in of.plan.products:
        for at, month in enumerate(of.plan.months):
            row: CsvRow = {"product": one.name, "model": one.model, "month": month}
            row |= {name: float(getattr(one, name)[0, at]) for name in COUNTS}
            yield row | {name: int(getattr(one, name)[0, at]) / 100 for name in AMOUNTS}


def economics_rows(of: Source) -> Iterator[CsvRow]:
    about = of.spec.company
    for product in of.spec.products:
        for one in figures(economics(product, currency=about.currency, per_usd=about.per_usd)):
            yield {
                "product": product.name,
                "figure": one.label,
                "key": one.key,
                "unit": one.unit,
                **one.to_json(),
                "source": one.source,
            }


def provenance_rows(of: Source) -> Iterator[CsvRow]:
    """Every step from a margin down to the runs."""
    about = of.spec.company
    for product in of.spec.products:
        for step in origin_of_margin(product, of.db, currency=about.currency, per_usd=about.per_usd).to_rows():
            yield {"product": product.name, **step}


def metric_rows(of: Source) -> Iterator[CsvRow]:
    if not of.spec.products:
        return
    for year in of.years:
        for one in metrics(of.plan, year).values():
            yield {
                "period": one.period,
                "metric": one.label,
                "key": one.key,
                "unit": one.unit,
                "value": None if one.value is None else float(one.value),
                "why_none": one.why,
                "source": one.source,
            }


def scenario_rows(of: Source) -> Iterator[CsvRow]:
    if of.is_blank:
        return
    found = compare(of.spec)
    for run_of, name in enumerate(found.names):
        for at, month in enumerate(found.plan.months):
            row: CsvRow = {"scenario": name, "month": month}
            yield row | {key: int(getattr(found.plan, key)[run_of, at]) / 100 for key in PLAN}


def driver_rows(of: Source) -> Iterator[CsvRow]:
    for name, one in (("base", BASE), *of.spec.scenarios.items()):
        yield {"scenario": name} | {key: float(getattr(one, key)) for key in NAMES}


def chance_rows(of: Source) -> Iterator[CsvRow]:
    if of.is_blank:
        return
    for at, month in enumerate(of.chances.months):
        row: CsvRow = {"month": month, "chance_cash_below_0": float(of.chances.chance_out[at])}
        for name in ("cash", "revenue", "mrr"):
            fan = getattr(of.chances, name)
            row |= {f"{name}_p{level}": int(fan.at(level)[at]) / 100 for level in LEVELS}
        yield row


def sensitivity_rows(of: Source) -> Iterator[CsvRow]:
    if of.is_blank:
        return
    found = tornado(of.spec)
    for one in found.bars:
        ends = {"at_low": one.at_low, "planned": found.base, "at_high": one.at_high}
        yield {
            "driver": one.label,
            "low": one.low,
            "high": one.high,
            **{f"cash_{name}": None if value is None else value / 100 for name, value in ends.items()},
        }


def ownership_rows(of: Source) -> Iterator[CsvRow]:
    if of.spec.ownership.empty:
        return
    found = run(of.spec.ownership)
    for event in found.past.snapshots:
        for one in event.positions:
            if one.shares:
                yield {
                    "event": event.event,
                    "date": event.day.isoformat() if event.day else "",
                    "holder": one.holder,
                    "kind": one.kind,
                    "class": one.share_class,
                    "shares": one.shares,
                    "ownership": one.shares / event.total,
                }


def exit_rows(of: Source) -> Iterator[CsvRow]:
    if of.spec.ownership.empty:
        return
    found = run(of.spec.ownership)
    for one in found.exits:
        for name, cents in one.holders().items():
            yield {"exit": one.value_cents / 100, "holder": name, "paid": cents / 100}


def funding_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.funding:
        yield {"source": one.name, "kind": one.kind, "month": one.month, "amount": float(one.amount),
               "interest": one.interest, "grace_months": one.grace_months, "repay_months": one.repay_months,
               "terms": one.terms}  # fmt: skip


def team_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.team:
        yield {"role": one.role, "function": one.function, "people": one.count, "salary_a_year": float(one.salary),
               "burden": one.burden, "from": one.start, "to": one.end}  # fmt: skip


def cost_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.compute:
        yield {"cost": one.name, "kind": one.kind, "amount": float(one.amount), "once": one.once,
               "every_months": one.every_months, "from": one.start, "to": one.end, "estimate": one.scenario_name,
               "measurements": " ".join(one.measurement_ids)}  # fmt: skip
    for other in of.spec.expenses:
        yield {"cost": other.name, "kind": other.function, "amount": float(other.amount), "once": other.once,
               "growth": other.growth, "share_of_revenue": other.share_of_revenue, "from": other.start,
               "to": other.end}  # fmt: skip


def milestone_rows(of: Source) -> Iterator[CsvRow]:
    """Rounds with their milestones; a round of none has one row."""
    reached = bought(of.spec.fundraising, [int(one) for one in of.plan.cash[0]], of.plan.months)
    for planned, buys in zip(of.spec.fundraising.planned, reached, strict=True):
        row: CsvRow = {"round": planned.name, "month": planned.month, "amount": float(planned.amount),
                       "pre_money": float(planned.pre_money), "cash_gone_without": buys.without,
                       "cash_gone_with": buys.with_round}  # fmt: skip
        found = milestones(planned, buys.with_round)
        for one in found:
            yield row | {"milestone": one.name, "due": one.due, "cost": one.cost / 100, "covered": one.inside}
        if not found:
            yield row


def pipeline_rows(of: Source) -> Iterator[CsvRow]:
    """The board's alone."""
    for one in of.spec.fundraising.pipeline if of.board else ():
        yield {"investor": one.name, "kind": one.kind, "stage": one.stage, "amount": float(one.amount),
               "chance": one.chance, "next_step": one.next_step,
               "due": one.due.isoformat() if one.due else ""}  # fmt: skip


def market_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.market:
        yield {"company": one.company, "stage": one.stage, "date": one.date.isoformat(), "amount": float(one.amount),
               "valuation": None if one.valuation is None else float(one.valuation),
               "valuation_kind": one.valuation_kind, "source": one.source, "example": one.example}  # fmt: skip


def risk_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.risks:
        yield {"risk": one.title, "topic": one.topic, "likelihood": one.likelihood, "impact": one.impact,
               "weight": one.weight, "owner": one.owner, "mitigation": one.mitigation, "status": one.status,
               "due": one.due.isoformat() if one.due else "",
               "evidence": "; ".join(proof.label or proof.id for proof in one.evidence)}  # fmt: skip


def actual_rows(of: Source) -> Iterator[CsvRow]:
    for one in of.spec.actuals:
        yield {"month": one.month, **{name: float(value) for name, value in one.given().items()}}


FILES: dict[str, dict[str, Callable[[Source], Iterator[CsvRow]]]] = {
    "actuals": {"actuals": actual_rows},
    "products": {"economics": economics_rows, "provenance": provenance_rows, "products": product_rows},
    "metrics": {"metrics": metric_rows},
    "plan": {"plan": plan_rows},
    "scenarios": {"scenarios": scenario_rows, "scenario_drivers": driver_rows},
    "chances": {"chances": chance_rows},
    "sensitivity": {"sensitivity": sensitivity_rows},
    "team": {"team": team_rows},
    "costs": {"costs": cost_rows},
    "funding": {"funding": funding_rows},
    "ownership": {"ownership": ownership_rows, "exits": exit_rows},
    "fundraising": {"rounds": milestone_rows, "pipeline": pipeline_rows},
    "market": {"market": market_rows},
    "risks": {"risks": risk_rows},
}

"""The answer of a plan in a sentence, and the few facts that it rests on: does it work, until when, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from core.venture import months
from core.venture.money import major, short
from core.venture.plan import Plan
from core.venture.product_plan import ProductPlan
from core.venture.risks import RiskSpec
from core.venture.spec import CompanySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Of one run. Months are places in the plan, from 0; None: not within it. empty: the first month whose end has less
    than nothing. lasts: whole months until then, counted from `since`. lowest: where the cash is lowest, and
    lowest_cash: how low, in minor units. earns: from when on the company takes in more
    than it spends, until the end of the plan."""

    empty: int | None
    since: int
    lasts: int | None
    lowest: int
    lowest_cash: int
    earns: int | None
    margin: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMargin:
    """revenue, margin: of the last month in which it sold, in minor units; share: None without revenue."""

    name: str
    month: str
    revenue: int
    margin: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The next milestone or round. month: "YYYY-MM"."""

    what: str
    month: str
    detail: str


def outlook(plan: Plan, run: int = 0, today: str | None = None) -> Outlook:
    """today: the month that the runway is asked in, default this one; the first of the plan where it lies outside."""
    cash, burn = plan.cash[run], plan.net_burn[run]
    below = np.flatnonzero(cash < 0)
    empty = int(below[0]) if below.size else None
    lowest = int(np.argmin(cash))
    spends = np.flatnonzero(burn > 0)
    earns = int(spends[-1]) + 1 if spends.size else 0
    now = today or months.today()
    asked = plan.months.index(now) if now in plan.months else 0
    revenue = int(plan.revenue[run, -1])
    return Outlook(
        empty=empty,
        since=asked,
        lasts=None if empty is None else max(empty - asked, 0),
        lowest=lowest,
        lowest_cash=int(cash[lowest]),
        earns=earns if earns < len(plan.months) and plan.receipts[run].any() else None,
        margin=int(plan.gross_profit[run, -1]) / revenue if revenue else None,
    )


def sentence(plan: Plan, run: int = 0) -> str:
    """The answer, in words."""
    found, names = outlook(plan, run), plan.months
    lowest = short(major(abs(found.lowest_cash)), plan.currency)
    if found.empty is not None:
        text = (
            f"The cash runs out in {months.said(names[found.empty])}"
            if found.empty
            else "There is not enough cash for the first month"
        )
        text += f"; at the lowest, in {months.said(names[found.lowest])}, {lowest} is missing."
    else:
        text = f"The cash lasts through {months.said(names[-1])}; at the lowest, in "
        text += f"{months.said(names[found.lowest])}, {lowest} is left."
    if found.earns is None:
        return f"{text} Within the plan, the company spends more than it takes in."
    if found.earns == 0:
        return f"{text} The company takes in more than it spends from the first month on."
    return f"{text} From {months.said(names[found.earns])} on it takes in more than it spends."


def margins(plan: Plan, run: int = 0) -> tuple[ProductMargin, ...]:
    """Of every product, in the order of the plan."""
    return tuple(_margin(one, plan.months, run) for one in plan.products)


def _margin(one: ProductPlan, names: tuple[str, ...], run: int) -> ProductMargin:
    sold = np.flatnonzero(one.revenue[run])
    at = int(sold[-1]) if sold.size else len(names) - 1
    revenue, cogs = int(one.revenue[run, at]), int(one.cogs[run, at])
    share = (revenue - cogs) / revenue if revenue else None
    return ProductMargin(name=one.name, month=names[at], revenue=revenue, margin=revenue - cogs, share=share)


def next_step(spec: CompanySpec, today: str | None = None) -> NextStep | None:
    """The next planned round or milestone from this month on; None where none is planned."""
    now, currency = today or months.today(), spec.company.currency
    found = list[NextStep]()
    for one in spec.fundraising.planned:
        amount = short(one.amount, currency)
        found.append(NextStep(what=one.name, month=one.month, detail=f"{amount} to raise"))
        for step in one.milestones:
            cost = f"{short(step.cost, currency)} of the {one.name} round" if step.cost else f"after {one.name}"
            found.append(NextStep(what=step.name, month=step.due(one.month), detail=cost))
    return min((one for one in found if one.month >= now), key=lambda one: one.month, default=None)


def open_risks(spec: CompanySpec) -> tuple[RiskSpec, ...]:
    """Neither accepted nor closed, the heaviest first."""
    found = [one for one in spec.risks if one.status in ("open", "in work")]
    return tuple(sorted(found, key=lambda one: (-one.weight, one.due or date.max)))


def founders_share(spec: CompanySpec) -> Decimal | None:
    """Of all shares and options there are today, before anything converts; None without shares."""
    ownership = spec.ownership
    pool = ownership.options_outstanding + ownership.options_promised + ownership.unissued_pool
    whole = sum(one.shares for one in ownership.holders) + pool
    founders = sum(one.shares for one in ownership.holders if one.kind == "founder")
    return Decimal(founders) / whole if whole else None

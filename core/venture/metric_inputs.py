"""The sums of a period of a plan that metrics are made of, in the company's currency.

Customers are those of subscriptions and usage; the customers of a project come for its time and are no churn. What
one customer brings and costs (ARPA, CAC, LTV) is of those products alone, too. The cohort is who was there at the
period's start: it is followed month by month at each product's own rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.venture.metric_formulas import Value, logo_churn
from core.venture.money import major
from core.venture.periods import Period
from core.venture.plan import Plan
from core.venture.product_plan import ProductPlan

QUARTER, YEAR = 3, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Who was there at the start. contraction, churn: of what they pay with their expansion; lost_…: without it."""

    opening: Decimal
    expansion: Decimal
    contraction: Decimal
    churn: Decimal
    lost_contraction: Decimal
    lost_churn: Decimal
    customers: float
    customers_lost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Flows are summed over the period; mrr, cash and customers are of its end. recurring: revenue of subscriptions and
    usage. recurring_cogs: their own, and of the common ones (team, compute, expenses) as large a share as theirs of the
    revenue. new_customers: of subscriptions and usage. monthly_churn: customers lost of those at a month's start.
    cash_out: with interest, tax and repayments. last_net_burn: of the period's last month.
    quarters: revenue of the last three months, of the three before, and their sales and marketing. None: the plan
    does not reach back so far."""

    period: Period
    mrr: Decimal
    new: Decimal
    expansion: Decimal
    reactivation: Decimal
    contraction: Decimal
    churn: Decimal
    net_new_mrr: Decimal
    cohort: Cohort
    revenue: Decimal
    recurring: Decimal
    cogs: Decimal
    recurring_cogs: Decimal
    inference: Decimal
    sales: Decimal
    operating_profit: Decimal
    cash_in: Decimal
    cash_out: Decimal
    net_burn: Decimal
    last_net_burn: Decimal
    cash: Decimal
    customers: float
    customer_months: float
    new_customers: float
    monthly_churn: Value
    year_before: Decimal | None
    quarters: tuple[Decimal, Decimal, Decimal] | None


def facts(plan: Plan, period: Period, run: int = 0) -> Facts:
    """Of one run of the plan."""
    span = slice(period.first, period.end)
    paid_again = [one for one in plan.products if one.model != "project"]

    def flow(*lines: NDArray[np.int64]) -> Decimal:
        return major(sum(int(line[run, span].sum()) for line in lines))

    def moves(name: str) -> Decimal:
        return flow(*(getattr(one, name) for one in paid_again))

    def people(products: Iterable[ProductPlan], name: str) -> float:
        return float(sum(getattr(one, name)[run, span].sum() for one in products))

    new, expansion, back = moves("mrr_new"), moves("mrr_expansion"), moves("mrr_reactivation")
    contraction, churn = moves("mrr_contraction"), moves("mrr_churn")
    last = period.end - 1
    return Facts(
        period=period,
        mrr=major(int(plan.recurring[run, last])),
        new=new,
        expansion=expansion,
        reactivation=back,
        contraction=contraction,
        churn=churn,
        net_new_mrr=new + expansion + back - contraction - churn,
        cohort=_cohort(paid_again, period, run),
        revenue=flow(plan.revenue),
        recurring=flow(plan.recurring),
        cogs=flow(plan.cogs),
        recurring_cogs=_recurring_cogs(plan, paid_again, flow),
        inference=flow(*(one.inference for one in plan.products)),
        sales=flow(plan.sales),
        operating_profit=flow(plan.operating_profit),
        cash_in=flow(plan.receipts),
        cash_out=flow(plan.payments, plan.repayments),
        net_burn=flow(plan.net_burn),
        last_net_burn=major(int(plan.net_burn[run, last])),
        cash=major(int(plan.cash[run, last])),
        customers=float(sum(one.customers[run, last] for one in paid_again)),
        customer_months=people(paid_again, "customers"),
        new_customers=people(paid_again, "new"),
        monthly_churn=logo_churn(people(paid_again, "churned"), people(paid_again, "opening")),
        year_before=_year_before(plan, period, run),
        quarters=_quarters(plan, period, run),
    )


def _recurring_cogs(plan: Plan, paid_again: Iterable[ProductPlan], flow: Callable[..., Decimal]) -> Decimal:
    """The products' own, and of those that no product has to itself a share by revenue."""
    revenue = flow(plan.revenue)
    common = flow(plan.cogs) - flow(*(one.cogs for one in plan.products))
    share = flow(plan.recurring) / revenue if revenue else Decimal(0)
    return flow(*(one.cogs for one in paid_again)) + common * share


def _cohort(products: Iterable[ProductPlan], period: Period, run: int) -> Cohort:
    """Each product's customers of the start at its own monthly rates; whoever came later is left out."""
    opening = expansion = contraction = churn = lost_contraction = lost_churn = customers = customers_lost = 0.0
    for one in products:
        here = kept = float(one.mrr_opening[run, period.first])
        people = float(one.opening[run, period.first])
        opening, customers = opening + here, customers + people
        for month in range(period.first, period.end):
            base, there = float(one.mrr_opening[run, month]), float(one.opening[run, month])
            more, less, gone = (
                float(line[run, month]) / base if base else 0.0
                for line in (one.mrr_expansion, one.mrr_contraction, one.mrr_churn)
            )
            expansion, contraction, churn = expansion + here * more, contraction + here * less, churn + here * gone
            here *= 1 + more - less - gone
            # Contraction may exceed what was there, where expansion came with it in the same month.
            less_of_old = min(less, 1 - gone)
            lost_contraction, lost_churn = lost_contraction + kept * less_of_old, lost_churn + kept * gone
            kept *= 1 - less_of_old - gone
            lost = people * (float(one.churned[run, month]) / there if there else 0.0)
            customers_lost, people = customers_lost + lost, people - lost
    return Cohort(
        opening=major(round(opening)),
        expansion=major(round(expansion)),
        contraction=major(round(contraction)),
        churn=major(round(churn)),
        lost_contraction=major(round(lost_contraction)),
        lost_churn=major(round(lost_churn)),
        customers=customers,
        customers_lost=customers_lost,
    )


def _year_before(plan: Plan, period: Period, run: int) -> Decimal | None:
    first = period.first - YEAR
    return None if first < 0 else major(int(plan.revenue[run, first : period.end - YEAR].sum()))


def _quarters(plan: Plan, period: Period, run: int) -> tuple[Decimal, Decimal, Decimal] | None:
    end, middle, first = period.end, period.end - QUARTER, period.end - 2 * QUARTER
    if first < 0:
        return None
    revenue, sales = plan.revenue[run], plan.sales[run]
    sums = (revenue[middle:end], revenue[first:middle], sales[first:middle])
    now, before, spent = (major(int(one.sum())) for one in sums)
    return now, before, spent

"""The monthly plan: products, people, compute, expenses and funding become revenue, profit, cash and headcount.

One engine for the plan as written, its scenarios, the tornado and Monte Carlo: every array is `[run, month]`, a plan is
one run, and drivers (`core.venture.drivers`) are arrays `[run]`. Money is whole minor units in int64: each line is
rounded once, where it arises, and everything after it is added exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.venture import months
from core.venture.drivers import NAMES, ScenarioSpec
from core.venture.funding import FundingSpec
from core.venture.money import minor
from core.venture.people import FUNCTIONS, ComputeSpec, ExpenseSpec, Function, RoleSpec
from core.venture.product_plan import Drivers, ProductPlan, plan_product
from core.venture.spec import CompanySpec

Money = NDArray[np.int64]
"""[run, month], in minor units of the company's currency."""
Count = NDArray[np.float64]
"""[run, month]"""

MOST = 2**53  # minor units; beyond it a float no longer holds every whole number


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """months: "YYYY-MM", `[month]`. Everything else is `[run, month]`.

    team, compute, expenses: by function. cogs = the products' + compute, team and expenses of that function.
    cash[m] = cash[m-1] + receipts − payments + funding − repayments, where payments are cogs, the three operating
    costs, interest and tax. owed: loans at the month's end.
    """

    currency: str
    months: tuple[str, ...]
    opening_cash: int
    products: tuple[ProductPlan, ...]
    team: dict[Function, Money]
    compute: dict[Function, Money]
    expenses: dict[Function, Money]
    headcount: Count
    revenue: Money
    recurring: Money
    cogs: Money
    gross_profit: Money
    research: Money
    sales: Money
    general: Money
    operating_profit: Money
    interest: Money
    tax: Money
    net_profit: Money
    receipts: Money
    payments: Money
    funding: dict[str, Money]
    funding_in: Money
    repayments: Money
    owed: Money
    cash: Money

    @property
    def net_burn(self) -> Money:
        """Cash out − cash in of the business itself: without funding, with repayments (finance_metrics.md)."""
        return self.payments + self.repayments - self.receipts


def plan(spec: CompanySpec, scenario: ScenarioSpec | None = None) -> Plan:
    """The plan as written, or under a scenario: one run. Raises InvalidInput for amounts that grow beyond counting."""
    scenario = scenario or ScenarioSpec()
    return simulate(spec, {name: np.array([getattr(scenario, name)], dtype=np.float64) for name in NAMES})


def simulate(spec: CompanySpec, drivers: Mapping[str, NDArray[np.float64]]) -> Plan:
    """drivers: by name, `[run]`: factors, and months of hiring delay (rounded to whole ones)."""
    about = spec.company
    given = Drivers(**{name: drivers[name] for name in NAMES})
    runs, count = len(given.price), about.months
    with np.errstate(over="ignore", invalid="ignore"):
        products = tuple(plan_product(one, about, given) for one in spec.products)
    zeros = np.zeros((runs, count), dtype=np.int64)
    team, headcount = _team(spec.team, about.start, given.hiring_delay, zeros)
    compute = _compute(spec.compute, about.start, given.gpu_price, zeros)
    revenue = _sum((one.revenue for one in products), zeros)
    expenses = _expenses(spec.expenses, about.start, given.expenses, revenue)
    cost = {name: team[name] + compute[name] + expenses[name] for name in FUNCTIONS}
    cogs = cost["cogs"] + _sum((one.cogs for one in products), zeros)
    operating = revenue - cogs - cost["research"] - cost["sales"] - cost["general"]
    funding, repayments, interest, owed = _funding(spec.funding, about.start, zeros)
    tax = _tax(operating - interest, about.tax_rate)
    receipts = _sum((one.receipts for one in products), zeros)
    payments = cogs + cost["research"] + cost["sales"] + cost["general"] + interest + tax
    funding_in = _sum(funding.values(), zeros)
    opening = minor(about.opening_cash)
    cash = opening + np.cumsum(receipts - payments + funding_in - repayments, axis=1)
    _check_size(revenue, payments, cash)
    return Plan(
        currency=about.currency,
        months=tuple(months.after(about.start, month) for month in range(count)),
        opening_cash=opening,
        products=products,
        team=team,
        compute=compute,
        expenses=expenses,
        headcount=headcount,
        revenue=revenue,
        recurring=_sum((one.mrr for one in products), zeros),
        cogs=cogs,
        gross_profit=revenue - cogs,
        research=cost["research"],
        sales=cost["sales"],
        general=cost["general"],
        operating_profit=operating,
        interest=interest,
        tax=tax,
        net_profit=operating - interest - tax,
        receipts=receipts,
        payments=payments,
        funding=funding,
        funding_in=funding_in,
        repayments=repayments,
        owed=owed,
        cash=cash,
    )


def span(start: str, first: str | None, last: str | None, count: int) -> tuple[int, int]:
    """Which months of a plan that begins at `start` lie from `first` to `last`: [from, to), within 0 and `count`."""
    begin = 0 if first is None else months.between(start, first)
    end = count if last is None else months.between(start, last) + 1
    return max(begin, 0), min(max(end, 0), count)


def _sum(lines: object, zeros: Money) -> Money:
    total = zeros.copy()
    for line in lines:  # type: ignore[attr-defined]
        total += line
    return total


def _team(
    team: tuple[RoleSpec, ...], start: str, delay: NDArray[np.float64], zeros: Money
) -> tuple[dict[Function, Money], Count]:
    """Salaries and burden of those who are there; a delay moves only those who come after the first month."""
    found = {name: zeros.copy() for name in FUNCTIONS}
    heads = np.zeros(zeros.shape)
    at = np.arange(zeros.shape[1])
    for role in team:
        first, last = span(start, role.start, role.end, zeros.shape[1])
        later = np.rint(delay) if first > 0 else np.zeros_like(delay)
        there = (at[None, :] >= (first + later)[:, None]) & (at[None, :] < last)
        found[role.function] += np.where(there, monthly_cost(role), 0)
        heads += np.where(there, role.count, 0.0)
    return found, heads


def monthly_cost(role: RoleSpec) -> int:
    """What the people of a role cost a month, in minor units."""
    count, burden = Decimal(repr(role.count)), Decimal(repr(role.burden))
    return minor(role.salary * count * (1 + burden) / 12)


def _compute(
    compute: tuple[ComputeSpec, ...], start: str, price: NDArray[np.float64], zeros: Money
) -> dict[Function, Money]:
    found = {name: zeros.copy() for name in FUNCTIONS}
    for one in compute:
        amount = np.rint(minor(one.amount) * price).astype(np.int64)
        for month in compute_months(one, start, zeros.shape[1]):
            found[one.function][:, month] += amount
    return found


def compute_months(one: ComputeSpec, start: str, count: int) -> range:
    """In which months of the plan it is paid. What began before the plan keeps its rhythm."""
    begin = 0 if one.start is None else months.between(start, one.start)
    first, last = span(start, one.start, one.end, count)
    if one.once:
        return range(begin, begin + 1) if 0 <= begin < last else range(0)
    return range(first + (begin - first) % one.every_months, last, one.every_months)


def _expenses(
    expenses: tuple[ExpenseSpec, ...], start: str, factor: NDArray[np.float64], revenue: Money
) -> dict[Function, Money]:
    found = {name: np.zeros_like(revenue) for name in FUNCTIONS}
    for one in expenses:
        begin = 0 if one.start is None else months.between(start, one.start)
        first, last = span(start, one.start, one.end, revenue.shape[1])
        if one.once:
            last = min(last, begin + 1)
        for month in range(first, last):
            grown = minor(one.amount) * (1 + one.growth) ** (month - begin)
            share = revenue[:, month] * one.share_of_revenue
            found[one.function][:, month] += np.rint(grown * factor + share).astype(np.int64)
    return found


def _funding(
    funding: tuple[FundingSpec, ...], start: str, zeros: Money
) -> tuple[dict[str, Money], Money, Money, Money]:
    """What comes in by its name, what is repaid, interest, and what is owed at the end of each month.

    Equal repayments after the months of grace, the last of which takes the cents; interest each month on what was owed
    at its beginning. What came before the plan is in its opening cash, but is still owed.
    """
    came: dict[str, Money] = {}
    repaid, interest, owed = zeros.copy(), zeros.copy(), zeros.copy()
    for place, one in enumerate(funding):
        line, at, amount = zeros.copy(), months.between(start, one.month), minor(one.amount)
        if 0 <= at < zeros.shape[1]:
            line[:, at] = amount
        came[one.name if one.name not in came else f"{one.name} ({place + 1})"] = line
        if one.owed:
            back, due, left = loan_schedule(one, at, zeros.shape[1])
            repaid, interest, owed = repaid + back, interest + due, owed + left
    return came, repaid, interest, owed


def loan_schedule(loan: FundingSpec, at: int, count: int) -> tuple[Money, Money, Money]:
    """Repayment, interest and what is owed, `[month]` from 0. at: the month it came, which may lie before the plan.

    Without `repay_months` it stays owed, at its interest, to the end of the plan."""
    back, due, left = (np.zeros(count, dtype=np.int64) for _ in range(3))
    owed = minor(loan.amount)
    if not loan.repay_months:
        left[max(at, 0) :] = owed
        due[max(at + 1, 0) :] = round(owed * loan.interest / 12)
        return back, due, left
    part = owed // loan.repay_months
    for step in range(1, loan.grace_months + loan.repay_months + 1):
        month, interest = at + step, round(owed * loan.interest / 12)
        last = step == loan.grace_months + loan.repay_months
        pays = 0 if step <= loan.grace_months else owed if last else part
        owed -= pays
        if 0 <= month < count:
            back[month], due[month], left[month] = pays, interest, owed
    if 0 <= at < count:
        left[at] = minor(loan.amount)
    return back, due, left


def _tax(profit: Money, rate: float) -> Money:
    """On the profit of a month after the losses of the months before it."""
    tax = np.zeros_like(profit)
    if rate:
        losses = np.zeros(profit.shape[0], dtype=np.int64)
        for month in range(profit.shape[1]):
            left = profit[:, month] - losses
            losses = np.maximum(-left, 0)
            tax[:, month] = np.rint(np.maximum(left, 0) * rate)
    return tax


def _check_size(*lines: Money) -> None:
    if any(np.abs(line).max(initial=0) > MOST for line in lines):
        raise InvalidInput(
            "The plan grows to more money than there is.",
            allowed=f"Amounts up to {MOST // 100:,} in a month.",
            next_step="Look at the growth of new customers and of usage: both are shares a month.",
        )

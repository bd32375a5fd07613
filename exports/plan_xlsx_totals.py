"""Profit and loss, cash, and the figures investors ask for, month by month, as formulas over the other sheets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.venture.people import FUNCTIONS
from core.venture.plan import Plan
from core.venture.product_plan import ProductPlan
from core.venture.spec import CompanySpec
from exports.plan_book import Line, total

_KINDS = ("team", "compute", "expenses")
_MOVES = (
    ("new", "New MRR", 1),
    ("expansion", "Expansion", 1),
    ("reactivation", "Reactivation", 1),
    ("contraction", "Contraction", -1),
    ("churn", "Churn", -1),
)


def profit_lines(spec: CompanySpec, plan: Plan) -> tuple[Line, ...]:
    products = [f"product{number}" for number in range(1, len(spec.products) + 1)]
    functions = {name: (title, "+".join(f"[{kind}_{name}]" for kind in _KINDS)) for name, title in FUNCTIONS.items()}
    served = "".join(f"+[{one}_cogs]" for one in products)
    taxed = "[operating_profit]-[interest]"
    lost = _carried(plan)
    return (
        _money("revenue", "Revenue", total([f"{one}_revenue" for one in products]), plan.revenue, strong=True),
        _money("cogs", FUNCTIONS["cogs"], functions["cogs"][1] + served, plan.cogs),
        _money("gross_profit", "Gross profit", "[revenue]-[cogs]", plan.gross_profit, strong=True),
        _money("research", *functions["research"], plan.research),
        _money("sales", *functions["sales"], plan.sales),
        _money("general", *functions["general"], plan.general),
        _money(
            "operating_profit",
            "Operating profit",
            "[gross_profit]-[research]-[sales]-[general]",
            plan.operating_profit,
            strong=True,
        ),
        _money("interest_paid", "Interest", "[interest]", plan.interest),
        Line(
            "losses",
            "Losses carried forward",
            f"MAX(0,[losses<]-({taxed}))",
            tuple(lost / 100),
            first=f"MAX(0,-({taxed}))",
        ),
        Line(
            "tax",
            "Tax",
            f"ROUND(MAX(0,{taxed}-[losses<])*tax_rate,2)",
            tuple(plan.tax[0] / 100),
            first=f"ROUND(MAX(0,{taxed})*tax_rate,2)",
        ),
        _money("net_profit", "Net profit", f"{taxed}-[tax]", plan.net_profit, strong=True),
    )


def cash_lines(spec: CompanySpec, plan: Plan) -> tuple[Line, ...]:
    receipts = total([f"product{number}_receipts" for number in range(1, len(spec.products) + 1)])
    opening = (np.concatenate([[plan.opening_cash], plan.cash[0][:-1]]) / 100).tolist()
    costs = "[cogs]+[research]+[sales]+[general]+[interest_paid]+[tax]"
    return (
        Line("cash_before", "Cash at the month's start", "[cash<]", opening, first="ROUND(opening_cash,2)"),
        _money("receipts", "Paid by customers", receipts, plan.receipts),
        _money("payments", "Paid for everything", costs, plan.payments),
        _money("funding_came", "Funding", "[funding_in]", plan.funding_in),
        _money("repaid_loans", "Repayments", "[repayments]", plan.repayments),
        _money(
            "cash",
            "Cash at the month's end",
            "ROUND([cash_before]+[receipts]-[payments]+[funding_came]-[repaid_loans],2)",
            plan.cash,
            strong=True,
        ),
        Line(
            "is_below",
            "Cash was below 0; 1: yes",
            "IF(OR([is_below<]=1,[cash]<0),1,0)",
            tuple(np.maximum.accumulate(plan.cash[0] < 0).astype(float)),
            "index",
            first="IF([cash]<0,1,0)",
        ),
        _money("net_burn", "Net burn, without funding", "ROUND([payments]+[repaid_loans]-[receipts],2)", plan.net_burn),
    )


def metric_lines(spec: CompanySpec, plan: Plan) -> tuple[Line, ...]:
    """Of subscriptions and usage; a project's revenue is never recurring (a16z, "16 Startup Metrics"). What is left of
    a customer's payments is after their products' own costs, and a share by revenue of those all products have."""
    lasting = [
        (f"product{number}", one)
        for number, one in enumerate(plan.products, 1)
        if spec.products[number - 1].model != "project"
    ]
    moved = {
        name: sum((getattr(one, f"mrr_{name}")[0] for _, one in lasting), np.zeros(len(plan.months), dtype=np.int64))
        for name in ("opening", *(name for name, _, _ in _MOVES))
    }
    mrr = plan.recurring[0]
    net_new = mrr - moved["opening"]
    customers = sum((one.customers[0] for _, one in lasting), np.zeros(len(plan.months)))
    gone = moved["churn"] + moved["contraction"]
    burn, cash, revenue = plan.net_burn[0], plan.cash[0], plan.revenue[0]
    months_left = _divided(cash, burn, where=(burn > 0) & (cash > 0))
    lines = [
        _money("mrr_before", "MRR at the month's start", _of(lasting, "mrr_opening"), moved["opening"]),
        *(_money(name, title, _of(lasting, f"mrr_{name}"), moved[name]) for name, title, _ in _MOVES),
        _money("mrr", "MRR at the month's end", _of(lasting, "mrr"), mrr, strong=True),
        _money("arr", "ARR = 12 × MRR", "12*[mrr]", 12 * mrr, strong=True),
        _money("net_new_mrr", "Net new MRR", "ROUND([mrr]-[mrr_before],2)", net_new),
        _ratio("customers", "Customers", _of(lasting, "count"), customers, "tenths", "count"),
        _ratio(
            "arpa",
            "MRR a customer",
            "IF([customers]=0,0,[mrr]/[customers])",
            _divided(mrr / 100, customers, where=customers != 0),
            "price",
            plan.currency,
        ),
        _ratio(
            "nrr",
            "Net revenue retention, of the month",
            "IF([mrr_before]=0,0,([mrr_before]+[expansion]-[contraction]-[churn])/[mrr_before])",
            _divided(moved["opening"] + moved["expansion"] - gone, moved["opening"]),
        ),
        _ratio(
            "grr",
            "Gross revenue retention, of the month",
            "IF([mrr_before]=0,0,([mrr_before]-[contraction]-[churn])/[mrr_before])",
            _divided(moved["opening"] - gone, moved["opening"]),
        ),
        _ratio(
            "gross_margin",
            "Gross margin",
            "IF([revenue]=0,0,[gross_profit]/[revenue])",
            _divided(plan.gross_profit[0], revenue),
        ),
        *_customer_lines(lasting, plan, [f"product{number}" for number in range(1, len(plan.products) + 1)]),
        _ratio(
            "runway",
            "Runway at this month's burn; 0: none, or no burn",
            "IF(AND([net_burn]>0,[cash]>0),[cash]/[net_burn],0)",
            months_left,
            "tenths",
            "months",
        ),
        _ratio(
            "burn_multiple",
            "Burn multiple, of the month; 0: no growth",
            "IF([net_new_mrr]>0,[net_burn]/(12*[net_new_mrr]),0)",
            _divided(burn, 12 * net_new, where=net_new > 0),
            "factor",
            "factor",
        ),
        _ratio(
            "quick_ratio",
            "Quick ratio; 0: nothing lost",
            "IF([churn]+[contraction]=0,0,([new]+[expansion])/([churn]+[contraction]))",
            _divided(moved["new"] + moved["expansion"], gone),
            "factor",
            "factor",
        ),
    ]
    return tuple(lines)


def _customer_lines(
    lasting: Sequence[tuple[str, ProductPlan]], plan: Plan, products: Sequence[str]
) -> tuple[Line, ...]:
    """What a customer of subscriptions and usage costs to win and leaves, as `core.venture.metrics` defines it."""
    none, nothing = np.zeros(len(plan.months)), np.zeros(len(plan.months), dtype=np.int64)
    mrr, revenue = plan.recurring[0], plan.revenue[0]
    own = sum((one.cogs[0] for _, one in lasting), nothing)
    common = plan.cogs[0] - sum((one.cogs[0] for one in plan.products), nothing)
    cogs = (own + common * _divided(mrr, revenue)) / 100
    won, gone, opening, count = (
        sum((getattr(one, name)[0] for _, one in lasting), none) for name in ("new", "churned", "opening", "customers")
    )
    margin = _divided(mrr / 100 - cogs, mrr / 100)
    churn, cac = _divided(gone, opening), _divided(plan.sales[0] / 100, won)
    left = _divided(mrr / 100, count) * margin
    ltv = _divided(left, churn)
    common_of = f"([cogs]-({total([f'{one}_cogs' for one in products])}))"
    return (
        _ratio(
            "recurring_cogs",
            "Cost of revenue, of subscriptions and usage",
            f"IF([revenue]=0,0,{_of(lasting, 'cogs')}+{common_of}*[mrr]/[revenue])",
            np.where(revenue != 0, cogs, 0.0),
            "money",
            "",
        ),
        _ratio(
            "recurring_margin",
            "Gross margin, of subscriptions and usage",
            "IF([mrr]=0,0,([mrr]-[recurring_cogs])/[mrr])",
            margin,
        ),
        _ratio("won", "New customers", _of(lasting, "won"), won, "tenths", "count"),
        _ratio("lost", "Customers lost", _of(lasting, "gone"), gone, "tenths", "count"),
        _ratio("customers_before", "Customers before", _of(lasting, "opening"), opening, "tenths", "count"),
        _ratio("cac", "CAC; 0: no new customers", "IF([won]=0,0,[sales]/[won])", cac, "price", plan.currency),
        _ratio(
            "ltv",
            "LTV; 0: nobody lost",
            "IF([lost]=0,0,[arpa]*[recurring_margin]/([lost]/[customers_before]))",
            ltv,
            "price",
            plan.currency,
        ),
        _ratio("ltv_to_cac", "LTV/CAC; 0: none", "IF([cac]=0,0,[ltv]/[cac])", _divided(ltv, cac), "factor", "factor"),
        _ratio(
            "payback",
            "CAC payback; 0: none",
            "IF([arpa]*[recurring_margin]>0,[cac]/([arpa]*[recurring_margin]),0)",
            _divided(cac, left, where=left > 0),
            "tenths",
            "months",
        ),
    )


def _carried(plan: Plan) -> NDArray[np.int64]:
    """Losses that a later profit is free of tax for, `[month]`."""
    found, left = np.zeros(len(plan.months), dtype=np.int64), 0
    for month, profit in enumerate((plan.operating_profit - plan.interest)[0]):
        left = max(0, left - int(profit))
        found[month] = left
    return found


def _of(products: Sequence[tuple[str, object]], key: str) -> str:
    return total([f"{name}_{key}" for name, _ in products])


def _divided(
    above: NDArray[np.float64] | NDArray[np.int64],
    below: NDArray[np.float64] | NDArray[np.int64],
    *,
    where: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """0 where there is nothing to divide by."""
    fits = below != 0 if where is None else where
    return np.divide(above, below, out=np.zeros(len(above), dtype=np.float64), where=fits)


def _ratio(
    key: str, label: str, formula: str, values: NDArray[np.float64], look: str = "share", unit: str = "share"
) -> Line:
    return Line(key, label, formula, tuple(float(one) for one in values), look, unit=unit)  # type: ignore[arg-type]


def _money(key: str, label: str, formula: str, values: NDArray[np.int64], *, strong: bool = False) -> Line:
    """values: in minor units, `[month]` or of one run."""
    return Line(key, label, formula, tuple(np.atleast_2d(values)[0] / 100), strong=strong)

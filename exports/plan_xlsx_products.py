"""The lines of each product, month by month, as formulas that say what `core.venture.product_plan` computes.

Amounts are rounded to cents where the engine rounds them. A spreadsheet rounds a half away from zero and the engine to
the even cent, so that a line may be a cent off; nothing else differs. Sums that a comparison looks at are rounded too:
where cents cancel out, binary fractions may leave a trace that is not 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.venture.drivers import ScenarioSpec
from core.venture.product_plan import ProductPlan, begins, unit
from core.venture.products import ProductSpec
from core.venture.spec import AboutSpec
from exports.plan_book import Line, Look

Values = NDArray[np.float64]


def product_lines(
    product: ProductSpec, plan: ProductPlan, about: AboutSpec, drivers: ScenarioSpec, number: int
) -> tuple[Line, ...]:
    """drivers: those that the plan was computed with."""
    p = f"product{number}"
    heading = Line(f"{p}_heading", product.name, label_of=f"{p}_name")
    helpers = _helpers(product, about, drivers, p)
    body = _project(plan, p) if product.model == "project" else _subscription(product, plan, p)
    return (heading, *helpers, *body, *_costs(product, plan, p))


def _helpers(product: ProductSpec, about: AboutSpec, drivers: ScenarioSpec, p: str) -> tuple[Line, ...]:
    at = np.arange(about.months)
    launch, _ = begins(product, about.start)
    since = np.maximum(at - launch, 0)
    used = (1 + product.usage_growth) ** since * drivers.tokens_per_user
    price = unit(product, about.per_usd).price / 100 * drivers.price * np.ones(about.months)
    if product.model == "project":
        price = price / product.project_months
    elif product.model == "usage":
        price = price * (used if product.unit == "million_tokens" else (1 + product.usage_growth) ** since)
    how = f"{p}_unit_price*d_price"
    if product.model == "project":
        how += f"/{p}_project_months"
    elif product.model == "usage":
        how += f"*[{p}_used]" if product.unit == "million_tokens" else f"*(1+{p}_usage_growth)^[{p}_since]"
    of = "a project in work" if product.model == "project" else "a customer"
    return (
        _line(f"{p}_since", "Months since the launch", f"MAX(0,[m]-{p}_launch_at)", since, "index", "months"),
        _line(
            f"{p}_used",
            "Usage, against the launch",
            f"(1+{p}_usage_growth)^[{p}_since]*d_tokens_per_user",
            used,
            "factor",
            "factor",
        ),
        _line(f"{p}_monthly_price", f"Brings a month: {of}", how, price, "price", about.currency),
    )


def _won(p: str) -> str:
    """Those whom the effort of a sales cycle earlier won, and whom a launch within the plan begins with. The first
    month apart: 0 to the power of 0 is no number."""
    since = f"([m]-{p}_first_at)"
    grown = f"MAX(0,1+{p}_growth+ABS({p}_growth)*(d_growth-1))^{since}"
    won = f"IF([m]<{p}_first_at,0,{p}_new*d_new_customers*IF([m]={p}_first_at,1,{grown}))"
    return f"{won}+IF(AND([m]>0,[m]={p}_launch_at),{p}_customers,0)"


def _already(p: str) -> str:
    """Customers, or projects under way, when the plan begins."""
    return f"IF({p}_launch_at=0,{p}_customers,0)"


def _subscription(product: ProductSpec, plan: ProductPlan, p: str) -> tuple[Line, ...]:
    lost = np.cumsum(plan.churned[0] - plan.reactivated[0])
    churn = f"MIN(1,{p}_churn*d_churn)"
    used = f"IF([m]>{p}_launch_at,{p}_usage_growth*(1-{churn}),0)" if product.model == "usage" else "0"
    begun = f"ROUND({_already(p)}*[{p}_monthly_price],2)"
    moves = (("new", 1), ("expansion", 1), ("contraction", -1), ("churn", -1), ("reactivation", 1))
    summed = f"[{p}_mrr_opening]" + "".join(f"{'+' if way > 0 else '-'}[{p}_mrr_{name}]" for name, way in moves)
    opening = f"[{p}_mrr_opening]"
    return (
        _count(p, "opening", "Customers at the month's start", f"[{p}_count<]", plan.opening, _already(p)),
        _count(p, "won", "New", _won(p), plan.new),
        _count(p, "back", "Come back", f"[{p}_lost<]*{p}_reactivation", plan.reactivated, "0"),
        _count(p, "gone", "Lost", f"[{p}_opening]*{churn}", plan.churned),
        _count(
            p,
            "count",
            "Customers at the month's end",
            f"[{p}_opening]+[{p}_won]+[{p}_back]-[{p}_gone]",
            plan.customers,
            strong=True,
        ),
        Line(
            f"{p}_lost",
            "Lost so far, who may come back",
            f"[{p}_lost<]+[{p}_gone]-[{p}_back]",
            tuple(float(one) for one in lost),
            "tenths",
            first=f"[{p}_gone]-[{p}_back]",
            unit="count",
        ),
        _money(p, "mrr_opening", "MRR at the month's start", f"[{p}_mrr<]", plan.mrr_opening, first=begun),
        _money(p, "mrr_new", "New MRR", f"ROUND([{p}_won]*[{p}_monthly_price],2)", plan.mrr_new),
        _money(
            p,
            "mrr_expansion",
            "Expansion",
            f"ROUND({opening}*({p}_expansion*d_expansion+MAX(0,{used})),2)",
            plan.mrr_expansion,
        ),
        _money(
            p,
            "mrr_contraction",
            "Contraction",
            f"MIN(ROUND({opening}*({p}_contraction+MAX(0,-{used})),2),"
            f"ROUND({opening}+[{p}_mrr_expansion]-[{p}_mrr_churn],2))",
            plan.mrr_contraction,
        ),
        _money(p, "mrr_churn", "Churn", f"ROUND({opening}*{churn},2)", plan.mrr_churn),
        _money(
            p,
            "mrr_reactivation",
            "Reactivation",
            f"ROUND([{p}_back]*[{p}_monthly_price],2)",
            plan.mrr_reactivation,
        ),
        _money(p, "mrr", "MRR at the month's end", f"ROUND({summed},2)", plan.mrr, strong=True),
        _money(p, "revenue", "Revenue", f"[{p}_mrr]", plan.revenue, strong=True),
    )


def _project(plan: ProductPlan, p: str) -> tuple[Line, ...]:
    their_end = f"IF([m]={p}_project_months,{_already(p)},0)"
    return (
        _count(p, "opening", "Projects in work before", f"[{p}_count<]", plan.opening, _already(p)),
        _count(p, "won", "Begun", _won(p), plan.new),
        _count(p, "gone", "Done", f"{_later(f'{p}_won', f'{p}_project_months')}+{their_end}", plan.churned),
        _count(
            p,
            "count",
            "Projects in work",
            f"[{p}_opening]+[{p}_won]-[{p}_gone]",
            plan.customers,
            strong=True,
        ),
        _money(p, "revenue", "Revenue", f"ROUND([{p}_count]*[{p}_monthly_price],2)", plan.revenue, strong=True),
    )


def _costs(product: ProductSpec, plan: ProductPlan, p: str) -> tuple[Line, ...]:
    count = f"[{p}_count]"
    delivery = f"ROUND({count}*{p}_delivery/{p}_project_months,2)" if product.model == "project" else "0"
    parts: tuple[tuple[str, str, str, NDArray[np.int64]], ...] = (
        ("inference", "Inference", f"ROUND({count}*[{p}_used]*{p}_inference*d_gpu_price,2)", plan.inference),
        ("hosted", "Hosting", f"ROUND({count}*{p}_hosting,2)", plan.hosting),
        ("people_cost", "People in the loop", f"ROUND({count}*{p}_people,2)", plan.people),
        ("fees", "Payment fees", f"ROUND([{p}_revenue]*{p}_fee,2)", plan.fees),
        ("delivered", "Delivery", delivery, plan.delivery),
    )
    cogs = "+".join(f"[{p}_{key}]" for key, *_ in parts)
    margin = np.divide(
        (plan.revenue - plan.cogs)[0], plan.revenue[0], out=np.zeros(plan.revenue.shape[1]), where=plan.revenue[0] != 0
    )
    share = f"IF([{p}_revenue]=0,0,([{p}_revenue]-[{p}_cogs])/[{p}_revenue])"
    return (
        _money(p, "receipts", "Paid by customers", _later(f"{p}_revenue", f"{p}_payment_delay"), plan.receipts),
        _line(f"{p}_all_tokens", "Tokens", f"{count}*{p}_tokens*[{p}_used]", plan.tokens[0], "count", "tokens"),
        *(_money(p, key, name, formula, values) for key, name, formula, values in parts),
        _money(p, "cogs", "Cost of revenue", cogs, plan.cogs, strong=True),
        _line(f"{p}_margin", "Gross margin", share, margin, "share", "share"),
    )


def _later(line: str, delay: str) -> str:
    """So many months later."""
    return f"IF([m]<{delay},0,INDEX([{line}!],1,[m]-{delay}+1))"


def _line(key: str, label: str, formula: str, values: Sequence[float] | Values, look: Look, unit: str) -> Line:
    return Line(key, label, formula, tuple(float(one) for one in values), look, unit=unit)


def _count(
    p: str, key: str, label: str, formula: str, values: Values, first: str | None = None, *, strong: bool = False
) -> Line:
    found = tuple(float(one) for one in values[0])
    return Line(f"{p}_{key}", label, formula, found, "tenths", first=first, unit="count", strong=strong)


def _money(
    p: str,
    key: str,
    label: str,
    formula: str,
    values: NDArray[np.int64],
    *,
    first: str | None = None,
    strong: bool = False,
) -> Line:
    """values: in minor units, `[run, month]`."""
    return Line(f"{p}_{key}", label, formula, tuple(values[0] / 100), "money", first=first, strong=strong)

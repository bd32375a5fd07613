"""Team, compute, other expenses and funding month by month, as formulas that say what `core.venture.plan` computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.venture import months
from core.venture.drivers import ScenarioSpec
from core.venture.funding import FundingSpec
from core.venture.money import major, minor
from core.venture.people import FUNCTIONS, Function
from core.venture.plan import Plan, compute_months, loan_schedule, monthly_cost, span
from core.venture.spec import CompanySpec
from exports.plan_book import Line, total

REPAYABLE = ("savings", "family", "loan")  # what a source may be for repayment to be typed in


def team_lines(spec: CompanySpec, plan: Plan, drivers: ScenarioSpec) -> tuple[Line, ...]:
    """Heads of each role, then what they cost, then the costs by function. A delay moves only who is still to come."""
    count, start = spec.company.months, spec.company.start
    delay = round(drivers.hiring_delay)
    heads, costs = [], []
    at = np.arange(count)
    for number, role in enumerate(spec.team, 1):
        r = f"role{number}"
        first, last = span(start, role.start, role.end, count)
        there = (at >= first + (delay if first > 0 else 0)) & (at < last)
        here = f"AND([m]>={r}_from+IF({r}_from>0,hiring_delay_whole,0),[m]<{r}_until)"
        heads.append(
            Line(
                f"{r}_heads",
                role.role,
                f"IF({here},{r}_count,0)",
                tuple(there * float(role.count)),
                "tenths",
                unit="people",
                label_of=f"{r}_role",
            )
        )
        costs.append(
            Line(
                f"{r}_cost",
                role.role,
                f"IF({here},{r}_monthly,0)",
                tuple(there * float(major(monthly_cost(role)))),
                unit=FUNCTIONS[role.function],
                unit_of=f"{r}_function",
                label_of=f"{r}_role",
            )
        )
    return (
        Line("heads_heading", "People"),
        *heads,
        Line(
            "headcount",
            "Headcount",
            total([one.key for one in heads]),
            tuple(plan.headcount[0]),
            "tenths",
            unit="people",
            strong=True,
        ),
        Line("team_heading", "Salaries and what comes on top"),
        *costs,
        *_by_function("team", [one.key for one in costs], plan.team),
    )


def compute_lines(spec: CompanySpec, plan: Plan, drivers: ScenarioSpec) -> tuple[Line, ...]:
    """Of those that began before the plan, the rhythm goes on."""
    lines = []
    for number, one in enumerate(spec.compute, 1):
        c = f"compute{number}"
        paid = np.zeros(spec.company.months)
        amount = float(np.rint(minor(one.amount) * drivers.gpu_price)) / 100
        paid[list(compute_months(one, spec.company.start, spec.company.months))] = amount
        when = f'IF({c}_once="yes",[m]={c}_from,MOD([m]-{c}_from,{c}_every)=0)'
        lines.append(
            Line(
                f"{c}_cost",
                one.name,
                f"IF(AND([m]>={c}_from,[m]<{c}_until,{when}),ROUND(ROUND({c}_amount,2)*d_gpu_price,2),0)",
                tuple(paid),
                unit=FUNCTIONS[one.function],
                unit_of=f"{c}_function",
                label_of=f"{c}_name",
            )
        )
    return (*lines, *_by_function("compute", [one.key for one in lines], plan.compute))


def expense_lines(spec: CompanySpec, plan: Plan, drivers: ScenarioSpec) -> tuple[Line, ...]:
    lines = []
    count, start = spec.company.months, spec.company.start
    for number, one in enumerate(spec.expenses, 1):
        e = f"expense{number}"
        begin = 0 if one.start is None else months.between(start, one.start)
        first, last = span(start, one.start, one.end, count)
        paid = np.zeros(count)
        for month in range(first, min(last, begin + 1) if one.once else last):
            grown = minor(one.amount) * (1 + one.growth) ** (month - begin)
            paid[month] = np.rint(grown * drivers.expenses + plan.revenue[0, month] * one.share_of_revenue) / 100
        when = f'[m]>={e}_from,[m]<{e}_until,OR({e}_once="no",[m]={e}_from)'
        grown_to = f"ROUND({e}_amount,2)*(1+{e}_growth)^([m]-{e}_from)*d_expenses"
        lines.append(
            Line(
                f"{e}_cost",
                one.name,
                f"IF(AND({when}),ROUND({grown_to}+[revenue]*{e}_share,2),0)",
                tuple(paid),
                unit=FUNCTIONS[one.function],
                unit_of=f"{e}_function",
                label_of=f"{e}_name",
            )
        )
    return (*lines, *_by_function("expenses", [one.key for one in lines], plan.expenses))


def funding_lines(spec: CompanySpec, plan: Plan) -> tuple[Line, ...]:
    """What comes in, and of what may be repaid: what is owed, paid back and due in interest, each from the month's
    number alone, so that money of before the plan is in the middle of its repayment when it begins."""
    came, loans = [], []
    for number, (one, values) in enumerate(zip(spec.funding, plan.funding.values(), strict=True), 1):
        f = f"funding{number}"
        came.append(
            Line(
                f"{f}_in",
                one.name,
                f"IF([m]={f}_at,ROUND({f}_amount,2),0)",
                tuple(values[0] / 100),
                label_of=f"{f}_name",
            )
        )
        if one.kind in REPAYABLE:
            loans += _loan(one, f, months.between(spec.company.start, one.month), spec.company.months)
    parts: Mapping[str, tuple[str, Any]] = {
        "repaid": ("Repayments", plan.repayments),
        "interest": ("Interest", plan.interest),
        "owed": ("Owed at the month's end", plan.owed),
    }
    sums = [
        Line(
            {"repaid": "repayments"}.get(part, part),
            title,
            total([line.key for line in loans if line.key.endswith(f"_{part}")]),
            tuple(values[0] / 100),
            strong=True,
        )
        for part, (title, values) in parts.items()
    ]
    return (
        Line("funding_heading", "Comes in"),
        *came,
        Line("funding_in", "Funding", total([one.key for one in came]), tuple(plan.funding_in[0] / 100), strong=True),
        Line("loans_heading", "Is paid back"),
        *loans,
        *sums,
    )


def _loan(loan: FundingSpec, f: str, at: int, count: int) -> list[Line]:
    """Equal parts after the months of grace; the last takes the cents. step: months since the money came. Without
    repayment a loan stays owed to the plan's end, and so does what has interest."""
    if loan.owed:
        back, due, left = loan_schedule(loan, at, count)
    else:
        back, due, left = (np.zeros(count, dtype=np.int64) for _ in range(3))
    step, ends, amount = f"[{f}_step]", f"({f}_grace+{f}_repay)", f"ROUND({f}_amount,2)"
    steps = np.arange(count) - at
    # Of the step before: what interest is due on.
    open_at = f"IF({step}<=1,{amount},MAX(0,{amount}-MAX(0,{step}-1-{f}_grace)*{f}_part))"
    stays = f"{f}_repay=0" if loan.kind == "loan" else f"AND({f}_repay=0,{f}_interest>0)"
    running = f"AND({f}_repay>0,{step}>=1,{step}<={ends})"
    owed = f"IF(AND({f}_repay>0,{step}>=0,{step}<{ends}),{amount}-MAX(0,{step}-{f}_grace)*{f}_part,0)"
    owed = f"IF({stays},IF({step}>=0,{amount},0),{owed})"
    bears = f"OR({running},AND({stays},{step}>=1))"
    interest = f"IF({bears},ROUND(IF({stays},{amount},{open_at})*{f}_interest/12,2),0)"
    pays = f"IF({step}<={f}_grace,0,IF({step}={ends},{open_at},{f}_part))"
    rows: tuple[tuple[str, str, str, Sequence[float], str], ...] = (
        ("step", "months since", f"[m]-{f}_at", tuple(float(one) for one in steps), "months"),
        ("owed", "owed", owed, tuple(left / 100), ""),
        ("repaid", "repaid", f"IF({running},{pays},0)", tuple(back / 100), ""),
        ("interest", "interest", interest, tuple(due / 100), ""),
    )
    return [
        Line(
            f"{f}_{key}",
            f"{loan.name}: {what}",
            formula,
            values,
            "index" if key == "step" else "money",
            unit=unit,
        )
        for key, what, formula, values, unit in rows
    ]


def _by_function(kind: str, keys: Sequence[str], values: Mapping[Function, NDArray[np.int64]]) -> tuple[Line, ...]:
    """Sums of the lines above by the function that stands in the column of units."""
    found = []
    for name, title in FUNCTIONS.items():
        formula = f'SUMIF([{keys[0]}|{keys[-1]}@],"{title}",[{keys[0]}|{keys[-1]}])' if keys else "0"
        found.append(Line(f"{kind}_{name}", f"In all: {title}", formula, tuple(values[name][0] / 100), strong=True))
    return tuple(found)

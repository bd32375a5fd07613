"""A plan as statements: profit and loss, cash, people, by month, quarter or year; lines add up to the cent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.venture.money import major
from core.venture.people import FUNCTIONS
from core.venture.periods import Period, Span, periods
from core.venture.plan import Plan

Which = Literal["profit", "cash", "people"]
STATEMENTS: dict[Which, str] = {"profit": "Profit and loss", "cash": "Cash", "people": "People"}
Kind = Literal["flow", "stock", "opening"]
Values = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """values: of each period; money as Decimal, people as numbers. A flow is summed over the period, a stock is of its
    end, an opening of its beginning. strong: a sum. within: part of the line above."""

    label: str
    values: tuple[Decimal | float, ...]
    kind: Kind = "flow"
    strong: bool = False
    within: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    which: Which
    title: str
    currency: str
    periods: tuple[Period, ...]
    lines: tuple[Line, ...]


def statement(plan: Plan, which: Which, span: Span, run: int = 0) -> Statement:
    """Lines that are 0 throughout are left out, sums stay."""
    makes: Mapping[Which, Callable[[_Maker], list[Line]]] = {"profit": _profit, "cash": _cash, "people": _people}
    maker = _Maker(plan, periods(plan.months, span), run)
    lines = tuple(one for one in makes[which](maker) if one.strong or any(one.values))
    title = STATEMENTS[which]
    return Statement(which=which, title=title, currency=plan.currency, periods=maker.periods, lines=lines)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes lines of one run, over these periods."""

    plan: Plan
    periods: tuple[Period, ...]
    run: int

    def money(self, label: str, values: Values, *, kind: Kind = "flow", sign: int = 1, **more: object) -> Line:
        """values: [run, month], in minor units."""
        found = tuple(major(sign * int(one)) for one in self._over(values[self.run], kind))
        return Line(label=label, values=found, kind=kind, **more)  # type: ignore[arg-type]

    def count(self, label: str, values: Values, *, kind: Kind = "stock", **more: object) -> Line:
        found = tuple(float(one) for one in self._over(values[self.run], kind))
        return Line(label=label, values=found, kind=kind, **more)  # type: ignore[arg-type]

    def _over(self, values: Values, kind: Kind) -> list[np.int64 | np.float64]:
        if kind == "flow":
            return [values[one.first : one.end].sum() for one in self.periods]
        return [values[one.end - 1 if kind == "stock" else one.first] for one in self.periods]

    def products(self, name: str, *, recurring: bool | None = None) -> Values:
        """The sum of a line of all products; recurring: of those that are, or of projects."""
        total = np.zeros_like(self.plan.revenue)
        for one in self.plan.products:
            if recurring is None or recurring == (one.model != "project"):
                total = total + getattr(one, name)
        return total


def _profit(make: _Maker) -> list[Line]:
    plan = make.plan
    own = plan.team["cogs"] + plan.expenses["cogs"] + plan.compute["cogs"]
    return [
        make.money("Revenue", plan.revenue, strong=True),
        make.money("Recurring", plan.recurring, within=True, help="Subscriptions and usage."),
        make.money("Projects", make.products("revenue", recurring=False), within=True, help="Never recurring revenue."),
        make.money("Cost of revenue (COGS)", plan.cogs, strong=True, help="What serving the customers costs."),
        make.money("Inference", make.products("inference"), within=True, help="Tokens that customers use."),
        make.money("Hosting", make.products("hosting"), within=True),
        make.money("People in the loop", make.products("people"), within=True),
        make.money("Payment fees", make.products("fees"), within=True),
        make.money("Delivery of projects", make.products("delivery"), within=True),
        make.money("Own staff, serving and other", own, within=True),
        make.money("Gross profit", plan.gross_profit, strong=True),
        make.money(FUNCTIONS["research"], plan.research),
        make.money(FUNCTIONS["sales"], plan.sales),
        make.money(FUNCTIONS["general"], plan.general),
        make.money("Operating profit", plan.operating_profit, strong=True),
        make.money("Interest", plan.interest),
        make.money("Tax", plan.tax, help="On profit that losses of earlier months do not cover."),
        make.money("Net profit", plan.net_profit, strong=True),
    ]


def _cash(make: _Maker) -> list[Line]:
    plan = make.plan
    before = np.concatenate([np.full((plan.cash.shape[0], 1), plan.opening_cash), plan.cash[:, :-1]], axis=1)
    costs = plan.cogs + plan.research + plan.sales + plan.general
    return [
        make.money("Cash at the beginning", before, kind="opening", strong=True),
        make.money("From customers", plan.receipts, help="Revenue, when it is paid."),
        make.money("Costs", costs, sign=-1),
        make.money("Interest", plan.interest, sign=-1),
        make.money("Tax", plan.tax, sign=-1),
        *(make.money(name, line, within=True, help="Funding.") for name, line in plan.funding.items()),
        make.money("Repayments", plan.repayments, sign=-1),
        make.money("Cash at the end", plan.cash, kind="stock", strong=True),
        make.money("Net burn", plan.net_burn, help="Cash out less cash in, without funding."),
        make.money("Owed on loans", plan.owed, kind="stock"),
    ]


def _people(make: _Maker) -> list[Line]:
    plan = make.plan
    return [
        make.count("People at the end", plan.headcount, strong=True, help="Full-time places of all functions."),
        *(
            make.money(
                f"Pay, {label[:1].lower()}{label[1:]}", plan.team[name], help="Salaries with taxes and benefits."
            )
            for name, label in FUNCTIONS.items()
        ),
    ]

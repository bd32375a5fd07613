"""Where the money comes from and where it goes: sources → company → uses, and what flows back to those who gave it.

Whole minor units of one run, added up over months of a plan: sources = uses + returns + what is left, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.venture.funding import KINDS
from core.venture.money import major
from core.venture.people import FUNCTIONS
from core.venture.plan import Money, Plan
from core.venture.spec import CompanySpec

Group = Literal["start", "funding", "revenue", "compute", "people", "marketing", "other", "return", "end"]
GROUPS: dict[Group, str] = {
    "start": "In the bank before",
    "funding": "Funding",
    "revenue": "Revenue",
    "compute": "R&D and compute",
    "people": "People",
    "marketing": "Marketing",
    "other": "Other",
    "return": "Flows back",
    "end": "In the bank after",
}
_PEOPLE = {
    "cogs": "People: serving",
    "research": "People: research",
    "sales": "People: sales",
    "general": "People: administration",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """amount: minor units, above 0."""

    name: str
    group: Group
    amount: int


@dataclass(frozen=True, slots=True)
class Flows:
    """first, last: months. sources, uses, returns: only what is not 0, in order of their kind. opening, closing: cash
    before and after; below 0, closing is a source that is missing, and opening a use that was owed."""

    currency: str
    first: str
    last: str
    sources: tuple[Flow, ...]
    uses: tuple[Flow, ...]
    returns: tuple[Flow, ...]
    opening: int
    closing: int

    @property
    def came(self) -> int:
        return sum(one.amount for one in self.sources)

    @property
    def went(self) -> int:
        return sum(one.amount for one in (*self.uses, *self.returns))

    @property
    def missing(self) -> int:
        """What the sources do not cover, in minor units; 0 where they do."""
        return max(-self.closing, 0)


def flows(spec: CompanySpec, plan: Plan, first: int = 0, end: int | None = None, run: int = 0) -> Flows:
    """first, end: of the plan's months, [first, end); default: all. spec: whose plan it is. Funding is told by its
    kind; receipts, not revenue, are what came in."""
    last = len(plan.months) if end is None else end
    cut = slice(first, last)

    def total(*lines: Money) -> int:
        return sum(int(np.sum(line[run, cut])) for line in lines)

    opening = plan.opening_cash if first == 0 else int(plan.cash[run, first - 1])
    came = {KINDS[kind]: 0 for kind in KINDS}
    for given, line in zip(spec.funding, plan.funding.values(), strict=True):
        came[KINDS[given.kind]] += total(line)
    sources = [
        Flow("In the bank at the start", "start", max(opening, 0)),
        *(Flow(name, "funding", amount) for name, amount in came.items()),
        *(Flow(f"Revenue: {one.name}", "revenue", total(one.receipts)) for one in plan.products),
    ]
    uses = [
        Flow("Owed at the start", "start", max(-opening, 0)),
        Flow("Inference and hosting", "compute", total(*(one.inference + one.hosting for one in plan.products))),
        Flow("Training, tests, serving", "compute", total(*plan.compute.values())),
        Flow("Tools and research", "compute", total(plan.expenses["research"])),
        *(Flow(_PEOPLE[name], "people", total(plan.team[name])) for name in FUNCTIONS),
        Flow("Marketing and selling", "marketing", total(plan.expenses["sales"])),
        Flow(
            "Delivery, reviewers, fees",
            "other",
            total(plan.expenses["cogs"], *(one.people + one.fees + one.delivery for one in plan.products)),
        ),
        Flow("Administration", "other", total(plan.expenses["general"])),
    ]
    returns = [
        Flow("Repayments", "return", total(plan.repayments)),
        Flow("Interest", "return", total(plan.interest)),
        Flow("Tax", "return", total(plan.tax)),
    ]
    return Flows(
        currency=plan.currency,
        first=plan.months[first],
        last=plan.months[last - 1],
        sources=_some(sources),
        uses=_some(uses),
        returns=_some(returns),
        opening=opening,
        closing=int(plan.cash[run, last - 1]),
    )


def _some(found: Iterable[Flow]) -> tuple[Flow, ...]:
    return tuple(one for one in found if one.amount)


def flow_rows(found: Flows) -> list[dict[str, str | float]]:
    """For a CSV: every flow, and what is left, which is below 0 where money is missing."""
    parts = (("source", found.sources), ("use", found.uses), ("return", found.returns))
    lines = [(side, GROUPS[one.group], one.name, one.amount) for side, flows in parts for one in flows]
    lines.append(("left", GROUPS["end"], "In the bank at the end", found.closing))
    return [
        {
            "from": found.first,
            "to": found.last,
            "currency": found.currency,
            "side": side,
            "group": group,
            "flow": name,
            "amount": float(major(amount)),
        }
        for side, group, name, amount in lines
    ]

"""What the sections of a company's report are made from: the company, its plan, and the record that origins are in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.store.database import Database
from core.venture.money import major, short, shown
from core.venture.monte_carlo import MonteCarlo, monte_carlo
from core.venture.periods import Period, periods
from core.venture.plan import Plan, plan
from core.venture.spec import CompanySpec
from exports.company_report_parts import Notes


@dataclass
class Source:
    """What sections are made from. board: for the board, who may see what investors may not."""

    spec: CompanySpec
    db: Database
    board: bool
    notes: Notes = field(default_factory=Notes)

    @cached_property
    def plan(self) -> Plan:
        return plan(self.spec)

    @cached_property
    def chances(self) -> MonteCarlo:
        return monte_carlo(self.spec)

    @property
    def currency(self) -> str:
        return self.spec.company.currency

    @property
    def is_blank(self) -> bool:
        spec = self.spec
        planned = (spec.products, spec.team, spec.compute, spec.expenses, spec.funding)
        return not any(planned) and not spec.company.opening_cash

    @property
    def years(self) -> tuple[Period, ...]:
        return periods(self.plan.months, "year")

    def money(self, cents: int | np.int64) -> str:
        return shown(major(int(cents)), self.currency)

    def short(self, cents: int | np.int64) -> str:
        return short(major(int(cents)), self.currency)


def amounts(values: NDArray[np.int64]) -> list[float | None]:
    """In units of the currency, for pictures."""
    return [float(one) / 100 for one in values]

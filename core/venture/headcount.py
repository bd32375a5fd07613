"""Who is there when: the roles of a plan as spans of months, and heads by function, as the plan counts them."""

from __future__ import annotations

from dataclasses import dataclass

from core.venture.people import FUNCTIONS, Function
from core.venture.plan import monthly_cost, span
from core.venture.spec import CompanySpec


@dataclass(frozen=True, slots=True)
class Seat:
    """A role in the plan's months: [first, end) from 0. monthly: minor units, burden included, of all its people."""

    role: str
    function: Function
    count: float
    first: int
    end: int
    monthly: int

    @property
    def there(self) -> bool:
        """Whether it falls into the plan at all."""
        return self.first < self.end


def seats(spec: CompanySpec) -> tuple[Seat, ...]:
    """In the order of the team."""
    about = spec.company
    return tuple(
        Seat(one.role, one.function, one.count, *span(about.start, one.start, one.end, about.months), monthly_cost(one))
        for one in spec.team
    )


def heads(spec: CompanySpec) -> dict[Function, list[float]]:
    """People by function, a month; all functions, in their order."""
    found: dict[Function, list[float]] = {name: [0.0] * spec.company.months for name in FUNCTIONS}
    for one in seats(spec):
        for month in range(one.first, one.end):
            found[one.function][month] += one.count
    return found

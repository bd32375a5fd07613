"""Who is there when: spans within the plan, and the same heads as the plan counts."""

from __future__ import annotations

import pytest

from core.venture.examples import example_document
from core.venture.headcount import heads, seats
from core.venture.plan import plan
from core.venture.spec import company


def test_heads_by_function_are_the_plans_headcount() -> None:
    spec = company(example_document())
    by_function, counted = heads(spec), plan(spec).headcount[0]
    for month in range(spec.company.months):
        assert sum(line[month] for line in by_function.values()) == pytest.approx(float(counted[month]))


def test_a_role_is_cut_to_the_plan() -> None:
    team = [
        {"role": "A", "salary": 1200, "start": "2026-01", "end": "2027-02"},
        {"role": "B", "salary": 1200, "start": "2029-01"},
        {"role": "C", "salary": 1200, "burden": 0.5, "count": 2},
    ]
    a, b, c = seats(company({"company": {"start": "2027-01", "months": 6}, "team": team}))
    assert (a.first, a.end, a.there) == (0, 2, True)
    assert not b.there
    assert (c.first, c.end, c.monthly) == (0, 6, 30_000)

from __future__ import annotations

from decimal import Decimal

import pytest

from core.venture.periods import Span
from core.venture.plan import plan
from core.venture.spec import company
from core.venture.statement import STATEMENTS, Line, Statement, Which, statement
from tests.venture.companies import START, everything


def line(found: Statement, label: str) -> Line:
    return next(one for one in found.lines if one.label == label)


@pytest.mark.parametrize("span", ["month", "quarter", "year"])
def test_profit_and_loss_adds_up_in_every_period(span: Span) -> None:
    found = statement(plan(everything()), "profit", span)
    for place in range(len(found.periods)):
        value = {one.label: Decimal(one.values[place]) for one in found.lines}
        assert value["Recurring"] + value["Projects"] == value["Revenue"]
        assert value["Revenue"] - value["Cost of revenue (COGS)"] == value["Gross profit"]
        costs = ("Research and development", "Sales and marketing", "General and administrative")
        assert value["Gross profit"] - sum(value[one] for one in costs) == value["Operating profit"]
        assert value["Operating profit"] - value["Interest"] - value.get("Tax", 0) == value["Net profit"]
        cogs = ("Inference", "Hosting", "People in the loop", "Payment fees", "Delivery of projects")
        rest = value["Own staff, serving and other"]
        assert sum(value[one] for one in cogs) + rest == value["Cost of revenue (COGS)"]


@pytest.mark.parametrize("span", ["month", "quarter", "year"])
def test_cash_at_the_end_is_that_of_the_beginning_and_all_that_moved_it(span: Span) -> None:
    found = statement(plan(everything()), "cash", span)
    moving = ("From customers", "Costs", "Interest", "Tax", "Angel", "Bank", "Repayments")
    for place in range(len(found.periods)):
        value = {one.label: Decimal(one.values[place]) for one in found.lines}
        moved = sum(value.get(one, Decimal(0)) for one in moving)
        assert value["Cash at the beginning"] + moved == value["Cash at the end"]
        if place:
            assert value["Cash at the beginning"] == line(found, "Cash at the end").values[place - 1]


def test_people_are_those_of_a_periods_end() -> None:
    found = statement(plan(everything()), "people", "quarter")
    assert line(found, "People at the end").values[:4] == (4, 5, 6, 6)


@pytest.mark.parametrize("which", list(STATEMENTS))
def test_lines_that_are_0_throughout_are_left_out_and_sums_stay(which: Which) -> None:
    found = statement(plan(company({"company": {"start": START, "months": 2}})), which, "month")
    assert found.lines
    assert all(one.strong for one in found.lines)

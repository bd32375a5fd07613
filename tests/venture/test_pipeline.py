"""The pipeline: chances by stage, what it is worth in expectation, what is overdue."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from core.errors import InvalidInput
from core.estimate.config import parse
from core.venture.pipeline import CHANCES, STAGES, InvestorSpec, overdue, weigh, weighted

PIPELINE = (
    InvestorSpec(name="A", stage="meeting", amount=Decimal(1_000_000)),
    InvestorSpec(name="B", stage="term sheet", amount=Decimal(500_000), probability=0.5),
    InvestorSpec(name="C", stage="signed", amount=Decimal(200_000), kind="angel"),
    InvestorSpec(name="D", stage="passed", amount=Decimal(9_000_000), probability=0.9),
)


def test_a_stage_gives_its_chance_where_none_is_told() -> None:
    assert [one.chance for one in PIPELINE] == [CHANCES["meeting"], 0.5, CHANCES["signed"], 0.0]


def test_chances_rise_with_the_stage_until_somebody_passes() -> None:
    values = [CHANCES[stage] for stage in STAGES[:-1]]
    assert values == sorted(values)
    assert CHANCES["passed"] == 0


def test_the_weighted_sum_is_amount_times_chance() -> None:
    found = weigh(PIPELINE, Decimal(2_000_000))
    assert found.weighted == 150_000_00 + 250_000_00 + 190_000_00
    assert (found.amount, found.signed) == (1_700_000_00, 200_000_00)
    assert found.coverage == pytest.approx(0.295)
    assert found.asked_coverage == pytest.approx(0.85)


def test_stages_add_up_to_the_whole() -> None:
    found = weigh(PIPELINE)
    assert [one.stage for one in found.stages] == list(STAGES)
    assert sum(one.investors for one in found.stages) == 4
    assert sum(one.weighted for one in found.stages) == found.weighted == sum(weighted(one) for one in PIPELINE)


def test_there_is_no_coverage_without_a_target() -> None:
    assert weigh(PIPELINE).coverage is None


def test_only_open_steps_are_overdue_the_oldest_first() -> None:
    day = dt.date(2027, 3, 1)
    given = (
        InvestorSpec(name="Later", due=dt.date(2027, 2, 20)),
        InvestorSpec(name="Old", due=dt.date(2027, 1, 5)),
        InvestorSpec(name="Today", due=day),
        InvestorSpec(name="Done", stage="signed", due=dt.date(2026, 1, 1)),
    )
    assert [one.name for one in overdue(given, day)] == ["Old", "Later"]


@pytest.mark.parametrize(
    ("field", "value"), [("probability", 1.5), ("amount", -5), ("stage", "maybe"), ("due", "03/04/2027"), ("name", "")]
)
def test_a_faulty_field_is_named_with_its_value(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field) as told:
        parse(InvestorSpec, {"name": "A", field: value})
    assert str(value) in str(told.value)

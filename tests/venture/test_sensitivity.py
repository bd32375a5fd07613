from __future__ import annotations

import pytest

from core.venture.drivers import NAMES, DistributionSpec, ScenarioSpec, UncertaintySpec
from core.venture.metrics import metric
from core.venture.periods import period
from core.venture.plan import plan
from core.venture.sensitivity import TARGETS, Key, tornado
from core.venture.spec import company
from tests.venture.companies import START, everything, short_of_cash


@pytest.mark.parametrize("target", list(TARGETS))
def test_each_bar_is_the_plan_with_that_driver_alone(target: Key) -> None:
    spec = short_of_cash()
    for bar in tornado(spec, target).bars:
        for end, reached in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            alone = TARGETS[target].of(plan(spec, ScenarioSpec(**{bar.name: end})))
            assert reached == pytest.approx(float(alone[0]))


def test_the_longest_bar_stands_first_and_every_driver_has_one() -> None:
    found = tornado(everything())
    assert {one.name for one in found.bars} == set(NAMES)
    assert [one.swing for one in found.bars] == sorted((one.swing for one in found.bars), reverse=True)


def test_the_ends_of_a_bar_are_those_of_the_companys_own_distribution() -> None:
    given = UncertaintySpec(distributions={"churn": DistributionSpec(low=0.5, high=3)})
    found = {one.name: one for one in tornado(everything().model_copy(update={"uncertainty": given})).bars}
    assert (found["churn"].low, found["churn"].high) == (0.5, 3)
    assert (found["growth"].low, found["growth"].high) == (0.6, 1.4)


def test_the_base_is_the_plan() -> None:
    found = plan(everything())
    assert tornado(everything(), "cash_end").base == found.cash[0, -1]
    assert tornado(everything(), "cash_low").base == found.cash[0].min()
    assert tornado(everything(), "arr_end").base == 12 * found.recurring[0, -1]
    margin = metric(found, "gross_margin", period(found.months, 0, 36)).value
    assert tornado(everything(), "gross_margin").base == pytest.approx(margin)


def test_a_runway_beyond_the_plan_counts_as_the_whole_plan() -> None:
    found = tornado(everything(opening_cash=90_000_000), "runway")
    assert found.base == found.most == 36
    assert found.bars[0].swing == 0


def test_without_revenue_there_is_no_margin_and_no_bar_has_a_length() -> None:
    found = tornado(company({"company": {"start": START}}), "gross_margin")
    assert found.base is None
    assert {(one.at_low, one.at_high, one.swing) for one in found.bars} == {(None, None, 0.0)}

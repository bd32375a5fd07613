from __future__ import annotations

from core.venture.comparing import compare
from core.venture.drivers import DOWN, UP, ScenarioSpec
from core.venture.metrics import metric
from core.venture.plan import plan
from core.venture.runway import runway
from core.venture.spec import company
from tests.venture.companies import START, everything, short_of_cash


def test_base_stands_first_and_the_companys_own_scenarios_follow() -> None:
    spec = everything().model_copy(update={"scenarios": {"down": DOWN, "lose the big one": ScenarioSpec(churn=3)}})
    assert compare(spec).names == ("base", "down", "lose the big one")


def test_each_column_is_the_plan_under_its_scenario() -> None:
    spec = short_of_cash()
    found = compare(spec)
    for name, scenario in (("base", None), ("down", DOWN), ("up", UP)):
        assert (found.cash(name) == plan(spec, scenario).cash[0]).all()


def test_key_figures_are_those_of_each_plan_alone() -> None:
    spec = short_of_cash()
    found = compare(spec)
    rows = {one.label: one for one in found.rows}
    for place, scenario in enumerate((None, DOWN, UP)):
        alone = plan(spec, scenario)
        assert rows["Lowest cash"].values[place] == runway(alone).lowest / 100
        arr = metric(alone, "arr", found.period).value
        assert arr is not None
        assert rows["ARR"].values[place] == float(arr)


def test_a_worse_scenario_runs_dry_first() -> None:
    base, down, _ = next(one for one in compare(short_of_cash()).rows if one.label == "Cash runs out in").values
    assert down is not None
    assert base is None or down < base


def test_a_company_of_nothing_can_be_compared() -> None:
    found = compare(company({"company": {"start": START, "months": 1}}))
    assert all(word for row in found.rows for word in row.words)

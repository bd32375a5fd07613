"""Resources: every part draws with and without content, pictures hold the plan's numbers, estimates become lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.estimate.train_estimate import estimate_train
from core.store.database import Database
from core.store.scenarios import ScenarioRepository
from core.venture import months
from core.venture.examples import example_document
from core.venture.flows import flows
from core.venture.people import FUNCTIONS
from core.venture.plan import plan
from core.venture.spec import company
from exports.estimate_plain import scenario_of
from pages.widgets import dashboard_resources_charts as charts
from pages.widgets.dashboard_resources import PARTS
from tests.pages.dashboards import example, own, page, saved, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

SPEC = company(example_document())
PLAN = plan(SPEC)
TRAIN = {"model": "meta-llama/Llama-3.1-8B", "tokens": "20M", "gpu": "h100-sxm", "gpus": 1}


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_draws(db: Database, part: str) -> None:
    example(db)
    at = page("resources", d_resources=part)
    assert not at.exception
    assert not at.error
    assert at.get("plotly_chart")


@pytest.mark.parametrize("part", list(PARTS))
def test_every_part_of_an_empty_company_says_what_to_do(db: Database, part: str) -> None:
    own(db, company={"opening_cash": 0})
    at = page("resources", d_resources=part)
    assert not at.exception
    assert not at.error
    assert not at.get("plotly_chart")
    assert words(at)


def test_the_picture_of_flows_has_as_much_on_both_sides() -> None:
    (sankey,) = charts.flow_figure(flows(SPEC, PLAN)).data
    company_node = list(sankey.node.label).index("")
    into = sum(v for v, t in zip(sankey.link.value, sankey.link.target, strict=True) if t == company_node)
    out = sum(v for v, s in zip(sankey.link.value, sankey.link.source, strict=True) if s == company_node)
    assert into == pytest.approx(out)
    assert any(label.startswith("Missing") for label in sankey.node.label)


def test_a_year_with_money_left_shows_it(db: Database) -> None:
    (sankey,) = charts.flow_figure(flows(SPEC, PLAN, 0, 12)).data
    assert any(label.startswith("Left in the bank") for label in sankey.node.label)


def test_a_year_of_flows_is_chosen(db: Database) -> None:
    example(db)
    at = page("resources")
    at.selectbox(key="d_flow_months").select("Months 1 to 12").run()
    assert not at.exception
    assert "Left" in [one.label for one in at.metric]


def test_rows_of_funding_are_the_plans() -> None:
    rows = charts.funding_rows(SPEC, PLAN)
    came = sum(float(value) for row in rows for key, value in row.items() if key.startswith("in_"))
    assert came == pytest.approx(int(PLAN.funding_in[0].sum()) / 100)
    assert sum(float(row["repayments"]) for row in rows) == pytest.approx(int(PLAN.repayments[0].sum()) / 100)


def test_rows_of_people_and_expenses_are_the_plans() -> None:
    people, expenses = charts.team_rows(SPEC, PLAN), charts.expense_rows(PLAN)
    for name in FUNCTIONS:
        assert sum(float(row[f"cost_{name}"]) for row in people) == pytest.approx(int(PLAN.team[name][0].sum()) / 100)
        assert sum(float(row[name]) for row in expenses) == pytest.approx(int(PLAN.expenses[name][0].sum()) / 100)


def test_rows_of_compute_are_the_plans() -> None:
    rows = charts.compute_rows(SPEC, PLAN)
    planned = sum(int(line[0].sum()) for line in PLAN.compute.values())
    tokens = sum(int(one.inference[0].sum()) for one in PLAN.products)
    assert sum(float(row["amount"]) for row in rows) == pytest.approx((planned + tokens) / 100)


def test_a_role_outside_of_the_plan_is_not_in_the_picture() -> None:
    spec = company({"team": [{"role": "A", "salary": 1}, {"role": "Late", "salary": 1, "start": "2090-01"}]})
    figure = charts.team_figure(spec, plan(spec))
    assert len(figure.data) == 1


def test_a_role_is_added_in_one_press(db: Database) -> None:
    record = own(db)
    at = page("resources", d_resources="team")
    at.selectbox(key="d_role_0").select("Support").run()
    at.button(key="d_add_role").click().run()
    assert not at.exception
    (role,) = saved(db, record).team
    assert (role.role, role.function, role.start) == ("Support", "cogs", "2027-01")
    assert at.get("plotly_chart")


def test_a_fine_tune_is_taken_from_a_saved_estimate_with_its_origin(db: Database) -> None:
    report = estimate_train(TRAIN)[0]
    scenario = ScenarioRepository(db).save(scenario_of("Tune", report))
    record = own(db)
    at = page("resources", d_resources="compute")
    next(one for one in at.text_input if one.label == "From").set_value("2027-03").run()
    at.button(key="d_compute_take").click().run()
    assert not at.exception
    assert not at.error
    (row,) = saved(db, record).compute
    assert (row.scenario_id, row.start, row.every_months) == (scenario.id, "2027-03", 3)
    assert row.amount > 0


def test_a_faulty_month_of_an_estimate_is_told_and_not_taken(db: Database) -> None:
    ScenarioRepository(db).save(scenario_of("Tune", estimate_train(TRAIN)[0]))
    record = own(db)
    at = page("resources", d_resources="compute")
    next(one for one in at.text_input if one.label == "From").set_value("spring").run()
    at.button(key="d_compute_take").click().run()
    assert "spring" in at.error[0].value
    assert not saved(db, record).compute


def test_an_estimate_that_is_gone_is_told_beside_the_plan(db: Database) -> None:
    own(db, compute=[{"name": "Tune", "amount": 5, "scenario_id": "x", "scenario_name": "Old", "as_of": "2027-01-01"}])
    at = page("resources", d_resources="compute")
    assert "deleted" in at.warning[0].value


def test_a_second_of_a_role_starts_now_and_earns_as_the_first(db: Database) -> None:
    this, team = months.today(), [{"role": "Support", "function": "cogs", "salary": 41_000}]
    record = own(db, company={"start": months.after(this, -12)}, team=team)
    at = page("resources", d_resources="team")
    at.selectbox(key="d_role_0").select("Support").run()
    at.button(key="d_add_role").click().run()
    assert not at.error
    made = saved(db, record).team[1]
    assert (made.role, made.start, int(made.salary), made.function) == ("Support 2", this, 41_000, "cogs")
    assert "$41,000 a year" in at.toast[0].value

"""Fundraising on the dashboard: when to start, what a round costs and buys, milestones, the pipeline."""

from __future__ import annotations

import pytest

from core.store.database import Database
from core.venture.dilution import at_valuations, course, curve
from core.venture.fundraising import FundraisingSpec, PlannedRoundSpec
from core.venture.months import after
from core.venture.ownership.spec import OwnershipSpec
from core.venture.pipeline import InvestorSpec, weigh
from core.venture.raising import Bought, Demand, milestones, when_to_start
from pages.widgets import dashboard_fundraising_charts as charts
from pages.widgets.dashboard_fundraising import bought_words, demand_words
from tests.pages.dashboard_sections import saved, section, words

pytestmark = pytest.mark.slow  # whole pages; tests/pages/test_dashboard.py draws each of them in the quick ones

MONTHS = [after("2027-01", place) for place in range(12)]
CASH = [100_000_00 * (9 - place) for place in range(12)]
SEED = {
    "name": "Seed <b>",
    "month": "2027-06",
    "amount": 500_000,
    "pre_money": 2_000_000,
    "pre_money_low": 1_500_000,
    "pre_money_high": 3_000_000,
    "pool": 0.1,
    "milestones": [
        {"name": "Pilot <b>", "month": "2027-08", "cost": 200_000},
        {"name": "Launch", "months_of_work": 9, "cost": 400_000},
    ],
}
INVESTORS = [
    {"name": "Fund $A", "stage": "meeting", "amount": 400_000, "next_step": "Send deck", "due": "2020-01-01"},
    {"name": "B", "stage": "signed", "amount": 100_000},
]
PLAN = f"{CASH}, {MONTHS}"
BOTH = {"planned": [SEED], "pipeline": INVESTORS}


def spec() -> FundraisingSpec:
    return FundraisingSpec.model_validate(BOTH)


def test_an_empty_section_says_what_to_do_first_and_does_it(db: Database) -> None:
    at, company_id = section(db, "dashboard_fundraising", "None, []")
    assert not at.exception
    assert "No round is planned" in words(at)
    at.button(key="d_first_round").click().run()
    assert not at.exception
    (planned,) = saved(db, company_id).fundraising.planned
    assert (planned.name, planned.month) == ("Seed", "2027-07")


def test_a_plan_says_when_to_start_and_what_the_round_buys(db: Database) -> None:
    at, _ = section(db, "dashboard_fundraising", PLAN, fundraising=BOTH)
    assert not at.exception
    told = words(at)
    assert "talks should have started in Nov 2026" in told
    assert "is planned for Jun 2027: with 6 months to close, talks should have started in Dec 2026" in told
    assert "later than the cash allows" in told
    assert "With the milestones' costs paid when due" in told
    assert "not added to the plan" in told
    assert "buys 5 months" in told
    assert "Milestones cost" in told
    assert "1 milestone beyond the amount" in told
    assert len(at.get("plotly_chart")) == 4


def test_a_company_without_a_plan_still_shows_the_round(db: Database) -> None:
    at, _ = section(db, "dashboard_fundraising", "None, []", fundraising=BOTH)
    assert not at.exception
    assert "There is no plan of cash yet" in words(at)
    assert len(at.get("plotly_chart")) == 3


def test_a_round_that_is_a_source_of_money_too_is_told(db: Database) -> None:
    source = {"name": "Seed", "kind": "venture", "month": "2027-06", "amount": 500_000}
    at, _ = section(db, "dashboard_fundraising", PLAN, fundraising=BOTH, funding=[source])
    assert "counts a second time" in words(at)


def test_the_pipeline_is_weighed_and_overdue_steps_are_named(db: Database) -> None:
    at, _ = section(db, "dashboard_fundraising", "None, []", fundraising=BOTH)
    told = words(at)
    assert "$155k in expectation, of $500k asked for: 31% of the $500k" in told.replace("\\", "")
    assert r"Fund \$A" in told
    assert "overdue" in told


def test_a_round_that_cannot_be_is_told_where_it_stands(db: Database) -> None:
    at, _ = section(db, "dashboard_fundraising", "None, []", fundraising={"planned": [SEED | {"pool": 0.9}]})
    assert not at.exception
    assert any("Seed" in one.value for one in at.error)


def test_milestones_are_saved_as_they_stand_in_the_table(db: Database) -> None:
    at, company_id = section(db, "dashboard_fundraising", PLAN, fundraising=BOTH)
    before = saved(db, company_id).fundraising
    next(one for one in at.button if one.label == "Save milestones").click().run()
    assert not at.exception
    assert not at.error
    assert saved(db, company_id).fundraising == before


def test_of_several_rounds_one_is_looked_at(db: Database) -> None:
    later = SEED | {"name": "Series A", "month": "2028-06", "milestones": []}
    at, _ = section(db, "dashboard_fundraising", PLAN, fundraising={"planned": [SEED, later]})
    at.selectbox[0].select_index(1).run()
    assert not at.exception
    assert "No milestone yet" in words(at)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Bought("A", "2027-06", None, None, None, False, False), "the cash lasts without it"),
        (Bought("A", "2027-06", "2027-09", None, None, False, False), "instead of being gone in Sep 2027"),
        (Bought("A", "2027-06", "2027-03", "2027-03", 0, False, True), "after the cash is gone in Mar 2027"),
        (Bought("A", "2026-06", "2027-03", "2027-03", 0, False, False), "A round before the plan is in its cash"),
        (
            Bought("A", "2027-06", "2027-09", "2028-02", 5, True, False, "2028-12", 50_000_00),
            "after the plan at \\$50k of burn a month",
        ),
        (
            Bought("A", "2027-06", "2027-09", None, None, False, False, "2028-12", 50_000_00),
            "more than 15 months: cash lasts beyond Dec 2028, more than a year after the plan ends",
        ),
        (Bought("A", "2030-01", None, None, None, False, False, "2028-12", 1), "not counted"),
        (Bought("A", "2027-06", "2027-09", "2027-08", -1, False, False, "2028-12", 1), "costs more than it brings"),
    ],
)
def test_what_a_round_buys_is_said_in_words(found: Bought, told: str) -> None:
    assert told in bought_words(found)


@pytest.mark.parametrize(
    ("needed", "later", "told"),
    [
        ("2027-07", False, "comes 2 months before the cash needs it, Jul 2027"),
        ("2027-05", False, "comes the month in which the cash needs it"),
        ("2027-04", True, "later than the cash allows: the money must be there by Apr 2027"),
        (None, False, "the cash keeps its buffer without it"),
    ],
)
def test_what_a_planned_round_demands_is_said_beside_the_cash(needed: str | None, later: bool, told: str) -> None:
    one = Demand("Seed", "2027-05", "2026-12", needed, later, False)
    words = demand_words(one, FundraisingSpec(months_to_close=5))
    assert "is planned for May 2027: with 5 months to close, talks start in Dec 2026" in words
    assert told in words


def test_a_note_without_a_method_is_said_to_be_left_out(db: Database) -> None:
    ownership = {
        "holders": [{"name": "Ada", "shares": 900}],
        "notes": [{"name": "Bridge", "principal_usd": 100_000, "cap_usd": 1_000_000}],
    }
    at, _ = section(db, "dashboard_fundraising", "None, []", fundraising=BOTH, ownership=ownership)
    assert not at.exception
    assert "Bridge is left out" in words(at)


def test_the_cash_picture_draws_both_lines_to_the_cent() -> None:
    timing = when_to_start(CASH, MONTHS, months_to_close=6, buffer_months=6)
    figure = charts.cash_figure(spec(), CASH, MONTHS, timing, "EUR")
    plain, rounds = (trace for trace in figure.data if trace.mode == "lines")
    assert [rounds.y[place] - plain.y[place] for place in (4, 5, 11)] == [0, 500_000, 500_000]
    assert charts.cash_rows(spec(), CASH, MONTHS)[5]["cash_with_rounds"] == 900_000.0
    assert figure.layout.yaxis.title.text == "cash, EUR"


def test_the_dilution_picture_marks_low_expected_and_high() -> None:
    planned = PlannedRoundSpec.model_validate(SEED)
    found = course(OwnershipSpec(), [planned], 0)
    points, marks = curve(found), at_valuations(found)
    figure = charts.dilution_figure(points, marks, "USD", name=planned.name, held_known=True)
    drawn = {trace.x[0]: trace.y[0] for trace in figure.data if trace.mode == "markers"}
    assert drawn == {float(one.pre_money): one.kept for one in (marks.low, marks.expected, marks.high)}
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (1_500_000, 3_000_000)


def test_milestones_beyond_the_amount_are_hollow() -> None:
    found = milestones(PlannedRoundSpec.model_validate(SEED))
    figure = charts.milestones_figure("Seed", "2027-06", found, "2028-01", "USD")
    marks = next(trace for trace in figure.data if trace.mode == "markers")
    assert tuple(marks.marker.symbol) == ("circle", "circle-open")
    assert tuple(marks.x) == (2, 9)
    assert all("<b>" not in text for text in marks.hovertext)
    assert all("<b>" not in note.text for note in figure.layout.annotations)


def test_the_pipeline_picture_draws_each_stage_as_it_is_summed() -> None:
    found = weigh([InvestorSpec.model_validate(one) for one in INVESTORS])
    figure = charts.pipeline_figure(found, "USD")
    bars = next(trace for trace in figure.data if trace.type == "bar")
    assert sum(bars.x) == (found.amount + found.weighted) / 100
